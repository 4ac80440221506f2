variable "name" {
  description = "Name of the function, its role and its log group, 1 to 64 letters, digits, hyphens and underscores. Changing it replaces them."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name must be 1 to 64 letters, digits, hyphens and underscores. Got \"${var.name}\", ${length(var.name)} characters."
  }
}

variable "description" {
  description = "What the function does, for whoever meets it in the console, up to 256 characters."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = length(var.description) <= 256
    error_message = "description must be at most 256 characters. Got ${length(var.description)}."
  }
}

variable "source_dir" {
  description = "Directory that holds the Python packages, the import root of the function."
  type        = string
  nullable    = false
}

variable "source_packages" {
  description = "Sub-directories of source_dir that go into the zip, with their *.py files."
  type        = list(string)
  nullable    = false
}

variable "package" {
  description = "A prebuilt package instead of the source: { filename, source_code_hash } for a local zip with its base64 SHA-256, or { s3_bucket, s3_key, s3_object_version, source_code_hash } for an object. Set it to replace the handler by one of your own."
  type = object({
    filename          = optional(string)
    source_code_hash  = optional(string)
    s3_bucket         = optional(string)
    s3_key            = optional(string)
    s3_object_version = optional(string)
  })
  default = null

  # Presence alone is looked at: a bucket or key may be made in the same configuration and be unknown at plan.
  validation {
    condition     = try((var.package.filename != null) != (var.package.s3_bucket != null && var.package.s3_key != null), var.package == null)
    error_message = "package needs either filename or s3_bucket and s3_key."
  }

  validation {
    condition     = try(var.package.s3_key == null || var.package.source_code_hash != null || var.package.s3_object_version != null, var.package == null)
    error_message = "package.s3_key needs s3_object_version or source_code_hash: without either a changed object is not deployed, and nobody knows which one runs."
  }

  validation {
    condition     = try(var.package.filename == null || var.package.source_code_hash != null, var.package == null)
    error_message = "package.filename needs source_code_hash, for example filebase64sha256(filename): without it a changed zip is not deployed."
  }
}

variable "handler" {
  description = "Dotted path of the function to call, for example \"ingest.handler.handle\"."
  type        = string
  nullable    = false
}

variable "runtime" {
  description = "Lambda runtime. Change it to a newer Python once Lambda has it."
  type        = string
  default     = "python3.13"
  nullable    = false

  validation {
    condition     = can(regex("^python3\\.1[2-9]$", var.runtime))
    error_message = "runtime must be python3.12 or newer, for example python3.13. Got \"${var.runtime}\"."
  }
}

variable "architecture" {
  description = "\"arm64\" (cheaper for the same work) or \"x86_64\". Change it when a layer of yours exists for one only."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture must be \"arm64\" or \"x86_64\". Got \"${var.architecture}\"."
  }
}

variable "layers" {
  description = "ARNs of up to five layer versions, for example an agent of your observability vendor."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.layers) <= 5
    error_message = "layers takes at most five, the limit of Lambda. Got ${length(var.layers)}."
  }
}

variable "memory_size" {
  description = "Memory in MB, 128 to 10240; CPU comes in proportion, one vCPU at 1769. Raise it when the duration matters more than the price."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = var.memory_size >= 128 && var.memory_size <= 10240 && floor(var.memory_size) == var.memory_size
    error_message = "memory_size must be a whole number of MB, 128 to 10240. Got ${var.memory_size}."
  }
}

variable "timeout_seconds" {
  description = "Seconds after which Lambda ends an invocation, 1 to 900."
  type        = number
  nullable    = false

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 900 && floor(var.timeout_seconds) == var.timeout_seconds
    error_message = "timeout_seconds must be a whole number of seconds, 1 to 900. Got ${var.timeout_seconds}."
  }
}

variable "environment" {
  description = "Environment variables that the handler reads, together with their names at most 4096 bytes. Not for secrets."
  type        = map(string)
  default     = {}
  nullable    = false

  # "Working with Lambda environment variables" (AWS Lambda Developer Guide).
  validation {
    condition     = alltrue([for name in keys(var.environment) : can(regex("^[A-Za-z][A-Za-z0-9_]+$", name))])
    error_message = "Names in environment must start with a letter, and have at least two letters, digits and underscores. Got ${join(", ", keys(var.environment))}."
  }

  validation {
    condition = length(setintersection(keys(var.environment), [
      "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
      "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME",
      "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
      "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
    ])) == 0
    error_message = "environment sets a variable that Lambda keeps for itself, one of ${join(", ", [for name in keys(var.environment) : name if can(regex("^(AWS|LAMBDA)_", name))])}. Remove it."
  }
}

variable "reserved_concurrency" {
  description = "Instances that are set aside for this function and also its most, at least 1; null shares the account's. Set it to keep other functions from starving this one, in an account whose quota allows it: a new account's may be 10, of which AWS keeps some unreserved."
  type        = number
  default     = null

  validation {
    condition     = try(var.reserved_concurrency >= 1, var.reserved_concurrency == null)
    error_message = "reserved_concurrency must be at least 1 (0 would stop the function), or null for none. Got ${coalesce(var.reserved_concurrency, 0)}."
  }
}

variable "provisioned_concurrency" {
  description = "Instances that are kept warm behind the alias, at least 1; null for none. Set it when cold starts hurt and the load is steady."
  type        = number
  default     = null

  validation {
    condition     = try(var.provisioned_concurrency >= 1, var.provisioned_concurrency == null)
    error_message = "provisioned_concurrency must be at least 1, or null for none. Got ${coalesce(var.provisioned_concurrency, 0)}."
  }
}

variable "snap_start_enabled" {
  description = "Whether versions start from a snapshot. Set it when cold starts hurt and the load is not steady; each restore is billed, and so is the cached snapshot of every published version until it is deleted."
  type        = bool
  default     = false
  nullable    = false
}

# Apart from where, so that the policy depends on no network: a role made from it may be one that the network waits for.
variable "in_vpc" {
  description = "Whether the function runs in a VPC, and its role may have the Lambda service manage network interfaces. true needs vpc_id and subnet_ids."
  type        = bool
  default     = false
  nullable    = false
}

variable "vpc_id" {
  description = "With in_vpc: ID of the VPC, for the function's security group. It cannot be changed later."
  type        = string
  default     = null
}

variable "subnet_ids" {
  description = "With in_vpc: IDs of the function's subnets, in different zones."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "egress" {
  description = "With in_vpc: HTTPS destinations that the function may call, by a name for each: a security group, a prefix list or an IPv4 range."
  type = map(object({
    security_group_id = optional(string)
    prefix_list_id    = optional(string)
    cidr_ipv4         = optional(string)
  }))
  default  = {}
  nullable = false
}

variable "existing_role" {
  description = "A role that exists already, instead of one made here; its permissions are then its owner's business (see the output policy_json)."
  type        = object({ arn = string })
  default     = null
}

variable "policy_documents" {
  description = "IAM policy documents (JSON) with what the handler itself needs. What the runtime needs is added."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "permissions_boundary" {
  description = "Permissions boundary of the role, for accounts that allow no role without one."
  type        = object({ arn = string })
  default     = null
}

variable "role_path" {
  description = "IAM path of the role, starting and ending with a slash. Change it where your account sorts or restricts roles by path."
  type        = string
  default     = "/"
  nullable    = false
}

variable "log_level" {
  description = "Least level of the handler's logs: \"TRACE\", \"DEBUG\", \"INFO\", \"WARN\", \"ERROR\" or \"FATAL\". Lambda itself is never told more than INFO, or it would drop the metrics: above that the handler has to apply the environment variable LOG_LEVEL."
  type        = string
  default     = "INFO"
  nullable    = false

  validation {
    condition     = contains(["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"], var.log_level)
    error_message = "log_level must be TRACE, DEBUG, INFO, WARN, ERROR or FATAL. Got \"${var.log_level}\"."
  }
}

variable "log_retention_days" {
  description = "Days that logs are kept, one of the values that CloudWatch Logs offers; 0 keeps them for ever. Change it to what your audits ask for."
  type        = number
  default     = 365
  nullable    = false

  validation {
    condition     = contains([0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be a period that CloudWatch Logs offers: 0 (for ever), 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653. Got ${var.log_retention_days}."
  }
}

variable "tracing_enabled" {
  description = "Whether X-Ray samples and records invocations. Switch it off where another tracer does."
  type        = bool
  default     = true
  nullable    = false
}

variable "kms_key" {
  description = "Customer managed key that encrypts the environment and the logs; null leaves it to keys that AWS owns. Its policy must allow CloudWatch Logs."
  type        = object({ arn = string })
  default     = null
}

variable "tags" {
  description = "Tags for every resource of this module, in addition to the provider's default tags."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "name" {
  description = "Name of the function and of its log group, and prefix of its role: 1 to 64 letters, digits, hyphens and underscores. Changing it replaces them."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name is \"${var.name}\" (${length(var.name)} characters), but must be 1 to 64 letters, digits, hyphens and underscores."
  }
}

variable "description" {
  description = "What the function does, for readers of the console, up to 256 characters."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = length(var.description) <= 256
    error_message = "description has ${length(var.description)} characters, but must have at most 256."
  }
}

variable "source_dir" {
  description = "Directory that contains the Python packages; the function's import root."
  type        = string
  nullable    = false
}

variable "source_packages" {
  description = "Subdirectories of source_dir whose *.py files go into the zip. A change to them publishes a new version."
  type        = list(string)
  nullable    = false
}

variable "additional_source_dir" {
  description = "Another directory whose files go into the zip too, all text files but caches and hidden ones, at the same import root as source_packages. null for none. A change publishes a new version."
  type        = string
  default     = null
}

variable "package" {
  description = "A prebuilt package instead of the source: a local zip { filename, source_code_hash (base64 SHA-256) } or an S3 object { s3_bucket, s3_key, s3_object_version, source_code_hash }. Set it to use a handler of your own. A change publishes a new version."
  type = object({
    filename          = optional(string)
    source_code_hash  = optional(string)
    s3_bucket         = optional(string)
    s3_key            = optional(string)
    s3_object_version = optional(string)
  })
  default = null

  # Only checks what is set: a bucket or key may be created in the same configuration and be unknown at plan.
  validation {
    condition     = try((var.package.filename != null) != (var.package.s3_bucket != null && var.package.s3_key != null), var.package == null)
    error_message = "package must have either filename, or s3_bucket and s3_key."
  }

  validation {
    condition     = try(var.package.s3_key == null || var.package.source_code_hash != null || var.package.s3_object_version != null, var.package == null)
    error_message = "package.s3_key needs package.s3_object_version or package.source_code_hash, or Terraform would neither deploy a changed object nor know which one runs."
  }

  validation {
    condition     = try(var.package.filename == null || var.package.source_code_hash != null, var.package == null)
    error_message = "package.filename needs package.source_code_hash, for example filebase64sha256(filename), or Terraform would not deploy a changed zip."
  }
}

variable "handler" {
  description = "Dotted path of the Python function to call, for example \"ingest.handler.handle\". A change publishes a new version."
  type        = string
  nullable    = false
}

variable "runtime" {
  description = "Lambda runtime, python3.12 or newer. A change publishes a new version."
  type        = string
  default     = "python3.13"
  nullable    = false

  validation {
    condition     = can(regex("^python3\\.1[2-9]$", var.runtime))
    error_message = "runtime is \"${var.runtime}\", but must be python3.12 or newer, for example python3.13."
  }
}

variable "architecture" {
  description = "\"arm64\" (cheaper for the same work) or \"x86_64\". Change it if a layer of yours exists for one only. A change publishes a new version."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture is \"${var.architecture}\", but must be \"arm64\" or \"x86_64\"."
  }
}

variable "layers" {
  description = "ARNs of up to five layer versions, for example an observability agent. A change publishes a new version."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.layers) <= 5
    error_message = "layers has ${length(var.layers)} layer versions, but Lambda allows at most five."
  }

  validation {
    condition     = alltrue([for layer in var.layers : can(regex(":layer:[^:]+:[0-9]+$", layer))])
    error_message = "layers must be ARNs of layer versions, which end with the number of the version, for example …:layer:agent:1."
  }
}

variable "memory_size" {
  description = "Memory in MB, 128 to 10240; CPU is proportional, one vCPU at 1769. The default is what the module's handlers need for messages of 1 MiB. Raise it if the duration matters more than the price. A change publishes a new version."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = var.memory_size >= 128 && var.memory_size <= 10240 && floor(var.memory_size) == var.memory_size
    error_message = "memory_size is ${var.memory_size}, but must be a whole number of MB, 128 to 10240."
  }
}

variable "timeout_seconds" {
  description = "Seconds after which Lambda stops an invocation, 1 to 900: what the slowest may take, its retries included. A change publishes a new version."
  type        = number
  nullable    = false

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 900 && floor(var.timeout_seconds) == var.timeout_seconds
    error_message = "timeout_seconds is ${var.timeout_seconds}, but must be a whole number of seconds, 1 to 900."
  }
}

variable "environment" {
  description = "Environment variables that the handler reads, at most 4096 bytes of names and values; not for secrets. A change publishes a new version."
  type        = map(string)
  default     = {}
  nullable    = false

  # "Working with Lambda environment variables" (AWS Lambda Developer Guide).
  validation {
    condition     = alltrue([for name in keys(var.environment) : can(regex("^[A-Za-z][A-Za-z0-9_]+$", name))])
    error_message = "environment has the names ${join(", ", keys(var.environment))}, but each must start with a letter and consist of at least two letters, digits and underscores."
  }

  validation {
    condition = length(setintersection(keys(var.environment), [
      "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
      "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME",
      "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
      "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
    ])) == 0
    error_message = "environment sets a variable that Lambda reserves, one of ${join(", ", [for name in keys(var.environment) : name if can(regex("^(AWS|LAMBDA)_", name))])}. Remove it."
  }
}

variable "reserved_concurrency" {
  description = "Reserved concurrency (≥ 1): both guaranteed and capped. null uses the account's unreserved pool. Set it where other functions could starve this one and the account's quota allows it; a new account's may be 10, of which AWS keeps some unreserved. Changed in place."
  type        = number
  default     = null

  validation {
    condition     = try(var.reserved_concurrency >= 1, var.reserved_concurrency == null)
    error_message = "reserved_concurrency is ${coalesce(var.reserved_concurrency, 0)}, but must be at least 1 (0 would stop the function), or null for none."
  }
}

variable "provisioned_concurrency" {
  description = "Provisioned concurrency of the alias (≥ 1), billed by the hour; null for none. Set it if cold starts hurt and the load is steady. Excludes snap_start_enabled. Changed in place."
  type        = number
  default     = null

  validation {
    condition     = try(var.provisioned_concurrency >= 1, var.provisioned_concurrency == null)
    error_message = "provisioned_concurrency is ${coalesce(var.provisioned_concurrency, 0)}, but must be at least 1, or null for none."
  }
}

variable "snap_start_enabled" {
  description = "Start published versions from a snapshot. Set it if cold starts hurt and the load is not steady; each restore is billed, and so is the snapshot of every published version until it is deleted. Excludes provisioned_concurrency. A change publishes a new version."
  type        = bool
  default     = false
  nullable    = false
}

# Separate from vpc_id, which may be unknown at plan, and which the policy must not depend on: the network may wait for a role with it.
variable "in_vpc" {
  description = "Run the function in a VPC, and let the Lambda service manage network interfaces with its role. true needs vpc_id and subnet_ids. A change publishes a new version."
  type        = bool
  default     = false
  nullable    = false
}

variable "vpc_id" {
  description = "ID of the VPC, for the function's security group; only with in_vpc. It cannot be changed later."
  type        = string
  default     = null
}

variable "subnet_ids" {
  description = "IDs of the function's subnets, in different zones; only with in_vpc. A change publishes a new version."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "egress" {
  description = "HTTPS destinations that the function may call, each a security group, a prefix list or an IPv4 range under a name of your choice; only with in_vpc. Changed in place."
  type = map(object({
    security_group_id = optional(string)
    prefix_list_id    = optional(string)
    cidr_ipv4         = optional(string)
  }))
  default  = {}
  nullable = false
}

variable "existing_role" {
  description = "An existing role to use instead of creating one; its owner grants it what the output policy_json contains. Setting it later publishes a new version and deletes the role that was created here."
  type        = object({ arn = string })
  default     = null

  validation {
    condition     = var.existing_role == null ? true : can(regex(":role/", var.existing_role.arn))
    error_message = "existing_role.arn is ${try(jsonencode(var.existing_role.arn), "not set")}, but must be the ARN of an IAM role. To have one created, set existing_role itself to null."
  }
}

variable "policy_documents" {
  description = "IAM policy documents (JSON) with the permissions that the handler needs; those that the runtime needs are added. Changed in place."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for document in var.policy_documents : can(jsondecode(document).Statement)])
    error_message = "policy_documents must be JSON with a Statement, such as the json of an aws_iam_policy_document."
  }
}

variable "permissions_boundary" {
  description = "Permissions boundary for the role, for accounts that require one. Changed in place."
  type        = object({ arn = string })
  default     = null

  validation {
    condition     = var.permissions_boundary == null ? true : can(regex(":policy/", var.permissions_boundary.arn))
    error_message = "permissions_boundary.arn is ${try(jsonencode(var.permissions_boundary.arn), "not set")}, but must be the ARN of an IAM policy. To have none, set permissions_boundary itself to null."
  }
}

variable "role_path" {
  description = "IAM path for the role, starting and ending with a slash. Set it where your account organizes or restricts roles by path. A change replaces the role and publishes a new version."
  type        = string
  default     = "/"
  nullable    = false

  validation {
    condition     = can(regex("^/([!-~]{1,510}/)?$", var.role_path))
    error_message = "role_path is \"${var.role_path}\", but must start and end with a slash and have at most 512 characters, for example /service/."
  }
}

variable "log_level" {
  description = "Minimum level of the handler's logs: \"TRACE\", \"DEBUG\", \"INFO\", \"WARN\", \"ERROR\" or \"FATAL\". Lambda itself filters at INFO at most, because it would drop the metrics above that; the handler must apply the environment variable LOG_LEVEL. A change publishes a new version."
  type        = string
  default     = "INFO"
  nullable    = false

  validation {
    condition     = contains(["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"], var.log_level)
    error_message = "log_level is \"${var.log_level}\", but must be TRACE, DEBUG, INFO, WARN, ERROR or FATAL."
  }
}

variable "log_retention_days" {
  description = "Days that logs are kept, one of the values that CloudWatch Logs offers; 0 keeps them forever. The default is a year, which security standards ask for. Set it to what your audits require. Changed in place; lowering it deletes older logs."
  type        = number
  default     = 365
  nullable    = false

  validation {
    condition     = contains([0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is ${var.log_retention_days}, but must be a period that CloudWatch Logs offers: 0 (forever), 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "tracing_enabled" {
  description = "Have X-Ray sample and record invocations. Disable it where another tracer does. A change publishes a new version."
  type        = bool
  default     = true
  nullable    = false
}

variable "kms_key" {
  description = "Customer managed key that encrypts the environment and the logs; its policy must allow CloudWatch Logs. null uses keys that AWS owns. A change publishes a new version."
  type        = object({ arn = string })
  default     = null

  validation {
    condition     = var.kms_key == null ? true : can(regex(":key/", var.kms_key.arn))
    error_message = "kms_key.arn is ${try(jsonencode(var.kms_key.arn), "not set")}, but must be the ARN of a KMS key, not of an alias. To use keys that AWS owns, set kms_key itself to null."
  }
}

variable "tags" {
  description = "Tags for every resource of this module, in addition to the provider's default tags. Changed in place."
  type        = map(string)
  default     = {}
  nullable    = false
}

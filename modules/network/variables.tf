variable "name" {
  description = "Prefix of every resource name: 1 to 24 lower-case letters, digits and hyphens. Set it to run several networks side by side. A change renames the log group and its role, which replaces them; the VPC stays."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,22}[a-z0-9])?$", var.name))
    error_message = "name is \"${var.name}\", but must be 1 to 24 lower-case letters, digits and hyphens, start with a letter and not end with a hyphen."
  }
}

variable "cidr_block" {
  description = "IPv4 range of the VPC, /16 to /24. Choose one that does not overlap with networks you will connect. It cannot be changed later."
  type        = string
  default     = "10.0.0.0/16"
  nullable    = false

  validation {
    condition     = can(cidrnetmask(var.cidr_block)) && try(cidrhost(var.cidr_block, 0) == split("/", var.cidr_block)[0], false)
    error_message = "cidr_block (vpc.cidr_block) is \"${var.cidr_block}\", but must be an IPv4 range that starts at its own first address, for example 10.0.0.0/16."
  }

  validation {
    condition     = try(tonumber(split("/", var.cidr_block)[1]) >= 16 && tonumber(split("/", var.cidr_block)[1]) <= 24, false)
    error_message = "cidr_block (vpc.cidr_block) is \"${var.cidr_block}\", but must be a /16 (AWS's largest VPC) to a /24 (the smallest whose subnets a load balancer accepts)."
  }
}

variable "availability_zones" {
  description = "Names of 2 to 8 zones (a /24 has room for 4); null uses the region's first two. Set it to use more zones, or those where your other workloads run. A zone's position determines its subnets' ranges, so append zones at the end and remove them from the end. A removal completes only once function versions that ran there are deleted; see docs/changing.md."
  type        = list(string)
  default     = null

  validation {
    condition     = try(length(var.availability_zones) >= 2 && length(var.availability_zones) <= 8, var.availability_zones == null)
    error_message = "availability_zones (vpc.availability_zones) has ${try(length(var.availability_zones), 0)} zones, but needs 2, as a load balancer does, to 8."
  }

  validation {
    condition     = try(length(distinct(var.availability_zones)) == length(var.availability_zones), var.availability_zones == null)
    error_message = "availability_zones (vpc.availability_zones) lists a zone twice: ${try(join(", ", var.availability_zones), "")}. List each once."
  }
}

variable "nat_gateway" {
  description = "NAT gateways for the private subnets: \"none\", \"single\" (one for all, cheaper) or \"one_per_zone\" (survives the loss of a zone). Set it if something in the private subnets needs the internet. Changed in place."
  type        = string
  default     = "none"
  nullable    = false

  validation {
    condition     = contains(["none", "single", "one_per_zone"], var.nat_gateway)
    error_message = "nat_gateway (vpc.nat_gateway) is \"${var.nat_gateway}\", but must be \"none\", \"single\" or \"one_per_zone\"."
  }
}

variable "ipv6_enabled" {
  description = "Give the VPC and its public subnets IPv6 ranges from Amazon's pool as well, for a dual-stack load balancer. Changed in place, but one way only: AWS does not remove a range that a load balancer uses."
  type        = bool
  default     = false
  nullable    = false
}

variable "flow_logs_enabled" {
  description = "Send the VPC's flow logs to CloudWatch Logs, for which a role is created. Disable it where the account records them centrally or where you may not create roles. Disabling it later deletes the log group and its history."
  type        = bool
  default     = true
  nullable    = false
}

variable "log_retention_days" {
  description = "Days that flow logs are kept, one of the values that CloudWatch Logs offers; 0 keeps them forever. The default is a year, which security standards ask for. Set it to what your audits require. Changed in place; lowering it deletes older logs."
  type        = number
  default     = 365
  nullable    = false

  validation {
    condition     = contains([0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is ${var.log_retention_days}, but must be a period that CloudWatch Logs offers: 0 (forever), 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "kms_key" {
  description = "Customer managed key that encrypts the flow logs; its policy must allow CloudWatch Logs. null uses a key that AWS owns. Changed in place."
  type        = object({ arn = string })
  default     = null

  validation {
    condition     = var.kms_key == null ? true : can(regex(":key/", var.kms_key.arn))
    error_message = "kms_key.arn is ${try(jsonencode(var.kms_key.arn), "not set")}, but must be the ARN of a KMS key, not of an alias. To use keys that AWS owns, set kms_key itself to null."
  }
}

variable "permissions_boundary" {
  description = "Permissions boundary for the flow logs' role, for accounts that require one. Changed in place."
  type        = object({ arn = string })
  default     = null

  validation {
    condition     = var.permissions_boundary == null ? true : can(regex(":policy/", var.permissions_boundary.arn))
    error_message = "permissions_boundary.arn is ${try(jsonencode(var.permissions_boundary.arn), "not set")}, but must be the ARN of an IAM policy. To have none, set permissions_boundary itself to null."
  }
}

variable "role_path" {
  description = "IAM path for the flow logs' role, starting and ending with a slash. Set it where your account organizes or restricts roles by path. A change replaces the role."
  type        = string
  default     = "/"
  nullable    = false

  validation {
    condition     = can(regex("^/([!-~]{1,510}/)?$", var.role_path))
    error_message = "role_path is \"${var.role_path}\", but must start and end with a slash and have at most 512 characters, for example /service/."
  }
}

variable "tags" {
  description = "Tags for every resource of this module, in addition to the provider's default tags. Changed in place."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "name" {
  description = "Prefix of every name that this module makes, 1 to 24 characters: lower-case letters, digits and hyphens. Change it to run several networks side by side."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,22}[a-z0-9])?$", var.name))
    error_message = "name must be 1 to 24 lower-case letters, digits and hyphens, start with a letter and not end with a hyphen. Got \"${var.name}\"."
  }
}

variable "cidr_block" {
  description = "IPv4 range of the VPC, a /16 to /24. Set it where it would overlap with a network that the VPC is to be connected with; it cannot be changed later."
  type        = string
  default     = "10.0.0.0/16"
  nullable    = false

  validation {
    condition     = can(cidrnetmask(var.cidr_block)) && try(cidrhost(var.cidr_block, 0) == split("/", var.cidr_block)[0], false)
    error_message = "cidr_block must be an IPv4 range that starts at its own first address, for example 10.0.0.0/16. Got \"${var.cidr_block}\"."
  }

  validation {
    condition     = try(tonumber(split("/", var.cidr_block)[1]) >= 16 && tonumber(split("/", var.cidr_block)[1]) <= 24, false)
    error_message = "cidr_block must be a /16 (the largest VPC that AWS makes) to a /24 (the smallest that can be cut into subnets for a load balancer). Got \"${var.cidr_block}\"."
  }
}

variable "availability_zones" {
  description = "Names of the zones to build in, 2 to 8; null takes the region's first two. Set it to use more zones, or the zones where other things of yours run. A zone's place decides its subnets' ranges: append new zones at the end, and remove from the end. A removal ends only once the versions of functions that ran there are deleted, see docs/changing.md. A /24 has room for 4."
  type        = list(string)
  default     = null

  validation {
    condition     = try(length(var.availability_zones) >= 2 && length(var.availability_zones) <= 8, var.availability_zones == null)
    error_message = "availability_zones needs 2 to 8 zones: a load balancer wants at least two. Got ${try(length(var.availability_zones), 0)}."
  }

  validation {
    condition     = try(length(distinct(var.availability_zones)) == length(var.availability_zones), var.availability_zones == null)
    error_message = "availability_zones names a zone twice: ${try(join(", ", var.availability_zones), "")}. Name each once."
  }
}

variable "nat_gateway" {
  description = "NAT gateways for the private subnets: \"none\", \"single\" (one for all, cheaper) or \"one_per_zone\" (survives the loss of a zone). The functions need none, they use VPC endpoints; choose another value when something else in the private subnets needs the internet."
  type        = string
  default     = "none"
  nullable    = false

  validation {
    condition     = contains(["none", "single", "one_per_zone"], var.nat_gateway)
    error_message = "nat_gateway must be \"none\", \"single\" or \"one_per_zone\". Got \"${var.nat_gateway}\"."
  }
}

variable "ipv6_enabled" {
  description = "Whether the VPC and its public subnets have IPv6 ranges too, from Amazon's pool, for a dual-stack load balancer. One-way: AWS does not take a range from a load balancer that uses it."
  type        = bool
  default     = false
  nullable    = false
}

variable "flow_logs_enabled" {
  description = "Whether the VPC's flow logs go to CloudWatch Logs. Switch it off where the account records flow logs centrally, or where no IAM role may be created. Switching it off deletes the log group with its history."
  type        = bool
  default     = true
  nullable    = false
}

variable "log_retention_days" {
  description = "Days that flow logs are kept, one of the values that CloudWatch Logs offers; 0 keeps them for ever. Change it to what your audits ask for."
  type        = number
  default     = 365
  nullable    = false

  validation {
    condition     = contains([0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be a period that CloudWatch Logs offers: 0 (for ever), 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653. Got ${var.log_retention_days}."
  }
}

variable "kms_key" {
  description = "Customer managed key that encrypts the flow logs' log group; its policy must allow the CloudWatch Logs service. null leaves the encryption to a key that AWS owns."
  type        = object({ arn = string })
  default     = null
}

variable "permissions_boundary" {
  description = "Permissions boundary of the flow logs' role, for accounts that allow no role without one."
  type        = object({ arn = string })
  default     = null
}

variable "role_path" {
  description = "IAM path of the flow logs' role, starting and ending with a slash. Change it where your account sorts or restricts roles by path."
  type        = string
  default     = "/"
  nullable    = false
}

variable "tags" {
  description = "Tags for every resource of this module, in addition to the provider's default tags."
  type        = map(string)
  default     = {}
  nullable    = false
}

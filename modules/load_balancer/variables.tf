variable "name" {
  description = "Name of the load balancer and prefix of what belongs to it, 1 to 24 lower-case letters, digits and hyphens (a target group's name takes 32 characters). Changing it replaces the load balancer and its DNS name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,22}[a-z0-9])?$", var.name)) && !startswith(var.name, "internal-")
    error_message = "name must be 1 to 24 lower-case letters, digits and hyphens, start with a letter, not end with a hyphen and not start with \"internal-\", which AWS keeps for itself. Got \"${var.name}\"."
  }
}

variable "vpc_id" {
  description = "ID of the VPC. Not needed with existing_listener."
  type        = string
  default     = null
}

variable "subnet_ids" {
  description = "IDs of at least two subnets in different zones for the load balancer. Not needed with existing_listener."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "function_alias_arn" {
  description = "ARN of the alias of the function to forward to."
  type        = string
  nullable    = false
}

# Not from the function, so that the load balancer, the slowest thing to make, does not wait for the function.
variable "function_timeout_seconds" {
  description = "Timeout of the function in seconds, which must be below the idle timeout."
  type        = number
  nullable    = false
}

variable "paths" {
  description = "Paths at which the function answers, 1 to 20, each with and without a trailing slash. Everything else is a 404."
  type        = list(string)
  default     = ["/lambda/api"]
  nullable    = false

  validation {
    condition     = length(var.paths) >= 1 && length(var.paths) <= 20
    error_message = "paths needs 1 to 20 paths. Got ${length(var.paths)}."
  }

  validation {
    condition     = length(distinct(var.paths)) == length(var.paths)
    error_message = "paths names a path twice: ${jsonencode(var.paths)}. Name each once."
  }

  validation {
    condition     = alltrue([for path in var.paths : can(regex("^/[A-Za-z0-9_.$/~@:+-]*[A-Za-z0-9_.$~@:+-]$", path)) && try(length(path) <= 127, false)])
    error_message = "Each of paths must start with a slash, not end with one, have at most 127 characters and no wildcard. Got ${jsonencode(var.paths)}."
  }
}

variable "internal" {
  description = "Whether only the VPC, and networks connected with it, reach the load balancer. false makes it internet-facing: open ingress_cidr_blocks as well, and think of a certificate and a web ACL first. Changing it replaces the load balancer: a new DNS name, minutes without an answer, and refused while it is protected."
  type        = bool
  default     = true
  nullable    = false
}

variable "ip_address_type" {
  description = "\"ipv4\", or \"dualstack\" for clients with IPv6 as well, which needs subnets with IPv6 ranges."
  type        = string
  default     = "ipv4"
  nullable    = false

  validation {
    condition     = contains(["ipv4", "dualstack"], var.ip_address_type)
    error_message = "ip_address_type must be \"ipv4\" or \"dualstack\". Got \"${var.ip_address_type}\"."
  }
}

variable "ingress_cidr_blocks" {
  description = "IPv4 and IPv6 ranges of the clients, by a name for each: { office = \"10.1.0.0/16\" }; at most 25. Names must be known at plan, ranges need not be."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(var.ingress_cidr_blocks) <= 25
    error_message = "ingress_cidr_blocks takes at most 25 ranges: a security group holds 60 rules. Got ${length(var.ingress_cidr_blocks)}."
  }
}

variable "certificate" {
  description = "ACM certificate for an HTTPS listener on 443, and the listener's security policy, by default TLS 1.2 and 1.3 only. Port 80 then refuses orders with 403, unless plain_http_allowed, which is for the time until all clients have changed. null serves plain HTTP."
  type = object({
    arn                = string
    ssl_policy         = optional(string, "ELBSecurityPolicy-TLS13-1-2-Res-2021-06")
    plain_http_allowed = optional(bool, false)
  })
  default = null
}

variable "idle_timeout_seconds" {
  description = "Seconds that the load balancer waits for the function, 1 to 4000, above the function's timeout."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.idle_timeout_seconds >= 1 && var.idle_timeout_seconds <= 4000
    error_message = "idle_timeout_seconds must be 1 to 4000, the limits of Elastic Load Balancing. Got ${var.idle_timeout_seconds}."
  }
}

variable "multi_value_headers_enabled" {
  description = "Whether repeated headers reach the function all, rather than the last one. The handlers of this repository understand both shapes."
  type        = bool
  default     = false
  nullable    = false
}

variable "health_check_enabled" {
  description = "Whether the load balancer probes the function every 35 seconds and zone, which is billed as any invocation. The probe is a GET, which the function answers 405. null leaves it off, as it is on AWS; false switches it off where it was on."
  type        = bool
  default     = null
}

variable "access_logs" {
  description = "S3 bucket, and prefix, for access logs; the bucket's policy must allow Elastic Load Balancing to write. null for none."
  type        = object({ bucket = string, prefix = optional(string) })
  default     = null
}

variable "web_acl" {
  description = "WAF web ACL (regional) to associate. Set it for an internet-facing load balancer. AWS's common rule set refuses bodies above 8 KB (SizeRestrictions_BODY): except that rule for larger orders."
  type        = object({ arn = string })
  default     = null
}

variable "deletion_protection_enabled" {
  description = "Whether AWS refuses to delete the load balancer, and the plan whatever would. Switch it off, and apply that alone, before a destroy or a replacement that is meant."
  type        = bool
  default     = true
  nullable    = false
}

variable "existing_listener" {
  description = "A listener of a load balancer that exists already, and the first rule priority to use there (one for each path, 1 to 50000), instead of a load balancer of its own. Set it where many services share one. A path in the middle is removed or added without moving the others by naming theirs in priorities."
  type        = object({ arn = string, priority = number, priorities = optional(map(number), {}) })
  default     = null

  validation {
    condition = var.existing_listener == null ? true : try(alltrue([
      for priority in [for index, path in var.paths : try(var.existing_listener.priorities[path], var.existing_listener.priority + index)] :
      priority >= 1 && priority <= 50000
    ]), false)
    error_message = "existing_listener must give each of the ${length(var.paths)} paths a priority from 1 to 50000. Got ${try(coalesce(var.existing_listener.priority), "null")}."
  }

  validation {
    condition     = var.existing_listener == null || (var.certificate == null && var.web_acl == null && var.access_logs == null && length(var.ingress_cidr_blocks) == 0 && var.internal && var.ip_address_type == "ipv4")
    error_message = "certificate, web_acl, access_logs, ingress_cidr_blocks, internal and ip_address_type are settings of a load balancer that is made here; with existing_listener they would have no effect. Remove them, and set them on the load balancer that the listener belongs to."
  }
}

variable "tags" {
  description = "Tags for every resource of this module, in addition to the provider's default tags."
  type        = map(string)
  default     = {}
  nullable    = false
}

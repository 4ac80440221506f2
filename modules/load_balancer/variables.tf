variable "name" {
  description = "Name of the load balancer and prefix of the names around it: 1 to 24 lower-case letters, digits and hyphens (the target group's name, \"<name>-ingest\", may have 32). Changing it replaces the load balancer, with a new DNS name, and is refused while deletion_protection_enabled is true."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,22}[a-z0-9])?$", var.name)) && !startswith(var.name, "internal-")
    error_message = "name is \"${var.name}\", but must be 1 to 24 lower-case letters, digits and hyphens, start with a letter, not end with a hyphen and not start with \"internal-\", which AWS reserves."
  }
}

variable "vpc_id" {
  description = "ID of the VPC. Not needed with existing_listener. It cannot be changed later."
  type        = string
  default     = null
}

variable "subnet_ids" {
  description = "IDs of at least two subnets in different zones. Not needed with existing_listener. Changed in place."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "function_alias_arn" {
  description = "ARN of the function alias to which requests are forwarded."
  type        = string
  nullable    = false
}

# An input of its own rather than an attribute of the function, for which the load balancer, the slowest to create, would wait.
variable "function_timeout_seconds" {
  description = "Timeout of the function in seconds, below idle_timeout_seconds."
  type        = number
  nullable    = false
}

variable "paths" {
  description = "Paths that are forwarded to the function, 1 to 20, written without a trailing slash; each is matched with and without one. All other paths return 404. Changed in place."
  type        = list(string)
  default     = ["/lambda/api"]
  nullable    = false

  validation {
    condition     = length(var.paths) >= 1 && length(var.paths) <= 20
    error_message = "paths has ${length(var.paths)} paths, but needs 1 to 20."
  }

  validation {
    condition     = length(distinct(var.paths)) == length(var.paths)
    error_message = "paths lists a path twice: ${jsonencode(var.paths)}. List each once."
  }

  validation {
    condition     = alltrue([for path in var.paths : can(regex("^/[A-Za-z0-9_.$/~@:+-]*[A-Za-z0-9_.$~@:+-]$", path)) && try(length(path) <= 127, false)])
    error_message = "paths is ${jsonencode(var.paths)}, but each must start with a slash, not end with one, have at most 127 characters (a listener rule allows 128) and no wildcard."
  }
}

variable "internal" {
  description = "Make the load balancer reachable only from the VPC and connected networks. false makes it internet-facing: also set ingress_cidr_blocks, and consider certificate and web_acl first. Changing it replaces the load balancer, with a new DNS name and minutes of downtime, and is refused while deletion_protection_enabled is true."
  type        = bool
  default     = true
  nullable    = false
}

variable "ip_address_type" {
  description = "\"ipv4\", or \"dualstack\" to serve IPv6 clients too, which needs subnets with IPv6 ranges. Changed in place."
  type        = string
  default     = "ipv4"
  nullable    = false

  validation {
    condition     = contains(["ipv4", "dualstack"], var.ip_address_type)
    error_message = "ip_address_type (load_balancer_ip_address_type) is \"${var.ip_address_type}\", but must be \"ipv4\" or \"dualstack\"."
  }
}

variable "ingress_cidr_blocks" {
  description = "IPv4 and IPv6 ranges of the clients, at most 25, each under a name of your choice: { office = \"10.1.0.0/16\" }. The names must be known at plan, the ranges need not be. Changed in place."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(var.ingress_cidr_blocks) <= 25
    error_message = "ingress_cidr_blocks (load_balancer_ingress_cidr_blocks) has ${length(var.ingress_cidr_blocks)} ranges, but may have at most 25: a security group may have 60 rules, and each range may need two."
  }
}

variable "certificate" {
  description = <<-EOT
    ACM certificate for HTTPS on port 443; null serves plain HTTP. Set it outside a trusted network. Another certificate or policy is changed in place. Setting it in one step destroys the rules of port 80, and refuses clients until they use HTTPS: set it with plain_http_allowed first, and remove that in a later apply, as described in docs/changing.md.
    ssl_policy: security policy of the listener, by default TLS 1.2 and 1.3 only.
    plain_http_allowed: keep accepting orders on port 80, until all clients have switched. Otherwise port 80 answers an order with 403: setting it to false destroys its rules.
  EOT
  type = object({
    arn                = string
    ssl_policy         = optional(string, "ELBSecurityPolicy-TLS13-1-2-Res-2021-06")
    plain_http_allowed = optional(bool, false)
  })
  default = null

  validation {
    condition     = var.certificate == null ? true : can(regex(":(server-)?certificate/", var.certificate.arn))
    error_message = "certificate.arn is ${try(jsonencode(var.certificate.arn), "not set")}, but must be the ARN of a certificate in ACM or IAM. To serve plain HTTP, set certificate itself to null."
  }
}

variable "client_certificates" {
  description = <<-EOT
    Client certificates, which the load balancer demands and verifies on port 443 (mutual TLS); null demands none. Needs certificate, without plain_http_allowed. Changed in place; clients without a certificate are refused from then on.
    trust_store_arn: Elastic Load Balancing trust store with the certificate authorities of the clients.
    ignore_expiry: accept certificates that have expired.
  EOT
  type = object({
    trust_store_arn = string
    ignore_expiry   = optional(bool, false)
  })
  default = null

  validation {
    condition     = var.client_certificates == null ? true : can(regex(":truststore/", var.client_certificates.trust_store_arn))
    error_message = "client_certificates.trust_store_arn is ${try(jsonencode(var.client_certificates.trust_store_arn), "not set")}, but must be the ARN of an Elastic Load Balancing trust store. To demand no certificates, set client_certificates itself to null."
  }

  validation {
    condition     = var.client_certificates == null || var.certificate != null || var.existing_listener != null
    error_message = "client_certificates is set, but certificate is not: without HTTPS, no client shows a certificate. Set certificate, or remove client_certificates."
  }

  validation {
    condition     = var.client_certificates == null || !try(var.certificate.plain_http_allowed, false)
    error_message = "client_certificates has no effect on port 80, where certificate.plain_http_allowed admits everyone and lets them claim to be anyone. Set plain_http_allowed to false."
  }

  validation {
    condition     = var.client_certificates == null || var.existing_listener == null
    error_message = "client_certificates configures a listener that is created here, and has no effect with existing_listener. Remove it, and set mutual authentication on that listener."
  }
}

variable "idle_timeout_seconds" {
  description = "Seconds that the load balancer waits for the function, 1 to 4000, above function_timeout_seconds. The default is AWS's. Raise both together. With existing_listener, set it to what that load balancer has. Changed in place."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.idle_timeout_seconds >= 1 && var.idle_timeout_seconds <= 4000
    error_message = "idle_timeout_seconds (load_balancer_idle_timeout_seconds) is ${var.idle_timeout_seconds}, but must be 1 to 4000, Elastic Load Balancing's limits."
  }

  validation {
    condition     = var.idle_timeout_seconds > var.function_timeout_seconds
    error_message = "idle_timeout_seconds (load_balancer_idle_timeout_seconds) is ${var.idle_timeout_seconds}, but must be above function_timeout_seconds (ingest_timeout_seconds) ${var.function_timeout_seconds}, or clients would get a 504 for an order that is still being accepted. Raise the former or lower the latter."
  }
}

variable "multi_value_headers_enabled" {
  description = "Pass every value of a repeated header, not just the last. The handlers of this repository understand both event formats. Changed in place."
  type        = bool
  default     = false
  nullable    = false
}

variable "health_check_enabled" {
  description = "Probe the function every 35 seconds, which is billed like any invocation. The probe is a GET, which the function must answer with 405. null leaves AWS's default, off; to switch checks off again, set it to false. Changed in place."
  type        = bool
  default     = null
}

variable "access_logs" {
  description = "S3 bucket, and optional prefix, for access logs; the bucket's policy must allow Elastic Load Balancing to write. null writes none. Set it where audits require a record of each request, also of those that never reach the function. Changed in place."
  type        = object({ bucket = string, prefix = optional(string) })
  default     = null

  validation {
    condition     = var.access_logs == null ? true : can(length(var.access_logs.bucket))
    error_message = "access_logs.bucket (load_balancer_access_logs.bucket) is null. Set it; to write no access logs, set access_logs itself to null."
  }
}

variable "web_acl" {
  description = "Regional WAF web ACL to associate. Set it for an internet-facing load balancer. AWS's common rule set refuses bodies above 8 KB (SizeRestrictions_BODY); exclude that rule for larger orders. Changed in place."
  type        = object({ arn = string })
  default     = null

  validation {
    condition     = var.web_acl == null ? true : can(regex(":regional/webacl/", var.web_acl.arn))
    error_message = "web_acl.arn is ${try(jsonencode(var.web_acl.arn), "not set")}, but must be the ARN of a regional web ACL. To have none, set web_acl itself to null."
  }
}

variable "deletion_protection_enabled" {
  description = "Have AWS refuse to delete the load balancer, and the plan refuse to replace it. Before an intentional destroy or replacement, set it to false and apply that change alone. Changed in place."
  type        = bool
  default     = true
  nullable    = false
}

variable "existing_listener" {
  description = <<-EOT
    A listener of an existing load balancer to use instead of creating one. Set it where several services share a load balancer, whose owner keeps its certificates, TLS policy, web ACL and access logs. Adding or removing it later replaces the target group, causes minutes of downtime and is refused while deletion_protection_enabled is true.
    priority: first rule priority to use, 1 to 50000; each path takes the next. Not needed where priorities has all paths. Not with listener_rules_enabled = false.
    priorities: priorities by path, such as { "/orders" = 12 }, so that adding or removing a path in the middle does not move the others.
  EOT
  type        = object({ arn = string, priority = optional(number), priorities = optional(map(number), {}) })
  default     = null

  validation {
    condition     = var.existing_listener == null ? true : can(regex(":listener/app/", var.existing_listener.arn))
    error_message = "existing_listener.arn is ${try(jsonencode(var.existing_listener.arn), "not set")}, but must be the ARN of a listener of an application load balancer. To create a load balancer, set existing_listener itself to null."
  }

  validation {
    condition = var.existing_listener == null || !var.listener_rules_enabled ? true : try(alltrue([
      for priority in [for index, path in var.paths : try(var.existing_listener.priorities[path], var.existing_listener.priority + index)] :
      priority >= 1 && priority <= 50000
    ]), false)
    error_message = "existing_listener.priority is ${try(coalesce(var.existing_listener.priority), "null")}, but it and existing_listener.priorities must give each of the ${length(var.paths)} paths a priority from 1 to 50000."
  }

  validation {
    condition     = var.existing_listener == null || (var.certificate == null && var.web_acl == null && var.access_logs == null && length(var.ingress_cidr_blocks) == 0 && var.internal && var.ip_address_type == "ipv4")
    error_message = "certificate and web_acl, access_logs, ingress_cidr_blocks, internal and ip_address_type (load_balancer_web_acl and so on) configure a load balancer that is created here, and have no effect with existing_listener. Remove them, and set them on the load balancer that the listener belongs to."
  }

  validation {
    condition     = var.listener_rules_enabled || var.existing_listener == null ? true : var.existing_listener.priority == null && length(var.existing_listener.priorities) == 0
    error_message = "existing_listener.priority and existing_listener.priorities have no effect because listener_rules_enabled is false. Remove them, and set them in your own rules."
  }
}

variable "listener_rules_enabled" {
  description = "Create the rules that forward paths to the function. Set it to false to write them yourself, for example with JWT validation: the outputs listener_arn, target_group_arn and path_patterns are what they need. Switching it off deletes the rules: all paths return 404, unless rules of your own were added before, in an apply of their own. Switching it on creates them; remove your own in a later apply."
  type        = bool
  default     = true
  nullable    = false
}

variable "tags" {
  description = "Tags for every resource of this module, in addition to the provider's default tags. Changed in place."
  type        = map(string)
  default     = {}
  nullable    = false
}

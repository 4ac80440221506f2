variable "create" {
  description = "Whether anything is made at all. false makes nothing, for configurations that switch the whole system per environment."
  type        = bool
  default     = true
}

variable "name" {
  description = "Name of the system and prefix of every name in it, 3 to 24 lower-case letters, digits and hyphens. Change it to run several in one account and region. Changing it later replaces everything, the table and its orders included."
  type        = string
  default     = "async-ingest"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name)) && !startswith(var.name, "internal-")
    error_message = "name must be 3 to 24 lower-case letters, digits and hyphens (a target group's name, \"<name>-ingest\", takes 32 characters), start with a letter, not end with a hyphen and not start with \"internal-\". Got \"${var.name}\", ${length(var.name)} characters."
  }
}

variable "tags" {
  description = "Tags for every resource, in addition to the provider's default tags."
  type        = map(string)
  default     = {}
}

# Network ------------------------------------------------------------------------------------------------------------

variable "vpc_cidr_block" {
  description = "IPv4 range of the VPC that is built, a /16 to /24. Change it where it would overlap with a network that the VPC is to be connected with."
  type        = string
  default     = "10.0.0.0/16"
}

variable "availability_zones" {
  description = "Names of the zones to build in, 2 to 8; null takes the region's first two. Append new zones at the end: a zone's place decides its subnets' ranges."
  type        = list(string)
  default     = null
}

variable "nat_gateway" {
  description = "NAT gateways of the VPC that is built: \"none\", \"single\" or \"one_per_zone\". The functions need none while vpc_endpoints_enabled is true; choose another value for endpoints off, or for handlers of your own that call the internet."
  type        = string
  default     = "none"

  validation {
    condition     = var.vpc_endpoints_enabled || var.nat_gateway != "none" || var.existing_network != null
    error_message = "vpc_endpoints_enabled = false with nat_gateway = \"none\" leaves the functions no way to SQS and DynamoDB. Set nat_gateway to \"single\" or \"one_per_zone\", or leave the endpoints on."
  }
}

variable "existing_network" {
  description = "A network to use instead of building one: the VPC, at least two subnets in different zones for the load balancer and for the functions, and, while vpc_endpoints_enabled is true, the route tables of the functions' subnets."
  type = object({
    vpc_id                   = string
    vpc_cidr_block           = string
    load_balancer_subnet_ids = list(string)
    function_subnet_ids      = list(string)
    function_route_table_ids = optional(list(string), [])
  })
  default = null

  validation {
    condition     = var.existing_listener != null || try(length(var.existing_network.load_balancer_subnet_ids) >= 2, var.existing_network == null)
    error_message = "existing_network.load_balancer_subnet_ids needs at least two subnets in different zones, as an Application Load Balancer does. Got ${try(length(var.existing_network.load_balancer_subnet_ids), 0)}."
  }

  validation {
    condition     = try(length(var.existing_network.function_subnet_ids) >= 1, var.existing_network == null)
    error_message = "existing_network.function_subnet_ids needs at least one subnet, better two in different zones. Got none."
  }

  validation {
    condition     = !var.vpc_endpoints_enabled || try(length(var.existing_network.function_route_table_ids) >= 1, var.existing_network == null)
    error_message = "existing_network.function_route_table_ids is empty, but the DynamoDB endpoint needs the route tables of the functions' subnets. Give them, or set vpc_endpoints_enabled = false where the network has NAT or endpoints of its own."
  }
}

variable "vpc_endpoints_enabled" {
  description = "Whether VPC endpoints to SQS and DynamoDB are made, with policies that name the queues, the table and the roles. Set it to false where the network has NAT or endpoints of its own."
  type        = bool
  default     = true
}

variable "flow_logs_enabled" {
  description = "Whether the flow logs of the VPC that is built go to CloudWatch Logs. Without effect when no role may be made (existing_ingest_role and existing_process_role both set)."
  type        = bool
  default     = true
}

# Load balancer ------------------------------------------------------------------------------------------------------

variable "paths" {
  description = "Paths that take orders, 1 to 20, each with and without a trailing slash. Everything else is a 404."
  type        = list(string)
  default     = ["/lambda/api"]

  validation {
    condition     = length(var.paths) >= 1 && length(var.paths) <= 20
    error_message = "paths needs 1 to 20 paths. Got ${length(var.paths)}."
  }

  validation {
    condition     = alltrue([for path in var.paths : can(regex("^/[A-Za-z0-9_.$/~@:+-]*[A-Za-z0-9_.$~@:+-]$", path)) && length(path) <= 127])
    error_message = "Each of paths must start with a slash, not end with one, have at most 127 characters and no wildcard. Got ${join(", ", var.paths)}."
  }
}

variable "load_balancer_internal" {
  description = "Whether only the VPC, and networks connected with it, reach the load balancer. false makes it internet-facing: open load_balancer_ingress_cidr_blocks as well, and think of certificate and load_balancer_web_acl first."
  type        = bool
  default     = true
}

variable "load_balancer_ip_address_type" {
  description = "\"ipv4\", or \"dualstack\" for clients with IPv6 as well: a VPC that is built then has IPv6 ranges, an existing_network must have them."
  type        = string
  default     = "ipv4"
}

variable "load_balancer_ingress_cidr_blocks" {
  description = "IPv4 and IPv6 ranges of the clients, at most 25; null takes the VPC's own IPv4 range. Set it for clients in connected networks or on the internet."
  type        = list(string)
  default     = null

  validation {
    condition     = try(length(var.load_balancer_ingress_cidr_blocks) >= 1 && length(var.load_balancer_ingress_cidr_blocks) <= 25, var.load_balancer_ingress_cidr_blocks == null)
    error_message = "load_balancer_ingress_cidr_blocks needs 1 to 25 ranges (a security group holds 60 rules), or null for the VPC's own. Got ${try(length(var.load_balancer_ingress_cidr_blocks), 0)}."
  }

  validation {
    condition     = alltrue([for block in coalesce(var.load_balancer_ingress_cidr_blocks, []) : can(cidrhost(block, 0))])
    error_message = "Each of load_balancer_ingress_cidr_blocks must be a range such as 10.1.0.0/16 or 2001:db8::/32. Got ${join(", ", coalesce(var.load_balancer_ingress_cidr_blocks, []))}."
  }
}

variable "certificate" {
  description = "ACM certificate for HTTPS on 443, and the security policy, by default TLS 1.2 and 1.3 only; port 80 then redirects. null serves plain HTTP."
  type = object({
    arn        = string
    ssl_policy = optional(string, "ELBSecurityPolicy-TLS13-1-2-Res-2021-06")
  })
  default = null

  validation {
    condition     = var.certificate == null || var.existing_listener == null
    error_message = "certificate and existing_listener exclude each other: a listener that exists has its own certificate. Remove one."
  }
}

variable "load_balancer_idle_timeout_seconds" {
  description = "Seconds that the load balancer waits for the function, 1 to 4000, above ingest_timeout_seconds. Raise it together with that."
  type        = number
  default     = 60

  validation {
    condition     = var.load_balancer_idle_timeout_seconds > var.ingest_timeout_seconds
    error_message = "load_balancer_idle_timeout_seconds ${var.load_balancer_idle_timeout_seconds} must be above ingest_timeout_seconds ${var.ingest_timeout_seconds}: the client would be told 504 about an order that is still being accepted. Raise the one or lower the other."
  }
}

variable "load_balancer_multi_value_headers_enabled" {
  description = "Whether repeated headers reach the function all, rather than the last one. Change it for handlers of your own that need them."
  type        = bool
  default     = false
}

variable "load_balancer_health_check_enabled" {
  description = "Whether the load balancer probes the function every 35 seconds, which is billed as any invocation. Switch it on where a failing function shall fail over in DNS. To switch it off again, replace the target group: the provider leaves it as it was."
  type        = bool
  default     = false
}

variable "load_balancer_access_logs" {
  description = "S3 bucket, and prefix, for access logs; the bucket's policy must allow Elastic Load Balancing to write. null for none."
  type        = object({ bucket = string, prefix = optional(string) })
  default     = null
}

variable "load_balancer_web_acl" {
  description = "WAF web ACL (regional) to associate. Set it for an internet-facing load balancer."
  type        = object({ arn = string })
  default     = null
}

variable "existing_listener" {
  description = "A listener of a load balancer that exists already, and the first rule priority to use there (one for each path, 1 to 49900), instead of a load balancer of its own. Set it where many services share one."
  type        = object({ arn = string, priority = number })
  default     = null

  validation {
    condition     = try(var.existing_listener.priority >= 1 && var.existing_listener.priority + length(var.paths) - 1 <= 50000, var.existing_listener == null)
    error_message = "existing_listener.priority must leave each of the ${length(var.paths)} paths a priority from 1 to 50000. Got ${try(var.existing_listener.priority, 0)}."
  }
}

variable "deletion_protection_enabled" {
  description = "Whether AWS refuses to delete the table and the load balancer. Switch it off, and apply, before a destroy that is meant."
  type        = bool
  default     = true
}

# Ingest function ----------------------------------------------------------------------------------------------------

variable "ingest_memory_size" {
  description = "Memory of the ingest function in MB, 128 to 10240; CPU comes in proportion. Raise it when answers are slow, after a look at the duration."
  type        = number
  default     = 512
}

variable "ingest_timeout_seconds" {
  description = "Seconds after which Lambda ends an ingest invocation, 6 to 900, below the load balancer's idle timeout. The SDK's timeouts are derived from it."
  type        = number
  default     = 10

  validation {
    condition     = var.ingest_timeout_seconds >= 6 && var.ingest_timeout_seconds <= 900
    error_message = "ingest_timeout_seconds must be 6 (two attempts to reach SQS, and an answer) to 900. Got ${var.ingest_timeout_seconds}."
  }
}

variable "ingest_reserved_concurrency" {
  description = "Ingest instances set aside, and at most, at least 1; null shares the account's. Set it in accounts where other functions could starve this one."
  type        = number
  default     = null
}

variable "ingest_provisioned_concurrency" {
  description = "Ingest instances kept warm, at least 1; null for none. Set it when cold starts hurt and the load is steady."
  type        = number
  default     = null
}

variable "ingest_snap_start_enabled" {
  description = "Whether ingest starts from a snapshot. Set it when cold starts hurt and the load is not steady; excludes provisioned concurrency."
  type        = bool
  default     = false
}

variable "ingest_environment" {
  description = "More environment variables for ingest, for a layer or a handler of your own. Those that the module sets win. Not for secrets."
  type        = map(string)
  default     = {}
}

variable "ingest_policy_documents" {
  description = "More IAM policy documents (JSON) for the ingest role that is made. Set it for a layer or a handler of your own."
  type        = list(string)
  default     = []
}

variable "ingest_package" {
  description = "A prebuilt package in place of the ingest handler: a local zip { filename, source_code_hash } or an object { s3_bucket, s3_key, s3_object_version, source_code_hash }. It keeps the entry point ingest.handler.handle and the environment."
  type = object({
    filename          = optional(string)
    source_code_hash  = optional(string)
    s3_bucket         = optional(string)
    s3_key            = optional(string)
    s3_object_version = optional(string)
  })
  default = null
}

variable "existing_ingest_role" {
  description = "A role that exists already, for ingest; its owner gives it what the output ingest_policy_json says. Set it where you may not create roles."
  type        = object({ arn = string })
  default     = null
}

# Queue --------------------------------------------------------------------------------------------------------------

variable "queue_visibility_timeout_seconds" {
  description = "Seconds for which a delivered message stays hidden, up to 43200; null derives 6 x process_timeout_seconds + process_batching_window_seconds, which is also the least, or more where 1000 deliveries would not last for queue_survived_outage_seconds."
  type        = number
  default     = null
}

variable "queue_retention_seconds" {
  description = "Seconds that an order waits in the queue at most, 60 to 1209599, below dead_letter_retention_seconds. Default 4 days: raise it when process may be down longer than a long weekend."
  type        = number
  default     = 345600
}

variable "dead_letter_retention_seconds" {
  description = "Seconds that a failed order is kept in the dead-letter queue, counted from its first enqueue, up to 1209600. Default 14 days, the most that SQS offers."
  type        = number
  default     = 1209600
}

variable "queue_survived_outage_seconds" {
  description = "Seconds for which process or the table may fail without an order moving to the dead-letter queue; queue_max_receive_count is derived from it. null is 24 hours, or half of queue_retention_seconds where that is less. Raise it, with queue_retention_seconds, when nobody may be there for longer."
  type        = number
  default     = null
}

variable "queue_max_receive_count" {
  description = "Deliveries after which an order moves to the dead-letter queue, 5 to 1000; null derives it from queue_survived_outage_seconds, and raises the visibility timeout where 1000 would not suffice. Set it when orders that keep failing must be looked at sooner: what cannot be written at all is dead-lettered at once in any case."
  type        = number
  default     = null

  validation {
    condition     = var.queue_max_receive_count == null || try(var.queue_max_receive_count >= 5 && var.queue_max_receive_count <= 1000, false)
    error_message = "queue_max_receive_count must be 5 to 1000, or null: with fewer deliveries a short throttling sends good orders to the dead-letter queue. Got ${coalesce(var.queue_max_receive_count, 0)}."
  }
}

# Process function ---------------------------------------------------------------------------------------------------

variable "process_batch_size" {
  description = "Messages a process invocation takes at most, 1 to 10000; above 10 a batching window is needed. Raise it for throughput at less cost an order: 100 with a window of 1 s writes 2.5 times as many orders a request. max_orders_per_request may shrink with it."
  type        = number
  default     = 10

  validation {
    condition     = var.process_batch_size >= 1 && var.process_batch_size <= 10000
    error_message = "process_batch_size must be 1 to 10000, the limits of Lambda for standard queues. Got ${var.process_batch_size}."
  }
}

variable "process_batching_window_seconds" {
  description = "Seconds that Lambda waits to fill a batch, 0 to 300; at least 1 when process_batch_size is above 10. Every order may wait that long."
  type        = number
  default     = 0

  validation {
    condition     = var.process_batching_window_seconds >= 0 && var.process_batching_window_seconds <= 300
    error_message = "process_batching_window_seconds must be 0 to 300. Got ${var.process_batching_window_seconds}."
  }

  validation {
    condition     = var.process_batch_size <= 10 || var.process_batching_window_seconds >= 1
    error_message = "process_batch_size ${var.process_batch_size} is above 10, for which Lambda wants process_batching_window_seconds of at least 1. Got ${var.process_batching_window_seconds}. Raise the window or lower the batch size."
  }
}

variable "process_maximum_concurrency" {
  description = "Process invocations at the same time that the queue causes at most, 2 to 1000. The default suits a new account, whose whole quota may be 10, and still writes thousands of orders a second. Raise it, within the account's quota and the table's capacity, when the queue does not drain fast enough."
  type        = number
  default     = 5

  validation {
    condition     = var.process_maximum_concurrency >= 2 && var.process_maximum_concurrency <= 1000
    error_message = "process_maximum_concurrency must be 2 to 1000, the limits of an event source mapping. Got ${var.process_maximum_concurrency}."
  }
}

variable "process_provisioned_pollers" {
  description = "Pollers that are kept ready, minimum 2 to 200 and maximum up to 2000, in place of process_maximum_concurrency. Set it when a burst must start draining at once; it is billed by the hour."
  type        = object({ minimum = number, maximum = number })
  default     = null

  validation {
    condition     = try(var.process_provisioned_pollers.minimum >= 2 && var.process_provisioned_pollers.minimum <= 200 && var.process_provisioned_pollers.maximum <= 2000 && var.process_provisioned_pollers.minimum <= var.process_provisioned_pollers.maximum, var.process_provisioned_pollers == null)
    error_message = "process_provisioned_pollers needs a minimum of 2 to 200 that is not above its maximum, at most 2000. Got ${try(var.process_provisioned_pollers.minimum, 0)} to ${try(var.process_provisioned_pollers.maximum, 0)}."
  }
}

variable "process_dead_letter_immediately" {
  description = "Whether an order that can never be written goes to the dead-letter queue at once, with the reason. false leaves it to be delivered queue_max_receive_count times first."
  type        = bool
  default     = true
}

variable "process_memory_size" {
  description = "Memory of the process function in MB, 256 to 10240; CPU comes in proportion. Raise it with process_batch_size."
  type        = number
  default     = 512

  validation {
    condition     = var.process_memory_size >= 256
    error_message = "process_memory_size must be at least 256: a batch of 6 MB, the largest, takes up to 200 MB. Got ${var.process_memory_size}."
  }
}

variable "process_timeout_seconds" {
  description = "Seconds after which Lambda ends a process invocation, 6 to 900. The queue's visibility timeout, the SDK's timeouts and how many orders a request may have are derived from it."
  type        = number
  default     = 30

  validation {
    condition     = var.process_timeout_seconds >= 6 && var.process_timeout_seconds <= 900
    error_message = "process_timeout_seconds must be 6 (two attempts to reach DynamoDB, and a report) to 900. Got ${var.process_timeout_seconds}."
  }
}

variable "process_reserved_concurrency" {
  description = "Process instances set aside, and at most; null shares the account's. Not below process_maximum_concurrency: the pollers do not look at it, and orders that it throttles would end in the dead-letter queue without ever running."
  type        = number
  default     = null

  validation {
    condition     = var.process_provisioned_pollers != null || try(var.process_reserved_concurrency >= var.process_maximum_concurrency, var.process_reserved_concurrency == null)
    error_message = "process_reserved_concurrency ${coalesce(var.process_reserved_concurrency, 0)} is below process_maximum_concurrency ${var.process_maximum_concurrency}: throttled orders would end in the dead-letter queue without ever running. Raise the one or lower the other."
  }
}

variable "process_provisioned_concurrency" {
  description = "Process instances kept warm, at least 1; null for none. Few need it: nobody waits for process."
  type        = number
  default     = null
}

variable "process_snap_start_enabled" {
  description = "Whether process starts from a snapshot. Few need it: nobody waits for process. Excludes provisioned concurrency."
  type        = bool
  default     = false
}

variable "process_environment" {
  description = "More environment variables for process, for a layer or a handler of your own. Those that the module sets win. Not for secrets."
  type        = map(string)
  default     = {}
}

variable "process_policy_documents" {
  description = "More IAM policy documents (JSON) for the process role that is made. Set it for a layer or a handler of your own."
  type        = list(string)
  default     = []
}

variable "process_package" {
  description = "A prebuilt package in place of the process handler: a local zip { filename, source_code_hash } or an object { s3_bucket, s3_key, s3_object_version, source_code_hash }. It keeps the entry point process.handler.handle and the environment."
  type = object({
    filename          = optional(string)
    source_code_hash  = optional(string)
    s3_bucket         = optional(string)
    s3_key            = optional(string)
    s3_object_version = optional(string)
  })
  default = null
}

variable "existing_process_role" {
  description = "A role that exists already, for process; its owner gives it what the output process_policy_json says. Set it where you may not create roles; it may be the same as existing_ingest_role."
  type        = object({ arn = string })
  default     = null
}

# Table --------------------------------------------------------------------------------------------------------------

variable "table_partition_key" {
  description = "Name and type (\"S\" string, \"N\" number) of the partition key, which every order must have. Changing it replaces the table that is made."
  type        = object({ name = string, type = string })
  default     = { name = "order_id", type = "S" }
}

variable "table_sort_key" {
  description = "Name and type (\"S\" string, \"N\" number) of the sort key, which every order must have; null for a table without one. Changing it replaces the table that is made."
  type        = object({ name = string, type = string })
  default     = { name = "item", type = "S" }
}

variable "table_ttl_attribute" {
  description = "Attribute of an order that holds the time, in seconds since the epoch, at which DynamoDB deletes it; null keeps orders for ever."
  type        = string
  default     = null
}

variable "existing_table" {
  description = "A table that exists already, instead of one made here, with the keys that table_partition_key and table_sort_key say. Set it for a table that is shared, or made by modules/table with a class, stream or capacity of its own."
  type        = object({ name = string, arn = string })
  default     = null
}

# Across the system --------------------------------------------------------------------------------------------------

variable "kms_key" {
  description = "Customer managed key that encrypts queues, table, logs and the functions' environment; its policy must contain what the output kms_key_policy_json says. null leaves encryption to keys that AWS owns."
  type        = object({ arn = string })
  default     = null
}

variable "permissions_boundary" {
  description = "Permissions boundary of every role that is made, for accounts that allow no role without one."
  type        = object({ arn = string })
  default     = null
}

variable "role_path" {
  description = "IAM path of every role that is made, starting and ending with a slash. Change it where your account sorts or restricts roles by path."
  type        = string
  default     = "/"

  validation {
    condition     = can(regex("^/([!-~]{1,510}/)?$", var.role_path))
    error_message = "role_path must start and end with a slash, for example /service/. Got \"${var.role_path}\"."
  }
}

variable "architecture" {
  description = "Architecture of both functions, \"arm64\" (cheaper for the same work) or \"x86_64\". Change it when a layer of yours exists for one only."
  type        = string
  default     = "arm64"
}

variable "log_level" {
  description = "Least level of the handlers' logs: \"TRACE\", \"DEBUG\", \"INFO\", \"WARN\", \"ERROR\" or \"FATAL\"."
  type        = string
  default     = "INFO"
}

variable "log_retention_days" {
  description = "Days that logs are kept, one of the values that CloudWatch Logs offers; 0 keeps them for ever. Change it to what your audits ask for."
  type        = number
  default     = 365
}

variable "tracing_enabled" {
  description = "Whether X-Ray samples and records invocations. Switch it off where another tracer does."
  type        = bool
  default     = true
}

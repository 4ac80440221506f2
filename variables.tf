variable "name" {
  description = "Name of the system and prefix of every name in it, 3 to 24 lower-case letters, digits and hyphens. Change it to run several in one account and region. Changing it later replaces everything, table, queues and what is in them included, and is refused while deletion_protection_enabled is true."
  type        = string
  default     = "async-ingest"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name)) && !startswith(var.name, "internal-")
    error_message = "name must be 3 to 24 lower-case letters, digits and hyphens (a target group's name, \"<name>-ingest\", takes 32 characters), start with a letter, not end with a hyphen and not start with \"internal-\". Got \"${var.name}\", ${length(var.name)} characters."
  }
}

variable "tags" {
  description = "Tags for every resource, in addition to the provider's default tags."
  type        = map(string)
  default     = {}
  nullable    = false
}

# Network ------------------------------------------------------------------------------------------------------------

variable "vpc_cidr_block" {
  description = "IPv4 range of the VPC that is built, a /16 to /24. Set it where it would overlap with a network that the VPC is to be connected with; it cannot be changed later."
  type        = string
  default     = "10.0.0.0/16"
  nullable    = false

  validation {
    condition     = var.existing_network == null || var.vpc_cidr_block == "10.0.0.0/16"
    error_message = "vpc_cidr_block is the range of a VPC that is built, and existing_network brings one along: it would have no effect. Remove one of them."
  }
}

variable "availability_zones" {
  description = "Names of the zones to build in, 2 to 8; null takes the region's first two. A zone's place decides its subnets' ranges: append new zones at the end, and remove from the end, in the steps that docs/changing.md tells. A /24 has room for 4."
  type        = list(string)
  default     = null

  validation {
    condition     = var.existing_network == null || var.availability_zones == null
    error_message = "availability_zones are those of a VPC that is built, and existing_network brings one along: they would have no effect. Remove one of them."
  }
}

variable "nat_gateway" {
  description = "NAT gateways of the VPC that is built: \"none\", \"single\" or \"one_per_zone\". The functions need none where VPC endpoints are made; choose another value for endpoints off, or for handlers of your own that call the internet, which the functions' security groups then allow on port 443."
  type        = string
  default     = "none"
  nullable    = false

  validation {
    condition     = var.nat_gateway != "none" || var.existing_network != null || coalesce(var.vpc_endpoints_enabled, true)
    error_message = "vpc_endpoints_enabled = false with nat_gateway = \"none\" leaves the functions no way to SQS and DynamoDB. Set nat_gateway to \"single\" or \"one_per_zone\", or leave the endpoints on."
  }

  validation {
    condition     = var.existing_network == null || var.nat_gateway == "none"
    error_message = "nat_gateway is for a VPC that is built, and existing_network brings one along: it would have no effect. Remove one of them."
  }
}

variable "existing_network" {
  description = "A network to use instead of building one: the VPC, subnets in different zones for the functions, and, unless existing_listener is set, the VPC's range (the default of load_balancer_ingress_cidr_blocks) and at least two subnets for the load balancer; with vpc_endpoints_enabled also the route tables of the functions' subnets. Set it at first, or never: a system cannot move."
  type = object({
    vpc_id                   = string
    vpc_cidr_block           = optional(string)
    load_balancer_subnet_ids = optional(list(string), [])
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
    condition     = !coalesce(var.vpc_endpoints_enabled, false) || try(length(var.existing_network.function_route_table_ids) >= 1, var.existing_network == null)
    error_message = "existing_network.function_route_table_ids is empty, but the DynamoDB endpoint needs the route tables of the functions' subnets. Give them, or leave vpc_endpoints_enabled out where the network has NAT or endpoints of its own."
  }

  validation {
    condition     = var.existing_network == null || var.existing_listener != null || var.load_balancer_ingress_cidr_blocks != null ? true : can(length(var.existing_network.vpc_cidr_block))
    error_message = "existing_network.vpc_cidr_block is missing, which the load balancer admits by default. Give it, or load_balancer_ingress_cidr_blocks."
  }
}

variable "vpc_endpoints_enabled" {
  description = "Whether VPC endpoints to SQS and DynamoDB are made, with policies that name the queues, the table and the account; null makes them in a VPC that is built, and not in existing_network. There they take over all traffic to SQS of the VPC and to DynamoDB of the route tables: set it to true if nothing else runs there, or share modules/vpc_endpoints. To switch it off, first let nat_gateway have effect."
  type        = bool
  default     = null
}

variable "vpc_endpoint_policy_documents" {
  description = "More IAM policy documents (JSON) for the policies of the endpoints that are made, which let nothing through but what this system does. Set it for a layer or a handler of your own that uses other queues or tables, or when others in the VPC do."
  type = object({
    sqs      = optional(list(string), [])
    dynamodb = optional(list(string), [])
  })
  default  = {}
  nullable = false

  validation {
    condition     = coalesce(var.vpc_endpoints_enabled, var.existing_network == null) || (length(var.vpc_endpoint_policy_documents.sqs) == 0 && length(var.vpc_endpoint_policy_documents.dynamodb) == 0)
    error_message = "vpc_endpoint_policy_documents would have no effect: no VPC endpoints are made here. Remove it, or set vpc_endpoints_enabled."
  }
}

variable "flow_logs_enabled" {
  description = "Whether the flow logs of the VPC that is built go to CloudWatch Logs, for which a role is made. Switch it off where the account records them centrally, or where no role may be made. Switching it off later deletes the log group with its history."
  type        = bool
  default     = true
  nullable    = false
}

# Load balancer ------------------------------------------------------------------------------------------------------

variable "paths" {
  description = "Paths that take orders, 1 to 20, each with and without a trailing slash. Everything else is a 404. To rename one without a gap, add the new one first and remove the old one in a later apply."
  type        = list(string)
  default     = ["/lambda/api"]
  nullable    = false

  validation {
    condition     = length(var.paths) >= 1 && length(var.paths) <= 20
    error_message = "paths needs 1 to 20 paths. Got ${length(var.paths)}."
  }

  validation {
    condition     = alltrue([for path in var.paths : can(regex("^/[A-Za-z0-9_.$/~@:+-]*[A-Za-z0-9_.$~@:+-]$", path)) && try(length(path) <= 127, false)])
    error_message = "Each of paths must start with a slash, not end with one, have at most 127 characters and no wildcard. Got ${jsonencode(var.paths)}."
  }

  validation {
    condition     = length(distinct(var.paths)) == length(var.paths)
    error_message = "paths names a path twice: ${jsonencode(var.paths)}. Name each once."
  }
}

variable "load_balancer_internal" {
  description = "Whether only the VPC, and networks connected with it, reach the load balancer. false makes it internet-facing: open load_balancer_ingress_cidr_blocks as well, and think of certificate and load_balancer_web_acl first. Changing it replaces the load balancer: a new DNS name, minutes without an answer, and refused while deletion_protection_enabled is true."
  type        = bool
  default     = true
  nullable    = false

  validation {
    condition     = var.load_balancer_internal || var.load_balancer_ingress_cidr_blocks != null
    error_message = "load_balancer_internal = false, but the load balancer admits the VPC only. Name the clients in load_balancer_ingress_cidr_blocks, for example [\"0.0.0.0/0\"] for everybody."
  }
}

variable "load_balancer_ip_address_type" {
  description = "\"ipv4\", or \"dualstack\" for clients with IPv6 as well: a VPC that is built then has IPv6 ranges, an existing_network must have them. One-way: AWS does not take a range from a load balancer that uses it."
  type        = string
  default     = "ipv4"
  nullable    = false
}

variable "load_balancer_ingress_cidr_blocks" {
  description = "IPv4 and IPv6 ranges of the clients, at most 25, known at plan; null takes the VPC's own. Set it for clients in connected networks or on the internet."
  type        = list(string)
  default     = null

  validation {
    condition     = try(length(var.load_balancer_ingress_cidr_blocks) >= 1 && length(var.load_balancer_ingress_cidr_blocks) <= 25, var.load_balancer_ingress_cidr_blocks == null)
    error_message = "load_balancer_ingress_cidr_blocks needs 1 to 25 ranges (a security group holds 60 rules), or null for the VPC's own. Got ${try(length(var.load_balancer_ingress_cidr_blocks), 0)}."
  }

  validation {
    condition     = alltrue([for block in coalesce(var.load_balancer_ingress_cidr_blocks, []) : try(cidrhost(block, 0) == split("/", block)[0], false)])
    error_message = "Each of load_balancer_ingress_cidr_blocks must be a range that starts at its own first address, such as 10.1.0.0/16 or 2001:db8::/32. Got ${jsonencode(var.load_balancer_ingress_cidr_blocks)}."
  }

  validation {
    condition     = length(distinct(coalesce(var.load_balancer_ingress_cidr_blocks, []))) == length(coalesce(var.load_balancer_ingress_cidr_blocks, []))
    error_message = "load_balancer_ingress_cidr_blocks names a range twice: ${jsonencode(var.load_balancer_ingress_cidr_blocks)}. Name each once."
  }
}

variable "certificate" {
  description = "ACM certificate for HTTPS on 443, and the security policy, by default TLS 1.2 and 1.3 only. Port 80 then refuses orders with 403, unless plain_http_allowed, which is for the time until all clients have changed. null serves plain HTTP."
  type = object({
    arn                = string
    ssl_policy         = optional(string, "ELBSecurityPolicy-TLS13-1-2-Res-2021-06")
    plain_http_allowed = optional(bool, false)
  })
  default = null
}

variable "load_balancer_idle_timeout_seconds" {
  description = "Seconds that the load balancer waits for the function, 1 to 4000, above ingest_timeout_seconds. Raise it together with that. With existing_listener, say what that load balancer has."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.load_balancer_idle_timeout_seconds > var.ingest_timeout_seconds
    error_message = "load_balancer_idle_timeout_seconds ${var.load_balancer_idle_timeout_seconds} must be above ingest_timeout_seconds ${var.ingest_timeout_seconds}: the client would be told 504 about an order that is still being accepted. Raise the one or lower the other."
  }
}

variable "load_balancer_health_check_enabled" {
  description = "Whether the load balancer probes the function every 35 seconds, which is billed as any invocation. Set it to true where a failing function shall fail over in DNS. null leaves it off, as it is on AWS; false switches it off where it was on."
  type        = bool
  default     = null
}

variable "load_balancer_access_logs" {
  description = "S3 bucket, and prefix, for access logs; the bucket's policy must allow Elastic Load Balancing to write. null for none."
  type        = object({ bucket = string, prefix = optional(string) })
  default     = null
}

variable "load_balancer_web_acl" {
  description = "WAF web ACL (regional) to associate. Set it for an internet-facing load balancer. AWS's common rule set refuses bodies above 8 KB (SizeRestrictions_BODY): except that rule for larger orders."
  type        = object({ arn = string })
  default     = null
}

variable "existing_listener" {
  description = "A listener of a load balancer that exists already, and the first rule priority to use there (one for each path, 1 to 50000), instead of a load balancer of its own. Set it where many services share one; setting or removing it later takes minutes without an answer and is refused while deletion_protection_enabled is true. A path in the middle comes or goes without moving the others if priorities names theirs: { \"/orders\" = 12 }."
  type        = object({ arn = string, priority = number, priorities = optional(map(number), {}) })
  default     = null

  validation {
    condition     = var.existing_listener == null || (var.certificate == null && var.load_balancer_web_acl == null && var.load_balancer_access_logs == null && var.load_balancer_ingress_cidr_blocks == null && var.load_balancer_internal && var.load_balancer_ip_address_type == "ipv4")
    error_message = "certificate, load_balancer_web_acl, load_balancer_access_logs, load_balancer_ingress_cidr_blocks, load_balancer_internal and load_balancer_ip_address_type are settings of a load balancer that is made here; with existing_listener they would have no effect. Remove them, and set them on the load balancer that the listener belongs to."
  }
}

variable "deletion_protection_enabled" {
  description = "Whether AWS refuses to delete the table and the load balancer, and the plan whatever would replace them or the queue. Switch it off, and apply that alone, before a destroy or a replacement that is meant."
  type        = bool
  default     = true
  nullable    = false
}

# Ingest function ----------------------------------------------------------------------------------------------------

variable "ingest_memory_size" {
  description = "Memory of the ingest function in MB, 128 to 10240; CPU comes in proportion. Raise it when answers are slow, after a look at the duration."
  type        = number
  default     = 512
  nullable    = false
}

variable "ingest_timeout_seconds" {
  description = "Seconds after which Lambda ends an ingest invocation, 6 to 900, below the load balancer's idle timeout. The SDK's timeouts are derived from it."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.ingest_timeout_seconds >= 6 && var.ingest_timeout_seconds <= 900
    error_message = "ingest_timeout_seconds must be 6 (two attempts to reach SQS, and an answer) to 900. Got ${var.ingest_timeout_seconds}."
  }
}

variable "ingest_reserved_concurrency" {
  description = "Ingest instances set aside, and at most, at least 1; null shares the account's. Set it in accounts where other functions could starve this one, and whose quota allows it: a new account's may be 10."
  type        = number
  default     = null
}

variable "ingest_provisioned_concurrency" {
  description = "Ingest instances kept warm, at least 1; null for none. Set it when cold starts hurt and the load is steady."
  type        = number
  default     = null
}

variable "ingest_snap_start_enabled" {
  description = "Whether ingest starts from a snapshot. Set it when cold starts hurt and the load is not steady; excludes provisioned concurrency. Each published version is billed for its snapshot until it is deleted."
  type        = bool
  default     = false
  nullable    = false
}

variable "ingest_environment" {
  description = "More environment variables for ingest, for a layer or a handler of your own. It may not set what the module sets. Not for secrets."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setintersection(keys(var.ingest_environment), keys(local.ingest_environment))) == 0
    error_message = "ingest_environment sets ${join(", ", setintersection(keys(var.ingest_environment), keys(local.ingest_environment)))}, which the module sets itself: it would have no effect. Remove it."
  }

  # "Lambda quotas" (AWS Lambda Developer Guide). What the module sets comes on top, and is looked at before the function is made.
  validation {
    condition     = sum([for name, value in merge(var.ingest_environment, { "" = "" }) : length(name) + length(value)]) <= 4096
    error_message = "ingest_environment is longer than the 4096 bytes that Lambda allows for all names and values. Shorten it, or keep it in a parameter that the handler reads."
  }
}

variable "ingest_layers" {
  description = "ARNs of up to five layer versions of the ingest function, for example an agent of your observability vendor or what a handler of your own needs."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "ingest_policy_documents" {
  description = "More IAM policy documents (JSON) for the ingest role that is made. Set it for a layer or a handler of your own."
  type        = list(string)
  default     = []
  nullable    = false
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
  description = "A role that exists already, for ingest; its owner gives it what the output ingest_policy_json says. Set it where you may not create roles (flow_logs_enabled makes one as well)."
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
  description = "Seconds that an order waits in the queue at most, 60 to 1036800, two days below dead_letter_retention_seconds. Default 4 days: raise it when process may be down longer than a long weekend. Lowering it deletes the orders that have waited longer, at once: see that the queue is empty first."
  type        = number
  default     = 345600
  nullable    = false
}

variable "dead_letter_retention_seconds" {
  description = "Seconds that a failed order is kept in the dead-letter queue, counted from its first enqueue, up to 1209600. Default 14 days, the most that SQS offers. Lowering it deletes what has been there longer, at once."
  type        = number
  default     = 1209600
  nullable    = false
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

variable "queue_policy_documents" {
  description = "IAM policy documents (JSON) with statements for the queue's own policy, for example one that lets a topic send to it. A queue has one policy: an aws_sqs_queue_policy beside this module would take turns with it. Resource may be \"*\", which in a queue's policy is the queue. An Allow to everybody needs a Condition, and the Sid DenyWithoutTLS is taken."
  type        = list(string)
  default     = []
  nullable    = false
}

# Process function ---------------------------------------------------------------------------------------------------

variable "process_enabled" {
  description = "Whether process takes orders from the queue. false pauses it: orders are accepted and wait, for queue_retention_seconds at most."
  type        = bool
  default     = true
  nullable    = false
}

variable "process_batch_size" {
  description = "Messages a process invocation takes at most, 1 to 10000; above 10 a batching window is needed. Raise it for throughput at less cost an order: 100 with a window of 1 s writes 2.5 times as many orders a request. max_orders_per_request may shrink with it."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.process_batch_size >= 1 && var.process_batch_size <= 10000
    error_message = "process_batch_size must be 1 to 10000, the limits of Lambda for standard queues. Got ${var.process_batch_size}."
  }
}

variable "process_batching_window_seconds" {
  description = "Seconds that Lambda waits to fill a batch, 0 to 300; at least 1 when process_batch_size is above 10. Every order may wait that long."
  type        = number
  default     = 0
  nullable    = false

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
  description = "Process invocations at the same time that the queue causes at most, 2 to 1000; null is 5, or no limit of its own with process_provisioned_pollers. 5 suits a new account, whose whole quota may be 10, and still writes thousands of orders a second. Raise it, within the account's quota and the table's capacity, when the queue does not drain fast enough."
  type        = number
  default     = null

  validation {
    condition     = try(var.process_maximum_concurrency >= 2 && var.process_maximum_concurrency <= 1000, var.process_maximum_concurrency == null)
    error_message = "process_maximum_concurrency must be 2 to 1000, the limits of an event source mapping. Got ${coalesce(var.process_maximum_concurrency, 0)}."
  }

  validation {
    condition     = var.process_maximum_concurrency == null || var.process_provisioned_pollers == null
    error_message = "process_maximum_concurrency has no effect with process_provisioned_pollers, which cause up to 10 invocations each. Remove one of them."
  }
}

variable "process_provisioned_pollers" {
  description = "Pollers that are kept ready, minimum 2 to 200 and maximum up to 2000, in place of process_maximum_concurrency. Set it when a burst must start draining at once; it is billed by the hour, and each poller causes up to 10 invocations at a time."
  type        = object({ minimum = number, maximum = number })
  default     = null

  validation {
    condition     = try(var.process_provisioned_pollers.minimum >= 2 && var.process_provisioned_pollers.minimum <= 200 && var.process_provisioned_pollers.maximum <= 2000 && var.process_provisioned_pollers.minimum <= var.process_provisioned_pollers.maximum, var.process_provisioned_pollers == null)
    error_message = "process_provisioned_pollers needs a minimum of 2 to 200 that is not above its maximum, at most 2000. Got ${try(coalesce(var.process_provisioned_pollers.minimum), "null")} to ${try(coalesce(var.process_provisioned_pollers.maximum), "null")}."
  }
}

variable "process_dead_letter_immediately" {
  description = "Whether an order that can never be written goes to the dead-letter queue at once, with the reason. false leaves it to be delivered queue_max_receive_count times first."
  type        = bool
  default     = true
  nullable    = false
}

variable "process_memory_size" {
  description = "Memory of the process function in MB, 256 to 10240; CPU comes in proportion. Raise it with process_batch_size."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = var.process_memory_size >= 256
    error_message = "process_memory_size must be at least 256: a batch of 6 MB, the largest, takes up to 200 MB. Got ${var.process_memory_size}."
  }
}

variable "process_timeout_seconds" {
  description = "Seconds after which Lambda ends a process invocation, 6 to 900. The queue's visibility timeout, the SDK's timeouts and how many orders a request may have are derived from it."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.process_timeout_seconds >= 6 && var.process_timeout_seconds <= 900
    error_message = "process_timeout_seconds must be 6 (two attempts to reach DynamoDB, and a report) to 900. Got ${var.process_timeout_seconds}."
  }
}

variable "process_reserved_concurrency" {
  description = "Process instances set aside, and at most; null shares the account's. Not below process_maximum_concurrency, or 10 for each of process_provisioned_pollers.maximum: the pollers do not look at it, and orders that it throttles would end in the dead-letter queue without ever running."
  type        = number
  default     = null

  validation {
    condition     = var.process_provisioned_pollers != null || try(var.process_reserved_concurrency >= local.maximum_concurrency, var.process_reserved_concurrency == null)
    error_message = "process_reserved_concurrency ${coalesce(var.process_reserved_concurrency, 0)} is below process_maximum_concurrency ${local.maximum_concurrency}: throttled orders would end in the dead-letter queue without ever running. Raise the one or lower the other."
  }

  validation {
    condition     = var.process_provisioned_pollers == null || var.process_reserved_concurrency == null ? true : try(var.process_reserved_concurrency >= 10 * var.process_provisioned_pollers.maximum, false)
    error_message = "process_reserved_concurrency ${coalesce(var.process_reserved_concurrency, 0)} is below the 10 invocations at a time that each of up to ${try(coalesce(var.process_provisioned_pollers.maximum), "null")} process_provisioned_pollers causes: throttled orders would end in the dead-letter queue without ever running. Raise the one or lower the other."
  }
}

variable "process_environment" {
  description = "More environment variables for process, for a layer or a handler of your own. It may not set what the module sets. Not for secrets."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setintersection(keys(var.process_environment), keys(local.process_environment))) == 0
    error_message = "process_environment sets ${join(", ", setintersection(keys(var.process_environment), keys(local.process_environment)))}, which the module sets itself: it would have no effect. Remove it."
  }

  # "Lambda quotas" (AWS Lambda Developer Guide). What the module sets comes on top, and is looked at before the function is made.
  validation {
    condition     = sum([for name, value in merge(var.process_environment, { "" = "" }) : length(name) + length(value)]) <= 4096
    error_message = "process_environment is longer than the 4096 bytes that Lambda allows for all names and values. Shorten it, or keep it in a parameter that the handler reads."
  }
}

variable "process_layers" {
  description = "ARNs of up to five layer versions of the process function, for example an agent of your observability vendor or what a handler of your own needs."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "process_policy_documents" {
  description = "More IAM policy documents (JSON) for the process role that is made. Set it for a layer or a handler of your own."
  type        = list(string)
  default     = []
  nullable    = false
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
  description = "A role that exists already, for process; its owner gives it what the output process_policy_json says. Set it where you may not create roles (flow_logs_enabled makes one as well); it may be the same as existing_ingest_role."
  type        = object({ arn = string })
  default     = null
}

# Table --------------------------------------------------------------------------------------------------------------

variable "table_partition_key" {
  description = "Name and type (\"S\" string, \"N\" number) of the partition key, which every order must have. Changing it replaces the table that is made, and deletes the orders in it; refused while deletion_protection_enabled is true."
  type        = object({ name = string, type = string })
  default     = { name = "order_id", type = "S" }
  nullable    = false

  validation {
    condition     = try(var.table_partition_key.name, "") != "accepted_at"
    error_message = "accepted_at is the attribute in which process keeps when an order was accepted, in microseconds. Name another table_partition_key."
  }
}

variable "table_sort_key" {
  description = "Name and type (\"S\" string, \"N\" number) of the sort key, which every order must have; null for a table without one. Changing it replaces the table that is made, and deletes the orders in it; refused while deletion_protection_enabled is true."
  type        = object({ name = string, type = string })
  default     = { name = "item", type = "S" }

  validation {
    condition     = try(var.table_sort_key.name, "") != "accepted_at"
    error_message = "accepted_at is the attribute in which process keeps when an order was accepted, in microseconds. Name another table_sort_key."
  }
}

variable "table_ttl_attribute" {
  description = "Attribute of an order that holds the time, in seconds since the epoch, at which DynamoDB deletes it; null keeps orders for ever. Ingest refuses an order that has something else there. To remove it, set table_ttl_enabled to false first; DynamoDB refuses another name while it is enabled, and allows a change an hour."
  type        = string
  default     = null

  validation {
    condition     = try(var.table_ttl_attribute, "") != "accepted_at"
    error_message = "accepted_at is the attribute in which process keeps when an order was accepted, in microseconds. Name another table_ttl_attribute."
  }

  validation {
    condition     = var.table_ttl_attribute == null || var.existing_table == null
    error_message = "table_ttl_attribute is a setting of a table that is made here; with existing_table it would have no effect. Remove it, and set it where that table is made."
  }
}

variable "table_ttl_enabled" {
  description = "Whether orders expire by table_ttl_attribute. false switches that off while the name stays."
  type        = bool
  default     = true
  nullable    = false
}

variable "existing_table" {
  description = "A table that exists already, instead of one made here, with the keys that table_partition_key and table_sort_key say. Set it for a table that is shared, or made by modules/table with a class, stream or capacity of its own. Setting it later deletes the table that was made, with the orders in it; refused while deletion_protection_enabled is true."
  type        = object({ name = string, arn = string })
  default     = null
}

# Across the system --------------------------------------------------------------------------------------------------

variable "kms_key" {
  description = "Customer managed key that encrypts queues, table, logs and the functions' environment; its policy must contain what the output kms_key_policy_json says. null leaves encryption to keys that AWS owns. A change is made in place; messages stay encrypted under the key with which they were sent, so keep that until they are gone."
  type        = object({ arn = string })
  default     = null
}

variable "permissions_boundary" {
  description = "Permissions boundary of every role that is made, for accounts that allow no role without one."
  type        = object({ arn = string })
  default     = null

  validation {
    condition     = var.permissions_boundary == null || var.existing_ingest_role == null || var.existing_process_role == null || (var.existing_network == null && var.flow_logs_enabled)
    error_message = "existing_ingest_role and existing_process_role are set, and no flow logs are: no role is made, and permissions_boundary would have no effect. Remove it."
  }
}

variable "role_path" {
  description = "IAM path of every role that is made, starting and ending with a slash. Change it where your account sorts or restricts roles by path."
  type        = string
  default     = "/"
  nullable    = false

  validation {
    condition     = can(regex("^/([!-~]{1,510}/)?$", var.role_path))
    error_message = "role_path must start and end with a slash, for example /service/. Got \"${var.role_path}\"."
  }

  validation {
    condition     = var.role_path == "/" || var.existing_ingest_role == null || var.existing_process_role == null || (var.existing_network == null && var.flow_logs_enabled)
    error_message = "existing_ingest_role and existing_process_role are set, and no flow logs are: no role is made, and role_path would have no effect. Remove it."
  }
}

variable "architecture" {
  description = "Architecture of both functions, \"arm64\" (cheaper for the same work) or \"x86_64\". Change it when a layer of yours exists for one only."
  type        = string
  default     = "arm64"
  nullable    = false
}

variable "log_level" {
  description = "Least level of the handlers' logs: \"TRACE\", \"DEBUG\", \"INFO\", \"WARN\", \"ERROR\" or \"FATAL\"."
  type        = string
  default     = "INFO"
  nullable    = false
}

variable "log_retention_days" {
  description = "Days that logs are kept, one of the values that CloudWatch Logs offers; 0 keeps them for ever. Change it to what your audits ask for."
  type        = number
  default     = 365
  nullable    = false
}

variable "tracing_enabled" {
  description = "Whether X-Ray samples and records invocations. Switch it off where another tracer does."
  type        = bool
  default     = true
  nullable    = false
}

# The root validates what spans several pieces; each submodule validates its own ranges, and its messages add the root's name of
# an input in brackets where that differs.

variable "name" {
  description = "Name of the system and prefix of every resource name: 3 to 24 lower-case letters, digits and hyphens. Set it to run several systems in one account and region. Changing it later replaces everything, including the table, the queues and their contents, and is refused while deletion_protection_enabled is true."
  type        = string
  default     = "async-ingest"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name)) && !startswith(var.name, "internal-")
    error_message = "name is \"${var.name}\" (${length(var.name)} characters), but must be 3 to 24 lower-case letters, digits and hyphens (the target group's name, \"<name>-ingest\", may have 32), start with a letter, not end with a hyphen and not start with \"internal-\"."
  }
}

variable "tags" {
  description = "Tags for every resource, in addition to the provider's default tags. Changed in place."
  type        = map(string)
  default     = {}
  nullable    = false
}

# Network ------------------------------------------------------------------------------------------------------------

variable "vpc" {
  description = <<-EOT
    The VPC that is created unless existing_network is set.
    cidr_block: IPv4 range, /16 to /24; choose one that does not overlap with networks you will connect. It cannot be changed later, and must be known at plan where load_balancer_ingress_cidr_blocks is set.
    availability_zones: names of 2 to 8 zones (a /24 has room for 4), null for the region's first two. A zone's position determines its subnets' ranges, so append zones at the end and remove them from the end as described in docs/changing.md; both functions get a new version.
    nat_gateway: "none", "single" or "one_per_zone". The functions do not need NAT while VPC endpoints are enabled. Choose another value to disable the endpoints, or for handlers of your own that call the internet, to which the functions' security groups then allow port 443. Changed in place.
    flow_logs_enabled: send flow logs to CloudWatch Logs, for which a role is created. Disable it where the account records them centrally or where you may not create roles. Disabling it later deletes the log group and its history.
  EOT
  type = object({
    cidr_block         = optional(string, "10.0.0.0/16")
    availability_zones = optional(list(string))
    nat_gateway        = optional(string, "none")
    flow_logs_enabled  = optional(bool, true)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.existing_network == null || (var.vpc.cidr_block == "10.0.0.0/16" && var.vpc.availability_zones == null && var.vpc.nat_gateway == "none")
    error_message = "vpc.cidr_block, vpc.availability_zones and vpc.nat_gateway describe a VPC that is created here, and have no effect with existing_network. Remove them, or remove existing_network."
  }

  validation {
    condition     = var.vpc.nat_gateway != "none" || var.existing_network != null || coalesce(var.vpc_endpoints.enabled, true)
    error_message = "vpc_endpoints.enabled is false and vpc.nat_gateway is \"none\", which leaves the functions no route to SQS and DynamoDB. Set vpc.nat_gateway to \"single\" or \"one_per_zone\", or leave the endpoints enabled."
  }
}

variable "existing_network" {
  description = <<-EOT
    An existing network to use instead of creating a VPC. Set it from the start: it cannot be added, changed or removed later.
    vpc_cidr_block and load_balancer_subnet_ids (at least two, in different zones) are for the load balancer and not needed with existing_listener; vpc_cidr_block is the default of load_balancer_ingress_cidr_blocks.
    function_subnet_ids: at least one subnet, better two in different zones. Unless vpc_endpoints.enabled is true, they need a way to SQS and DynamoDB: NAT, or endpoints of yours that admit the functions' security groups and policies. The plan cannot check that, and the functions may then call any address on port 443.
    function_route_table_ids: route tables of the function subnets, needed if vpc_endpoints.enabled is true.
  EOT
  type = object({
    vpc_id                   = string
    vpc_cidr_block           = optional(string)
    load_balancer_subnet_ids = optional(list(string), [])
    function_subnet_ids      = list(string)
    function_route_table_ids = optional(list(string), [])
  })
  default = null

  validation {
    condition     = try(length(var.existing_network.function_subnet_ids) >= 1, var.existing_network == null)
    error_message = "existing_network.function_subnet_ids is empty, but the functions need at least one subnet, better two in different zones."
  }

  validation {
    condition     = var.existing_network == null || var.existing_listener != null || var.load_balancer_ingress_cidr_blocks != null ? true : can(length(var.existing_network.vpc_cidr_block))
    error_message = "existing_network.vpc_cidr_block is not set, but the load balancer admits that range by default. Set it, or set load_balancer_ingress_cidr_blocks."
  }

  validation {
    condition     = var.existing_network == null ? true : alltrue([for id in concat([var.existing_network.vpc_id], flatten([var.existing_network.load_balancer_subnet_ids, var.existing_network.function_subnet_ids, var.existing_network.function_route_table_ids])) : can(length(id))])
    error_message = "existing_network.vpc_id is null, or one of its lists has an element that is null. Set all of them."
  }
}

variable "vpc_endpoints" {
  description = <<-EOT
    VPC endpoints to SQS, DynamoDB and, with request_signature, Secrets Manager. Their policies admit this account's credentials to this system's queues, table and secret, and nothing else.
    enabled: null creates them in a VPC that is created here, but not in existing_network, where they would take over all SQS and Secrets Manager traffic of the VPC and all DynamoDB traffic of the route tables. Set it to true there only if nothing else uses any of them, or share modules/vpc_endpoints between systems. Before disabling them, apply with vpc.nat_gateway set.
    sqs_policy_documents, dynamodb_policy_documents, secrets_manager_policy_documents: further IAM policy documents (JSON) for the endpoint policies, for layers or handlers of your own that use other queues, tables or secrets, or for other workloads in the VPC. Changed in place.
  EOT
  type = object({
    enabled                   = optional(bool)
    sqs_policy_documents      = optional(list(string), [])
    dynamodb_policy_documents = optional(list(string), [])

    secrets_manager_policy_documents = optional(list(string), [])
  })
  default  = {}
  nullable = false

  validation {
    condition     = coalesce(var.vpc_endpoints.enabled, var.existing_network == null) || length(concat(var.vpc_endpoints.sqs_policy_documents, var.vpc_endpoints.dynamodb_policy_documents, var.vpc_endpoints.secrets_manager_policy_documents)) == 0
    error_message = "vpc_endpoints.sqs_policy_documents, dynamodb_policy_documents and secrets_manager_policy_documents have no effect because no endpoints are created here. Remove them, or set vpc_endpoints.enabled to true."
  }

  validation {
    condition     = !coalesce(var.vpc_endpoints.enabled, false) || try(length(var.existing_network.function_route_table_ids) >= 1, var.existing_network == null)
    error_message = "existing_network.function_route_table_ids is empty, but the DynamoDB endpoint needs the route tables of the function subnets. List them, or leave vpc_endpoints.enabled unset where the network has NAT or endpoints already."
  }
}

# Load balancer ------------------------------------------------------------------------------------------------------

variable "paths" {
  description = "Paths that accept orders, 1 to 20, written without a trailing slash; each is answered with and without one. All other paths return 404. Set it to the paths of your API. A change publishes a new version of ingest. To rename a path without a gap, add the new one first and remove the old one in a later apply."
  type        = list(string)
  default     = ["/lambda/api"]
  nullable    = false
}

variable "load_balancer_internal" {
  description = "Make the load balancer reachable only from the VPC and connected networks. false makes it internet-facing: also set load_balancer_ingress_cidr_blocks, and consider certificate and load_balancer_web_acl first. Changing it replaces the load balancer, with a new DNS name and minutes of downtime, and is refused while deletion_protection_enabled is true."
  type        = bool
  default     = true
  nullable    = false

  validation {
    condition     = var.load_balancer_internal || var.load_balancer_ingress_cidr_blocks != null
    error_message = "load_balancer_internal is false, but the load balancer admits the VPC only. List the clients in load_balancer_ingress_cidr_blocks, for example [\"0.0.0.0/0\"] for everyone."
  }
}

variable "load_balancer_ip_address_type" {
  description = "\"ipv4\", or \"dualstack\" to serve IPv6 clients too. A VPC that is created here then gets IPv6 ranges; an existing_network must have them. Changed in place, but one way only: AWS does not remove an IPv6 range that a load balancer uses."
  type        = string
  default     = "ipv4"
  nullable    = false
}

variable "load_balancer_ingress_cidr_blocks" {
  description = "IPv4 and IPv6 ranges of the clients, 1 to 25, known at plan. null admits the VPC's own ranges. Set it for clients in connected networks or on the internet. Changed in place."
  type        = list(string)
  default     = null

  validation {
    condition     = try(length(var.load_balancer_ingress_cidr_blocks) >= 1, var.load_balancer_ingress_cidr_blocks == null)
    error_message = "load_balancer_ingress_cidr_blocks is empty, which admits no client. List at least one range, or set it to null for the VPC's own."
  }

  validation {
    condition     = alltrue([for block in coalesce(var.load_balancer_ingress_cidr_blocks, []) : try(cidrhost(block, 0) == split("/", block)[0], false)])
    error_message = "load_balancer_ingress_cidr_blocks is ${jsonencode(var.load_balancer_ingress_cidr_blocks)}, but each must be a range that starts at its own first address, such as 10.1.0.0/16 or 2001:db8::/32."
  }

  validation {
    condition     = length(distinct(coalesce(var.load_balancer_ingress_cidr_blocks, []))) == length(coalesce(var.load_balancer_ingress_cidr_blocks, []))
    error_message = "load_balancer_ingress_cidr_blocks lists a range twice: ${jsonencode(var.load_balancer_ingress_cidr_blocks)}. List each once."
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
}

variable "client_certificates" {
  description = <<-EOT
    Client certificates, which the load balancer demands and verifies on port 443 (mutual TLS); null demands none. Needs certificate, without plain_http_allowed. Set it where each client can have a certificate; clients without one are refused from then on. Setting or removing it publishes a new version of ingest; another trust store is changed in place.
    trust_store_arn: Elastic Load Balancing trust store with the certificate authorities of the clients.
    ignore_expiry: accept certificates that have expired.
    log_subject: write the subject of the certificate to the log line of each request. A change publishes a new version of ingest.
  EOT
  type = object({
    trust_store_arn = string
    ignore_expiry   = optional(bool, false)
    log_subject     = optional(bool, false)
  })
  default = null

  validation {
    condition     = var.ingest_package == null || !try(var.client_certificates.log_subject, false)
    error_message = "client_certificates.log_subject is true, but the handler in ingest_package writes its own log. Remove one of them."
  }
}

variable "request_signature" {
  description = <<-EOT
    Signed requests: ingest accepts only requests with an HMAC-SHA-256 of time and body under a secret that it shares with the client, and answers others with 401. null accepts requests without. docs/clients.md shows how clients sign. Set it where whoever reaches the endpoint may not send orders; have all clients sign first, which is ignored until then. A change publishes a new version of ingest.
    secret_arn: complete ARN of a Secrets Manager secret in this region: JSON of key id to secret, or to a list of secrets that all hold, such as { "shop": "…" }, each with at least 32 characters. What its previous version contains still holds. Rotate by a new version: ingest accepts it within a minute, and forgets removed secrets within five.
    header: header with the signature.
    tolerance_seconds: how much a client's clock may differ, 1 to 3600, and so for how long a request can be sent again by someone who has seen it.
  EOT
  type = object({
    secret_arn        = string
    header            = optional(string, "X-Signature")
    tolerance_seconds = optional(number, 300)
  })
  default = null

  validation {
    condition     = var.request_signature == null ? true : can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+-[A-Za-z0-9]{6}$", var.request_signature.secret_arn))
    error_message = "request_signature.secret_arn is ${try(jsonencode(var.request_signature.secret_arn), "unknown")}, but must be the complete ARN of a Secrets Manager secret, with the hyphen and six characters that AWS appends to its name. Set it, or set request_signature itself to null to accept requests without a signature."
  }

  validation {
    condition     = var.request_signature == null ? true : try(split(":", var.request_signature.secret_arn)[3] == data.aws_service_principal.logs.region, true)
    error_message = "request_signature.secret_arn is in ${try(split(":", var.request_signature.secret_arn)[3], "another region")}, but the system in ${data.aws_service_principal.logs.region}. Replicate the secret to this region, and use the ARN of the replica."
  }

  validation {
    condition     = var.request_signature == null || var.ingest_package == null
    error_message = "request_signature is checked by the module's own ingest handler, which ingest_package replaces, so requests without a signature would be accepted. Remove one of them, or have your handler check signatures by itself."
  }

  # "token" in RFC 9110, 5.6.2, as far as load balancers keep it: drop_invalid_header_fields.
  validation {
    condition     = var.request_signature == null ? true : can(regex("^[A-Za-z0-9-]{1,40}$", var.request_signature.header)) && !contains(local.reserved_headers, lower(try(var.request_signature.header, "")))
    error_message = "request_signature.header is ${try(jsonencode(var.request_signature.header), "unknown")}, but must be a name of 1 to 40 letters, digits and hyphens that has no other meaning, such as \"X-Signature\"."
  }

  validation {
    condition     = var.request_signature == null ? true : var.request_signature.tolerance_seconds >= 1 && var.request_signature.tolerance_seconds <= 3600 && floor(var.request_signature.tolerance_seconds) == var.request_signature.tolerance_seconds
    error_message = "request_signature.tolerance_seconds is ${try(var.request_signature.tolerance_seconds, 0)}, but must be a whole number of seconds, 1 to 3600: at 300, clocks may differ by five minutes."
  }
}

variable "load_balancer_idle_timeout_seconds" {
  description = "Seconds that the load balancer waits for the function, 1 to 4000, above ingest_timeout_seconds. The default is AWS's. Raise both together. With existing_listener, set it to what that load balancer has. Changed in place."
  type        = number
  default     = 60
  nullable    = false
}

variable "load_balancer_health_check_enabled" {
  description = "Probe the function every 35 seconds, which is billed like any invocation. Set it to true where DNS must fail over from a failing function. null leaves AWS's default, off; to switch checks off again, set it to false. Changed in place."
  type        = bool
  default     = null
}

variable "load_balancer_access_logs" {
  description = "S3 bucket, and optional prefix, for access logs; the bucket's policy must allow Elastic Load Balancing to write. null writes none. Set it where audits require a record of each request, also of those that never reach the function. Changed in place."
  type        = object({ bucket = string, prefix = optional(string) })
  default     = null
}

variable "load_balancer_web_acl" {
  description = "Regional WAF web ACL to associate. Set it for an internet-facing load balancer. AWS's common rule set refuses bodies above 8 KB (SizeRestrictions_BODY); exclude that rule for larger orders. Changed in place."
  type        = object({ arn = string })
  default     = null
}

variable "existing_listener" {
  description = <<-EOT
    A listener of an existing load balancer to use instead of creating one. Set it where several services share a load balancer, whose owner keeps its certificates, TLS policy, web ACL and access logs. Adding or removing it later replaces the target group, causes minutes of downtime and is refused while deletion_protection_enabled is true.
    priority: first rule priority to use, 1 to 50000; each path takes the next. Not needed where priorities has all paths. Not with listener_rules_enabled = false.
    priorities: priorities by path, such as { "/orders" = 12 }, so that adding or removing a path in the middle does not move the others.
  EOT
  type        = object({ arn = string, priority = optional(number), priorities = optional(map(number), {}) })
  default     = null
}

variable "listener_rules_enabled" {
  description = "Create the rules that forward paths to the function. Set it to false to write them yourself, for example with JWT validation: the outputs listener_arn, target_group_arn and path_patterns are what they need. Switching it off deletes the rules: all paths return 404, unless rules of your own were added before, in an apply of their own. Switching it on creates them; remove your own in a later apply."
  type        = bool
  default     = true
  nullable    = false
}

# Orders -------------------------------------------------------------------------------------------------------------

variable "order_version_attribute" {
  description = <<-EOT
    The order's attribute in which its producer says how new it is. null lets the order that was accepted last win, which is wrong where a client may send an old order again late. A change publishes a new version of both functions; docs/changing.md describes how to switch it on and off. A handler of your own (ingest_package, process_package) finds it in ORDER_VERSION.
    name: the attribute, 1 to 255 characters; neither a key nor table_ttl.attribute. Every order must have it. The highest version of a key stays; of equal ones, the one accepted first.
    type: "N" for a number, or "S" for a date and time in UTC such as "2026-11-26T10:00:00.123Z" (RFC 3339, up to nanoseconds). The number that is compared is kept in order_version_<type>_<name>, for "S" in nanoseconds since 1970; orders may not have an attribute of that name. Rows without it count as older.
  EOT
  type        = object({ name = string, type = string })
  default     = null

  validation {
    condition     = var.order_version_attribute == null ? true : try(contains(["N", "S"], var.order_version_attribute.type), false)
    error_message = "order_version_attribute.type is ${try("\"${var.order_version_attribute.type}\"", "null")}, but must be \"N\", a number, or \"S\", a date and time in UTC."
  }

  validation {
    condition     = var.order_version_attribute == null ? true : try(length(var.order_version_attribute.name) >= 1 && length(var.order_version_attribute.name) <= 255, false)
    error_message = "order_version_attribute.name has ${try(length(var.order_version_attribute.name), 0)} characters, but must have 1 to 255."
  }

  validation {
    condition     = var.order_version_attribute == null ? true : !contains(concat([var.table_partition_key.name, local.accepted_at_attribute, try(coalesce(var.table_ttl.attribute), "")], var.table_sort_key[*].name), var.order_version_attribute.name)
    error_message = "order_version_attribute.name is \"${try(coalesce(var.order_version_attribute.name), "")}\", which is a key of the table, table_ttl.attribute or \"${local.accepted_at_attribute}\". An order with another key is another order, a time of expiry says nothing of age, and clients may not send \"${local.accepted_at_attribute}\". Choose another attribute."
  }

  validation {
    condition     = var.order_version_attribute == null ? true : !contains(concat([var.table_partition_key.name, try(coalesce(var.table_ttl.attribute), "")], var.table_sort_key[*].name), try("order_version_${var.order_version_attribute.type}_${var.order_version_attribute.name}", "-"))
    error_message = "\"${try("order_version_${var.order_version_attribute.type}_${var.order_version_attribute.name}", "-")}\" is a key of the table or table_ttl.attribute, but it is where process keeps the version of order_version_attribute. Choose another attribute for either."
  }
}

# Ingest function ----------------------------------------------------------------------------------------------------

variable "ingest_memory_size" {
  description = "Memory of the ingest function in MB, 128 to 10240; CPU is proportional. The default is what requests of 1 MiB need, the largest that queue_max_message_bytes allows. Raise it if responses are slow because of the function's duration. A change publishes a new version."
  type        = number
  default     = 512
  nullable    = false
}

variable "ingest_timeout_seconds" {
  description = "Seconds after which Lambda stops an ingest invocation, 6 to 900 and below load_balancer_idle_timeout_seconds. The timeouts of its calls to SQS are derived from it: the default has two attempts of 4.5 s, the longest that are made, and a second to respond. Raise it for order_hooks.timeout_seconds, which needs as much more, or a handler of your own that takes longer. A change publishes a new version."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.ingest_timeout_seconds >= 6
    error_message = "ingest_timeout_seconds is ${var.ingest_timeout_seconds}, but must be at least 6: two attempts to reach SQS, and a response."
  }
}

variable "ingest_reserved_concurrency" {
  description = "Reserved concurrency for ingest (≥ 1): both guaranteed and capped. null uses the account's unreserved pool. Set it where other functions could starve this one and the account's quota allows it; a new account's may be 10. Changed in place."
  type        = number
  default     = null
}

variable "ingest_provisioned_concurrency" {
  description = "Provisioned concurrency for ingest (≥ 1), billed by the hour; null for none. Set it if cold starts hurt and the load is steady. Excludes ingest_snap_start_enabled. Changed in place."
  type        = number
  default     = null
}

variable "ingest_snap_start_enabled" {
  description = "Start ingest from a snapshot. Set it if cold starts hurt and the load is not steady. Each published version is billed for its snapshot until it is deleted. Excludes ingest_provisioned_concurrency. A change publishes a new version."
  type        = bool
  default     = false
  nullable    = false
}

variable "ingest_environment" {
  description = "Additional environment variables for ingest, for layers or a handler of your own; not for secrets. It cannot override what the module sets. A change publishes a new version."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setintersection(keys(var.ingest_environment), keys(local.ingest_environment))) == 0
    error_message = "ingest_environment sets ${join(", ", setintersection(keys(var.ingest_environment), keys(local.ingest_environment)))}, which the module sets itself, so it would have no effect. Remove it."
  }

  # "Lambda quotas" (AWS Lambda Developer Guide). modules/function checks the whole environment, but part of that is unknown at the
  # first plan.
  validation {
    condition     = sum([for name, value in merge(var.ingest_environment, { "" = "" }) : length(name) + length(value)]) <= 4096
    error_message = "ingest_environment is longer than the 4096 bytes that Lambda allows for all names and values. Shorten it, or keep it in a parameter that the handler reads."
  }
}

variable "ingest_layers" {
  description = "ARNs of up to five layer versions for ingest, for example an observability agent or a dependency of a handler of your own. A change publishes a new version."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "ingest_policy_documents" {
  description = "Additional IAM policy documents (JSON) for the ingest role that is created. Set it for layers or a handler of your own. Changed in place."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "ingest_package" {
  description = "A prebuilt package instead of the module's ingest handler: a local zip { filename, source_code_hash } or an S3 object { s3_bucket, s3_key, s3_object_version, source_code_hash }. Set it to deploy code apart from infrastructure, or a handler of your own. The entry point stays ingest.handler.handle, and so does the environment. A change publishes a new version."
  type = object({
    filename          = optional(string)
    source_code_hash  = optional(string)
    s3_bucket         = optional(string)
    s3_key            = optional(string)
    s3_object_version = optional(string)
  })
  default = null
}

# Queue --------------------------------------------------------------------------------------------------------------

variable "queue_visibility_timeout_seconds" {
  description = "Seconds for which a delivered message stays hidden, up to 43200. null derives the minimum, 6 × process_timeout_seconds + process_batching_window_seconds, or more if 1000 deliveries would otherwise not outlast an outage of a day. Set it to keep orders out of the dead-letter queue for longer: an outage may last one visibility timeout per delivery. A change publishes a new version of process."
  type        = number
  default     = null
}

variable "queue_retention_seconds" {
  description = "Seconds that an order may wait in the queue, 60 to 1036800 and at least two days less than dead_letter_retention_seconds. The default is 4 days; raise it if process may be down for longer than a long weekend. Changed in place; lowering it immediately deletes orders that have waited longer, so make sure the queue is empty."
  type        = number
  default     = 345600
  nullable    = false
}

variable "dead_letter_retention_seconds" {
  description = "Seconds that a failed order stays in the dead-letter queue, counted from when it was first enqueued, up to 1209600. The default is 14 days, SQS's maximum, because mistakes are found late. Lower it where orders may not be kept for so long. Changed in place; lowering it immediately deletes older messages."
  type        = number
  default     = 1209600
  nullable    = false
}

variable "queue_max_receive_count" {
  description = "Deliveries after which an order moves to the dead-letter queue, 5 to 1000. null derives as many as an outage of 24 hours takes (or of half queue_retention_seconds, if that is less), plus five; the output survived_outage_seconds says how long an outage may last. Lower it to see orders that keep failing sooner; permanent failures are dead-lettered immediately in any case. Raise it, with queue_retention_seconds, if nobody may respond for longer than a day. A change publishes a new version of process."
  type        = number
  default     = null

  validation {
    condition     = var.queue_max_receive_count == null ? true : var.queue_max_receive_count >= 5
    error_message = "queue_max_receive_count is ${coalesce(var.queue_max_receive_count, 0)}, but must be at least 5, or null: with fewer deliveries, brief throttling sends good orders to the dead-letter queue."
  }
}

variable "queue_max_message_bytes" {
  description = "Largest message in bytes, 4096 to 1048576 (1 MiB), of which the orders of a request, as compact ASCII JSON, may take all but 1024; ingest answers 413 beyond that. The load balancer takes no body above 1 MB in any case. Above 262144 it needs AWS provider 6.8 or newer: an older one refuses the plan (\"expected max_message_size to be in the range\"). Raise it if an order or a batch of orders does not fit: memory and process_timeout_seconds must grow with it, fewer messages fit into the 6 MB of an invocation, and SQS bills each 64 KiB as a request. Lower it only when no larger message is in the queue or the dead-letter queue. Changed in place, with a new version of ingest."
  type        = number
  default     = 262144
  nullable    = false

  # 512 MB for 1 MiB: the functions' CPU is proportional to their memory, and so is the time to read a message to its size.
  validation {
    condition     = alltrue([for memory_size in [var.ingest_memory_size, var.process_memory_size] : 2048 * memory_size >= var.queue_max_message_bytes])
    error_message = "queue_max_message_bytes is ${var.queue_max_message_bytes}, which takes ingest_memory_size and process_memory_size of at least ${ceil(var.queue_max_message_bytes / 2048)} MB, not ${var.ingest_memory_size} and ${var.process_memory_size}, to be read in time. Raise them, or lower it."
  }

  validation {
    condition     = var.queue_max_message_bytes <= local.invocation.read_bytes || var.ingest_timeout_seconds >= 5 + local.hook_seconds + local.read_factor * var.queue_max_message_bytes / local.invocation.read_bytes
    error_message = "queue_max_message_bytes is ${var.queue_max_message_bytes}, which takes an ingest_timeout_seconds of at least ${ceil(5 + local.hook_seconds + local.read_factor * var.queue_max_message_bytes / local.invocation.read_bytes)}, not ${var.ingest_timeout_seconds}: two attempts to reach SQS, and time to read the orders and for the hook, if there is one. Raise it, or lower queue_max_message_bytes."
  }

  # As local.largest_message_seconds has it, which depends on this variable and so cannot be used here.
  validation {
    condition     = var.queue_max_message_bytes <= local.invocation.read_bytes || var.process_timeout_seconds >= local.invocation.reserve_seconds + 2 * local.read_seconds * var.queue_max_message_bytes / local.invocation.read_bytes
    error_message = "queue_max_message_bytes is ${var.queue_max_message_bytes}, which takes a process_timeout_seconds of at least ${ceil(local.invocation.reserve_seconds + 2 * local.read_seconds * var.queue_max_message_bytes / local.invocation.read_bytes)}, not ${var.process_timeout_seconds}: time to read two such messages, to write their orders and to report. Raise it, or lower queue_max_message_bytes."
  }
}

variable "fair_queue_attribute" {
  description = "Attribute of an order that names its tenant, 1 to 255 characters; null for none. Its value, a string, number or boolean, becomes the MessageGroupId of the message (hashed where it does not fit), by which SQS keeps a tenant with a backlog from delaying the others. Set it if several customers or applications share the system. A request without the value, or with orders of several tenants, counts as a tenant of its own. A change publishes a new version of ingest; what is already in the queue stays as it is."
  type        = string
  default     = null

  validation {
    condition     = var.fair_queue_attribute == null ? true : length(var.fair_queue_attribute) >= 1 && length(var.fair_queue_attribute) <= 255
    error_message = "fair_queue_attribute has ${try(length(var.fair_queue_attribute), 0)} characters, but must have 1 to 255, or be null."
  }

  validation {
    condition     = try(var.fair_queue_attribute, "") != local.accepted_at_attribute
    error_message = "fair_queue_attribute is \"${local.accepted_at_attribute}\", which no order may have: process uses it for the time at which an order was accepted. Choose another attribute."
  }
}

variable "queue_policy_documents" {
  description = "IAM policy documents (JSON) with further statements for the queue's policy, for example to let a topic send to it. Use this rather than an aws_sqs_queue_policy resource: a queue has one policy, and the two would overwrite each other. Resource may be \"*\", which in a queue's policy means the queue. An Allow for everyone needs a Condition; the Sid DenyWithoutTLS is taken. Changed in place."
  type        = list(string)
  default     = []
  nullable    = false
}

# Process function ---------------------------------------------------------------------------------------------------

variable "process_enabled" {
  description = "Let process consume the queue. false pauses it: orders are still accepted, and wait for at most queue_retention_seconds. Set it to false while the table is restored or moved. Changed in place."
  type        = bool
  default     = true
  nullable    = false
}

variable "process_batch_size" {
  description = "Maximum number of messages per process invocation, 1 to 10000; above 10 it needs a batching window. Raise it for throughput at a lower cost per order: 100 with a window of 1 s writes 2.5 times as many orders per DynamoDB request. max_orders_per_request may shrink as a result. With fair_queue_attribute, AWS counts a tenant as noisy if it has more than 10 % of the messages in flight and at least 30 in flight, or more than 10 % of the recent processing time; at most this × process_maximum_concurrency are in flight, 50 by default, so if both are lowered only the time counts. Changed in place, with a new version of ingest if max_orders_per_request changes, and of process if a derived queue_max_receive_count does."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.process_batch_size >= 1 && var.process_batch_size <= 10000
    error_message = "process_batch_size is ${var.process_batch_size}, but must be 1 to 10000, Lambda's limits for standard queues."
  }
}

variable "process_batching_window_seconds" {
  description = "Seconds that Lambda may wait to fill a batch, 0 to 300; at least 1 if process_batch_size is above 10. Any order may wait that long. Changed in place; where queue_max_receive_count is derived, it changes too, which publishes a new version of process."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.process_batch_size <= 10 || var.process_batching_window_seconds >= 1
    error_message = "process_batch_size is ${var.process_batch_size}, and above 10 Lambda needs process_batching_window_seconds of at least 1, not ${var.process_batching_window_seconds}. Raise the window or lower the batch size."
  }
}

variable "process_maximum_concurrency" {
  description = "Maximum concurrent process invocations that the queue may start, 2 to 1000. null is 5, or no limit with process_provisioned_pollers. 5 suits a new account, whose whole quota may be 10, and still writes thousands of orders a second. Raise it, within the account's quota and the table's capacity, if the queue does not drain fast enough. Changed in place."
  type        = number
  default     = null

  validation {
    condition     = try(var.process_maximum_concurrency >= 2 && var.process_maximum_concurrency <= 1000, var.process_maximum_concurrency == null)
    error_message = "process_maximum_concurrency is ${coalesce(var.process_maximum_concurrency, 0)}, but must be 2 to 1000, the limits of an event source mapping."
  }

  validation {
    condition     = var.process_maximum_concurrency == null || var.process_provisioned_pollers == null
    error_message = "process_maximum_concurrency has no effect with process_provisioned_pollers, each of which starts up to ${local.invocations_per_poller} invocations. Remove one of them."
  }
}

variable "process_provisioned_pollers" {
  description = "Provisioned pollers, minimum 2 to 200 and maximum up to 2000, instead of process_maximum_concurrency. Set it if a burst must start draining immediately. Billed by the hour; each poller starts up to 10 concurrent invocations. Changed in place."
  type        = object({ minimum = number, maximum = number })
  default     = null

  validation {
    condition     = try(var.process_provisioned_pollers.minimum >= 2 && var.process_provisioned_pollers.minimum <= 200 && var.process_provisioned_pollers.maximum <= 2000 && var.process_provisioned_pollers.minimum <= var.process_provisioned_pollers.maximum, var.process_provisioned_pollers == null)
    error_message = "process_provisioned_pollers is ${try(coalesce(var.process_provisioned_pollers.minimum), "null")} to ${try(coalesce(var.process_provisioned_pollers.maximum), "null")}, but the minimum must be 2 to 200, and the maximum at least that and at most 2000."
  }
}

variable "process_dead_letter_immediately" {
  description = "Send an order that can never be written to the dead-letter queue immediately, with the reason. false lets it be delivered queue_max_receive_count times first, and dead-letters it without a reason. Set it to false if only SQS may move messages to that queue, and lower queue_max_receive_count with it. A change publishes a new version."
  type        = bool
  default     = true
  nullable    = false
}

variable "process_memory_size" {
  description = "Memory of the process function in MB, 256 to 10240; CPU is proportional. The default is what messages of 1 MiB need, the largest that queue_max_message_bytes allows. Raise it together with process_batch_size. A change publishes a new version, of ingest as well if max_orders_per_request changes."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = var.process_memory_size >= 256
    error_message = "process_memory_size is ${var.process_memory_size}, but must be at least 256: the largest batch, 6 MB, needs up to 200 MB."
  }
}

variable "process_timeout_seconds" {
  description = "Seconds after which Lambda stops a process invocation, 6 to 900; the plan says where queue_max_message_bytes, process_batch_size or order_hooks take more than 6. The queue's visibility timeout, the timeouts of its AWS calls and max_orders_per_request are derived from it. The default settles requests of 1000 orders, and is twice what messages of 1 MiB take. Raise it if max_orders_per_request is below what clients send, or for hooks or a handler of your own that take longer; lower it to have failed orders tried again sooner. A change publishes a new version, of ingest as well if max_orders_per_request changes."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.process_timeout_seconds >= 6
    error_message = "process_timeout_seconds is ${var.process_timeout_seconds}, but must be at least 6: two attempts to reach DynamoDB, and a report."
  }
}

variable "process_reserved_concurrency" {
  description = "Reserved concurrency for process: both guaranteed and capped. null uses the account's unreserved pool. Set it where other functions could starve this one. It must not be below process_maximum_concurrency, or 10 × process_provisioned_pollers.maximum: pollers ignore it, and orders whose invocations it throttles would reach the dead-letter queue without ever being tried. Changed in place."
  type        = number
  default     = null

  validation {
    condition     = var.process_provisioned_pollers != null || try(var.process_reserved_concurrency >= local.maximum_concurrency, var.process_reserved_concurrency == null)
    error_message = "process_reserved_concurrency ${coalesce(var.process_reserved_concurrency, 0)} is below process_maximum_concurrency ${local.maximum_concurrency}, so throttled orders would reach the dead-letter queue without ever being tried. Raise the former or lower the latter."
  }

  validation {
    condition     = var.process_provisioned_pollers == null || var.process_reserved_concurrency == null ? true : try(var.process_reserved_concurrency >= local.invocations_per_poller * var.process_provisioned_pollers.maximum, false)
    error_message = "process_reserved_concurrency ${coalesce(var.process_reserved_concurrency, 0)} is below ${local.invocations_per_poller} invocations for each of up to ${try(coalesce(var.process_provisioned_pollers.maximum), "null")} process_provisioned_pollers, so throttled orders would reach the dead-letter queue without ever being tried. Raise the former or lower the latter."
  }
}

variable "process_environment" {
  description = "Additional environment variables for process, for layers or a handler of your own; not for secrets. It cannot override what the module sets. A change publishes a new version."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setintersection(keys(var.process_environment), keys(local.process_environment))) == 0
    error_message = "process_environment sets ${join(", ", setintersection(keys(var.process_environment), keys(local.process_environment)))}, which the module sets itself, so it would have no effect. Remove it."
  }

  # As for ingest_environment.
  validation {
    condition     = sum([for name, value in merge(var.process_environment, { "" = "" }) : length(name) + length(value)]) <= 4096
    error_message = "process_environment is longer than the 4096 bytes that Lambda allows for all names and values. Shorten it, or keep it in a parameter that the handler reads."
  }
}

variable "process_layers" {
  description = "ARNs of up to five layer versions for process, for example an observability agent or a dependency of a handler of your own. A change publishes a new version."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "process_policy_documents" {
  description = "Additional IAM policy documents (JSON) for the process role that is created. Set it for layers or a handler of your own. Changed in place."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "process_package" {
  description = "A prebuilt package instead of the module's process handler: a local zip { filename, source_code_hash } or an S3 object { s3_bucket, s3_key, s3_object_version, source_code_hash }. Set it to deploy code apart from infrastructure, or a handler of your own. The entry point stays process.handler.handle, and so does the environment. A change publishes a new version."
  type = object({
    filename          = optional(string)
    source_code_hash  = optional(string)
    s3_bucket         = optional(string)
    s3_key            = optional(string)
    s3_object_version = optional(string)
  })
  default = null
}

# Hooks of the team's own --------------------------------------------------------------------------------------------

variable "order_hooks" {
  description = <<-EOT
    A Python package of yours whose functions see every order: accept(order, request) in ingest, prepare(order) in process, before the newest of a key is chosen. Each returns the order, changed or not, or raises Refused: 400 at ingest, a permanent failure at process. Set it to check or complete orders without a handler of your own; docs/hooks.md has the rules. null calls none. A change publishes a new version of both functions.
    source_dir: directory that contains the package, for example "$${path.module}/hooks". Everything in it goes into both functions: text files only, which Terraform's state contains too. Dependencies may lie beside the package or in ingest_layers and process_layers.
    package: name of the package, or of the single module, that has one or both of the functions.
    timeout_seconds: seconds that the hook may take for a request at ingest, and for a message at process, above 0; then it is stopped, which is 503 at ingest and another delivery at process. ingest_timeout_seconds and process_timeout_seconds must leave time beside it.
  EOT
  type = object({
    source_dir      = string
    package         = optional(string, "order_hooks")
    timeout_seconds = optional(number, 1)
  })
  default = null

  validation {
    condition     = var.order_hooks == null ? true : can(length(var.order_hooks.source_dir))
    error_message = "order_hooks.source_dir is null. Set it, or set order_hooks itself to null for no hooks."
  }

  validation {
    condition     = var.order_hooks == null ? true : can(regex("^[A-Za-z_][A-Za-z0-9_]*$", var.order_hooks.package))
    error_message = "order_hooks.package is \"${try(var.order_hooks.package, "null")}\", but must be a name that Python can import: letters, digits and underscores, not beginning with a digit, and no dots."
  }

  validation {
    condition     = var.order_hooks == null ? true : anytrue([for file in ["/__init__.py", ".py"] : try(fileexists("${var.order_hooks.source_dir}/${var.order_hooks.package}${file}"), true)])
    error_message = "order_hooks.source_dir \"${try(coalesce(var.order_hooks.source_dir), "null")}\" has neither ${try(var.order_hooks.package, "null")}/__init__.py nor ${try(var.order_hooks.package, "null")}.py. Name the directory that contains the package, relative to where Terraform runs or with path.module, and the package."
  }

  validation {
    condition     = var.order_hooks == null || (var.ingest_package == null && var.process_package == null)
    error_message = "order_hooks has no effect with ${join(" and ", compact([var.ingest_package == null ? "" : "ingest_package", var.process_package == null ? "" : "process_package"]))}: a package of your own calls your code itself. Remove one of them."
  }

  validation {
    condition     = var.order_hooks == null ? true : var.order_hooks.timeout_seconds > 0
    error_message = "order_hooks.timeout_seconds is ${try(var.order_hooks.timeout_seconds, 0)}, but must be above 0, for example 0.5."
  }

  # As for ingest_timeout_seconds, which without hooks is at least 6.
  validation {
    condition     = var.order_hooks == null ? true : var.ingest_timeout_seconds >= 6 + var.order_hooks.timeout_seconds
    error_message = "order_hooks.timeout_seconds is ${try(var.order_hooks.timeout_seconds, 0)}, but ingest_timeout_seconds ${var.ingest_timeout_seconds} leaves ${var.ingest_timeout_seconds - 6} beside two attempts to reach SQS and a response. Raise the latter to at least ${6 + try(var.order_hooks.timeout_seconds, 0)}, or lower the former."
  }

  # As for process_timeout_seconds, which without hooks is at least 6, and half of the time is for the writes: process/reader.py.
  validation {
    condition     = var.order_hooks == null ? true : var.process_timeout_seconds >= 6 + 2 * var.order_hooks.timeout_seconds
    error_message = "order_hooks.timeout_seconds is ${try(var.order_hooks.timeout_seconds, 0)}, but process_timeout_seconds ${var.process_timeout_seconds} allows ${(var.process_timeout_seconds - 6) / 2}: two attempts to reach DynamoDB, a report, and as much time for the writes as for the hook. Raise the latter to at least ${6 + 2 * try(var.order_hooks.timeout_seconds, 0)}, or lower the former."
  }
}

# Table --------------------------------------------------------------------------------------------------------------

variable "table_partition_key" {
  description = "Name and type (\"S\" string, \"N\" number) of the partition key, which every order must have. Set it from the start to what identifies your orders. Changing it replaces a table that was created here and deletes the orders in it, and is refused while deletion_protection_enabled is true."
  type        = object({ name = string, type = string })
  default     = { name = "order_id", type = "S" }
  nullable    = false

  validation {
    condition     = try(var.table_partition_key.name, "") != local.accepted_at_attribute
    error_message = "table_partition_key.name is \"${local.accepted_at_attribute}\", which process uses for the time at which an order was accepted. Choose another name."
  }
}

variable "table_sort_key" {
  description = "Name and type (\"S\" string, \"N\" number) of the sort key, which every order must have; null for a table without one. Changing it replaces a table that was created here and deletes the orders in it, and is refused while deletion_protection_enabled is true."
  type        = object({ name = string, type = string })
  default     = { name = "item", type = "S" }

  validation {
    condition     = try(var.table_sort_key.name, "") != local.accepted_at_attribute
    error_message = "table_sort_key.name is \"${local.accepted_at_attribute}\", which process uses for the time at which an order was accepted. Choose another name."
  }
}

variable "table_ttl" {
  description = <<-EOT
    Expiry of orders (DynamoDB time to live). A change publishes a new version of ingest.
    attribute: the order's attribute with the time, in seconds since the epoch, at which DynamoDB deletes it; null keeps orders forever. Ingest refuses orders with anything else in that attribute.
    enabled: false stops expiry but keeps the attribute's name. Set it to false before removing or changing the attribute; DynamoDB allows one change per hour.
  EOT
  type        = object({ attribute = optional(string), enabled = optional(bool, true) })
  default     = {}
  nullable    = false

  validation {
    condition     = try(var.table_ttl.attribute, "") != local.accepted_at_attribute
    error_message = "table_ttl.attribute is \"${local.accepted_at_attribute}\", which process uses for the time at which an order was accepted. Choose another name."
  }
}

variable "table_stream_view_type" {
  description = "Contents of the table's stream: \"KEYS_ONLY\", \"NEW_IMAGE\", \"OLD_IMAGE\" or \"NEW_AND_OLD_IMAGES\"; null for no stream. Set it if something else reacts to written orders; the output table_stream_arn names the stream. Switched on and off in place. Another value ends the stream and starts one with another ARN: consumers must change over, and miss what is written in between. With existing_table, set it where that table is created."
  type        = string
  default     = null
}

variable "existing_table" {
  description = "An existing table to use instead of creating one, with the keys of table_partition_key and table_sort_key. Set it for a table that is shared, or created by modules/table with its own class or capacity. Setting it later publishes a new version of process and deletes the table that was created here, with its orders; that is refused while deletion_protection_enabled is true."
  type        = object({ name = string, arn = string })
  default     = null
}

# Across the system --------------------------------------------------------------------------------------------------

variable "deletion_protection_enabled" {
  description = "Have AWS refuse to delete the table and the load balancer, and have the plan refuse to replace them or the queues. Before an intentional destroy or replacement, set it to false and apply that change alone. Changed in place."
  type        = bool
  default     = true
  nullable    = false
}

variable "kms_key" {
  description = "Customer managed key that encrypts the queues, the table, the logs and the functions' environment; its policy must contain the output kms_key_policy_json. null uses keys that AWS owns. Changed in place, with a new version of both functions; keep the old key until the messages that were sent under it are gone."
  type        = object({ arn = string })
  default     = null
}

variable "existing_roles" {
  description = "Existing execution roles to use instead of creating them; both may be the same. Their owner grants them what the outputs ingest_policy_json and process_policy_json contain. Set it where you may not create roles (vpc.flow_logs_enabled creates one too). Setting one later publishes a new version of its function and deletes the role that was created here."
  type = object({
    ingest  = optional(object({ arn = string }))
    process = optional(object({ arn = string }))
  })
  default  = {}
  nullable = false
}

variable "permissions_boundary" {
  description = "Permissions boundary for every role that is created, for accounts that require one. It must allow at least what the outputs ingest_policy_json and process_policy_json contain: one that allows less stops orders. Changed in place."
  type        = object({ arn = string })
  default     = null

  validation {
    condition     = var.permissions_boundary == null || local.creates_role
    error_message = "permissions_boundary has no effect because no role is created: both existing_roles are set, and so is existing_network, or vpc.flow_logs_enabled is false. Remove it."
  }
}

variable "role_path" {
  description = "IAM path for every role that is created, starting and ending with a slash. Set it where your account organizes or restricts roles by path. A change replaces the roles and publishes a new version of both functions."
  type        = string
  default     = "/"
  nullable    = false

  validation {
    condition     = var.role_path == "/" || local.creates_role
    error_message = "role_path has no effect because no role is created: both existing_roles are set, and so is existing_network, or vpc.flow_logs_enabled is false. Remove it."
  }
}

variable "architecture" {
  description = "Architecture of both functions: \"arm64\" (cheaper for the same work) or \"x86_64\". Change it if a layer of yours exists for one only. A change publishes a new version of both functions."
  type        = string
  default     = "arm64"
  nullable    = false
}

variable "log_level" {
  description = "Minimum level of the handlers' logs: \"TRACE\", \"DEBUG\", \"INFO\", \"WARN\", \"ERROR\" or \"FATAL\". Lower it to look for the cause of a problem; \"DEBUG\" multiplies what logs cost. A change publishes a new version of both functions."
  type        = string
  default     = "INFO"
  nullable    = false
}

variable "log_retention_days" {
  description = "Days that logs are kept, one of the values that CloudWatch Logs offers; 0 keeps them forever. The default is a year, which security standards ask for. Set it to what your audits require. Changed in place; lowering it deletes older logs."
  type        = number
  default     = 365
  nullable    = false
}

variable "tracing_enabled" {
  description = "Have X-Ray sample and record invocations. Disable it where another tracer does. A change publishes a new version of both functions."
  type        = bool
  default     = true
  nullable    = false
}

variable "observability" {
  description = <<-EOT
    Alarms, dashboard and saved log queries (modules/observability); null creates none of them, where CloudWatch alarms may not be created or are not worth their price, or to call the module yourself with other thresholds. Without alarm_actions, alarms show their state but notify nobody. Changed in place, except for freshness_target_seconds.
    alarm_actions: ARNs of up to 5 SNS topics, or other actions, that an alarm notifies when it starts. CloudWatch cannot publish to a topic that is encrypted with the key alias/aws/sns.
    ok_actions: the same for an alarm that ends; null is alarm_actions, [] is silence.
    freshness_target_seconds: seconds from acceptance to write above which an order is late; 99 % shall not be. null is 60, or twice process_batching_window_seconds if that is more. A change publishes a new version of process, as setting or removing observability does.
    oldest_message_age_seconds: age of the oldest waiting message above which an alarm starts. null is the larger of 15 minutes and two visibility timeouts, at most half of queue_retention_seconds.
    account_concurrency_quota: the account's quota of concurrent Lambda executions in this region, at 90 % of which an alarm starts; null creates none. Must be known at plan.
    disabled_alarms: names of alarms that are not created, such as ["load-balancer-errors"] where a shared load balancer answers 5xx for others; the output alarm_names has those that are there. Must be known at plan.
    dashboard_enabled: create the dashboard "NAME-REGION".
  EOT
  type = object({
    alarm_actions              = optional(list(string), [])
    ok_actions                 = optional(list(string))
    freshness_target_seconds   = optional(number)
    oldest_message_age_seconds = optional(number)
    account_concurrency_quota  = optional(number)
    disabled_alarms            = optional(list(string), [])
    dashboard_enabled          = optional(bool, true)
  })
  default = {}

  validation {
    condition     = try(coalesce(var.observability.freshness_target_seconds), null) == null ? true : var.observability.freshness_target_seconds > var.process_batching_window_seconds && var.observability.freshness_target_seconds < var.queue_retention_seconds
    error_message = "observability.freshness_target_seconds is ${try(coalesce(var.observability.freshness_target_seconds), "null")}, but must be above process_batching_window_seconds ${var.process_batching_window_seconds}, for which every order may wait, and below queue_retention_seconds ${var.queue_retention_seconds}."
  }
}

# client ──POST──▶ load balancer ──▶ ingest function ──▶ queue (+ dead-letter queue) ──▶ process function ──▶ table

module "network" {
  source = "./modules/network"
  count  = local.creates_vpc ? 1 : 0

  name               = var.name
  cidr_block         = var.vpc.cidr_block
  availability_zones = var.vpc.availability_zones
  nat_gateway        = var.vpc.nat_gateway
  ipv6_enabled       = var.load_balancer_ip_address_type == "dualstack"

  flow_logs_enabled    = var.vpc.flow_logs_enabled
  log_retention_days   = var.log_retention_days
  kms_key              = var.kms_key
  permissions_boundary = var.permissions_boundary
  role_path            = var.role_path
  tags                 = var.tags
}

module "load_balancer" {
  source = "./modules/load_balancer"

  name                = var.name
  vpc_id              = local.network.vpc_id
  subnet_ids          = local.network.load_balancer_subnet_ids
  internal            = var.load_balancer_internal
  ip_address_type     = var.load_balancer_ip_address_type
  ingress_cidr_blocks = local.ingress_cidr_blocks
  paths               = var.paths

  function_alias_arn       = module.ingest.alias_arn
  function_timeout_seconds = var.ingest_timeout_seconds

  certificate                 = var.certificate
  client_certificates         = var.client_certificates
  idle_timeout_seconds        = var.load_balancer_idle_timeout_seconds
  health_check_enabled        = var.load_balancer_health_check_enabled
  access_logs                 = var.load_balancer_access_logs
  web_acl                     = var.load_balancer_web_acl
  existing_listener           = var.existing_listener
  listener_rules_enabled      = var.listener_rules_enabled
  deletion_protection_enabled = var.deletion_protection_enabled
  tags                        = var.tags
}

module "ingest" {
  source = "./modules/function"

  name            = "${var.name}-ingest"
  description     = "Accepts orders over HTTP and puts them on the queue"
  source_dir      = local.source_dir
  source_packages = concat(["ingest", "shared"], local.hooks_enabled ? ["async_ingest_hooks"] : [])
  package         = var.ingest_package
  handler         = "ingest.handler.handle"
  layers          = var.ingest_layers
  environment     = merge(var.ingest_environment, local.ingest_environment)

  additional_source_dir = one(var.order_hooks[*].source_dir)

  existing_role    = var.existing_roles.ingest
  policy_documents = concat([module.queue.producer_policy_json], data.aws_iam_policy_document.secret[*].json, var.ingest_policy_documents)

  in_vpc     = true # not derived from vpc_id, which may be unknown: it decides which resources exist
  vpc_id     = local.network.vpc_id
  subnet_ids = local.function_subnet_ids
  egress = merge(local.open_egress, local.endpoints_enabled ? {
    SQS = { security_group_id = module.vpc_endpoints[0].sqs_security_group_id }
    } : {}, local.endpoints_enabled && local.checks_signatures ? {
    "Secrets Manager" = { security_group_id = module.vpc_endpoints[0].secrets_manager_security_group_id }
  } : {})

  memory_size             = var.ingest_memory_size
  timeout_seconds         = var.ingest_timeout_seconds
  reserved_concurrency    = var.ingest_reserved_concurrency
  provisioned_concurrency = var.ingest_provisioned_concurrency
  snap_start_enabled      = var.ingest_snap_start_enabled
  architecture            = var.architecture
  log_level               = var.log_level
  log_retention_days      = var.log_retention_days
  tracing_enabled         = var.tracing_enabled
  kms_key                 = var.kms_key
  permissions_boundary    = var.permissions_boundary
  role_path               = var.role_path
  tags                    = var.tags
}

module "queue" {
  source = "./modules/queue"

  name                             = var.name
  consumer_timeout_seconds         = var.process_timeout_seconds
  consumer_batching_window_seconds = var.process_batching_window_seconds
  visibility_timeout_seconds       = var.queue_visibility_timeout_seconds
  retention_seconds                = var.queue_retention_seconds
  dead_letter_retention_seconds    = var.dead_letter_retention_seconds
  max_receive_count                = var.queue_max_receive_count
  max_message_bytes                = var.queue_max_message_bytes
  policy_documents                 = var.queue_policy_documents
  kms_key                          = var.kms_key
  tags                             = var.tags
}

# No filter_criteria, on purpose: Lambda deletes SQS messages that match no filter, which would silently lose orders.
resource "aws_lambda_event_source_mapping" "process" {
  enabled                            = var.process_enabled
  event_source_arn                   = module.queue.arn
  function_name                      = module.process.alias_arn
  batch_size                         = var.process_batch_size
  maximum_batching_window_in_seconds = var.process_batching_window_seconds
  function_response_types            = ["ReportBatchItemFailures"]

  dynamic "scaling_config" {
    for_each = var.process_provisioned_pollers == null ? [local.maximum_concurrency] : []

    content {
      maximum_concurrency = scaling_config.value
    }
  }

  dynamic "provisioned_poller_config" {
    for_each = var.process_provisioned_pollers[*]

    content {
      minimum_pollers = provisioned_poller_config.value.minimum
      maximum_pollers = provisioned_poller_config.value.maximum
    }
  }

  tags = var.tags

  # A validation of process_batch_size would be a cycle: the number of deliveries depends on the batching window, whose validation
  # depends on the batch size.
  lifecycle {
    precondition {
      condition     = local.largest_messages_per_batch <= local.largest_messages_read
      error_message = "process_batch_size is ${var.process_batch_size}, of which a batch can have ${local.largest_messages_per_batch} messages of queue_max_message_bytes ${var.queue_max_message_bytes}, but in ${module.queue.max_receive_count} deliveries of process_timeout_seconds ${var.process_timeout_seconds} there is time to read only ${local.largest_messages_read}. Raise that timeout or queue_max_receive_count, or lower process_batch_size or queue_max_message_bytes."
    }
  }
}

module "process" {
  source = "./modules/function"

  name            = "${var.name}-process"
  description     = "Writes orders from the queue to the table"
  source_dir      = local.source_dir
  source_packages = concat(["process", "shared"], local.hooks_enabled ? ["async_ingest_hooks"] : [])
  package         = var.process_package
  handler         = "process.handler.handle"
  layers          = var.process_layers
  environment     = merge(var.process_environment, local.process_environment)

  additional_source_dir = one(var.order_hooks[*].source_dir)

  existing_role    = var.existing_roles.process
  policy_documents = concat([module.queue.consumer_policy_json, module.table.writer_policy_json], var.process_policy_documents)

  in_vpc     = true # not derived from vpc_id, which may be unknown: it decides which resources exist
  vpc_id     = local.network.vpc_id
  subnet_ids = local.function_subnet_ids
  egress = merge(local.open_egress, local.endpoints_enabled ? {
    SQS      = { security_group_id = module.vpc_endpoints[0].sqs_security_group_id }
    DynamoDB = { prefix_list_id = module.vpc_endpoints[0].dynamodb_prefix_list_id }
  } : {})

  memory_size          = var.process_memory_size
  timeout_seconds      = var.process_timeout_seconds
  reserved_concurrency = var.process_reserved_concurrency
  architecture         = var.architecture
  log_level            = var.log_level
  log_retention_days   = var.log_retention_days
  tracing_enabled      = var.tracing_enabled
  kms_key              = var.kms_key
  permissions_boundary = var.permissions_boundary
  role_path            = var.role_path
  tags                 = var.tags
}

module "table" {
  source = "./modules/table"

  name                        = var.name
  existing_table              = var.existing_table
  partition_key               = var.table_partition_key
  sort_key                    = var.table_sort_key
  ttl                         = var.table_ttl
  stream_view_type            = var.table_stream_view_type
  deletion_protection_enabled = var.deletion_protection_enabled
  kms_key                     = var.kms_key
  tags                        = var.tags
}

# The functions' route to the queue and the table, without NAT.
module "vpc_endpoints" {
  source = "./modules/vpc_endpoints"
  count  = local.endpoints_enabled ? 1 : 0

  name            = var.name
  vpc_id          = local.network.vpc_id
  subnet_ids      = local.network.function_subnet_ids
  route_table_ids = local.network.function_route_table_ids

  client_security_group_ids = {
    ingest  = module.ingest.security_group_id
    process = module.process.security_group_id
  }

  queue_arns                = [module.queue.arn, module.queue.dead_letter_arn]
  table_arns                = [module.table.arn]
  secret_arns               = local.checks_signatures ? [var.request_signature.secret_arn] : []
  sqs_policy_documents      = var.vpc_endpoints.sqs_policy_documents
  dynamodb_policy_documents = var.vpc_endpoints.dynamodb_policy_documents

  secrets_manager_policy_documents = var.vpc_endpoints.secrets_manager_policy_documents

  tags = var.tags
}

# A new name or network would move everything, so it is refused, by the same mechanism as in modules/table.

resource "terraform_data" "replaceable" {
  for_each = toset([var.deletion_protection_enabled ? "protected" : "unprotected"])

  input = each.key == "protected" ? null : var.name
}

resource "terraform_data" "name" {
  input = var.name

  lifecycle {
    ignore_changes       = [input]
    replace_triggered_by = [terraform_data.replaceable]

    postcondition {
      condition     = self.output == var.name
      error_message = "name is ${var.name}, but the system is ${self.output}. A new name would replace the table, the queues and the load balancer, with all orders in them, and deletion protection is on, or was at the last apply. Set deletion_protection_enabled to false and apply that change alone first; docs/changing.md describes how to keep the orders."
    }
  }
}

resource "terraform_data" "network" {
  input = local.current_network

  lifecycle {
    ignore_changes = [input]

    postcondition {
      condition     = self.output == local.current_network
      error_message = "The system is in ${self.output}, and existing_network cannot be set, changed or removed later: neither the load balancer nor security groups can move. Create a second system beside this one, as docs/changing.md describes."
    }
  }
}

check "internet_facing" {
  assert {
    condition     = var.load_balancer_internal || var.certificate != null
    error_message = "load_balancer_internal is false and certificate is not set: orders cross the internet in plain text, and anyone in load_balancer_ingress_cidr_blocks may send them. Set certificate, and consider load_balancer_web_acl."
  }
}

locals {
  source_dir = "${path.module}/lambda_src"

  creates_vpc       = nonsensitive(var.existing_network == null)
  current_network   = local.creates_vpc ? "a network of its own" : var.existing_network.vpc_id
  endpoints_enabled = coalesce(var.vpc_endpoints.enabled, local.creates_vpc)
  creates_role      = nonsensitive(var.existing_roles.ingest == null || var.existing_roles.process == null) || (local.creates_vpc && var.vpc.flow_logs_enabled)

  # Single outputs rather than module.network[*], which would wait for all of the module, including flow logs and NAT gateways. No
  # try() either: it turns a list with one new subnet into a wholly unknown one, for which providers plan no change.
  network = {
    vpc_id                   = local.creates_vpc ? module.network[0].vpc_id : var.existing_network.vpc_id
    vpc_cidr_block           = local.creates_vpc ? module.network[0].vpc_cidr_block : var.existing_network.vpc_cidr_block
    load_balancer_subnet_ids = local.creates_vpc ? module.network[0].public_subnet_ids : var.existing_network.load_balancer_subnet_ids
    function_subnet_ids      = local.creates_vpc ? module.network[0].private_subnet_ids : var.existing_network.function_subnet_ids
    function_route_table_ids = local.creates_vpc ? module.network[0].private_route_table_ids : var.existing_network.function_route_table_ids
  }

  # The endpoints' output, so that no function runs in a subnet that has none yet.
  function_subnet_ids = local.endpoints_enabled ? module.vpc_endpoints[0].subnet_ids : local.network.function_subnet_ids

  # Without endpoints the functions call the public addresses of SQS and DynamoDB; with NAT, custom handlers may call others.
  open_egress = local.endpoints_enabled && var.vpc.nat_gateway == "none" ? {} : { AWS = { cidr_ipv4 = "0.0.0.0/0" } }

  # Keyed by range, so that adding or removing one leaves the other rules alone. The VPC's own range has one key whether it is listed
  # or not: AWS refuses to have it twice.
  ingress_cidr_blocks = var.load_balancer_ingress_cidr_blocks != null ? {
    for block in var.load_balancer_ingress_cidr_blocks : (local.creates_vpc && block == var.vpc.cidr_block ? "the VPC" : block) => block
    } : nonsensitive(var.existing_listener != null) ? {} : merge(
    { "the VPC" = local.network.vpc_cidr_block },
    local.creates_vpc && var.load_balancer_ip_address_type == "dualstack" ? { "the VPC by IPv6" = module.network[0].vpc_ipv6_cidr_block } : {},
  )

  # Half of a new account's quota of 10, which ingest needs as well.
  default_maximum_concurrency = 5
  maximum_concurrency         = coalesce(var.process_maximum_concurrency, local.default_maximum_concurrency)

  # "Creating and configuring an Amazon SQS event source mapping" (AWS Lambda Developer Guide).
  invocations_per_poller = 10

  # A row whose version came from another attribute, or from another type, must not be compared with this one.
  order_version = nonsensitive(var.order_version_attribute == null) ? null : {
    name    = var.order_version_attribute.name
    type    = var.order_version_attribute.type
    kept_in = "order_version_${var.order_version_attribute.type}_${var.order_version_attribute.name}"
  }

  # Both handlers take the table's keys from the table itself.
  accepted_at_attribute = "accepted_at"
  shared_environment = merge(
    {
      TABLE_KEYS            = jsonencode(module.table.keys)
      ACCEPTED_AT_ATTRIBUTE = local.accepted_at_attribute
      DNS_SUFFIX            = data.aws_partition.current.dns_suffix
    },
    nonsensitive(var.order_version_attribute == null) ? {} : { ORDER_VERSION = jsonencode(local.order_version) },
    local.hooks_enabled ? { ORDER_HOOKS = var.order_hooks.package, ORDER_HOOKS_TIMEOUT_SECONDS = local.hook_seconds } : {},
  )
  ingest_environment = merge(
    local.shared_environment,
    {
      QUEUE_URL            = module.queue.url
      MAX_MESSAGE_BYTES    = module.queue.max_message_bytes
      MAX_ORDERS           = local.max_orders_per_request
      HTTP_PATHS           = jsonencode(var.paths)
      READ_TIMEOUT_SECONDS = local.ingest_read_timeout_seconds
    },
    var.table_ttl.enabled && var.table_ttl.attribute != null ? { TTL_ATTRIBUTE = var.table_ttl.attribute } : {},
    var.fair_queue_attribute == null ? {} : { FAIR_QUEUE_ATTRIBUTE = var.fair_queue_attribute },
    local.client_environment,
  )
  process_environment = merge(local.shared_environment, {
    TABLE_NAME              = module.table.name
    DEAD_LETTER_QUEUE_URL   = module.queue.dead_letter_url
    DEAD_LETTER_IMMEDIATELY = var.process_dead_letter_immediately
    MAX_RECEIVE_COUNT       = module.queue.max_receive_count
    PARALLEL_CALLS          = local.invocation.parallel_calls
    READ_TIMEOUT_SECONDS    = local.process_read_timeout_seconds
  }, local.is_observed ? { FRESHNESS_TARGET_SECONDS = local.freshness_target_seconds } : {})

  # The team's hooks run before the calls, so that less time is left for them.
  hooks_enabled = var.order_hooks != null
  hook_seconds  = local.hooks_enabled ? var.order_hooks.timeout_seconds : 0

  # How long one attempt at an AWS call waits for its answer: two attempts, each with its time to connect, fit into the function's
  # timeout and leave ingest time to respond and process time to report.
  attempts                     = 2
  connect_seconds              = 1.5 # as in lambda_src/shared/connections.py
  longest_read_seconds         = 3   # SQS and DynamoDB answer in milliseconds: whatever takes longer is better tried again
  respond_seconds              = 1
  report_seconds               = 2
  ingest_read_timeout_seconds  = min(local.longest_read_seconds, (var.ingest_timeout_seconds - local.hook_seconds - local.respond_seconds) / local.attempts - local.connect_seconds)
  process_read_timeout_seconds = min(local.longest_read_seconds, (var.process_timeout_seconds - local.hook_seconds - local.report_seconds) / local.attempts - local.connect_seconds)
}

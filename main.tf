# client ──POST──▶ load balancer ──▶ ingest function ──▶ queue (+ dead-letter queue) ──▶ process function ──▶ table

module "network" {
  source = "./modules/network"
  count  = var.create && var.existing_network == null ? 1 : 0

  name               = var.name
  cidr_block         = var.vpc_cidr_block
  availability_zones = var.availability_zones
  nat_gateway        = var.nat_gateway
  ipv6_enabled       = var.load_balancer_ip_address_type == "dualstack"

  flow_logs_enabled    = var.flow_logs_enabled && local.creates_roles
  log_retention_days   = var.log_retention_days
  kms_key              = var.kms_key
  permissions_boundary = var.permissions_boundary
  role_path            = var.role_path
  tags                 = var.tags
}

module "load_balancer" {
  source = "./modules/load_balancer"
  count  = local.count

  name                = var.name
  vpc_id              = local.network.vpc_id
  subnet_ids          = local.network.load_balancer_subnet_ids
  internal            = var.load_balancer_internal
  ip_address_type     = var.load_balancer_ip_address_type
  ingress_cidr_blocks = coalesce(var.load_balancer_ingress_cidr_blocks, [local.network.vpc_cidr_block])
  paths               = var.paths

  function = {
    name       = module.ingest[0].name
    alias_name = module.ingest[0].alias_name
    alias_arn  = module.ingest[0].alias_arn
  }
  function_timeout_seconds = var.ingest_timeout_seconds

  certificate                 = var.certificate
  idle_timeout_seconds        = var.load_balancer_idle_timeout_seconds
  multi_value_headers_enabled = var.load_balancer_multi_value_headers_enabled
  health_check_enabled        = var.load_balancer_health_check_enabled
  access_logs                 = var.load_balancer_access_logs
  web_acl                     = var.load_balancer_web_acl
  existing_listener           = var.existing_listener
  deletion_protection_enabled = var.deletion_protection_enabled
  tags                        = var.tags
}

module "ingest" {
  source = "./modules/function"
  count  = local.count

  name            = "${var.name}-ingest"
  description     = "Takes orders over HTTP and puts them on the queue"
  source_dir      = local.source_dir
  source_packages = ["ingest", "shared"]
  package         = var.ingest_package
  handler         = "ingest.handler.handle"

  environment = merge(var.ingest_environment, local.shared_environment, {
    QUEUE_URL            = module.queue[0].url
    MAX_MESSAGE_BYTES    = module.queue[0].max_message_bytes
    MAX_ORDERS           = local.max_orders_per_request
    HTTP_PATHS           = jsonencode(var.paths)
    READ_TIMEOUT_SECONDS = local.ingest_read_timeout_seconds
  })

  existing_role    = var.existing_ingest_role
  policy_documents = concat([module.queue[0].producer_policy_json], var.ingest_policy_documents)

  in_vpc = true
  vpc = {
    id         = local.network.vpc_id
    subnet_ids = local.network.function_subnet_ids
    egress     = var.vpc_endpoints_enabled ? { SQS = { security_group_id = module.vpc_endpoints[0].sqs_security_group_id } } : local.open_egress
  }

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
  count  = local.count

  name                             = var.name
  consumer_timeout_seconds         = var.process_timeout_seconds
  consumer_batching_window_seconds = var.process_batching_window_seconds
  visibility_timeout_seconds       = var.queue_visibility_timeout_seconds
  message_retention_seconds        = var.queue_retention_seconds
  dead_letter_retention_seconds    = var.dead_letter_retention_seconds
  max_receive_count                = var.queue_max_receive_count
  survived_outage_seconds          = var.queue_survived_outage_seconds
  kms_key                          = var.kms_key
  tags                             = var.tags
}

# No filter_criteria, on purpose: SQS messages that match no filter are deleted, which would lose orders without a sound.
resource "aws_lambda_event_source_mapping" "process" {
  count = local.count

  event_source_arn                   = module.queue[0].arn
  function_name                      = module.process[0].alias_arn
  batch_size                         = var.process_batch_size
  maximum_batching_window_in_seconds = var.process_batching_window_seconds
  function_response_types            = ["ReportBatchItemFailures"]

  dynamic "scaling_config" {
    for_each = var.process_provisioned_pollers == null ? [var.process_maximum_concurrency] : []

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
}

module "process" {
  source = "./modules/function"
  count  = local.count

  name            = "${var.name}-process"
  description     = "Takes orders from the queue and writes them to the table"
  source_dir      = local.source_dir
  source_packages = ["process", "shared"]
  package         = var.process_package
  handler         = "process.handler.handle"

  environment = merge(var.process_environment, local.shared_environment, {
    TABLE_NAME              = module.table[0].name
    DEAD_LETTER_QUEUE_URL   = module.queue[0].dead_letter_url
    DEAD_LETTER_IMMEDIATELY = var.process_dead_letter_immediately
    MAX_RECEIVE_COUNT       = module.queue[0].max_receive_count
    PARALLEL_CALLS          = local.invocation.parallel_calls
    READ_TIMEOUT_SECONDS    = local.process_read_timeout_seconds
  })

  existing_role    = var.existing_process_role
  policy_documents = concat([module.queue[0].consumer_policy_json, module.table[0].writer_policy_json], var.process_policy_documents)

  in_vpc = true
  vpc = {
    id         = local.network.vpc_id
    subnet_ids = local.network.function_subnet_ids
    egress = var.vpc_endpoints_enabled ? {
      SQS      = { security_group_id = module.vpc_endpoints[0].sqs_security_group_id }
      DynamoDB = { prefix_list_id = module.vpc_endpoints[0].dynamodb_prefix_list_id }
    } : local.open_egress
  }

  memory_size             = var.process_memory_size
  timeout_seconds         = var.process_timeout_seconds
  reserved_concurrency    = var.process_reserved_concurrency
  provisioned_concurrency = var.process_provisioned_concurrency
  snap_start_enabled      = var.process_snap_start_enabled
  architecture            = var.architecture
  log_level               = var.log_level
  log_retention_days      = var.log_retention_days
  tracing_enabled         = var.tracing_enabled
  kms_key                 = var.kms_key
  permissions_boundary    = var.permissions_boundary
  role_path               = var.role_path
  tags                    = var.tags
}

module "table" {
  source = "./modules/table"
  count  = local.count

  name                        = var.name
  existing_table              = var.existing_table
  partition_key               = var.table_partition_key
  sort_key                    = var.table_sort_key
  ttl_attribute               = var.table_ttl_attribute
  deletion_protection_enabled = var.deletion_protection_enabled
  kms_key                     = var.kms_key
  tags                        = var.tags
}

# The functions' way to the queue and the table, without NAT.
module "vpc_endpoints" {
  source = "./modules/vpc_endpoints"
  count  = var.create && var.vpc_endpoints_enabled ? 1 : 0

  name            = var.name
  vpc_id          = local.network.vpc_id
  subnet_ids      = local.network.function_subnet_ids
  route_table_ids = local.network.function_route_table_ids

  client_security_group_ids = {
    ingest  = module.ingest[0].security_group_id
    process = module.process[0].security_group_id
  }

  queue_arns         = [module.queue[0].arn, module.queue[0].dead_letter_arn]
  sqs_role_arns      = [module.ingest[0].role_arn, module.process[0].role_arn]
  table_arn          = module.table[0].arn
  dynamodb_role_arns = [module.process[0].role_arn]
  tags               = var.tags
}

check "internet_facing" {
  assert {
    condition     = var.load_balancer_internal || var.certificate != null || var.existing_listener != null || !var.create
    error_message = "load_balancer_internal = false without certificate: orders cross the internet in plain text, and anybody in load_balancer_ingress_cidr_blocks may send them. Give a certificate, and think of load_balancer_web_acl."
  }
}

locals {
  count = var.create ? 1 : 0

  source_dir    = "${path.module}/lambda_src"
  creates_roles = var.existing_ingest_role == null || var.existing_process_role == null

  # Single outputs rather than module.network[*], which would wait for all of it, flow logs and NAT gateways included.
  network = var.existing_network != null ? var.existing_network : {
    vpc_id                   = try(module.network[0].vpc_id, null)
    vpc_cidr_block           = try(module.network[0].vpc_cidr_block, null)
    load_balancer_subnet_ids = try(module.network[0].public_subnet_ids, null)
    function_subnet_ids      = try(module.network[0].private_subnet_ids, null)
    function_route_table_ids = try(module.network[0].private_route_table_ids, null)
  }

  # Without endpoints the functions reach SQS and DynamoDB at their public addresses.
  open_egress = { AWS = { cidr_ipv4 = "0.0.0.0/0" } }

  # What both handlers must agree on with the table, from the values that make the table.
  shared_environment = {
    TABLE_KEYS            = jsonencode(concat([var.table_partition_key], var.table_sort_key[*]))
    ACCEPTED_AT_ATTRIBUTE = "accepted_at"
    DNS_SUFFIX            = data.aws_partition.current.dns_suffix
  }

  # How long an attempt of a call waits for its answer. Two of them, 1.5 s to connect included, fit into a function's timeout and
  # leave it time to answer.
  ingest_read_timeout_seconds  = min(3, (var.ingest_timeout_seconds - 2) / 2 - 1)
  process_read_timeout_seconds = min(3, (var.process_timeout_seconds - local.invocation.reserve_seconds) / 2 - 1)
}

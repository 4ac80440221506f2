# Alarms, dashboard and saved queries over all pieces.

module "observability" {
  source = "./modules/observability"
  count  = local.is_observed ? 1 : 0

  name             = var.name
  listener_arn     = module.load_balancer.listener_arn
  target_group_arn = module.load_balancer.target_group_arn
  ingest_function = {
    name              = module.ingest.name
    log_group_name    = module.ingest.log_group_name
    timeout_seconds   = var.ingest_timeout_seconds
    concurrency_limit = var.ingest_reserved_concurrency
  }
  queue = {
    arn                        = module.queue.arn
    visibility_timeout_seconds = module.queue.visibility_timeout_seconds
    retention_seconds          = var.queue_retention_seconds
  }
  dead_letter_queue = {
    arn               = module.queue.dead_letter_arn
    retention_seconds = var.dead_letter_retention_seconds
  }
  process_function = {
    name              = module.process.name
    log_group_name    = module.process.log_group_name
    timeout_seconds   = var.process_timeout_seconds
    concurrency_limit = local.process_concurrency_limit
  }
  table_name = module.table.name

  alarm_actions              = var.observability.alarm_actions
  ok_actions                 = var.observability.ok_actions
  freshness_target_seconds   = local.freshness_target_seconds
  oldest_message_age_seconds = var.observability.oldest_message_age_seconds
  account_concurrency_quota  = var.observability.account_concurrency_quota
  disabled_alarms            = var.observability.disabled_alarms
  dashboard_enabled          = var.observability.dashboard_enabled

  tags = var.tags
}

locals {
  is_observed = nonsensitive(var.observability != null)

  # A minute for a system without trouble, unless an order may wait longer than half of it for its batch.
  freshness_target_seconds = local.is_observed ? coalesce(var.observability.freshness_target_seconds, max(60, 2 * var.process_batching_window_seconds)) : null

  mapping_concurrency       = var.process_provisioned_pollers == null ? local.maximum_concurrency : local.invocations_per_poller * var.process_provisioned_pollers.maximum
  process_concurrency_limit = min(local.mapping_concurrency, coalesce(var.process_reserved_concurrency, local.mapping_concurrency))
}

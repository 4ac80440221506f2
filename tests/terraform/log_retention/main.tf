# Both modules that have a log group, for each period that CloudWatch Logs offers: a run has only one value per input.

locals {
  # "PutRetentionPolicy", Amazon CloudWatch Logs API Reference.
  periods = toset([for days in [0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653] : tostring(days)])
}

module "function" {
  source   = "../../../modules/function"
  for_each = local.periods

  name               = "orders-${each.key}"
  source_dir         = "lambda_src"
  source_packages    = []
  package            = { filename = "ours.zip", source_code_hash = "abc=" }
  handler            = "ingest.handler.handle"
  timeout_seconds    = 10
  existing_role      = { arn = "arn:aws:iam::123456789012:role/theirs" }
  log_retention_days = each.value
}

module "network" {
  source   = "../../../modules/network"
  for_each = local.periods

  name               = "orders-${each.key}"
  availability_zones = ["eu-central-1a", "eu-central-1b"]
  flow_logs_enabled  = false
  log_retention_days = each.value
}

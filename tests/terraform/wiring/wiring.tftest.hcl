# Applied with mocks for test_wiring.py, which reads the states: a run of the root sees outputs, not what is inside modules.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

# Otherwise two resources of one type would have the same mocked ARN, and a mix-up could not be seen.

override_resource {
  target = module.ingest.aws_iam_role.this[0]
  values = { arn = "arn:aws:iam::123456789012:role/ingest" }
}

override_resource {
  target = module.process.aws_iam_role.this[0]
  values = { arn = "arn:aws:iam::123456789012:role/process" }
}

override_resource {
  target = module.ingest.aws_lambda_function.this
  values = { arn = "arn:aws:lambda:eu-central-1:123456789012:function:ingest" }
}

override_resource {
  target = module.process.aws_lambda_function.this
  values = { arn = "arn:aws:lambda:eu-central-1:123456789012:function:process" }
}

override_resource {
  target = module.ingest.aws_lambda_alias.live
  values = { arn = "arn:aws:lambda:eu-central-1:123456789012:function:ingest:live" }
}

override_resource {
  target = module.process.aws_lambda_alias.live
  values = { arn = "arn:aws:lambda:eu-central-1:123456789012:function:process:live" }
}

override_resource {
  target = module.queue.aws_sqs_queue.this
  values = { arn = "arn:aws:sqs:eu-central-1:123456789012:source" }
}

override_resource {
  target = module.queue.aws_sqs_queue.dead_letter
  values = { arn = "arn:aws:sqs:eu-central-1:123456789012:dead-letter" }
}

override_data {
  target = module.queue.data.aws_iam_policy_document.producer
  values = { json = "{\"Version\":\"2012-10-17\",\"Id\":\"producer\",\"Statement\":[]}" }
}

override_data {
  target = module.queue.data.aws_iam_policy_document.consumer
  values = { json = "{\"Version\":\"2012-10-17\",\"Id\":\"consumer\",\"Statement\":[]}" }
}

override_data {
  target = module.table.data.aws_iam_policy_document.writer
  values = { json = "{\"Version\":\"2012-10-17\",\"Id\":\"writer\",\"Statement\":[]}" }
}

override_data {
  target = module.ingest.data.aws_iam_policy_document.this
  values = { json = "{\"Version\":\"2012-10-17\",\"Id\":\"ingest\",\"Statement\":[]}" }
}

override_data {
  target = module.process.data.aws_iam_policy_document.this
  values = { json = "{\"Version\":\"2012-10-17\",\"Id\":\"process\",\"Statement\":[]}" }
}

override_data {
  target = data.aws_iam_policy_document.kms_key
  values = { json = "{\"Version\":\"2012-10-17\",\"Id\":\"key\",\"Statement\":[]}" }
}

override_data {
  target = module.queue.data.aws_iam_policy_document.queue
  values = { json = "{\"Version\":\"2012-10-17\",\"Id\":\"queue\",\"Statement\":[]}" }
}

override_data {
  target = module.queue.data.aws_iam_policy_document.tls_only
  values = { json = "{\"Version\":\"2012-10-17\",\"Id\":\"tls\",\"Statement\":[]}" }
}

# Each run has its own state: some of these inputs cannot be changed later.

run "defaults" {
  state_key = "defaults"
}

# Every value differs from the default.
run "given" {
  state_key = "given"

  variables {
    name = "orders"
    tags = { team = "orders" }

    vpc           = { cidr_block = "172.20.0.0/20", availability_zones = ["eu-central-1c", "eu-central-1a", "eu-central-1b"], nat_gateway = "one_per_zone" }
    vpc_endpoints = { sqs_policy_documents = ["{\"Id\":\"extra-sqs\",\"Statement\":[]}"], dynamodb_policy_documents = ["{\"Id\":\"extra-dynamodb\",\"Statement\":[]}"] }

    paths                              = ["/orders", "/v2/orders"]
    load_balancer_internal             = false
    load_balancer_ip_address_type      = "dualstack"
    load_balancer_ingress_cidr_blocks  = ["198.51.100.0/24", "2001:db8::/32"]
    certificate                        = { arn = "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555", ssl_policy = "ELBSecurityPolicy-TLS13-1-3-2021-06", plain_http_allowed = true }
    load_balancer_idle_timeout_seconds = 61
    load_balancer_health_check_enabled = true
    load_balancer_access_logs          = { bucket = "logs", prefix = "balancer" }
    load_balancer_web_acl              = { arn = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/orders/11111111-2222-3333-4444-555555555555" }
    deletion_protection_enabled        = false

    ingest_memory_size             = 1024
    ingest_timeout_seconds         = 7
    ingest_reserved_concurrency    = 21
    ingest_provisioned_concurrency = 3
    ingest_environment             = { EXTRA = "ingest" }
    ingest_layers                  = ["arn:aws:lambda:eu-central-1:123456789012:layer:ingest:1"]
    ingest_policy_documents        = ["{\"Version\":\"2012-10-17\",\"Id\":\"extra-ingest\",\"Statement\":[]}"]
    ingest_package                 = { s3_bucket = "packages", s3_key = "ingest.zip", s3_object_version = "7", source_code_hash = "ingest=" }

    queue_visibility_timeout_seconds = 903
    queue_retention_seconds          = 86401
    dead_letter_retention_seconds    = 604801
    queue_max_receive_count          = 12
    queue_max_message_bytes          = 131072
    fair_queue_attribute             = "tenant"
    queue_policy_documents           = ["{\"Version\":\"2012-10-17\",\"Id\":\"extra-queue\",\"Statement\":[]}"]

    process_enabled                 = false
    process_batch_size              = 101
    process_batching_window_seconds = 2
    process_maximum_concurrency     = 8
    process_dead_letter_immediately = false
    process_memory_size             = 2048
    process_timeout_seconds         = 7
    process_reserved_concurrency    = 31
    process_environment             = { EXTRA = "process" }
    process_layers                  = ["arn:aws:lambda:eu-central-1:123456789012:layer:process:1"]
    process_policy_documents        = ["{\"Version\":\"2012-10-17\",\"Id\":\"extra-process\",\"Statement\":[]}"]
    process_package                 = { s3_bucket = "packages", s3_key = "process.zip", s3_object_version = "8", source_code_hash = "process=" }

    table_partition_key = { name = "customer", type = "N" }
    table_sort_key      = { name = "number", type = "N" }
    table_ttl           = { attribute = "expires_at" }

    table_stream_view_type  = "OLD_IMAGE"
    order_version_attribute = { name = "revision", type = "N" }

    kms_key              = { arn = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555" }
    permissions_boundary = { arn = "arn:aws:iam::123456789012:policy/boundary" }
    role_path            = "/service/"
    architecture         = "x86_64"
    log_level            = "DEBUG"
    log_retention_days   = 90
    tracing_enabled      = false

    observability = { alarm_actions = ["arn:aws:sns:eu-central-1:123456789012:on-call"], ok_actions = ["arn:aws:sns:eu-central-1:123456789012:all-clear"], freshness_target_seconds = 45.5, oldest_message_age_seconds = 1800, account_concurrency_quota = 1000, disabled_alarms = ["target-errors"], dashboard_enabled = false }
  }
}

# Existing resources, and whatever excludes something above.
run "existing" {
  state_key = "existing"

  variables {
    existing_network = {
      vpc_id                   = "vpc-theirs"
      function_subnet_ids      = ["subnet-3", "subnet-4"]
      function_route_table_ids = ["rtb-3", "rtb-4"]
    }
    vpc_endpoints             = { enabled = true }
    paths                     = ["/orders", "/v2/orders", "/v3/orders"]
    existing_listener         = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/theirs/0123456789abcdef/0123456789abcdef", priority = 100, priorities = { "/v2/orders" = 7 } }
    existing_roles            = { ingest = { arn = "arn:aws:iam::123456789012:role/theirs-ingest" }, process = { arn = "arn:aws:iam::123456789012:role/theirs-process" } }
    existing_table            = { name = "theirs", arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/theirs" }
    ingest_package            = { filename = "ingest.zip", source_code_hash = "ingest=" }
    process_package           = { filename = "process.zip", source_code_hash = "process=" }
    ingest_snap_start_enabled = true
    ingest_timeout_seconds    = 20

    process_provisioned_pollers = { minimum = 3, maximum = 30 }

    observability = { alarm_actions = ["arn:aws:sns:eu-central-1:123456789012:on-call"] }
  }
}

run "existing_network" {
  state_key = "existing_network"

  variables {
    existing_network = {
      vpc_id                   = "vpc-theirs"
      vpc_cidr_block           = "10.9.0.0/16"
      load_balancer_subnet_ids = ["subnet-1", "subnet-2"]
      function_subnet_ids      = ["subnet-3", "subnet-4"]
    }
    load_balancer_ip_address_type   = "dualstack"
    process_batching_window_seconds = 40
    request_signature               = { secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders/keys-AbCdEf" }
  }

  expect_failures = [check.replayed_requests]
}

run "without_endpoints" {
  state_key = "without_endpoints"

  variables {
    vpc_endpoints                   = { enabled = false }
    vpc                             = { nat_gateway = "single", flow_logs_enabled = false }
    load_balancer_ip_address_type   = "dualstack"
    listener_rules_enabled          = false
    process_timeout_seconds         = 20
    process_batching_window_seconds = 5
    queue_retention_seconds         = 100000
    log_level                       = "WARN"
    table_sort_key                  = null
    table_ttl                       = { attribute = "expires_at", enabled = false }
    order_version_attribute         = { name = "updated_at", type = "S" }
  }
}

# A single module of the example's, as a package that is one.
run "hooks" {
  state_key = "hooks"

  variables {
    order_hooks             = { source_dir = "examples/hooks/hooks/order_hooks", package = "invalid", timeout_seconds = 2.5 }
    process_timeout_seconds = 11
  }
}

run "one_existing_role" {
  state_key = "one_existing_role"

  variables {
    existing_roles = { process = { arn = "arn:aws:iam::123456789012:role/theirs" } }
    vpc            = { flow_logs_enabled = false }
    role_path      = "/service/"

    certificate         = { arn = "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555" }
    client_certificates = { trust_store_arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:truststore/clients/0123456789abcdef", ignore_expiry = true, log_subject = true }
    request_signature   = { secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders/keys-AbCdEf", header = "X-Orders-Signature", tolerance_seconds = 60 }
    vpc_endpoints       = { secrets_manager_policy_documents = ["{\"Id\":\"extra-secrets\",\"Statement\":[]}"] }
  }

  expect_failures = [check.replayed_requests]
}

run "roles" {
  state_key = "roles"

  variables {
    existing_roles = { ingest = { arn = "arn:aws:iam::123456789012:role/theirs" }, process = { arn = "arn:aws:iam::123456789012:role/theirs" } }
    role_path      = "/service/"
    observability  = null
  }
}

# The limits that the root just accepts. refused/ tests what it refuses, wiring/ where its inputs arrive.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

run "smallest" {
  command = plan

  variables {
    name                               = "abc"
    paths                              = ["/a"]
    load_balancer_ingress_cidr_blocks  = ["10.0.0.1/32"]
    load_balancer_idle_timeout_seconds = 7
    ingest_timeout_seconds             = 6
    process_timeout_seconds            = 6
    process_batch_size                 = 1
    process_maximum_concurrency        = 2
    process_reserved_concurrency       = 2
    existing_network = {
      vpc_id                   = "vpc-theirs"
      load_balancer_subnet_ids = ["subnet-1", "subnet-2"]
      function_subnet_ids      = ["subnet-3"]
      function_route_table_ids = ["rtb-3"]
    }
  }

  assert {
    condition     = output.max_orders_per_request == 311
    error_message = "It must be half of what one invocation can settle in 6 s less 3 s."
  }
}

run "smallest_with_a_listener" {
  command = plan

  variables {
    existing_listener               = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/theirs/0123456789abcdef/0123456789abcdef", priority = 1 }
    process_batch_size              = 11
    process_batching_window_seconds = 1
    process_provisioned_pollers     = { minimum = 2, maximum = 2 }
    process_reserved_concurrency    = 20
    process_timeout_seconds         = 20
    vpc_endpoints                   = { enabled = false }
    existing_network = {
      vpc_id              = "vpc-theirs"
      function_subnet_ids = ["subnet-3"]
    }
  }

  assert {
    condition     = output.max_orders_per_request == 1000
    error_message = "In 20 s, one invocation can settle more than twice 1,000 orders."
  }
}

run "largest" {
  command = plan

  variables {
    name                               = "a23456789-123456789-1234"
    paths                              = [for number in range(20) : "/${substr("00${number}", -2, -1)}${join("", [for _ in range(124) : "p"])}"]
    load_balancer_ingress_cidr_blocks  = [for number in range(25) : "10.${number}.0.0/16"]
    queue_retention_seconds            = 1036800
    load_balancer_idle_timeout_seconds = 901
    ingest_timeout_seconds             = 900
    process_timeout_seconds            = 900
    process_batch_size                 = 10000
    process_batching_window_seconds    = 300
    process_maximum_concurrency        = 1000
    process_reserved_concurrency       = 1000
    role_path                          = "/${join("", [for _ in range(510) : "r"])}/"
  }

  assert {
    condition     = output.dead_letter_queue_name == "a23456789-123456789-1234-dead-letter" && output.max_orders_per_request == 128
    error_message = "The longest name must fit everywhere, and the limit of orders must let 10,000 messages settle within their deliveries."
  }
}

run "largest_with_a_listener" {
  command = plan

  variables {
    paths                       = ["/orders", "/v2/orders"]
    existing_listener           = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/theirs/0123456789abcdef/0123456789abcdef", priority = 49999 }
    process_provisioned_pollers = { minimum = 200, maximum = 2000 }
  }

  assert {
    condition     = output.load_balancer_name == null && output.endpoint_url == null && output.load_balancer_security_group_id == null
    error_message = "No load balancer may be created."
  }
}

run "plain_http_to_the_internet_warns" {
  command = plan

  variables {
    load_balancer_internal            = false
    load_balancer_ingress_cidr_blocks = ["0.0.0.0/0"]
  }

  expect_failures = [check.internet_facing]
}

run "replayed_requests_warn" {
  command = plan

  variables {
    request_signature = { secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders/keys-AbCdEf", tolerance_seconds = 1 }
  }

  expect_failures = [check.replayed_requests]
}

run "largest_tolerance" {
  command = plan

  variables {
    request_signature = { secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders/keys-AbCdEf", tolerance_seconds = 3600, header = "${join("", [for _ in range(40) : "h"])}" }
  }

  expect_failures = [check.replayed_requests]
}

run "default_limits" {
  command = plan

  assert {
    condition     = output.max_orders_per_request == 1000 && output.survived_outage_seconds == 87120
    error_message = "A request may have 1,000 orders, and an outage may last a day."
  }
}

# An order takes 20 ms / 8 + 50 ms / 25 / 8 + 0.6 ms × 1769 / 512, within the timeout less 3 s.

run "large_batches_and_few_deliveries_make_smaller_requests" {
  command = plan

  variables {
    process_batch_size              = 100
    process_batching_window_seconds = 1
    queue_max_receive_count         = 5
  }

  assert {
    condition     = output.max_orders_per_request == 92
    error_message = "It must be a third of what five invocations can settle, for each of 100 messages."
  }
}

run "more_memory_makes_larger_requests" {
  command = plan

  variables {
    process_batch_size              = 100
    process_batching_window_seconds = 1
    queue_max_receive_count         = 5
    process_memory_size             = 1769
  }

  assert {
    condition     = output.max_orders_per_request == 132
    error_message = "On a full core, an order takes 0.6 ms of CPU."
  }
}

# null is "not set".
run "null_for_every_input_that_has_a_default" {
  command = plan

  variables {
    name                               = null
    tags                               = null
    vpc                                = null
    existing_network                   = null
    vpc_endpoints                      = null
    paths                              = null
    load_balancer_internal             = null
    load_balancer_ip_address_type      = null
    load_balancer_ingress_cidr_blocks  = null
    certificate                        = null
    client_certificates                = null
    request_signature                  = null
    load_balancer_idle_timeout_seconds = null
    load_balancer_health_check_enabled = null
    load_balancer_access_logs          = null
    load_balancer_web_acl              = null
    existing_listener                  = null
    listener_rules_enabled             = null
    deletion_protection_enabled        = null
    ingest_memory_size                 = null
    ingest_timeout_seconds             = null
    ingest_reserved_concurrency        = null
    ingest_provisioned_concurrency     = null
    ingest_snap_start_enabled          = null
    ingest_environment                 = null
    ingest_layers                      = null
    ingest_policy_documents            = null
    ingest_package                     = null
    existing_roles                     = null
    queue_visibility_timeout_seconds   = null
    queue_retention_seconds            = null
    dead_letter_retention_seconds      = null
    queue_max_receive_count            = null
    queue_max_message_bytes            = null
    fair_queue_attribute               = null
    queue_policy_documents             = null
    process_enabled                    = null
    process_batch_size                 = null
    process_batching_window_seconds    = null
    process_maximum_concurrency        = null
    process_provisioned_pollers        = null
    process_dead_letter_immediately    = null
    process_memory_size                = null
    process_timeout_seconds            = null
    process_reserved_concurrency       = null
    process_environment                = null
    process_layers                     = null
    process_policy_documents           = null
    process_package                    = null
    table_partition_key                = null
    table_sort_key                     = null
    table_ttl                          = null
    order_version_attribute            = null
    table_stream_view_type             = null
    existing_table                     = null
    kms_key                            = null
    permissions_boundary               = null
    role_path                          = null
    architecture                       = null
    log_level                          = null
    log_retention_days                 = null
    tracing_enabled                    = null
  }

  assert {
    condition     = output.queue_name == "async-ingest" && output.max_orders_per_request == 1000 && output.survived_outage_seconds == 87120
    error_message = "null must mean \"not set\"."
  }
}

run "null_for_every_attribute_that_has_a_default" {
  command = plan

  variables {
    vpc            = { cidr_block = null, availability_zones = null, nat_gateway = null, flow_logs_enabled = null }
    vpc_endpoints  = { enabled = null, sqs_policy_documents = null, dynamodb_policy_documents = null }
    table_ttl      = { attribute = null, enabled = null }
    existing_roles = { ingest = null, process = null }
    order_hooks    = { source_dir = "examples/hooks/hooks", package = null, timeout_seconds = null }
    certificate    = { arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1", ssl_policy = null, plain_http_allowed = null }
  }

  assert {
    condition     = output.queue_name == "async-ingest" && output.max_orders_per_request == 1000
    error_message = "A null attribute must mean \"not set\"."
  }
}

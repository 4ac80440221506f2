# What the root refuses and what it just still takes. What it makes of its inputs is seen by wiring/test_wiring.py.
#
# An input whose validation looks at another one is not looked at when that one is refused: hence several refusals.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

run "create_nothing" {
  command = plan

  variables {
    create = false
  }

  assert {
    condition     = length(module.network) + length(module.load_balancer) + length(module.ingest) + length(module.queue) + length(module.process) + length(module.table) + length(module.vpc_endpoints) + length(aws_lambda_event_source_mapping.process) == 0
    error_message = "create = false must make nothing."
  }
  assert {
    condition     = output.endpoint_url == null && output.queue_url == null && output.table_arn == null && output.vpc_id == null
    error_message = "Without anything made there is nothing to tell."
  }
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
      vpc_cidr_block           = "10.9.0.0/16"
      load_balancer_subnet_ids = ["subnet-1", "subnet-2"]
      function_subnet_ids      = ["subnet-3"]
      function_route_table_ids = ["rtb-3"]
    }
  }

  assert {
    condition     = output.max_orders_per_request == 311
    error_message = "Half of what one invocation can settle in 6 s but for 3 s."
  }
}

run "smallest_with_a_listener" {
  command = plan

  variables {
    existing_listener               = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/theirs/0123456789abcdef/0123456789abcdef", priority = 1 }
    process_batch_size              = 11
    process_batching_window_seconds = 1
    process_provisioned_pollers     = { minimum = 2, maximum = 2 }
    process_reserved_concurrency    = 2
    process_timeout_seconds         = 20
    vpc_endpoints_enabled           = false
    existing_network = {
      vpc_id                   = "vpc-theirs"
      vpc_cidr_block           = "10.9.0.0/16"
      load_balancer_subnet_ids = []
      function_subnet_ids      = ["subnet-3"]
    }
  }

  assert {
    condition     = output.max_orders_per_request == 1000
    error_message = "In 20 s one invocation can settle more than twice as many."
  }
}

run "largest" {
  command = plan

  variables {
    name                               = "a23456789-123456789-1234"
    paths                              = [for number in range(20) : "/${substr("00${number}", -2, -1)}${join("", [for _ in range(124) : "p"])}"]
    load_balancer_ingress_cidr_blocks  = [for number in range(25) : "10.${number}.0.0/16"]
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
    error_message = "The longest name must fit everywhere, and 10,000 messages be settled in their deliveries."
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
    error_message = "No load balancer may be made."
  }
}

# Refused at plan, with a sentence that says what to change.

run "below" {
  command = plan

  variables {
    name                              = "ab"
    load_balancer_ingress_cidr_blocks = []
    ingest_timeout_seconds            = 5
    queue_max_receive_count           = 4
    process_timeout_seconds           = 5
    process_batch_size                = 0
    process_maximum_concurrency       = 1
    process_provisioned_pollers       = { minimum = 1, maximum = 20 }
    role_path                         = "service"
    existing_network                  = { vpc_id = "vpc-1", vpc_cidr_block = "10.0.0.0/16", load_balancer_subnet_ids = ["subnet-1"], function_subnet_ids = ["subnet-2"], function_route_table_ids = ["rtb-1"] }
  }

  expect_failures = [
    var.name,
    var.load_balancer_ingress_cidr_blocks,
    var.ingest_timeout_seconds,
    var.queue_max_receive_count,
    var.process_timeout_seconds,
    var.process_batch_size,
    var.process_maximum_concurrency,
    var.process_provisioned_pollers,
    var.role_path,
    var.existing_network,
  ]
}

run "above" {
  command = plan

  variables {
    name                              = "a23456789-123456789-12345"
    load_balancer_ingress_cidr_blocks = [for number in range(26) : "10.${number}.0.0/16"]
    ingest_timeout_seconds            = 901
    process_timeout_seconds           = 901
    process_batch_size                = 10001
    process_maximum_concurrency       = 1001
    process_provisioned_pollers       = { minimum = 201, maximum = 2000 }
    role_path                         = "/${join("", [for _ in range(511) : "r"])}/"
    existing_network                  = { vpc_id = "vpc-1", vpc_cidr_block = "10.0.0.0/16", load_balancer_subnet_ids = ["subnet-1", "subnet-2"], function_subnet_ids = [], function_route_table_ids = ["rtb-1"] }
  }

  expect_failures = [
    var.name,
    var.load_balancer_ingress_cidr_blocks,
    var.ingest_timeout_seconds,
    var.process_timeout_seconds,
    var.process_batch_size,
    var.process_maximum_concurrency,
    var.process_provisioned_pollers,
    var.role_path,
    var.existing_network,
  ]
}

run "of_the_wrong_form" {
  command = plan

  variables {
    load_balancer_ingress_cidr_blocks = ["example.com"]
    process_provisioned_pollers       = { minimum = 2, maximum = 2001 }
    role_path                         = "/service"
    existing_network                  = { vpc_id = "vpc-1", vpc_cidr_block = "10.0.0.0/16", load_balancer_subnet_ids = null, function_subnet_ids = ["subnet-1"], function_route_table_ids = ["rtb-1"] }
  }

  expect_failures = [
    var.load_balancer_ingress_cidr_blocks,
    var.process_provisioned_pollers,
    var.role_path,
    var.existing_network,
  ]
}

run "one_against_the_other" {
  command = plan

  variables {
    nat_gateway                        = "none"
    vpc_endpoints_enabled              = false
    load_balancer_idle_timeout_seconds = 10
    ingest_timeout_seconds             = 10
    process_batching_window_seconds    = -1
    process_reserved_concurrency       = 4
    process_maximum_concurrency        = 5
  }

  expect_failures = [
    var.nat_gateway,
    var.load_balancer_idle_timeout_seconds,
    var.process_batching_window_seconds,
    var.process_reserved_concurrency,
  ]
}

run "one_against_the_other_with_a_listener" {
  command = plan

  variables {
    paths                           = ["/orders", "/v2/orders"]
    certificate                     = { arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1" }
    existing_listener               = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/theirs/0123456789abcdef/0123456789abcdef", priority = 50000 }
    process_batching_window_seconds = 301
    process_provisioned_pollers     = { minimum = 3, maximum = 2 }
  }

  # Not the certificate, which looks at the listener.
  expect_failures = [var.existing_listener, var.process_batching_window_seconds, var.process_provisioned_pollers]
}

run "what_goes_with_the_listener" {
  command = plan

  variables {
    certificate        = { arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1" }
    existing_listener  = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/theirs/0123456789abcdef/0123456789abcdef", priority = 1 }
    process_batch_size = 11
    existing_network   = { vpc_id = "vpc-1", vpc_cidr_block = "10.0.0.0/16", load_balancer_subnet_ids = ["subnet-1", "subnet-2"], function_subnet_ids = ["subnet-3"] }
  }

  expect_failures = [var.certificate, var.process_batching_window_seconds, var.existing_network]
}

run "no_priority" {
  command = plan

  variables {
    paths             = ["/orders"]
    existing_listener = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/theirs/0123456789abcdef/0123456789abcdef", priority = 0 }
  }

  expect_failures = [var.existing_listener]
}

run "no_path" {
  command = plan

  variables {
    name  = "Orders"
    paths = []
  }

  expect_failures = [var.name, var.paths]
}

run "a_path_too_many" {
  command = plan

  variables {
    name  = "internal-orders"
    paths = [for number in range(21) : "/${number}"]
  }

  expect_failures = [var.name, var.paths]
}

run "path_without_slash" {
  command = plan

  variables {
    name  = "orders-"
    paths = ["/orders", "orders"]
  }

  expect_failures = [var.name, var.paths]
}

run "path_with_trailing_slash" {
  command = plan

  variables {
    name  = "1orders"
    paths = ["/orders/"]
  }

  expect_failures = [var.name, var.paths]
}

run "path_too_long" {
  command = plan

  variables {
    paths = ["/${join("", [for _ in range(127) : "p"])}"]
  }

  expect_failures = [var.paths]
}

run "network_without_subnets" {
  command = plan

  variables {
    existing_network = { vpc_id = "vpc-1", vpc_cidr_block = "10.0.0.0/16", load_balancer_subnet_ids = ["subnet-1", "subnet-2"], function_subnet_ids = null, function_route_table_ids = ["rtb-1"] }
  }

  expect_failures = [var.existing_network]
}

run "plain_http_to_the_internet_is_warned_of" {
  command = plan

  variables {
    load_balancer_internal = false
  }

  expect_failures = [check.internet_facing]
}

run "orders_in_a_request_at_the_defaults" {
  command = plan

  assert {
    condition     = output.max_orders_per_request == 1000 && output.survived_outage_seconds == 87120
    error_message = "1,000 orders in a request, and an outage of a day."
  }
}

# 20 ms / 8 + 50 ms / 25 / 8 + 0.6 ms x 1769 / 512 an order, in what the timeout leaves but for 3 s.

run "large_batches_and_few_deliveries_make_smaller_requests" {
  command = plan

  variables {
    process_batch_size              = 100
    process_batching_window_seconds = 1
    queue_max_receive_count         = 5
  }

  assert {
    condition     = output.max_orders_per_request == 92
    error_message = "A third of what five invocations can settle, for each of 100 messages."
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
    error_message = "At a whole core an order takes 0.6 ms of CPU."
  }
}

run "too_little_memory_for_a_batch" {
  command = plan

  variables {
    process_memory_size = 255
  }

  expect_failures = [var.process_memory_size]
}

# The pieces together: what the outputs and the event source mapping show. How each resource inside the modules points at its
# neighbours is checked on the applied system, by tests/e2e/test_wiring.py.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

override_resource {
  target = module.ingest[0].aws_lambda_alias.live
  values = { arn = "arn:aws:lambda:eu-central-1:123456789012:function:async-ingest-ingest:live" }
}

override_resource {
  target = module.process[0].aws_lambda_alias.live
  values = { arn = "arn:aws:lambda:eu-central-1:123456789012:function:async-ingest-process:live" }
}

override_resource {
  target = module.queue[0].aws_sqs_queue.this
  values = { arn = "arn:aws:sqs:eu-central-1:123456789012:async-ingest" }
}

run "defaults" {
  assert {
    condition     = output.endpoint_url == "http://${output.load_balancer_dns_name}/lambda/api" && output.load_balancer_name == "async-ingest"
    error_message = "The endpoint must be the load balancer's name and the path."
  }
  assert {
    condition     = output.load_balancer_subnet_ids == tolist(module.network[0].public_subnet_ids) && output.function_subnet_ids == tolist(module.network[0].private_subnet_ids) && output.vpc_id == module.network[0].vpc_id && length(output.load_balancer_subnet_ids) == 2
    error_message = "The load balancer must be in the public subnets, the functions in the private ones."
  }
  assert {
    condition     = aws_lambda_event_source_mapping.process[0].event_source_arn == "arn:aws:sqs:eu-central-1:123456789012:async-ingest"
    error_message = "The event source mapping must read the queue."
  }
  assert {
    condition     = aws_lambda_event_source_mapping.process[0].function_name == "arn:aws:lambda:eu-central-1:123456789012:function:async-ingest-process:live"
    error_message = "The event source mapping must invoke the live alias of process."
  }
  assert {
    condition     = aws_lambda_event_source_mapping.process[0].function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "Without ReportBatchItemFailures, messages that process reports as failed are deleted."
  }
  assert {
    condition     = aws_lambda_event_source_mapping.process[0].scaling_config[0].maximum_concurrency == 5 && aws_lambda_event_source_mapping.process[0].batch_size == 10 && aws_lambda_event_source_mapping.process[0].maximum_batching_window_in_seconds == 0
    error_message = "The event source mapping must have the default batch size, window and maximum concurrency."
  }
  assert {
    condition     = length(aws_lambda_event_source_mapping.process[0].filter_criteria) == 0 && length(aws_lambda_event_source_mapping.process[0].provisioned_poller_config) == 0
    error_message = "The event source mapping must have no filter, which would delete orders."
  }
  assert {
    condition     = module.queue[0].visibility_timeout_seconds == 180
    error_message = "The visibility timeout must be derived from the process function's timeout."
  }
  assert {
    condition     = output.max_orders_per_request == 1000
    error_message = "A request must have at most 1000 orders."
  }
  assert {
    condition     = [output.ingest_function_name, output.process_function_name, output.queue_name, output.dead_letter_queue_name, output.table_name] == ["async-ingest-ingest", "async-ingest-process", "async-ingest", "async-ingest-dead-letter", "async-ingest"]
    error_message = "Every name must be built from name."
  }
}

run "create_nothing" {
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

run "longest_name" {
  variables {
    name = "a23456789-123456789-1234"
  }

  assert {
    condition     = output.dead_letter_queue_name == "a23456789-123456789-1234-dead-letter"
    error_message = "The longest name must fit everywhere."
  }
}

run "one_number_moves_all" {
  command = plan

  variables {
    process_timeout_seconds         = 60
    process_batch_size              = 100
    process_batching_window_seconds = 2
    process_maximum_concurrency     = 50
    process_reserved_concurrency    = 50
    queue_max_receive_count         = 20
    queue_retention_seconds         = 86400
    dead_letter_retention_seconds   = 604800
  }

  assert {
    condition     = module.queue[0].visibility_timeout_seconds == 362
    error_message = "The visibility timeout must follow the process function's timeout and window."
  }
  assert {
    condition     = aws_lambda_event_source_mapping.process[0].batch_size == 100 && aws_lambda_event_source_mapping.process[0].maximum_batching_window_in_seconds == 2 && aws_lambda_event_source_mapping.process[0].scaling_config[0].maximum_concurrency == 50
    error_message = "The event source mapping must have what was asked for."
  }
}

run "provisioned_pollers" {
  command = plan

  variables {
    process_provisioned_pollers = { minimum = 2, maximum = 20 }
    tags                        = { team = "orders" }
  }

  assert {
    condition     = length(aws_lambda_event_source_mapping.process[0].scaling_config) == 0 && aws_lambda_event_source_mapping.process[0].provisioned_poller_config[0].minimum_pollers == 2 && aws_lambda_event_source_mapping.process[0].provisioned_poller_config[0].maximum_pollers == 20
    error_message = "Provisioned pollers must take the place of the maximum concurrency."
  }
  assert {
    condition     = aws_lambda_event_source_mapping.process[0].tags.team == "orders"
    error_message = "Tags must reach the event source mapping."
  }
}

run "existing_network" {
  command = plan

  variables {
    existing_network = {
      vpc_id                   = "vpc-theirs"
      vpc_cidr_block           = "10.9.0.0/16"
      load_balancer_subnet_ids = ["subnet-1", "subnet-2"]
      function_subnet_ids      = ["subnet-3", "subnet-4"]
      function_route_table_ids = ["rtb-3", "rtb-4"]
    }
  }

  assert {
    condition     = length(module.network) == 0 && length(module.vpc_endpoints) == 1 && output.vpc_id == "vpc-theirs" && output.load_balancer_subnet_ids == tolist(["subnet-1", "subnet-2"]) && output.function_subnet_ids == tolist(["subnet-3", "subnet-4"])
    error_message = "The network that exists must be used, with endpoints in it."
  }
}

run "existing_network_with_endpoints_of_its_own" {
  command = plan

  variables {
    vpc_endpoints_enabled = false
    existing_network = {
      vpc_id                   = "vpc-theirs"
      vpc_cidr_block           = "10.9.0.0/16"
      load_balancer_subnet_ids = ["subnet-1", "subnet-2"]
      function_subnet_ids      = ["subnet-3", "subnet-4"]
    }
  }

  assert {
    condition     = length(module.vpc_endpoints) == 0 && length(module.network) == 0
    error_message = "No endpoints may be made in a network that has its own."
  }
}

run "shared_role" {
  command = plan

  variables {
    existing_ingest_role  = { arn = "arn:aws:iam::123456789012:role/LabRole" }
    existing_process_role = { arn = "arn:aws:iam::123456789012:role/LabRole" }
  }

  assert {
    condition     = output.ingest_role_arn == "arn:aws:iam::123456789012:role/LabRole" && output.process_role_arn == "arn:aws:iam::123456789012:role/LabRole"
    error_message = "The role that exists must be used."
  }
}

run "existing_table" {
  command = plan

  variables {
    existing_table = { name = "theirs", arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/theirs" }
  }

  assert {
    condition     = output.table_name == "theirs" && output.table_arn == "arn:aws:dynamodb:eu-central-1:123456789012:table/theirs"
    error_message = "The table that exists must be used."
  }
}

run "existing_listener" {
  command = plan

  variables {
    existing_listener = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/theirs/0123456789abcdef/0123456789abcdef", priority = 100 }
  }

  assert {
    condition     = output.load_balancer_name == null && output.endpoint_url == null && output.load_balancer_security_group_id == null
    error_message = "No load balancer may be made."
  }
}

# Refused at plan, with a sentence that says what to change.

run "name_too_long" {
  command = plan

  variables {
    name = "a23456789-123456789-12345"
  }

  expect_failures = [var.name]
}

run "name_with_wrong_characters" {
  command = plan

  variables {
    name = "Orders"
  }

  expect_failures = [var.name]
}

run "name_that_aws_keeps" {
  command = plan

  variables {
    name = "internal-orders"
  }

  expect_failures = [var.name]
}

run "no_way_to_aws" {
  command = plan

  variables {
    vpc_endpoints_enabled = false
  }

  expect_failures = [var.nat_gateway]
}

run "network_with_one_subnet" {
  command = plan

  variables {
    existing_network = { vpc_id = "vpc-1", vpc_cidr_block = "10.0.0.0/16", load_balancer_subnet_ids = ["subnet-1"], function_subnet_ids = ["subnet-2"], function_route_table_ids = ["rtb-1"] }
  }

  expect_failures = [var.existing_network]
}

run "network_without_function_subnets" {
  command = plan

  variables {
    existing_network = { vpc_id = "vpc-1", vpc_cidr_block = "10.0.0.0/16", load_balancer_subnet_ids = ["subnet-1", "subnet-2"], function_subnet_ids = [], function_route_table_ids = ["rtb-1"] }
  }

  expect_failures = [var.existing_network]
}

run "network_without_route_tables" {
  command = plan

  variables {
    existing_network = { vpc_id = "vpc-1", vpc_cidr_block = "10.0.0.0/16", load_balancer_subnet_ids = ["subnet-1", "subnet-2"], function_subnet_ids = ["subnet-3"] }
  }

  expect_failures = [var.existing_network]
}

run "no_path" {
  command = plan

  variables {
    paths = []
  }

  expect_failures = [var.paths]
}

run "path_without_slash" {
  command = plan

  variables {
    paths = ["orders"]
  }

  expect_failures = [var.paths]
}

run "no_clients" {
  command = plan

  variables {
    load_balancer_ingress_cidr_blocks = []
  }

  expect_failures = [var.load_balancer_ingress_cidr_blocks]
}

run "clients_that_are_no_range" {
  command = plan

  variables {
    load_balancer_ingress_cidr_blocks = ["example.com"]
  }

  expect_failures = [var.load_balancer_ingress_cidr_blocks]
}

run "certificate_without_https" {
  command = plan

  variables {
    certificate       = { arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1" }
    existing_listener = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/theirs/0123456789abcdef/0123456789abcdef", priority = 100 }
  }

  expect_failures = [var.certificate]
}

run "listener_priority_out_of_range" {
  command = plan

  variables {
    existing_listener = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/theirs/0123456789abcdef/0123456789abcdef", priority = 50001 }
  }

  expect_failures = [var.existing_listener]
}

run "function_outlives_the_load_balancer" {
  command = plan

  variables {
    ingest_timeout_seconds = 60
  }

  expect_failures = [var.load_balancer_idle_timeout_seconds]
}

run "orders_in_a_request_at_the_defaults" {
  command = plan

  assert {
    condition     = output.max_orders_per_request == 1000 && output.survived_outage_seconds == 87120
    error_message = "1,000 orders in a request, and an outage of a day."
  }
}

# 20 ms / 8 + 50 ms / 25 / 8 + 0.6 ms x 1769 / 512 an order, in what the timeout leaves but for 3 s.
run "shorter_process_smaller_requests" {
  command = plan

  variables {
    process_timeout_seconds = 6
  }

  assert {
    condition     = output.max_orders_per_request == 311
    error_message = "Half of what one invocation can settle."
  }
}

run "large_batches_and_few_deliveries_make_smaller_requests" {
  command = plan

  variables {
    process_batch_size              = 100
    process_batching_window_seconds = 1
    queue_max_receive_count         = 5
  }

  assert {
    condition     = output.max_orders_per_request == 223
    error_message = "Four fifths of what five invocations can settle, for each of 100 messages."
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
    condition     = output.max_orders_per_request == 322
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

run "timeouts_too_short_for_two_attempts" {
  command = plan

  variables {
    ingest_timeout_seconds  = 5
    process_timeout_seconds = 5
  }

  expect_failures = [var.ingest_timeout_seconds, var.process_timeout_seconds]
}

run "too_few_deliveries" {
  command = plan

  variables {
    queue_max_receive_count = 4
  }

  expect_failures = [var.queue_max_receive_count]
}

run "batch_without_window" {
  command = plan

  variables {
    process_batch_size = 11
  }

  expect_failures = [var.process_batching_window_seconds]
}

run "batch_out_of_range" {
  command = plan

  variables {
    process_batch_size              = 10001
    process_batching_window_seconds = 1
  }

  expect_failures = [var.process_batch_size]
}

run "window_out_of_range" {
  command = plan

  variables {
    process_batching_window_seconds = 301
  }

  expect_failures = [var.process_batching_window_seconds]
}

run "maximum_concurrency_of_one" {
  command = plan

  variables {
    process_maximum_concurrency = 1
  }

  expect_failures = [var.process_maximum_concurrency]
}

run "pollers_out_of_range" {
  command = plan

  variables {
    process_provisioned_pollers = { minimum = 1, maximum = 20 }
  }

  expect_failures = [var.process_provisioned_pollers]
}

run "reserved_below_maximum_concurrency" {
  command = plan

  variables {
    process_reserved_concurrency = 4
  }

  expect_failures = [var.process_reserved_concurrency]
}

run "role_path_without_slash" {
  command = plan

  variables {
    role_path = "service"
  }

  expect_failures = [var.role_path]
}

run "plain_http_to_the_internet_is_warned_of" {
  command = plan

  variables {
    load_balancer_internal = false
  }

  expect_failures = [check.internet_facing]
}

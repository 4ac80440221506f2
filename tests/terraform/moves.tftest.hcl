# The root refuses another name or network. modules/table and modules/load_balancer refuse a new name as well, see
# protection.tftest.hcl.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

override_module {
  target  = module.network
  outputs = { vpc_id = "vpc-1", vpc_cidr_block = "10.0.0.0/16", public_subnet_ids = ["subnet-1", "subnet-2"], private_subnet_ids = ["subnet-3", "subnet-4"], private_route_table_ids = ["rtb-3", "rtb-4"], public_route_table_id = "rtb-1" }
}

override_module {
  target  = module.load_balancer
  outputs = { endpoint_url = "http://orders.example.com/lambda/api" }
}

override_module {
  target  = module.ingest
  outputs = { name = "ingest", alias_arn = "arn:aws:lambda:eu-central-1:123456789012:function:ingest:live" }
}

override_module {
  target  = module.process
  outputs = { name = "process", alias_arn = "arn:aws:lambda:eu-central-1:123456789012:function:process:live" }
}

override_module {
  target  = module.queue
  outputs = { arn = "arn:aws:sqs:eu-central-1:123456789012:orders", dead_letter_arn = "arn:aws:sqs:eu-central-1:123456789012:dead", dead_letter_url = "https://sqs/dead", max_receive_count = 485 }
}

override_module {
  target  = module.table
  outputs = { name = "orders", keys = [] }
}

override_module {
  target  = module.vpc_endpoints
  outputs = { subnet_ids = ["subnet-3", "subnet-4"] }
}

override_module {
  target  = module.observability
  outputs = { alarm_arns = {}, alarm_names = {}, dashboard_name = "orders" }
}

run "created_network" {
  state_key = "created"
}

run "another_name_is_refused" {
  state_key = "created"
  command   = plan

  variables {
    name = "orders"
  }

  expect_failures = [terraform_data.name]
}

run "another_name_is_refused_in_the_apply_that_unprotects" {
  state_key = "created"
  command   = plan

  variables {
    name                        = "orders"
    deletion_protection_enabled = false
  }

  expect_failures = [terraform_data.name]
}

run "moving_into_an_existing_network_is_refused" {
  state_key = "created"
  command   = plan

  variables {
    existing_network = { vpc_id = "vpc-1", vpc_cidr_block = "10.0.0.0/16", load_balancer_subnet_ids = ["subnet-1", "subnet-2"], function_subnet_ids = ["subnet-3"] }
  }

  expect_failures = [terraform_data.network]
}

run "unprotected" {
  state_key = "created"

  variables {
    deletion_protection_enabled = false
  }
}

run "moving_is_refused_while_unprotected_too" {
  state_key = "created"
  command   = plan

  variables {
    existing_network            = { vpc_id = "vpc-1", vpc_cidr_block = "10.0.0.0/16", load_balancer_subnet_ids = ["subnet-1", "subnet-2"], function_subnet_ids = ["subnet-3"] }
    deletion_protection_enabled = false
  }

  expect_failures = [terraform_data.network]
}

run "then_another_name_is_accepted" {
  state_key = "created"

  variables {
    name                        = "orders"
    deletion_protection_enabled = false
  }
}

run "then_protected_again" {
  state_key = "created"

  variables {
    name = "orders"
  }
}

run "then_the_first_name_is_refused" {
  state_key = "created"
  command   = plan

  expect_failures = [terraform_data.name]
}

run "existing_network" {
  state_key = "existing"

  variables {
    existing_network = { vpc_id = "vpc-1", vpc_cidr_block = "10.0.0.0/16", load_balancer_subnet_ids = ["subnet-1", "subnet-2"], function_subnet_ids = ["subnet-3"] }
  }
}

run "another_existing_network_is_refused" {
  state_key = "existing"
  command   = plan

  variables {
    existing_network = { vpc_id = "vpc-2", vpc_cidr_block = "10.0.0.0/16", load_balancer_subnet_ids = ["subnet-1", "subnet-2"], function_subnet_ids = ["subnet-3"] }
  }

  expect_failures = [terraform_data.network]
}

run "removing_the_existing_network_is_refused" {
  state_key = "existing"
  command   = plan

  expect_failures = [terraform_data.network]
}

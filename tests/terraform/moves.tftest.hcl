# What decides where everything is, at the root alone: modules/table and modules/load_balancer refuse a new name as well, see
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
  outputs = {}
}

override_module {
  target  = module.ingest
  outputs = { alias_arn = "arn:aws:lambda:eu-central-1:123456789012:function:ingest:live" }
}

override_module {
  target  = module.process
  outputs = { alias_arn = "arn:aws:lambda:eu-central-1:123456789012:function:process:live" }
}

override_module {
  target  = module.queue
  outputs = { arn = "arn:aws:sqs:eu-central-1:123456789012:orders", max_receive_count = 485 }
}

override_module {
  target  = module.table
  outputs = { keys = [] }
}

override_module {
  target  = module.vpc_endpoints
  outputs = { subnet_ids = ["subnet-3", "subnet-4"] }
}

run "own" {
  state_key = "own"
}

run "another_name" {
  state_key = "own"
  command   = plan

  variables {
    name = "orders"
  }

  expect_failures = [terraform_data.name]
}

run "another_name_and_unprotected" {
  state_key = "own"
  command   = plan

  variables {
    name                        = "orders"
    deletion_protection_enabled = false
  }

  expect_failures = [terraform_data.name]
}

run "into_an_existing_network" {
  state_key = "own"
  command   = plan

  variables {
    existing_network = { vpc_id = "vpc-1", vpc_cidr_block = "10.0.0.0/16", load_balancer_subnet_ids = ["subnet-1", "subnet-2"], function_subnet_ids = ["subnet-3"] }
  }

  expect_failures = [terraform_data.network]
}

run "unprotected" {
  state_key = "own"

  variables {
    deletion_protection_enabled = false
  }
}

run "then_into_an_existing_network" {
  state_key = "own"
  command   = plan

  variables {
    existing_network            = { vpc_id = "vpc-1", vpc_cidr_block = "10.0.0.0/16", load_balancer_subnet_ids = ["subnet-1", "subnet-2"], function_subnet_ids = ["subnet-3"] }
    deletion_protection_enabled = false
  }

  expect_failures = [terraform_data.network]
}

run "then_another_name" {
  state_key = "own"

  variables {
    name                        = "orders"
    deletion_protection_enabled = false
  }
}

run "then_protected_again" {
  state_key = "own"

  variables {
    name = "orders"
  }
}

run "then_the_first_name" {
  state_key = "own"
  command   = plan

  expect_failures = [terraform_data.name]
}

run "theirs" {
  state_key = "theirs"

  variables {
    existing_network = { vpc_id = "vpc-1", vpc_cidr_block = "10.0.0.0/16", load_balancer_subnet_ids = ["subnet-1", "subnet-2"], function_subnet_ids = ["subnet-3"] }
  }
}

run "another_of_theirs" {
  state_key = "theirs"
  command   = plan

  variables {
    existing_network = { vpc_id = "vpc-2", vpc_cidr_block = "10.0.0.0/16", load_balancer_subnet_ids = ["subnet-1", "subnet-2"], function_subnet_ids = ["subnet-3"] }
  }

  expect_failures = [terraform_data.network]
}

run "none_of_theirs" {
  state_key = "theirs"
  command   = plan

  expect_failures = [terraform_data.network]
}

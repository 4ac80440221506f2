# Changes that would destroy orders or cause downtime are refused while protected, and also in the apply that removes the protection.
# After that they are made.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

# Each module uses the inputs that it has.
variables {
  name             = "orders"
  partition_key    = { name = "order_id", type = "S" }
  sort_key         = { name = "item", type = "S" }
  stream_view_type = "KEYS_ONLY" # each table has another stream_arn, which shows a replacement

  vpc_id                   = "vpc-1"
  subnet_ids               = ["subnet-1", "subnet-2"]
  function_alias_arn       = "arn:aws:lambda:eu-central-1:123456789012:function:orders-ingest:live"
  function_timeout_seconds = 10
}

# Table --------------------------------------------------------------------------------------------------------------

run "table" {
  module { source = "./modules/table" }
  state_key = "table"
}

run "renaming_the_table_is_refused" {
  module { source = "./modules/table" }
  state_key = "table"
  command   = plan

  variables { name = "orders-2" }

  expect_failures = [aws_dynamodb_table.this]
}

run "another_partition_key_is_refused" {
  module { source = "./modules/table" }
  state_key = "table"
  command   = plan

  variables { partition_key = { name = "customer", type = "S" } }

  expect_failures = [aws_dynamodb_table.this]
}

run "another_type_of_the_partition_key_is_refused" {
  module { source = "./modules/table" }
  state_key = "table"
  command   = plan

  variables { partition_key = { name = "order_id", type = "N" } }

  expect_failures = [aws_dynamodb_table.this]
}

run "another_type_of_the_sort_key_is_refused" {
  module { source = "./modules/table" }
  state_key = "table"
  command   = plan

  variables { sort_key = { name = "item", type = "N" } }

  expect_failures = [aws_dynamodb_table.this]
}

run "removing_the_sort_key_is_refused" {
  module { source = "./modules/table" }
  state_key = "table"
  command   = plan

  variables { sort_key = null }

  expect_failures = [aws_dynamodb_table.this]
}

run "an_existing_table_is_refused" {
  module { source = "./modules/table" }
  state_key = "table"
  command   = plan

  variables {
    existing_table   = { name = "theirs", arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/theirs" }
    stream_view_type = null
  }

  expect_failures = [terraform_data.is_own]
}

run "another_type_is_refused_in_the_apply_that_unprotects" {
  module { source = "./modules/table" }
  state_key = "table"
  command   = plan

  variables {
    partition_key               = { name = "order_id", type = "N" }
    deletion_protection_enabled = false
  }

  expect_failures = [aws_dynamodb_table.this]
}

run "an_existing_table_is_refused_in_the_apply_that_unprotects" {
  module { source = "./modules/table" }
  state_key = "table"
  command   = plan

  variables {
    existing_table              = { name = "theirs", arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/theirs" }
    stream_view_type            = null
    deletion_protection_enabled = false
  }

  expect_failures = [terraform_data.is_own]
}

run "table_unprotected" {
  module { source = "./modules/table" }
  state_key = "table"

  variables { deletion_protection_enabled = false }

  assert {
    condition     = output.stream_arn == run.table.stream_arn
    error_message = "Changing only the protection must replace nothing."
  }
}

run "then_the_table_is_renamed" {
  module { source = "./modules/table" }
  state_key = "table"
  command   = plan

  variables {
    name                        = "orders-2"
    deletion_protection_enabled = false
  }

  assert {
    condition     = aws_dynamodb_table.this[0].name == "orders-2"
    error_message = "It must be replaced."
  }
}

run "then_the_sort_key_is_removed" {
  module { source = "./modules/table" }
  state_key = "table"
  command   = plan

  variables {
    sort_key                    = null
    deletion_protection_enabled = false
  }

  assert {
    condition     = aws_dynamodb_table.this[0].range_key == null
    error_message = "It must be replaced."
  }
}

run "then_an_existing_table_is_accepted" {
  module { source = "./modules/table" }
  state_key = "table"
  command   = plan

  variables {
    existing_table              = { name = "theirs", arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/theirs" }
    stream_view_type            = null
    deletion_protection_enabled = false
  }

  assert {
    condition     = length(aws_dynamodb_table.this) == 0
    error_message = "It must be deleted."
  }
}

run "then_a_key_changes_its_type" {
  module { source = "./modules/table" }
  state_key = "table"

  variables {
    partition_key               = { name = "order_id", type = "N" }
    deletion_protection_enabled = false
  }

  assert {
    condition     = output.keys[0] == { name = "order_id", type = "N" } && output.stream_arn != run.table_unprotected.stream_arn
    error_message = "The table must be replaced, which the provider would not do by itself."
  }
}

run "then_protected_again" {
  module { source = "./modules/table" }
  state_key = "table"

  variables { partition_key = { name = "order_id", type = "N" } }

  assert {
    condition     = output.stream_arn == run.then_a_key_changes_its_type.stream_arn
    error_message = "Changing only the protection must replace nothing."
  }
}

run "then_refused_again" {
  module { source = "./modules/table" }
  state_key = "table"
  command   = plan

  variables { partition_key = { name = "order_id", type = "S" } }

  expect_failures = [aws_dynamodb_table.this]
}

run "table_billed_per_request" {
  module { source = "./modules/table" }
  state_key = "capacity"
}

run "provisioned_capacity_is_refused_before_the_switch" {
  module { source = "./modules/table" }
  state_key = "capacity"
  command   = plan

  variables { provisioned_capacity = { read_min = 1, read_max = 10, write_min = 5, write_max = 500 } }

  expect_failures = [aws_dynamodb_table.this]
}

# Load balancer ------------------------------------------------------------------------------------------------------

run "balancer" {
  module { source = "./modules/load_balancer" }
  state_key = "balancer"
}

run "renaming_the_balancer_is_refused" {
  module { source = "./modules/load_balancer" }
  state_key = "balancer"
  command   = plan

  variables { name = "orders-2" }

  expect_failures = [aws_lb.this]
}

run "making_the_balancer_internet_facing_is_refused" {
  module { source = "./modules/load_balancer" }
  state_key = "balancer"
  command   = plan

  variables { internal = false }

  expect_failures = [aws_lb.this]
}

run "an_existing_listener_is_refused" {
  module { source = "./modules/load_balancer" }
  state_key = "balancer"
  command   = plan

  variables { existing_listener = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/theirs/0123456789abcdef/0123456789abcdef", priority = 1 } }

  expect_failures = [terraform_data.is_own]
}

run "internet_facing_is_refused_in_the_apply_that_unprotects" {
  module { source = "./modules/load_balancer" }
  state_key = "balancer"
  command   = plan

  variables {
    internal                    = false
    deletion_protection_enabled = false
  }

  expect_failures = [aws_lb.this]
}

run "an_existing_listener_is_refused_in_the_apply_that_unprotects" {
  module { source = "./modules/load_balancer" }
  state_key = "balancer"
  command   = plan

  variables {
    existing_listener           = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/theirs/0123456789abcdef/0123456789abcdef", priority = 1 }
    deletion_protection_enabled = false
  }

  expect_failures = [terraform_data.is_own]
}

run "balancer_unprotected" {
  module { source = "./modules/load_balancer" }
  state_key = "balancer"

  variables { deletion_protection_enabled = false }

  assert {
    condition     = output.dns_name == run.balancer.dns_name
    error_message = "Changing only the protection must replace nothing."
  }
}

run "then_the_balancer_is_renamed" {
  module { source = "./modules/load_balancer" }
  state_key = "balancer"
  command   = plan

  variables {
    name                        = "orders-2"
    deletion_protection_enabled = false
  }

  assert {
    condition     = aws_lb.this[0].name == "orders-2"
    error_message = "It must be replaced."
  }
}

run "then_an_existing_listener_is_accepted" {
  module { source = "./modules/load_balancer" }
  state_key = "balancer"
  command   = plan

  variables {
    existing_listener           = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/theirs/0123456789abcdef/0123456789abcdef", priority = 1 }
    deletion_protection_enabled = false
  }

  assert {
    condition     = length(aws_lb.this) == 0
    error_message = "It must be deleted."
  }
}

run "then_the_balancer_is_internet_facing" {
  module { source = "./modules/load_balancer" }
  state_key = "balancer"

  variables {
    internal                    = false
    deletion_protection_enabled = false
  }

  assert {
    condition     = !aws_lb.this[0].internal && output.dns_name != run.balancer_unprotected.dns_name
    error_message = "The load balancer must be replaced."
  }
}

run "then_an_existing_listener_gets_another_target_group" {
  module { source = "./modules/load_balancer" }
  state_key = "balancer"

  variables {
    existing_listener           = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/theirs/0123456789abcdef/0123456789abcdef", priority = 1 }
    deletion_protection_enabled = false
  }

  override_resource {
    target = aws_lb_target_group.this
    values = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/replaced/0123456789abcdef" }
  }

  assert {
    condition     = strcontains(output.target_group_arn, "targetgroup/replaced/")
    error_message = "A target group belongs to one load balancer, so it must be replaced."
  }
}

run "existing_listener" {
  module { source = "./modules/load_balancer" }
  state_key = "theirs"

  variables { existing_listener = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/theirs/0123456789abcdef/0123456789abcdef", priority = 1 } }
}

run "removing_the_existing_listener_is_refused" {
  module { source = "./modules/load_balancer" }
  state_key = "theirs"
  command   = plan

  expect_failures = [terraform_data.is_own]
}

# What would destroy orders, or leave nobody answered, is refused while protected, and also in the apply that takes the
# protection away. After that it is done.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

# Each module takes what it knows.
variables {
  name             = "orders"
  partition_key    = { name = "order_id", type = "S" }
  sort_key         = { name = "item", type = "S" }
  stream_view_type = "KEYS_ONLY" # of each table another, which tells one from the next

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

run "table_of_another_name" {
  module { source = "./modules/table" }
  state_key = "table"
  command   = plan

  variables { name = "orders-2" }

  expect_failures = [aws_dynamodb_table.this]
}

run "table_with_another_key" {
  module { source = "./modules/table" }
  state_key = "table"
  command   = plan

  variables { partition_key = { name = "customer", type = "S" } }

  expect_failures = [aws_dynamodb_table.this]
}

run "table_with_a_key_of_another_type" {
  module { source = "./modules/table" }
  state_key = "table"
  command   = plan

  variables { partition_key = { name = "order_id", type = "N" } }

  expect_failures = [aws_dynamodb_table.this]
}

run "table_with_a_sort_key_of_another_type" {
  module { source = "./modules/table" }
  state_key = "table"
  command   = plan

  variables { sort_key = { name = "item", type = "N" } }

  expect_failures = [aws_dynamodb_table.this]
}

run "table_without_sort_key" {
  module { source = "./modules/table" }
  state_key = "table"
  command   = plan

  variables { sort_key = null }

  expect_failures = [aws_dynamodb_table.this]
}

run "table_of_theirs" {
  module { source = "./modules/table" }
  state_key = "table"
  command   = plan

  variables {
    existing_table   = { name = "theirs", arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/theirs" }
    stream_view_type = null
  }

  expect_failures = [terraform_data.is_own]
}

run "table_with_a_key_of_another_type_and_unprotected" {
  module { source = "./modules/table" }
  state_key = "table"
  command   = plan

  variables {
    partition_key               = { name = "order_id", type = "N" }
    deletion_protection_enabled = false
  }

  expect_failures = [aws_dynamodb_table.this]
}

run "table_of_theirs_and_unprotected" {
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
    error_message = "The protection alone replaces nothing."
  }
}

run "then_a_table_of_another_name" {
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

run "then_a_table_without_sort_key" {
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

run "then_a_table_of_theirs" {
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
    error_message = "It must go."
  }
}

run "then_a_key_of_another_type" {
  module { source = "./modules/table" }
  state_key = "table"

  variables {
    partition_key               = { name = "order_id", type = "N" }
    deletion_protection_enabled = false
  }

  assert {
    condition     = output.keys[0] == { name = "order_id", type = "N" } && output.stream_arn != run.table_unprotected.stream_arn
    error_message = "It must be another table, which the provider alone would not see."
  }
}

run "then_protected_again" {
  module { source = "./modules/table" }
  state_key = "table"

  variables { partition_key = { name = "order_id", type = "N" } }

  assert {
    condition     = output.stream_arn == run.then_a_key_of_another_type.stream_arn
    error_message = "The protection alone replaces nothing."
  }
}

run "then_refused_again" {
  module { source = "./modules/table" }
  state_key = "table"
  command   = plan

  variables { partition_key = { name = "order_id", type = "S" } }

  expect_failures = [aws_dynamodb_table.this]
}

run "table_paid_by_request" {
  module { source = "./modules/table" }
  state_key = "capacity"
}

run "capacity_later" {
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

run "balancer_of_another_name" {
  module { source = "./modules/load_balancer" }
  state_key = "balancer"
  command   = plan

  variables { name = "orders-2" }

  expect_failures = [aws_lb.this]
}

run "balancer_for_the_internet" {
  module { source = "./modules/load_balancer" }
  state_key = "balancer"
  command   = plan

  variables { internal = false }

  expect_failures = [aws_lb.this]
}

run "balancer_of_theirs" {
  module { source = "./modules/load_balancer" }
  state_key = "balancer"
  command   = plan

  variables { existing_listener = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/theirs/0123456789abcdef/0123456789abcdef", priority = 1 } }

  expect_failures = [terraform_data.is_own]
}

run "balancer_for_the_internet_and_unprotected" {
  module { source = "./modules/load_balancer" }
  state_key = "balancer"
  command   = plan

  variables {
    internal                    = false
    deletion_protection_enabled = false
  }

  expect_failures = [aws_lb.this]
}

run "balancer_of_theirs_and_unprotected" {
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
    error_message = "The protection alone replaces nothing."
  }
}

run "then_a_balancer_of_another_name" {
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

run "then_a_balancer_of_theirs" {
  module { source = "./modules/load_balancer" }
  state_key = "balancer"
  command   = plan

  variables {
    existing_listener           = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/theirs/0123456789abcdef/0123456789abcdef", priority = 1 }
    deletion_protection_enabled = false
  }

  assert {
    condition     = length(aws_lb.this) == 0
    error_message = "It must go."
  }
}

run "then_a_balancer_for_the_internet" {
  module { source = "./modules/load_balancer" }
  state_key = "balancer"

  variables {
    internal                    = false
    deletion_protection_enabled = false
  }

  assert {
    condition     = !aws_lb.this[0].internal && output.dns_name != run.balancer_unprotected.dns_name
    error_message = "It must be another load balancer."
  }
}

run "listener_of_theirs" {
  module { source = "./modules/load_balancer" }
  state_key = "theirs"

  variables { existing_listener = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/theirs/0123456789abcdef/0123456789abcdef", priority = 1 } }
}

run "no_listener_of_theirs" {
  module { source = "./modules/load_balancer" }
  state_key = "theirs"
  command   = plan

  expect_failures = [terraform_data.is_own]
}

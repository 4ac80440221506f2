mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  name          = "orders"
  partition_key = { name = "order_id", type = "S" }
}

# First, because a file's runs share their state and a table's capacity is left to autoscaling once it exists.
run "provisioned" {
  module { source = "./modules/table" }

  variables {
    provisioned_capacity = { read_min = 1, read_max = 10, write_min = 5, write_max = 500 }
  }

  assert {
    condition     = aws_dynamodb_table.this[0].billing_mode == "PROVISIONED" && aws_dynamodb_table.this[0].write_capacity == 5 && aws_dynamodb_table.this[0].read_capacity == 1
    error_message = "Provisioned capacity must start at its minimum."
  }
  assert {
    condition = { for name, target in aws_appautoscaling_target.this : name => [target.service_namespace, target.resource_id, target.scalable_dimension, tostring(target.min_capacity), tostring(target.max_capacity)] } == {
      read  = ["dynamodb", "table/orders", "dynamodb:table:ReadCapacityUnits", "1", "10"]
      write = ["dynamodb", "table/orders", "dynamodb:table:WriteCapacityUnits", "5", "500"]
    }
    error_message = "Autoscaling must move both capacities of this table within their limits."
  }
  assert {
    condition = { for name, policy in aws_appautoscaling_policy.this : name => [policy.name, policy.policy_type, policy.service_namespace, policy.resource_id, policy.scalable_dimension, policy.target_tracking_scaling_policy_configuration[0].predefined_metric_specification[0].predefined_metric_type, tostring(policy.target_tracking_scaling_policy_configuration[0].target_value)] } == {
      read  = ["orders-read", "TargetTrackingScaling", "dynamodb", "table/orders", "dynamodb:table:ReadCapacityUnits", "DynamoDBReadCapacityUtilization", "70"]
      write = ["orders-write", "TargetTrackingScaling", "dynamodb", "table/orders", "dynamodb:table:WriteCapacityUnits", "DynamoDBWriteCapacityUtilization", "70"]
    }
    error_message = "Autoscaling must aim at 70 percent of each capacity by its own metric."
  }
}

run "provisioned_since" {
  module { source = "./modules/table" }

  variables {
    provisioned_capacity = { read_min = 2, read_max = 10, write_min = 6, write_max = 500 }
  }

  assert {
    condition     = aws_dynamodb_table.this[0].read_capacity == 1 && aws_dynamodb_table.this[0].write_capacity == 5 && aws_appautoscaling_target.this["read"].min_capacity == 2
    error_message = "A capacity that autoscaling may have moved must be left to it."
  }
}

run "defaults" {
  module { source = "./modules/table" }

  assert {
    condition     = aws_dynamodb_table.this[0].name == "orders" && aws_dynamodb_table.this[0].hash_key == "order_id" && aws_dynamodb_table.this[0].range_key == null
    error_message = "The key must be the one that was asked for."
  }
  assert {
    condition     = toset([for attribute in aws_dynamodb_table.this[0].attribute : "${attribute.name}:${attribute.type}"]) == toset(["order_id:S"])
    error_message = "The key attribute, and no other, must be declared."
  }
  assert {
    condition     = aws_dynamodb_table.this[0].billing_mode == "PAY_PER_REQUEST" && aws_dynamodb_table.this[0].table_class == "STANDARD" && length(aws_appautoscaling_target.this) == 0
    error_message = "The table must pay per request."
  }
  assert {
    condition     = aws_dynamodb_table.this[0].point_in_time_recovery[0].enabled && aws_dynamodb_table.this[0].deletion_protection_enabled
    error_message = "The table must be recoverable and protected."
  }
  assert {
    condition     = !aws_dynamodb_table.this[0].server_side_encryption[0].enabled
    error_message = "Without a key, the key that AWS owns encrypts."
  }
  assert {
    condition     = length(aws_dynamodb_table.this[0].ttl) == 0 && !aws_dynamodb_table.this[0].stream_enabled && output.stream_arn == null
    error_message = "No expiry and no stream unless asked for."
  }
  assert {
    condition     = [output.name, output.arn, output.writer_policy_json] == ["orders", aws_dynamodb_table.this[0].arn, data.aws_iam_policy_document.writer.json]
    error_message = "The outputs must tell what was made."
  }
}

run "every_feature" {
  module { source = "./modules/table" }

  variables {
    partition_key                  = { name = "customer", type = "N" }
    sort_key                       = { name = "number", type = "S" }
    ttl_attribute                  = "expires_at"
    table_class                    = "STANDARD_INFREQUENT_ACCESS"
    stream_view_type               = "NEW_AND_OLD_IMAGES"
    point_in_time_recovery_enabled = false
    deletion_protection_enabled    = false
    kms_key                        = { arn = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555" }
    provisioned_capacity           = { read_min = 1, read_max = 10, write_min = 5, write_max = 500, target_utilization = 60 }
    tags                           = { team = "orders" }
  }

  assert {
    condition     = aws_dynamodb_table.this[0].hash_key == "customer" && aws_dynamodb_table.this[0].range_key == "number" && toset([for attribute in aws_dynamodb_table.this[0].attribute : "${attribute.name}:${attribute.type}"]) == toset(["customer:N", "number:S"])
    error_message = "The keys must be those that were asked for."
  }
  assert {
    condition     = aws_dynamodb_table.this[0].ttl[0].enabled && aws_dynamodb_table.this[0].ttl[0].attribute_name == "expires_at"
    error_message = "Items must expire by the attribute."
  }
  assert {
    condition     = aws_dynamodb_table.this[0].table_class == "STANDARD_INFREQUENT_ACCESS" && aws_dynamodb_table.this[0].stream_enabled && aws_dynamodb_table.this[0].stream_view_type == "NEW_AND_OLD_IMAGES" && output.stream_arn == aws_dynamodb_table.this[0].stream_arn
    error_message = "Class and stream must be what was asked for."
  }
  assert {
    condition     = !aws_dynamodb_table.this[0].point_in_time_recovery[0].enabled && !aws_dynamodb_table.this[0].deletion_protection_enabled
    error_message = "Recovery and protection can be switched off."
  }
  assert {
    condition     = aws_dynamodb_table.this[0].server_side_encryption[0].enabled && aws_dynamodb_table.this[0].server_side_encryption[0].kms_key_arn == var.kms_key.arn && data.aws_iam_policy_document.writer.statement[1].resources == toset([var.kms_key.arn])
    error_message = "The key must encrypt the table, and a writer be allowed to use it."
  }
  assert {
    condition     = aws_appautoscaling_target.this["write"].max_capacity == 500 && aws_appautoscaling_target.this["read"].max_capacity == 10 && aws_appautoscaling_target.this["read"].resource_id == "table/orders"
    error_message = "Autoscaling must reach the maxima."
  }
  assert {
    condition     = aws_appautoscaling_policy.this["write"].target_tracking_scaling_policy_configuration[0].target_value == 60
    error_message = "Autoscaling must aim at the utilization that was asked for."
  }
  assert {
    condition     = aws_dynamodb_table.this[0].tags.team == "orders" && aws_appautoscaling_target.this["read"].tags.team == "orders"
    error_message = "Tags must reach every resource."
  }
}

run "existing_table" {
  module { source = "./modules/table" }

  variables {
    existing_table       = { name = "theirs", arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/theirs" }
    provisioned_capacity = { read_min = 1, read_max = 10, write_min = 5, write_max = 500 }
  }

  assert {
    condition     = length(aws_dynamodb_table.this) == 0 && length(aws_appautoscaling_target.this) == 0
    error_message = "Nothing may be made for a table that exists."
  }
  assert {
    condition     = output.name == "theirs" && output.arn == var.existing_table.arn && data.aws_iam_policy_document.writer.statement[0].resources == toset([var.existing_table.arn])
    error_message = "Outputs and policy must be about the table that exists."
  }
}

run "same_key_twice" {
  module { source = "./modules/table" }
  command = plan

  variables {
    sort_key = { name = "order_id", type = "S" }
  }

  expect_failures = [aws_dynamodb_table.this]
}

run "expiry_by_a_key" {
  module { source = "./modules/table" }
  command = plan

  variables {
    sort_key      = { name = "item", type = "S" }
    ttl_attribute = "item"
  }

  expect_failures = [aws_dynamodb_table.this]
}

run "smallest" {
  module { source = "./modules/table" }
  command = plan

  variables {
    name                 = "abc"
    partition_key        = { name = "p", type = "S" }
    sort_key             = { name = "s", type = "S" }
    provisioned_capacity = { read_min = 1, read_max = 1, write_min = 1, write_max = 1, target_utilization = 20 }
  }

  assert {
    condition     = aws_dynamodb_table.this[0].hash_key == "p" && aws_dynamodb_table.this[0].range_key == "s"
    error_message = "The shortest names must be taken."
  }
}

run "largest" {
  module { source = "./modules/table" }
  command = plan

  variables {
    name                 = join("", [for _ in range(249) : "t"]) # an autoscaling policy's has 6 more
    partition_key        = { name = join("", [for _ in range(255) : "p"]), type = "S" }
    sort_key             = { name = join("", [for _ in range(255) : "s"]), type = "S" }
    provisioned_capacity = { read_min = 40000, read_max = 40000, write_min = 40000, write_max = 40000, target_utilization = 90 }
  }

  assert {
    condition     = length(aws_dynamodb_table.this[0].range_key) == 255
    error_message = "The longest names must be taken."
  }
}

run "below" {
  module { source = "./modules/table" }
  command = plan

  variables {
    name                 = "no"
    partition_key        = { name = "", type = "S" }
    sort_key             = { name = "", type = "S" }
    table_class          = "CHEAP"
    stream_view_type     = "ALL"
    provisioned_capacity = { read_min = 0, read_max = 1, write_min = 1, write_max = 1 }
  }

  expect_failures = [var.name, var.partition_key, var.sort_key, var.table_class, var.stream_view_type, var.provisioned_capacity]
}

run "above" {
  module { source = "./modules/table" }
  command = plan

  variables {
    name                 = join("", [for _ in range(256) : "t"])
    partition_key        = { name = join("", [for _ in range(256) : "p"]), type = "S" }
    sort_key             = { name = join("", [for _ in range(256) : "s"]), type = "S" }
    provisioned_capacity = { read_min = 1, read_max = 1, write_min = 1, write_max = 1, target_utilization = 91 }
  }

  expect_failures = [var.name, var.partition_key, var.sort_key, var.provisioned_capacity]
}

run "binary_keys" {
  module { source = "./modules/table" }
  command = plan

  variables {
    partition_key        = { name = "order_id", type = "B" }
    sort_key             = { name = "item", type = "B" }
    provisioned_capacity = { read_min = 1, read_max = 1, write_min = 0, write_max = 1 }
  }

  expect_failures = [var.partition_key, var.sort_key, var.provisioned_capacity]
}

run "capacity_above_its_maximum" {
  module { source = "./modules/table" }
  command = plan

  variables {
    provisioned_capacity = { read_min = 2, read_max = 1, write_min = 1, write_max = 1 }
  }

  expect_failures = [var.provisioned_capacity]
}

run "utilization_too_low" {
  module { source = "./modules/table" }
  command = plan

  variables {
    provisioned_capacity = { read_min = 1, read_max = 1, write_min = 1, write_max = 1, target_utilization = 19 }
  }

  expect_failures = [var.provisioned_capacity]
}

run "keys_of_no_name" {
  module { source = "./modules/table" }
  command = plan

  variables {
    sort_key = { name = null, type = "S" }
  }

  expect_failures = [var.sort_key]
}

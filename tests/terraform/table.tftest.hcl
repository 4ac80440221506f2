mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  name          = "orders"
  partition_key = { name = "order_id", type = "S" }
}

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
      read  = ["dynamodb", "table/${aws_dynamodb_table.this[0].id}", "dynamodb:table:ReadCapacityUnits", "1", "10"]
      write = ["dynamodb", "table/${aws_dynamodb_table.this[0].id}", "dynamodb:table:WriteCapacityUnits", "5", "500"]
    }
    error_message = "Autoscaling must change both capacities of this table within their limits."
  }
  assert {
    condition = { for name, policy in aws_appautoscaling_policy.this : name => [policy.name, policy.policy_type, policy.service_namespace, policy.resource_id, policy.scalable_dimension, policy.target_tracking_scaling_policy_configuration[0].predefined_metric_specification[0].predefined_metric_type, tostring(policy.target_tracking_scaling_policy_configuration[0].target_value)] } == {
      read  = ["DynamoDBReadCapacityUtilization", "TargetTrackingScaling", "dynamodb", "table/${aws_dynamodb_table.this[0].id}", "dynamodb:table:ReadCapacityUnits", "DynamoDBReadCapacityUtilization", "70"]
      write = ["DynamoDBWriteCapacityUtilization", "TargetTrackingScaling", "dynamodb", "table/${aws_dynamodb_table.this[0].id}", "dynamodb:table:WriteCapacityUnits", "DynamoDBWriteCapacityUtilization", "70"]
    }
    error_message = "Autoscaling must target 70 percent of each capacity by its own metric."
  }
}

run "capacity_is_left_to_autoscaling" {
  module { source = "./modules/table" }

  variables {
    provisioned_capacity = { read_min = 2, read_max = 10, write_min = 6, write_max = 500 }
  }

  assert {
    condition     = aws_dynamodb_table.this[0].read_capacity == 1 && aws_dynamodb_table.this[0].write_capacity == 5 && aws_appautoscaling_target.this["read"].min_capacity == 2
    error_message = "Terraform must leave a capacity that autoscaling may have changed."
  }
}

run "defaults" {
  module { source = "./modules/table" }
  state_key = "defaults"

  assert {
    condition     = aws_dynamodb_table.this[0].name == "orders" && aws_dynamodb_table.this[0].hash_key == "order_id" && aws_dynamodb_table.this[0].range_key == null
    error_message = "The table must have the given key."
  }
  assert {
    condition     = toset([for attribute in aws_dynamodb_table.this[0].attribute : "${attribute.name}:${attribute.type}"]) == toset(["order_id:S"])
    error_message = "The key attribute, and no other, must be declared."
  }
  assert {
    condition     = aws_dynamodb_table.this[0].billing_mode == "PAY_PER_REQUEST" && aws_dynamodb_table.this[0].table_class == "STANDARD" && length(aws_appautoscaling_target.this) == 0
    error_message = "The table must be billed per request."
  }
  assert {
    condition     = aws_dynamodb_table.this[0].point_in_time_recovery[0].enabled && aws_dynamodb_table.this[0].deletion_protection_enabled
    error_message = "The table must be restorable and protected."
  }
  assert {
    condition     = !aws_dynamodb_table.this[0].server_side_encryption[0].enabled
    error_message = "Without a key, the table must be encrypted with the key that AWS owns."
  }
  assert {
    condition     = length(aws_dynamodb_table.this[0].ttl) == 0 && !aws_dynamodb_table.this[0].stream_enabled && output.stream_arn == null
    error_message = "There must be no expiry and no stream by default."
  }
  assert {
    condition     = jsonencode(output.keys) == jsonencode([var.partition_key])
    error_message = "The output must list the table's keys."
  }
  assert {
    condition     = [output.name, output.arn, output.writer_policy_json] == ["orders", aws_dynamodb_table.this[0].arn, data.aws_iam_policy_document.writer.json]
    error_message = "The outputs must describe what was created."
  }
}

run "every_feature" {
  module { source = "./modules/table" }
  state_key = "every_feature"

  variables {
    partition_key                  = { name = "customer", type = "N" }
    sort_key                       = { name = "number", type = "S" }
    ttl                            = { attribute = "expires_at", enabled = false }
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
    error_message = "The table must have the given keys."
  }
  assert {
    condition     = !aws_dynamodb_table.this[0].ttl[0].enabled && aws_dynamodb_table.this[0].ttl[0].attribute_name == "expires_at"
    error_message = "Items must not expire while expiry is disabled, although the attribute is named."
  }
  assert {
    condition     = jsonencode(output.keys) == jsonencode([var.partition_key, var.sort_key])
    error_message = "The output must list the table's keys, the partition key first."
  }
  assert {
    condition     = aws_dynamodb_table.this[0].table_class == "STANDARD_INFREQUENT_ACCESS" && aws_dynamodb_table.this[0].stream_enabled && aws_dynamodb_table.this[0].stream_view_type == "NEW_AND_OLD_IMAGES" && output.stream_arn == aws_dynamodb_table.this[0].stream_arn
    error_message = "Class and stream must be as given."
  }
  assert {
    condition     = !aws_dynamodb_table.this[0].point_in_time_recovery[0].enabled && !aws_dynamodb_table.this[0].deletion_protection_enabled
    error_message = "Recovery and protection must be off."
  }
  assert {
    condition     = aws_dynamodb_table.this[0].server_side_encryption[0].enabled && aws_dynamodb_table.this[0].server_side_encryption[0].kms_key_arn == var.kms_key.arn
    error_message = "The key must encrypt the table."
  }
  assert {
    condition     = aws_appautoscaling_target.this["write"].max_capacity == 500 && aws_appautoscaling_target.this["read"].max_capacity == 10 && aws_appautoscaling_target.this["read"].resource_id == "table/${aws_dynamodb_table.this[0].id}"
    error_message = "Autoscaling must be able to reach the maxima."
  }
  assert {
    condition     = aws_appautoscaling_policy.this["write"].target_tracking_scaling_policy_configuration[0].target_value == 60
    error_message = "Autoscaling must target the given utilization."
  }
  assert {
    condition     = aws_dynamodb_table.this[0].tags.team == "orders" && aws_appautoscaling_target.this["read"].tags.team == "orders"
    error_message = "Tags must reach every resource."
  }
}

run "existing_table" {
  module { source = "./modules/table" }
  state_key = "existing_table"

  variables {
    existing_table = { name = "theirs", arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/theirs" }
  }

  assert {
    condition     = length(aws_dynamodb_table.this) == 0 && length(aws_appautoscaling_target.this) == 0
    error_message = "Nothing may be created for an existing table."
  }
  assert {
    condition     = output.name == "theirs" && jsonencode(output.keys) == jsonencode([var.partition_key]) && output.arn == var.existing_table.arn && data.aws_iam_policy_document.writer.statement[0].resources == toset([var.existing_table.arn])
    error_message = "Outputs and policy must be those of the existing table."
  }
}

run "smallest" {
  module { source = "./modules/table" }
  state_key = "smallest"
  command   = plan

  variables {
    name                 = "abc"
    partition_key        = { name = "p", type = "S" }
    sort_key             = { name = "s", type = "S" }
    ttl                  = { attribute = "t" }
    provisioned_capacity = { read_min = 1, read_max = 1, write_min = 1, write_max = 1, target_utilization = 20 }
  }

  assert {
    condition     = aws_dynamodb_table.this[0].hash_key == "p" && aws_dynamodb_table.this[0].range_key == "s" && aws_dynamodb_table.this[0].ttl[0].attribute_name == "t"
    error_message = "The shortest names must be accepted."
  }
  assert {
    condition     = aws_dynamodb_table.this[0].ttl[0].enabled
    error_message = "An attribute that is given must expire items by default."
  }
}

run "largest" {
  module { source = "./modules/table" }
  state_key = "largest"
  command   = plan

  variables {
    name                 = join("", [for _ in range(255) : "t"])
    partition_key        = { name = join("", [for _ in range(255) : "p"]), type = "S" }
    sort_key             = { name = join("", [for _ in range(255) : "s"]), type = "S" }
    ttl                  = { attribute = join("", [for _ in range(255) : "t"]) }
    provisioned_capacity = { read_min = 40000, read_max = 40000, write_min = 40000, write_max = 40000, target_utilization = 90 }
  }

  assert {
    condition     = length(aws_dynamodb_table.this[0].range_key) == 255
    error_message = "The longest names must be accepted."
  }
}

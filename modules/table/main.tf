resource "aws_dynamodb_table" "this" {
  # checkov:skip=CKV2_AWS_16:on demand by default, and provisioned only together with autoscaling, below
  count = var.existing_table == null ? 1 : 0

  name         = var.name
  billing_mode = var.provisioned_capacity == null ? "PAY_PER_REQUEST" : "PROVISIONED"
  table_class  = var.table_class

  hash_key  = var.partition_key.name
  range_key = one(var.sort_key[*].name)

  read_capacity  = one(var.provisioned_capacity[*].read_min)
  write_capacity = one(var.provisioned_capacity[*].write_min)

  deletion_protection_enabled = var.deletion_protection_enabled

  stream_enabled   = var.stream_view_type != null
  stream_view_type = var.stream_view_type

  dynamic "attribute" {
    for_each = concat([var.partition_key], var.sort_key[*])

    content {
      name = attribute.value.name
      type = attribute.value.type
    }
  }

  dynamic "ttl" {
    for_each = var.ttl_attribute[*]

    content {
      enabled        = true
      attribute_name = ttl.value
    }
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery_enabled
  }

  # Without a key of the team's: the key that AWS owns, which costs nothing and cannot be disabled.
  server_side_encryption {
    enabled     = var.kms_key != null
    kms_key_arn = one(var.kms_key[*].arn)
  }

  tags = var.tags

  lifecycle {
    # Autoscaling moves them.
    ignore_changes = [read_capacity, write_capacity]

    precondition {
      condition     = try(var.sort_key.name != var.partition_key.name, true)
      error_message = "partition_key and sort_key are both named \"${var.partition_key.name}\". Give them different names, or set sort_key to null for a table without one."
    }
    precondition {
      condition     = var.ttl_attribute == null || !contains(concat([var.partition_key], var.sort_key[*])[*].name, coalesce(var.ttl_attribute, "-"))
      error_message = "ttl_attribute \"${coalesce(var.ttl_attribute, "-")}\" is a key of the table. DynamoDB expires items by an attribute of its own: name another."
    }
  }
}

locals {
  name = var.existing_table != null ? var.existing_table.name : one(aws_dynamodb_table.this[*].name)
  arn  = var.existing_table != null ? var.existing_table.arn : one(aws_dynamodb_table.this[*].arn)

  autoscaled = var.existing_table != null || var.provisioned_capacity == null ? {} : {
    read = {
      dimension = "dynamodb:table:ReadCapacityUnits"
      metric    = "DynamoDBReadCapacityUtilization"
      min       = var.provisioned_capacity.read_min
      max       = var.provisioned_capacity.read_max
    }
    write = {
      dimension = "dynamodb:table:WriteCapacityUnits"
      metric    = "DynamoDBWriteCapacityUtilization"
      min       = var.provisioned_capacity.write_min
      max       = var.provisioned_capacity.write_max
    }
  }
}

resource "aws_appautoscaling_target" "this" {
  for_each = local.autoscaled

  service_namespace  = "dynamodb"
  resource_id        = "table/${local.name}"
  scalable_dimension = each.value.dimension
  min_capacity       = each.value.min
  max_capacity       = each.value.max

  tags = var.tags
}

resource "aws_appautoscaling_policy" "this" {
  for_each = local.autoscaled

  name               = "${var.name}-${each.key}"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this[each.key].service_namespace
  resource_id        = aws_appautoscaling_target.this[each.key].resource_id
  scalable_dimension = aws_appautoscaling_target.this[each.key].scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value = var.provisioned_capacity.target_utilization

    predefined_metric_specification {
      predefined_metric_type = each.value.metric
    }
  }
}

data "aws_iam_policy_document" "writer" {
  # PartiQL INSERT for new keys, a conditional PutItem for keys that exist. Neither reads.
  statement {
    sid       = "WriteItems"
    actions   = ["dynamodb:PartiQLInsert", "dynamodb:PutItem"]
    resources = [local.arn]
  }

  dynamic "statement" {
    for_each = var.kms_key[*]

    content {
      sid       = "DecryptTable"
      actions   = ["kms:Decrypt", "kms:DescribeKey"]
      resources = [statement.value.arn]

      condition {
        test     = "StringLike"
        variable = "kms:ViaService"
        values   = ["dynamodb.*.amazonaws.com"]
      }
    }
  }
}

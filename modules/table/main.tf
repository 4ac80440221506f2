data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

# The region: data.aws_region has no attribute that providers 5 and 6 both know without a warning, see docs/compatibility.md.
data "aws_service_principal" "dynamodb" {
  service_name = "dynamodb"
}

locals {
  is_own = nonsensitive(var.existing_table == null)
  keys   = concat([var.partition_key], var.sort_key[*])

  # As text: a null of another type would count as a change, and another number of keys is another type.
  identity = jsonencode({ name = var.name, keys = local.keys, is_own = local.is_own })
}

# A change of this replaces what names it in replace_triggered_by, below. While protected it never changes, and the switch from
# "protected" to "unprotected" is not a change either, so a replacement in the apply that removes the protection is refused too.
resource "terraform_data" "replaceable" {
  for_each = toset([var.deletion_protection_enabled ? "protected" : "unprotected"])

  input = each.key == "protected" ? null : local.identity
}

# Whether the module created the table, as of the last apply in which that could change.
resource "terraform_data" "is_own" {
  input = local.is_own

  lifecycle {
    ignore_changes       = [input]
    replace_triggered_by = [terraform_data.replaceable]

    postcondition {
      condition     = self.output == local.is_own
      error_message = "existing_table is ${local.is_own ? "no longer" : "now"} set, which would ${local.is_own ? "create an empty table" : "delete the table that was created here, with its items"}, and deletion protection is on, or was at the last apply. ${local.first_unprotect}"
    }
  }
}

locals {
  first_unprotect = "Set deletion_protection_enabled to false and apply that change alone first; docs/changing.md describes how to keep the items."
}

resource "aws_dynamodb_table" "this" {
  # checkov:skip=CKV2_AWS_16:on demand by default, and provisioned only together with autoscaling, below
  # Not local.is_own, which checkov can follow: it would then demand a customer managed key for every table (CKV_AWS_119), which kms_key
  # decides; docs/security-controls.md has the details.
  count = nonsensitive(var.existing_table == null) ? 1 : 0

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
    for_each = local.keys

    content {
      name = attribute.value.name
      type = attribute.value.type
    }
  }

  dynamic "ttl" {
    for_each = var.ttl.attribute[*]

    content {
      enabled        = var.ttl.enabled
      attribute_name = ttl.value
    }
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery_enabled
  }

  # Without kms_key: the key that AWS owns, which costs nothing and cannot be disabled.
  server_side_encryption {
    enabled     = var.kms_key != null
    kms_key_arn = one(var.kms_key[*].arn)
  }

  tags = var.tags

  lifecycle {
    # Autoscaling changes the capacity. Name and keys change only by replacement, which terraform_data.replaceable triggers: the
    # provider would not notice a key's new type (terraform-provider-aws#23618).
    ignore_changes       = [name, hash_key, range_key, attribute, read_capacity, write_capacity]
    replace_triggered_by = [terraform_data.replaceable]

    precondition {
      condition     = try(var.sort_key.name != var.partition_key.name, true)
      error_message = "partition_key.name and sort_key.name are both \"${var.partition_key.name}\". Choose different names, or set sort_key to null for a table without one."
    }
    precondition {
      condition     = var.ttl.attribute == null || !contains(local.keys[*].name, coalesce(var.ttl.attribute, "-"))
      error_message = "ttl.attribute (table_ttl.attribute) is \"${coalesce(var.ttl.attribute, "-")}\", which is a key of the table. DynamoDB expires items by an attribute that is not a key. Choose another."
    }

    postcondition {
      condition = jsonencode([self.name, self.hash_key, self.range_key, { for one in self.attribute : one.name => one.type }]) == jsonencode(
      [var.name, var.partition_key.name, one(var.sort_key[*].name), { for one in local.keys : one.name => one.type }])
      error_message = "Table ${self.name} with the keys ${join(", ", [for name in compact([self.hash_key, self.range_key]) : "${name} (${one([for one in self.attribute : one.type if one.name == name])})"])} would have to be replaced, with all its items, by ${var.name} with ${join(", ", [for one in local.keys : "${one.name} (${one.type})"])}, and deletion protection is on, or was at the last apply. ${local.first_unprotect} If you have done so and DynamoDB then refused to delete it, add -replace with the table's address."
    }
    postcondition {
      condition     = var.ttl.attribute != null || !try(self.ttl[0].enabled, false)
      error_message = "ttl.attribute (table_ttl.attribute) is null, but table ${self.name} expires items by ${try(coalesce(self.ttl[0].attribute_name), "null")}, and the provider would not stop that. Keep the attribute, set enabled to false beside it, and apply; then remove both."
    }
    postcondition {
      condition     = var.provisioned_capacity == null || try(self.read_capacity >= 1 && self.write_capacity >= 1, true)
      error_message = "Table ${self.name} is billed per request and would start at one unit, until autoscaling acts. First switch it to the minimum with: aws dynamodb update-table --table-name ${self.name} --billing-mode PROVISIONED --provisioned-throughput ReadCapacityUnits=${try(var.provisioned_capacity.read_min, 1)},WriteCapacityUnits=${try(var.provisioned_capacity.write_min, 1)}. Then apply."
    }
  }
}

locals {
  name = local.is_own ? one(aws_dynamodb_table.this[*].name) : var.existing_table.name

  # Built from the name rather than read from the table, so that policies are neither created after the table nor removed before it.
  arn = local.is_own ? "arn:${data.aws_partition.current.partition}:dynamodb:${data.aws_service_principal.dynamodb.region}:${data.aws_caller_identity.current.account_id}:table/${var.name}" : var.existing_table.arn

  autoscaled = !local.is_own || var.provisioned_capacity == null ? {} : {
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
  resource_id        = "table/${aws_dynamodb_table.this[0].id}"
  scalable_dimension = each.value.dimension
  min_capacity       = each.value.min
  max_capacity       = each.value.max

  tags = var.tags
}

resource "aws_appautoscaling_policy" "this" {
  for_each = local.autoscaled

  name               = each.value.metric
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
  # PartiQL INSERT for new keys, a conditional PutItem for existing ones. Neither reads.
  statement {
    sid       = "WriteItems"
    actions   = ["dynamodb:PartiQLInsert", "dynamodb:PutItem"]
    resources = [local.arn]
  }

  # Any key, but only through DynamoDB, which takes minutes to change a table's key.
  statement {
    sid       = "DecryptTable"
    actions   = ["kms:Decrypt", "kms:DescribeKey"]
    resources = ["arn:${data.aws_partition.current.partition}:kms:${data.aws_service_principal.dynamodb.region}:*:key/*"]

    condition {
      test     = "StringLike"
      variable = "kms:ViaService"
      values   = distinct(["dynamodb.*.amazonaws.com", "dynamodb.*.${data.aws_partition.current.dns_suffix}"])
    }
  }
}

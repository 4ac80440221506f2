output "name" {
  description = "Name of the table."
  value       = local.name
}

output "arn" {
  description = "ARN of the table."
  value       = local.is_own ? one(aws_dynamodb_table.this[*].arn) : var.existing_table.arn
}

output "keys" {
  description = "Name and type of the table's partition key and, if it has one, of its sort key."
  value = local.is_own ? [
    for name in compact([one(aws_dynamodb_table.this[*].hash_key), one(aws_dynamodb_table.this[*].range_key)]) :
    { name = name, type = one([for one in aws_dynamodb_table.this[0].attribute : one.type if one.name == name]) }
  ] : local.keys
}

output "stream_arn" {
  description = "ARN of the table's stream, null without one."
  value       = var.stream_view_type == null ? null : one(aws_dynamodb_table.this[*].stream_arn)
}

output "writer_policy_json" {
  description = "IAM policy document for a role that writes items as the process function does."
  value       = data.aws_iam_policy_document.writer.json
}

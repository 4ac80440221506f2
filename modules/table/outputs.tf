output "name" {
  description = "Name of the table."
  value       = local.name
}

output "arn" {
  description = "ARN of the table."
  value       = local.arn
}

output "stream_arn" {
  description = "ARN of the table's stream, null without one."
  value       = var.stream_view_type == null ? null : one(aws_dynamodb_table.this[*].stream_arn)
}

output "writer_policy_json" {
  description = "IAM policy document with what a role needs to write items as the process function does."
  value       = data.aws_iam_policy_document.writer.json
}

output "name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}

output "arn" {
  description = "ARN of the function, without a version."
  value       = aws_lambda_function.this.arn
}

output "alias_arn" {
  description = "ARN of the alias \"live\", which callers invoke."
  value       = aws_lambda_alias.live.arn
}

output "alias_name" {
  description = "Name of the alias."
  value       = aws_lambda_alias.live.name
}

output "version" {
  description = "Version that the alias points to."
  value       = aws_lambda_alias.live.function_version
}

output "role_arn" {
  description = "ARN of the execution role."
  value       = local.role_arn
}

output "log_group_name" {
  description = "Name of the log group."
  value       = aws_cloudwatch_log_group.this.name
}

output "security_group_id" {
  description = "ID of the function's security group; null outside a VPC."
  value       = one(aws_security_group.this[*].id)
}

output "policy_json" {
  description = "IAM policy document with everything that the function's role needs, for the owner of an existing_role."
  value       = data.aws_iam_policy_document.this.json
}

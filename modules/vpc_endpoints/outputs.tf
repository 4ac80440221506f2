output "sqs_endpoint_id" {
  description = "ID of the SQS interface endpoint."
  value       = aws_vpc_endpoint.interface["sqs"].id
}

output "sqs_security_group_id" {
  description = "ID of the SQS endpoint's security group, for the functions' egress rules."
  value       = aws_security_group.interface["sqs"].id
}

output "dynamodb_endpoint_id" {
  description = "ID of the DynamoDB gateway endpoint."
  value       = aws_vpc_endpoint.dynamodb.id
}

output "dynamodb_prefix_list_id" {
  description = "ID of the prefix list of DynamoDB's addresses, for the functions' egress rules."
  value       = aws_vpc_endpoint.dynamodb.prefix_list_id
}

output "secrets_manager_endpoint_id" {
  description = "ID of the Secrets Manager interface endpoint; null without secret_arns."
  value       = try(aws_vpc_endpoint.interface["secrets_manager"].id, null)
}

output "secrets_manager_security_group_id" {
  description = "ID of the Secrets Manager endpoint's security group, for the functions' egress rules; null without secret_arns."
  value       = try(aws_security_group.interface["secrets_manager"].id, null)
}

output "subnet_ids" {
  description = "IDs of the functions' subnets, once all services can be reached from them. Give these to the functions."
  value       = var.subnet_ids

  depends_on = [aws_vpc_endpoint.interface, aws_vpc_endpoint.dynamodb]
}

output "endpoint_url" {
  description = "URL that takes orders by POST. With a certificate, use a name that it covers instead; null with existing_listener, whose load balancer's name applies."
  value       = one(module.load_balancer[*].endpoint_url)
}

output "max_orders_per_request" {
  description = "Orders that one request may have at most, as process must be able to settle them: 1000, and fewer with a short process_timeout_seconds, little process_memory_size, or a large process_batch_size and few deliveries."
  value       = local.max_orders_per_request
}

output "survived_outage_seconds" {
  description = "Seconds for which every delivery of an order may fail before it moves to the dead-letter queue."
  value       = try(module.queue[0].survived_outage_seconds, null)
}

output "load_balancer_name" {
  description = "Name of the load balancer, null with existing_listener."
  value       = one(module.load_balancer[*].name)
}

output "load_balancer_arn" {
  description = "ARN of the load balancer, null with existing_listener."
  value       = one(module.load_balancer[*].arn)
}

output "load_balancer_dns_name" {
  description = "DNS name of the load balancer, null with existing_listener."
  value       = one(module.load_balancer[*].dns_name)
}

output "load_balancer_zone_id" {
  description = "Hosted zone of the load balancer's DNS name, for an alias record; null with existing_listener."
  value       = one(module.load_balancer[*].zone_id)
}

output "load_balancer_security_group_id" {
  description = "ID of the load balancer's security group, null with existing_listener."
  value       = one(module.load_balancer[*].security_group_id)
}

output "target_group_arn" {
  description = "ARN of the target group."
  value       = one(module.load_balancer[*].target_group_arn)
}

output "ingest_function_name" {
  description = "Name of the ingest function."
  value       = one(module.ingest[*].name)
}

output "ingest_function_arn" {
  description = "ARN of the ingest function, without a version."
  value       = one(module.ingest[*].arn)
}

output "ingest_role_arn" {
  description = "ARN of the ingest function's role."
  value       = one(module.ingest[*].role_arn)
}

output "ingest_policy_json" {
  description = "IAM policy document with everything that the ingest role needs, for those who bring a role of their own."
  value       = try(module.ingest[0].policy_json, null) # not [*]: a role made from it would wait for the function
}

output "ingest_security_group_id" {
  description = "ID of the ingest function's security group."
  value       = one(module.ingest[*].security_group_id)
}

output "queue_name" {
  description = "Name of the queue."
  value       = one(module.queue[*].name)
}

output "queue_url" {
  description = "URL of the queue."
  value       = one(module.queue[*].url)
}

output "queue_arn" {
  description = "ARN of the queue."
  value       = one(module.queue[*].arn)
}

output "dead_letter_queue_name" {
  description = "Name of the dead-letter queue."
  value       = one(module.queue[*].dead_letter_name)
}

output "dead_letter_queue_url" {
  description = "URL of the dead-letter queue."
  value       = one(module.queue[*].dead_letter_url)
}

output "dead_letter_queue_arn" {
  description = "ARN of the dead-letter queue."
  value       = one(module.queue[*].dead_letter_arn)
}

output "event_source_mapping_id" {
  description = "ID of the event source mapping from the queue to the process function, for those who must pause it."
  value       = one(aws_lambda_event_source_mapping.process[*].uuid)
}

output "process_function_name" {
  description = "Name of the process function."
  value       = one(module.process[*].name)
}

output "process_function_arn" {
  description = "ARN of the process function, without a version."
  value       = one(module.process[*].arn)
}

output "process_role_arn" {
  description = "ARN of the process function's role."
  value       = one(module.process[*].role_arn)
}

output "process_policy_json" {
  description = "IAM policy document with everything that the process role needs, for those who bring a role of their own."
  value       = try(module.process[0].policy_json, null) # not [*]: a role made from it would wait for the function
}

output "process_security_group_id" {
  description = "ID of the process function's security group."
  value       = one(module.process[*].security_group_id)
}

output "table_name" {
  description = "Name of the table."
  value       = one(module.table[*].name)
}

output "table_arn" {
  description = "ARN of the table."
  value       = one(module.table[*].arn)
}

output "vpc_id" {
  description = "ID of the VPC, built or given."
  value       = local.network.vpc_id
}

output "load_balancer_subnet_ids" {
  description = "IDs of the load balancer's subnets, the public ones of a VPC that is built."
  value       = local.network.load_balancer_subnet_ids
}

output "function_subnet_ids" {
  description = "IDs of the functions' subnets, the private ones of a VPC that is built."
  value       = local.network.function_subnet_ids
}

output "kms_key_policy_json" {
  description = "Key policy with what the customer managed key in kms_key must allow: IAM of this account, and CloudWatch Logs for the log groups of this name."
  value       = data.aws_iam_policy_document.kms_key.json
}

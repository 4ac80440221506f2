output "endpoint_url" {
  description = "URL to which orders are POSTed. With certificate, use a name that it covers instead. null with existing_listener: use the name of its load balancer."
  value       = module.load_balancer.endpoint_url
}

output "next_steps" {
  description = "What to do next, as text with commands to copy: send an order, see its row, find out why it does not arrive, see traffic and alarms, read the logs, look at dead letters, pause. Show it with: terraform output -raw next_steps"
  value       = local.next_steps
}

output "max_orders_per_request" {
  description = "Maximum number of orders in one request, because process must be able to settle them: 1000, or fewer with a short process_timeout_seconds, a small process_memory_size, or a large process_batch_size with few deliveries."
  value       = local.max_orders_per_request
}

output "survived_outage_seconds" {
  description = "Seconds for which every delivery of an order may fail before the order moves to the dead-letter queue."
  value       = module.queue.survived_outage_seconds
}

output "load_balancer_name" {
  description = "Name of the load balancer; null with existing_listener."
  value       = module.load_balancer.name
}

output "load_balancer_arn" {
  description = "ARN of the load balancer; null with existing_listener."
  value       = module.load_balancer.arn
}

output "load_balancer_dns_name" {
  description = "DNS name of the load balancer; null with existing_listener."
  value       = module.load_balancer.dns_name
}

output "load_balancer_zone_id" {
  description = "Hosted zone of the load balancer's DNS name, for an alias record; null with existing_listener."
  value       = module.load_balancer.zone_id
}

output "load_balancer_security_group_id" {
  description = "ID of the load balancer's security group; null with existing_listener."
  value       = module.load_balancer.security_group_id
}

output "listener_arn" {
  description = "ARN of the listener that accepts orders: that of HTTPS if there is one, and existing_listener's if it is set. For rules of your own with listener_rules_enabled = false."
  value       = module.load_balancer.listener_arn
}

output "target_group_arn" {
  description = "ARN of the target group, once it has the function as its target."
  value       = module.load_balancer.target_group_arn
}

output "path_patterns" {
  description = "Values of a listener rule's path pattern by path, such as { \"/orders\" = [\"/orders\", \"/orders/\"] }. Ingest answers nothing else."
  value       = module.load_balancer.path_patterns
}

output "ingest_function_name" {
  description = "Name of the ingest function."
  value       = module.ingest.name
}

output "ingest_function_arn" {
  description = "ARN of the ingest function, without a version."
  value       = module.ingest.arn
}

output "ingest_role_arn" {
  description = "ARN of the ingest function's role."
  value       = module.ingest.role_arn
}

output "ingest_policy_json" {
  description = "IAM policy document with everything that the ingest role needs, for the owner of existing_roles.ingest."
  value       = module.ingest.policy_json
}

output "ingest_security_group_id" {
  description = "ID of the ingest function's security group."
  value       = module.ingest.security_group_id
}

output "queue_name" {
  description = "Name of the queue."
  value       = module.queue.name
}

output "queue_url" {
  description = "URL of the queue."
  value       = module.queue.url
}

output "queue_arn" {
  description = "ARN of the queue."
  value       = module.queue.arn
}

output "dead_letter_queue_name" {
  description = "Name of the dead-letter queue."
  value       = module.queue.dead_letter_name
}

output "dead_letter_queue_url" {
  description = "URL of the dead-letter queue."
  value       = module.queue.dead_letter_url
}

output "dead_letter_queue_arn" {
  description = "ARN of the dead-letter queue."
  value       = module.queue.dead_letter_arn
}

output "event_source_mapping_id" {
  description = "ID of the event source mapping from the queue to the process function, for pausing the consumer."
  value       = aws_lambda_event_source_mapping.process.uuid
}

output "process_function_name" {
  description = "Name of the process function."
  value       = module.process.name
}

output "process_function_arn" {
  description = "ARN of the process function, without a version."
  value       = module.process.arn
}

output "process_role_arn" {
  description = "ARN of the process function's role."
  value       = module.process.role_arn
}

output "process_policy_json" {
  description = "IAM policy document with everything that the process role needs, for the owner of existing_roles.process."
  value       = module.process.policy_json
}

output "process_security_group_id" {
  description = "ID of the process function's security group."
  value       = module.process.security_group_id
}

output "table_name" {
  description = "Name of the table."
  value       = module.table.name
}

output "table_arn" {
  description = "ARN of the table."
  value       = module.table.arn
}

output "table_stream_arn" {
  description = "ARN of the table's stream; null without table_stream_view_type."
  value       = module.table.stream_arn
}

output "vpc_id" {
  description = "ID of the VPC, created or existing."
  value       = local.network.vpc_id
}

output "load_balancer_subnet_ids" {
  description = "IDs of the load balancer's subnets; the public ones if the VPC is created here."
  value       = local.network.load_balancer_subnet_ids
}

output "function_subnet_ids" {
  description = "IDs of the functions' subnets; the private ones if the VPC is created here."
  value       = local.network.function_subnet_ids
}

output "function_route_table_ids" {
  description = "IDs of the route tables of the functions' subnets, for routes to networks that handlers of your own call."
  value       = local.network.function_route_table_ids
}

output "load_balancer_route_table_id" {
  description = "ID of the route table of the load balancer's subnets, for routes back to clients in connected networks; null with existing_network."
  value       = local.creates_vpc ? module.network[0].public_route_table_id : null
}

output "kms_key_policy_json" {
  description = "Key policy that the customer managed key in kms_key must contain: it admits this account's IAM policies, and CloudWatch Logs for this system's log groups."
  value       = data.aws_iam_policy_document.kms_key.json
}

output "alarm_arns" {
  description = "ARN of each alarm by its name without the system's, composite ones included; empty without observability."
  value       = local.is_observed ? module.observability[0].alarm_arns : {}
}

output "alarm_names" {
  description = "Name of each alarm by its name without the system's, for example for a rule that mutes them during a deployment; empty without observability."
  value       = local.is_observed ? module.observability[0].alarm_names : {}
}

output "dashboard_name" {
  description = "Name of the dashboard; null without one."
  value       = one(module.observability[*].dashboard_name)
}

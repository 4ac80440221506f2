output "endpoint_url" {
  description = "URL to which orders are POSTed, from client_cidr_blocks, or else from inside the VPC."
  value       = module.async_ingest.endpoint_url
}

output "next_steps" {
  description = "What to do next, as text with commands to copy: terraform output -raw next_steps"
  value       = module.async_ingest.next_steps
}

output "load_balancer_name" {
  description = "Name of the load balancer."
  value       = module.async_ingest.load_balancer_name
}

output "queue_url" {
  description = "URL of the queue."
  value       = module.async_ingest.queue_url
}

output "dead_letter_queue_url" {
  description = "URL of the dead-letter queue."
  value       = module.async_ingest.dead_letter_queue_url
}

output "table_name" {
  description = "Name of the table."
  value       = module.async_ingest.table_name
}

output "event_source_mapping_id" {
  description = "ID of the event source mapping, for pausing the consumer."
  value       = module.async_ingest.event_source_mapping_id
}

output "ingest_policy_json" {
  description = "IAM policy document with what the role must allow for ingest."
  value       = module.async_ingest.ingest_policy_json
}

output "process_policy_json" {
  description = "IAM policy document with what the role must allow for process."
  value       = module.async_ingest.process_policy_json
}

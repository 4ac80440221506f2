output "name" {
  description = "Name of the load balancer; null with existing_listener."
  value       = one(aws_lb.this[*].name)
}

output "arn" {
  description = "ARN of the load balancer; null with existing_listener."
  value       = one(aws_lb.this[*].arn)
}

output "dns_name" {
  description = "DNS name of the load balancer; null with existing_listener."
  value       = one(aws_lb.this[*].dns_name)
}

output "zone_id" {
  description = "Hosted zone of the load balancer's DNS name, for an alias record; null with existing_listener."
  value       = one(aws_lb.this[*].zone_id)
}

output "endpoint_url" {
  description = "URL to which orders are POSTed; null with existing_listener. With a certificate, use a name that it covers instead of the load balancer's."
  value       = one([for balancer in aws_lb.this : "${local.has_tls ? "https" : "http"}://${balancer.dns_name}${var.paths[0]}"])
}

output "listener_arn" {
  description = "ARN of the listener that accepts orders: the HTTPS listener if there is one."
  value       = coalesce(local.listener_arns.existing, local.listener_arns.https, local.listener_arns.http)
}

output "target_group_arn" {
  description = "ARN of the target group, once it has the function as its target."
  value       = aws_lb_target_group.this.arn

  # Until then, a rule of the caller's own would answer 503.
  depends_on = [aws_lb_target_group_attachment.this]
}

output "path_patterns" {
  description = "Values of a rule's path pattern, with and without a trailing slash, by path."
  value       = local.path_patterns
}

output "security_group_id" {
  description = "ID of the load balancer's security group; null with existing_listener."
  value       = one(aws_security_group.this[*].id)
}

output "alarm_arns" {
  description = "ARN of each alarm by its name without the system's, composite ones included."
  value       = { for key, alarm in merge(aws_cloudwatch_metric_alarm.this, aws_cloudwatch_composite_alarm.objective) : key => alarm.arn }
}

output "alarm_names" {
  description = "Name of each alarm by its name without the system's, for example for a rule that mutes them."
  value       = { for key, alarm in merge(aws_cloudwatch_metric_alarm.this, aws_cloudwatch_composite_alarm.objective) : key => alarm.alarm_name }
}

output "dashboard_name" {
  description = "Name of the dashboard; null without one."
  value       = one(aws_cloudwatch_dashboard.this[*].dashboard_name)
}

output "query_names" {
  description = "Names of the saved queries of CloudWatch Logs Insights."
  value       = [for query in aws_cloudwatch_query_definition.this : query.name]
}

output "name" {
  description = "Name of the queue."
  value       = aws_sqs_queue.this.name
}

output "url" {
  description = "URL of the queue, for producers."
  value       = aws_sqs_queue.this.url
}

output "arn" {
  description = "ARN of the queue."
  value       = aws_sqs_queue.this.arn
}

output "max_message_bytes" {
  description = "Largest message in bytes, including attributes."
  value       = aws_sqs_queue.this.max_message_size
}

output "visibility_timeout_seconds" {
  description = "Seconds for which a delivered message stays hidden."
  value       = aws_sqs_queue.this.visibility_timeout_seconds
}

output "max_receive_count" {
  description = "Deliveries after which a message moves to the dead-letter queue."
  value       = local.max_receive_count

  # A consumer's timeout must not be raised before the queue's visibility timeout.
  depends_on = [aws_sqs_queue.this]
}

output "survived_outage_seconds" {
  description = "Seconds for which every delivery of a message may fail before it moves to the dead-letter queue."
  value       = local.survived_outage_seconds
}

output "dead_letter_name" {
  description = "Name of the dead-letter queue."
  value       = aws_sqs_queue.dead_letter.name
}

output "dead_letter_url" {
  description = "URL of the dead-letter queue."
  value       = aws_sqs_queue.dead_letter.url
}

output "dead_letter_arn" {
  description = "ARN of the dead-letter queue."
  value       = aws_sqs_queue.dead_letter.arn
}

output "producer_policy_json" {
  description = "IAM policy document for a role that sends to the queue."
  value       = data.aws_iam_policy_document.producer.json
}

output "consumer_policy_json" {
  description = "IAM policy document for the role of a function that consumes the queue and may dead-letter a message immediately."
  value       = data.aws_iam_policy_document.consumer.json
}

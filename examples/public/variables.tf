variable "name" {
  description = "Prefix of every resource name: 3 to 24 lower-case letters, digits and hyphens. Changing it replaces everything."
  type        = string
  default     = "async-ingest"
}

variable "region" {
  description = "AWS region. Changing it creates a second system rather than moving the first."
  type        = string
  default     = "us-east-1"
}

variable "deletion_protection" {
  description = "Have AWS refuse to delete the table and the load balancer. Before an intentional destroy, set it to false and apply that change alone."
  type        = bool
  default     = true
}

variable "domain_name" {
  description = "Domain name at which clients reach the endpoint, in the hosted zone. A change issues a new certificate."
  type        = string
}

variable "zone_id" {
  description = "ID of the public Route 53 hosted zone that contains domain_name."
  type        = string
}

variable "access_logs_bucket" {
  description = "S3 bucket for access logs; its policy must allow Elastic Load Balancing to write."
  type        = string
}

variable "requests_per_client" {
  description = "Requests per minute that one IP address may send, at least 10. Beyond that, AWS WAF answers 429 until the client sends less."
  type        = number
  default     = 600
}

variable "clients_secret_arn" {
  description = "ARN of a Secrets Manager secret in this region with a secret for each client: JSON such as { \"shop\": \"…\" }, each of at least 32 characters."
  type        = string
}

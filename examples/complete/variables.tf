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
  description = "ID of the Route 53 hosted zone that contains domain_name."
  type        = string
}

variable "access_logs_bucket" {
  description = "S3 bucket for access logs; its policy must allow Elastic Load Balancing to write."
  type        = string
}

variable "alarm_topic_arns" {
  description = "ARNs of up to 5 SNS topics that alarms notify; not encrypted with alias/aws/sns, under which CloudWatch cannot publish."
  type        = list(string)
  default     = []
}

variable "client_cidr_blocks" {
  description = "IPv4 ranges of the clients, for example of offices and peered VPCs, at most 25."
  type        = list(string)
  default     = ["10.0.0.0/8"]
}

variable "availability_zones" {
  description = "Names of 2 to 8 zones of the region. Append new ones at the end, and remove from the end."
  type        = list(string)
  default     = ["us-east-1a", "us-east-1b", "us-east-1c"]
}

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

variable "client_cidr_blocks" {
  description = "IPv4 ranges on the internet that may send orders, such as [\"203.0.113.7/32\"] for one laptop; orders then cross the internet in plain text. [] keeps the load balancer inside the VPC. Adding the first range or removing the last one later replaces the load balancer."
  type        = list(string)
  default     = []
}

variable "deletion_protection" {
  description = "Have AWS refuse to delete the table and the load balancer, and the plan refuse to replace them or the queues. A lab is deleted within hours, so it is off here."
  type        = bool
  default     = false
}

variable "role_name" {
  description = "Name of the pre-made role that both functions use. Changing it publishes a new version of both."
  type        = string
  default     = "LabRole"
}

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

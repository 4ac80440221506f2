variable "name" {
  description = "Prefix of every name, 3 to 24 characters."
  type        = string
  default     = "async-ingest"
}

variable "region" {
  description = "AWS region to build in."
  type        = string
  default     = "us-east-1"
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the table and the load balancer. Set it to false for a stack that is to be destroyed soon."
  type        = bool
  default     = true
}

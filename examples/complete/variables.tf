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

variable "domain_name" {
  description = "Name under which clients reach the endpoint, in the hosted zone."
  type        = string
}

variable "zone_id" {
  description = "Route 53 hosted zone of the name."
  type        = string
}

variable "access_logs_bucket" {
  description = "S3 bucket for access logs, whose policy lets Elastic Load Balancing write."
  type        = string
}

variable "client_cidr_blocks" {
  description = "IPv4 ranges of the clients, for example of the offices and of peered VPCs."
  type        = list(string)
  default     = ["10.0.0.0/8"]
}

variable "availability_zones" {
  description = "Zones to build in."
  type        = list(string)
  default     = ["us-east-1a", "us-east-1b", "us-east-1c"]
}

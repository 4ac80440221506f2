variable "name" {
  description = "Prefix of every name that this module makes, 1 to 24 characters."
  type        = string
  nullable    = false
}

variable "vpc_id" {
  description = "ID of the VPC. Its DNS support and DNS host names must be on, for the SQS endpoint's private name, which takes over all traffic to SQS in this VPC: who else calls SQS there belongs into client_cidr_blocks and sqs_policy_documents."
  type        = string
  nullable    = false
}

variable "subnet_ids" {
  description = "IDs of the functions' subnets, one for each zone, where the SQS endpoint gets an address. How many there are must be known at plan."
  type        = list(string)
  nullable    = false
}

variable "route_table_ids" {
  description = "IDs of the functions' subnets' route tables, which get the route to DynamoDB: all traffic to DynamoDB from the subnets that share them goes through this endpoint and its policy."
  type        = list(string)
  nullable    = false
}

variable "client_security_group_ids" {
  description = "Security groups that may use the SQS endpoint, by a name for each: { ingest = \"sg-…\" }."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "client_cidr_blocks" {
  description = "IPv4 ranges that may use the SQS endpoint, by a name for each: { private = \"10.0.128.0/17\" }. Set it for what else calls SQS in this VPC, or for several systems whose groups are not known here."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setintersection(keys(var.client_cidr_blocks), keys(var.client_security_group_ids))) == 0
    error_message = "client_cidr_blocks and client_security_group_ids share the name ${join(", ", setintersection(keys(var.client_cidr_blocks), keys(var.client_security_group_ids)))}. Give each client a name of its own."
  }
}

variable "queue_arns" {
  description = "ARNs of the queues that may be sent to through the SQS endpoint, of each system its queue and its dead-letter queue."
  type        = list(string)
  nullable    = false
}

variable "table_arns" {
  description = "ARNs of the tables that may be written to through the DynamoDB endpoint."
  type        = list(string)
  nullable    = false
}

variable "sqs_policy_documents" {
  description = "IAM policy documents (JSON) with further statements of the SQS endpoint's policy: who else may do what through it."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "dynamodb_policy_documents" {
  description = "IAM policy documents (JSON) with further statements of the DynamoDB endpoint's policy: who else may do what through it."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "tags" {
  description = "Tags for every resource of this module, in addition to the provider's default tags."
  type        = map(string)
  default     = {}
  nullable    = false
}

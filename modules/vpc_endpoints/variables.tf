variable "name" {
  description = "Prefix of every name that this module makes, 1 to 24 characters."
  type        = string
}

variable "vpc_id" {
  description = "ID of the VPC. Its DNS support and DNS host names must be on, for the SQS endpoint's private name."
  type        = string
}

variable "subnet_ids" {
  description = "IDs of the functions' subnets, one for each zone, where the SQS endpoint gets an address."
  type        = list(string)
}

variable "route_table_ids" {
  description = "IDs of the functions' subnets' route tables, which get the route to DynamoDB."
  type        = list(string)
}

variable "client_security_group_ids" {
  description = "Security groups that may use the SQS endpoint, by a name for each: { ingest = \"sg-…\" }."
  type        = map(string)
}

variable "queue_arns" {
  description = "ARNs of the queues that may be sent to through the SQS endpoint."
  type        = list(string)
}

variable "sqs_role_arns" {
  description = "ARNs of the roles that may send through the SQS endpoint."
  type        = list(string)
}

variable "table_arn" {
  description = "ARN of the table that may be written to through the DynamoDB endpoint."
  type        = string
}

variable "dynamodb_role_arns" {
  description = "ARNs of the roles that may write through the DynamoDB endpoint."
  type        = list(string)
}

variable "tags" {
  description = "Tags for every resource of this module, in addition to the provider's default tags."
  type        = map(string)
  default     = {}
}

variable "name" {
  description = "Prefix of every resource name, 1 to 24 characters. A change replaces the security group; the endpoints stay."
  type        = string
  nullable    = false
}

variable "vpc_id" {
  description = "ID of the VPC, with DNS support and DNS host names enabled. The SQS endpoint's private name takes over all SQS traffic of the VPC, so list other callers of SQS there in client_cidr_blocks and sqs_policy_documents. A change replaces the endpoints."
  type        = string
  nullable    = false
}

variable "subnet_ids" {
  description = "IDs of the functions' subnets, one per zone, in each of which the SQS endpoint gets an address. Their number must be known at plan. Changed in place."
  type        = list(string)
  nullable    = false
}

variable "route_table_ids" {
  description = "IDs of the route tables that get a route to DynamoDB: all DynamoDB traffic from subnets that use them goes through this endpoint and its policy. Changed in place."
  type        = list(string)
  nullable    = false
}

variable "client_security_group_ids" {
  description = "Security groups that may use the SQS endpoint, each under a name of your choice: { ingest = \"sg-…\" }. Changed in place."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "client_cidr_blocks" {
  description = "IPv4 ranges that may use the SQS endpoint, each under a name of your choice: { private = \"10.0.128.0/17\" }. Set it for other callers of SQS in this VPC, or for several systems whose security groups are not known here. Changed in place."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setintersection(keys(var.client_cidr_blocks), keys(var.client_security_group_ids))) == 0
    error_message = "client_cidr_blocks and client_security_group_ids share the name ${join(", ", setintersection(keys(var.client_cidr_blocks), keys(var.client_security_group_ids)))}. Choose a different name for each client."
  }
}

variable "queue_arns" {
  description = "ARNs of the queues to which the SQS endpoint lets clients send: each system's queue and dead-letter queue. Changed in place."
  type        = list(string)
  nullable    = false
}

variable "table_arns" {
  description = "ARNs of the tables to which the DynamoDB endpoint lets clients write. Changed in place."
  type        = list(string)
  nullable    = false
}

variable "secret_arns" {
  description = "ARNs of the secrets that the Secrets Manager endpoint lets clients read, for request_signature. Without any, there is no such endpoint. Its private name takes over all Secrets Manager traffic of the VPC, and the clients of the SQS endpoint may use it. Their number must be known at plan. Changed in place."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "secrets_manager_policy_documents" {
  description = "IAM policy documents (JSON) with further statements for the Secrets Manager endpoint's policy, for other workloads in the VPC. Changed in place."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for document in var.secrets_manager_policy_documents : can(jsondecode(document).Statement)])
    error_message = "secrets_manager_policy_documents must be JSON with a Statement, such as the json of an aws_iam_policy_document."
  }

  validation {
    condition     = length(var.secret_arns) > 0 || length(var.secrets_manager_policy_documents) == 0
    error_message = "secrets_manager_policy_documents has no effect because there are no secret_arns, and so no Secrets Manager endpoint. Remove it, or list the secrets."
  }
}

variable "sqs_policy_documents" {
  description = "IAM policy documents (JSON) with further statements for the SQS endpoint's policy, for other workloads in the VPC. Changed in place."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for document in var.sqs_policy_documents : can(jsondecode(document).Statement)])
    error_message = "sqs_policy_documents must be JSON with a Statement, such as the json of an aws_iam_policy_document."
  }
}

variable "dynamodb_policy_documents" {
  description = "IAM policy documents (JSON) with further statements for the DynamoDB endpoint's policy, for other workloads in the VPC. Changed in place."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for document in var.dynamodb_policy_documents : can(jsondecode(document).Statement)])
    error_message = "dynamodb_policy_documents must be JSON with a Statement, such as the json of an aws_iam_policy_document."
  }
}

variable "tags" {
  description = "Tags for every resource of this module, in addition to the provider's default tags. Changed in place."
  type        = map(string)
  default     = {}
  nullable    = false
}

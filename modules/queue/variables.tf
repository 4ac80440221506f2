variable "name" {
  description = "Name of the queue: 1 to 68 letters, digits, hyphens and underscores, so that the dead-letter queue's name, with \"-dead-letter\" appended, fits into the 80 that SQS allows. Changing it replaces both queues and deletes what is in them."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,68}$", var.name))
    error_message = "name is \"${var.name}\" (${length(var.name)} characters), but must be 1 to 68 letters, digits, hyphens and underscores, so that \"-dead-letter\" fits within the 80 that SQS allows."
  }
}

variable "consumer_timeout_seconds" {
  description = "Timeout of the function that consumes the queue, in seconds, 1 to 900. The visibility timeout is derived from it."
  type        = number
  nullable    = false

  validation {
    condition     = var.consumer_timeout_seconds >= 1 && var.consumer_timeout_seconds <= 900
    error_message = "consumer_timeout_seconds (process_timeout_seconds) is ${var.consumer_timeout_seconds}, but must be 1 to 900, a Lambda function's limits."
  }
}

variable "consumer_batching_window_seconds" {
  description = "Batching window of the event source mapping, in seconds, 0 to 300. It is part of the derived visibility timeout."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.consumer_batching_window_seconds >= 0 && var.consumer_batching_window_seconds <= 300
    error_message = "consumer_batching_window_seconds (process_batching_window_seconds) is ${var.consumer_batching_window_seconds}, but must be 0 to 300, an event source mapping's limits."
  }
}

variable "visibility_timeout_seconds" {
  description = "Seconds for which a delivered message stays hidden, up to 43200. null derives the minimum, 6 × consumer_timeout_seconds + consumer_batching_window_seconds, or more if 1000 deliveries would otherwise not outlast survived_outage_seconds. Raise it before the consumer's timeout is raised. Changed in place."
  type        = number
  default     = null

  validation {
    condition     = try(var.visibility_timeout_seconds >= 0 && var.visibility_timeout_seconds <= 43200, var.visibility_timeout_seconds == null)
    error_message = "visibility_timeout_seconds (queue_visibility_timeout_seconds) is ${coalesce(var.visibility_timeout_seconds, 0)}, but must be 0 to 43200 (12 hours), SQS's limits, or null."
  }
}

variable "retention_seconds" {
  description = "Seconds that an undelivered message is kept, 60 to 1036800 and at least two days less than dead_letter_retention_seconds. The default is 4 days; raise it if a consumer may be down for longer than a long weekend. Changed in place; lowering it immediately deletes messages that have waited longer."
  type        = number
  default     = 345600
  nullable    = false

  validation {
    condition     = var.retention_seconds >= 60 && var.retention_seconds <= 1209600
    error_message = "retention_seconds (queue_retention_seconds) is ${var.retention_seconds}, but must be 60 (a minute) to 1209600 (14 days), SQS's limits."
  }
}

variable "dead_letter_retention_seconds" {
  description = "Seconds that a message stays in the dead-letter queue, counted from when it was first enqueued, up to 1209600. The default is 14 days, SQS's maximum. Changed in place; lowering it immediately deletes older messages."
  type        = number
  default     = 1209600
  nullable    = false

  validation {
    condition     = var.dead_letter_retention_seconds >= 60 && var.dead_letter_retention_seconds <= 1209600
    error_message = "dead_letter_retention_seconds is ${var.dead_letter_retention_seconds}, but must be 60 (a minute) to 1209600 (14 days), SQS's limits."
  }
}

variable "survived_outage_seconds" {
  description = "Seconds for which the consumer may fail without a message moving to the dead-letter queue, 0 to 1209600; max_receive_count is derived from it. null is 24 hours, or half of retention_seconds if that is less. Raise it, together with retention_seconds, if nobody may respond for longer. Excludes max_receive_count. Changed in place."
  type        = number
  default     = null

  validation {
    condition     = var.survived_outage_seconds == null ? true : var.survived_outage_seconds >= 0 && var.survived_outage_seconds <= 1209600
    error_message = "survived_outage_seconds is ${coalesce(var.survived_outage_seconds, 0)}, but must be 0 to 1209600 (14 days, SQS's longest retention), or null."
  }
}

variable "max_receive_count" {
  description = "Deliveries after which a message moves to the dead-letter queue, 1 to 1000; null derives it from survived_outage_seconds. Below 5, brief throttling of the consumer sends good messages there (\"Creating and configuring an Amazon SQS event source mapping\", AWS Lambda Developer Guide). Changed in place."
  type        = number
  default     = null

  validation {
    condition     = var.max_receive_count == null ? true : var.max_receive_count >= 1 && var.max_receive_count <= 1000
    error_message = "max_receive_count (queue_max_receive_count) is ${coalesce(var.max_receive_count, 0)}, but must be 1 to 1000, SQS's limits, or null."
  }

  validation {
    condition     = var.max_receive_count == null || var.survived_outage_seconds == null
    error_message = "survived_outage_seconds and max_receive_count are both set, but one determines the other. Remove one of them."
  }
}

variable "delay_seconds" {
  description = "Seconds before a new message can be delivered, 0 to 900. Raise it if messages must not be processed right after they were sent. Changed in place."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.delay_seconds >= 0 && var.delay_seconds <= 900
    error_message = "delay_seconds is ${var.delay_seconds}, but must be 0 to 900, SQS's limits."
  }
}

variable "max_message_bytes" {
  description = "Largest message in bytes, including attributes, 4096 to 1048576 (1 MiB); above 262144 it needs AWS provider 6.8 or newer. Give the producer the output of the same name. Lower it only when no larger message is in either queue. Changed in place."
  type        = number
  default     = 262144
  nullable    = false

  validation {
    condition     = var.max_message_bytes >= 4096 && var.max_message_bytes <= 1048576
    error_message = "max_message_bytes (queue_max_message_bytes) is ${var.max_message_bytes}, but must be 4096 (room for the attributes that are added) to 1048576 (1 MiB, SQS's limit)."
  }
}

variable "policy_documents" {
  description = "IAM policy documents (JSON) with further statements for the queue's policy, for example to let a topic send to it. Use this rather than an aws_sqs_queue_policy resource: a queue has one policy, and the two would overwrite each other. Resource may be \"*\", which in a queue's policy means the queue. An Allow for everyone needs a Condition; the Sid DenyWithoutTLS is taken. Changed in place."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for document in var.policy_documents : alltrue([
        for statement in flatten([try(jsondecode(document).Statement, [])]) : try(statement.Sid, "") != "DenyWithoutTLS"
      ])
    ])
    error_message = "policy_documents (queue_policy_documents) has a statement with the Sid DenyWithoutTLS, which would replace the module's own. Choose another Sid."
  }

  validation {
    condition = try(alltrue([
      for document in var.policy_documents : alltrue([
        for statement in flatten([jsondecode(document).Statement]) :
        statement.Effect != "Allow" || length(try(statement.Condition, {})) > 0 || !contains(flatten([try(statement.Principal.AWS, statement.Principal)]), "*")
      ])
    ]), false)
    error_message = "policy_documents (queue_policy_documents) must be JSON with statements, none of which allows something to everyone (Principal \"*\") without a Condition. Name the principal, or add a Condition on whom it acts for, for example aws:SourceArn."
  }
}

variable "kms_key" {
  description = "Customer managed key that encrypts both queues; null uses SQS's own encryption. Set it where an audit requires a key of your own. Changed in place; keep the old key until the messages that were sent under it are gone."
  type        = object({ arn = string })
  default     = null

  validation {
    condition     = var.kms_key == null ? true : can(regex(":key/", var.kms_key.arn))
    error_message = "kms_key.arn is ${try(jsonencode(var.kms_key.arn), "not set")}, but must be the ARN of a KMS key, not of an alias. To use keys that AWS owns, set kms_key itself to null."
  }
}

variable "tags" {
  description = "Tags for every resource of this module, in addition to the provider's default tags. Changed in place."
  type        = map(string)
  default     = {}
  nullable    = false
}

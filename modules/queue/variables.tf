variable "name" {
  description = "Name of the queue, 1 to 68 letters, digits, hyphens and underscores; the dead-letter queue's has \"-dead-letter\" appended (SQS: 80 characters). Changing it replaces both queues and what is in them."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,68}$", var.name))
    error_message = "name must be 1 to 68 letters, digits, hyphens and underscores, so that \"-dead-letter\" fits within the 80 that SQS allows. Got \"${var.name}\", ${length(var.name)} characters."
  }
}

variable "consumer_timeout_seconds" {
  description = "Timeout of the function that consumes the queue, in seconds, 1 to 900. The visibility timeout is derived from it."
  type        = number
  nullable    = false

  validation {
    condition     = var.consumer_timeout_seconds >= 1 && var.consumer_timeout_seconds <= 900
    error_message = "consumer_timeout_seconds must be 1 to 900, as a Lambda function's timeout. Got ${var.consumer_timeout_seconds}."
  }
}

variable "consumer_batching_window_seconds" {
  description = "Batching window of the event source mapping, in seconds, 0 to 300. Part of the derived visibility timeout."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.consumer_batching_window_seconds >= 0 && var.consumer_batching_window_seconds <= 300
    error_message = "consumer_batching_window_seconds must be 0 to 300. Got ${var.consumer_batching_window_seconds}."
  }
}

variable "visibility_timeout_seconds" {
  description = "Seconds for which a delivered message stays hidden, up to 43200; null derives 6 x the consumer's timeout + its batching window, which is also the least, or more where 1000 deliveries would not last for survived_outage_seconds. Raise it when the consumer's timeout is about to be raised."
  type        = number
  default     = null

  validation {
    condition     = try(var.visibility_timeout_seconds >= 0 && var.visibility_timeout_seconds <= 43200, var.visibility_timeout_seconds == null)
    error_message = "visibility_timeout_seconds must be at most 43200 s (12 hours), the limit of SQS, or null. Got ${coalesce(var.visibility_timeout_seconds, 0)}."
  }
}

variable "message_retention_seconds" {
  description = "Seconds that an undelivered message is kept, 60 to 1036800, two days below the dead-letter queue's. Default 4 days: raise it when a consumer may be down longer than a long weekend. Lowering it deletes what has waited longer, at once."
  type        = number
  default     = 345600
  nullable    = false

  validation {
    condition     = var.message_retention_seconds >= 60 && var.message_retention_seconds <= 1209600
    error_message = "message_retention_seconds must be 60 (a minute) to 1209600 (14 days), the limits of SQS. Got ${var.message_retention_seconds}."
  }
}

variable "dead_letter_retention_seconds" {
  description = "Seconds that a message is kept in the dead-letter queue, counted from its first enqueue, up to 1209600. Default 14 days, the most that SQS offers. Lowering it deletes what has been there longer, at once."
  type        = number
  default     = 1209600
  nullable    = false

  validation {
    condition     = var.dead_letter_retention_seconds >= 60 && var.dead_letter_retention_seconds <= 1209600
    error_message = "dead_letter_retention_seconds must be 60 (a minute) to 1209600 (14 days), the limits of SQS. Got ${var.dead_letter_retention_seconds}."
  }
}

variable "survived_outage_seconds" {
  description = "Seconds for which the consumer may fail without a message moving to the dead-letter queue; max_receive_count is derived from it. null is 24 hours, or half of message_retention_seconds where that is less. Raise it, with message_retention_seconds, when nobody may be there for longer."
  type        = number
  default     = null

  validation {
    condition     = var.survived_outage_seconds == null || try(var.survived_outage_seconds >= 0 && var.survived_outage_seconds <= 1209600, false)
    error_message = "survived_outage_seconds must be 0 to 1209600 (14 days, the longest retention of SQS), or null. Got ${coalesce(var.survived_outage_seconds, 0)}."
  }
}

variable "max_receive_count" {
  description = "Deliveries after which a message moves to the dead-letter queue, 1 to 1000; null derives it from survived_outage_seconds. Below 5 a short throttling of the consumer sends good messages there (\"Creating and configuring an Amazon SQS event source mapping\", AWS Lambda Developer Guide): lower it knowingly."
  type        = number
  default     = null

  validation {
    condition     = var.max_receive_count == null || try(var.max_receive_count >= 1 && var.max_receive_count <= 1000, false)
    error_message = "max_receive_count must be 1 to 1000, the limits of SQS, or null. Got ${coalesce(var.max_receive_count, 0)}."
  }

  validation {
    condition     = var.max_receive_count == null || var.survived_outage_seconds == null
    error_message = "survived_outage_seconds and max_receive_count are two ways to say the same: set one of them."
  }
}

variable "delay_seconds" {
  description = "Seconds before a new message can be delivered, 0 to 900. Raise it when orders may only be written some time after they were accepted."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.delay_seconds >= 0 && var.delay_seconds <= 900
    error_message = "delay_seconds must be 0 to 900, the limits of SQS. Got ${var.delay_seconds}."
  }
}

variable "max_message_bytes" {
  description = "Largest message in bytes, attributes included, 4096 to 262144. The producer must be given the same number."
  type        = number
  default     = 262144
  nullable    = false

  validation {
    condition     = var.max_message_bytes >= 4096 && var.max_message_bytes <= 262144
    error_message = "max_message_bytes must be 4096 (room for the attributes that are added) to 262144 (256 KiB, the most that AWS provider 5.x accepts). Got ${var.max_message_bytes}."
  }
}

variable "policy_documents" {
  description = "IAM policy documents (JSON) with statements for the queue's own policy, for example one that lets a topic send to it. A queue has one policy: an aws_sqs_queue_policy beside this module would take turns with it. Resource may be \"*\", which in a queue's policy is the queue. An Allow to everybody needs a Condition, and the Sid DenyWithoutTLS is taken."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for document in var.policy_documents : alltrue([
        for statement in flatten([try(jsondecode(document).Statement, [])]) : try(statement.Sid, "") != "DenyWithoutTLS"
      ])
    ])
    error_message = "policy_documents has a statement with the Sid DenyWithoutTLS, which would replace the one that this module makes. Choose another."
  }

  validation {
    condition = try(alltrue([
      for document in var.policy_documents : alltrue([
        for statement in flatten([jsondecode(document).Statement]) :
        statement.Effect != "Allow" || length(try(statement.Condition, {})) > 0 || !contains(flatten([try(statement.Principal.AWS, statement.Principal)]), "*")
      ])
    ]), false)
    error_message = "policy_documents must be JSON with statements, none of which allows something to everybody (Principal \"*\") without a Condition. Name the principal, or who it acts for in a Condition, for example aws:SourceArn."
  }
}

variable "kms_key" {
  description = "Customer managed key that encrypts both queues; null leaves the encryption to SQS. Set it where an audit asks for a key of your own. A change is made in place; messages that wait stay encrypted under the key they were sent with, so keep that until they are gone."
  type        = object({ arn = string })
  default     = null
}

variable "tags" {
  description = "Tags for every resource of this module, in addition to the provider's default tags."
  type        = map(string)
  default     = {}
  nullable    = false
}

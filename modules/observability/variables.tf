variable "name" {
  description = "Name of the system and prefix of the names of alarms, dashboard and queries: 1 to 100 letters, digits, hyphens and underscores. Changing it replaces all of them, without their history."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,100}$", var.name))
    error_message = "name is \"${var.name}\", but must be 1 to 100 letters, digits, hyphens and underscores, the characters of a dashboard's name."
  }
}

# What is observed, in the order of the data flow --------------------------------------------------------------------

variable "listener_arn" {
  description = "ARN of the Application Load Balancer's listener that accepts the requests; it names the load balancer."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:listener/app/[^/]+/[^/]+/[^/]+$", var.listener_arn))
    error_message = "listener_arn is \"${var.listener_arn}\", but must be the ARN of an Application Load Balancer's listener."
  }
}

variable "target_group_arn" {
  description = "ARN of the target group that has the ingest function."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:targetgroup/[^/]+/[^/]+$", var.target_group_arn))
    error_message = "target_group_arn is \"${var.target_group_arn}\", but must be the ARN of a target group."
  }
}

variable "ingest_function" {
  description = <<-EOT
    The function that accepts orders, with the metrics and log lines of this project's ingest.
    name, log_group_name, timeout_seconds: those of the function.
    concurrency_limit: its reserved concurrency, known at plan; null creates no alarm on it, because the function shares the account's.
  EOT
  type = object({
    name              = string
    log_group_name    = string
    timeout_seconds   = number
    concurrency_limit = optional(number)
  })
  nullable = false
}

variable "queue" {
  description = "ARN, visibility timeout and retention of the queue."
  type = object({
    arn                        = string
    visibility_timeout_seconds = number
    retention_seconds          = number
  })
  nullable = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$", var.queue.arn))
    error_message = "queue.arn is \"${var.queue.arn}\", but must be the ARN of a standard SQS queue."
  }
}

variable "dead_letter_queue" {
  description = "ARN and retention of the dead-letter queue."
  type = object({
    arn               = string
    retention_seconds = number
  })
  nullable = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$", var.dead_letter_queue.arn))
    error_message = "dead_letter_queue.arn is \"${var.dead_letter_queue.arn}\", but must be the ARN of a standard SQS queue."
  }

  validation {
    condition     = var.dead_letter_queue.retention_seconds >= var.queue.retention_seconds + 2 * 86400
    error_message = "dead_letter_queue.retention_seconds is ${var.dead_letter_queue.retention_seconds}, but must be at least two days (172800) above queue.retention_seconds ${var.queue.retention_seconds}: otherwise dead letters could expire within a day of their arrival, and no alarm could announce it."
  }
}

variable "process_function" {
  description = <<-EOT
    The function that writes orders, with the metrics and log lines of this project's process.
    name, log_group_name, timeout_seconds: those of the function.
    concurrency_limit: the lowest of what limits its invocations, known at plan: maximum concurrency or pollers of the event source mapping, and reserved concurrency; null creates no alarm on it.
  EOT
  type = object({
    name              = string
    log_group_name    = string
    timeout_seconds   = number
    concurrency_limit = optional(number)
  })
  nullable = false
}

variable "table_name" {
  description = "Name of the table."
  type        = string
  nullable    = false
}

# What alarms do -----------------------------------------------------------------------------------------------------

variable "alarm_actions" {
  description = "ARNs of up to 5 SNS topics, or other actions, that an alarm notifies when it starts. CloudWatch cannot publish to a topic that is encrypted with the key alias/aws/sns, and does not say so: encrypt it with a key of your own whose policy admits cloudwatch.amazonaws.com. Changed in place."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.alarm_actions) <= 5
    error_message = "alarm_actions has ${length(var.alarm_actions)} actions, but CloudWatch allows 5 for each alarm."
  }

  validation {
    condition     = alltrue([for arn in var.alarm_actions : can(regex("^arn:", arn))])
    error_message = "alarm_actions (observability.alarm_actions) is ${jsonencode(var.alarm_actions)}, but each must be an ARN, for example of an SNS topic."
  }
}

variable "ok_actions" {
  description = "The same for an alarm that ends. null is alarm_actions; [] is silence. Changed in place."
  type        = list(string)
  default     = null

  validation {
    condition     = try(length(var.ok_actions) <= 5, var.ok_actions == null)
    error_message = "ok_actions has ${try(length(var.ok_actions), 0)} actions, but CloudWatch allows 5 for each alarm."
  }

  validation {
    condition     = alltrue([for arn in coalesce(var.ok_actions, []) : can(regex("^arn:", arn))])
    error_message = "ok_actions (observability.ok_actions) is ${jsonencode(var.ok_actions)}, but each must be an ARN, for example of an SNS topic."
  }
}

variable "disabled_alarms" {
  description = "Names of alarms that are not created, as alarm_names has them, for example [\"load-balancer-errors\"] where a shared load balancer answers 5xx for others. One that is not there anyway may be named. Must be known at plan. Changed in place."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.disabled_alarms, local.alarm_names)) == 0
    error_message = "disabled_alarms (observability.disabled_alarms) has ${jsonencode(setsubtract(var.disabled_alarms, local.alarm_names))}, but no alarm has such a name: ${join(", ", local.alarm_names)}."
  }
}

variable "runbook" {
  description = "Address of the runbook, to which each alarm's description appends \"#\" and the alarm's name without the system's. Set it if yours is elsewhere. Changed in place."
  type        = string
  default     = "docs/operations.md"
  nullable    = false

  validation {
    condition     = length(var.runbook) >= 1 && length(var.runbook) <= 200
    error_message = "runbook has ${length(var.runbook)} characters, but must have 1 to 200: an alarm's description has room for 1024."
  }
}

# Thresholds ---------------------------------------------------------------------------------------------------------

variable "oldest_message_age_seconds" {
  description = "Age of the oldest waiting message above which an alarm starts, in seconds, 60 and more, below the queue's retention. null is the larger of 15 minutes and two visibility timeouts, at most half of the retention: a message that fails once does not reach it. Changed in place."
  type        = number
  default     = null

  validation {
    condition     = var.oldest_message_age_seconds == null ? true : var.oldest_message_age_seconds >= 60 && var.oldest_message_age_seconds < var.queue.retention_seconds
    error_message = "oldest_message_age_seconds (observability.oldest_message_age_seconds) is ${coalesce(var.oldest_message_age_seconds, 0)}, but must be at least 60 and below the queue's retention of ${var.queue.retention_seconds} s, after which no message waits any more."
  }
}

variable "duration_percent" {
  description = "Percentage of a function's timeout, 10 to 99, above which the 90th percentile of its duration starts an alarm. Changed in place."
  type        = number
  default     = 80
  nullable    = false

  validation {
    condition     = var.duration_percent >= 10 && var.duration_percent <= 99
    error_message = "duration_percent is ${var.duration_percent}, but must be 10 to 99 percent of the timeout."
  }
}

variable "concurrency_percent" {
  description = "Percentage of a concurrency limit, 10 to 99, above which its use starts an alarm. Changed in place."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.concurrency_percent >= 10 && var.concurrency_percent <= 99
    error_message = "concurrency_percent is ${var.concurrency_percent}, but must be 10 to 99 percent of the limit."
  }
}

variable "account_concurrency_quota" {
  description = "The account's quota of concurrent Lambda executions in this region, 10 or more, known at plan (aws lambda get-account-settings shows it); null creates no alarm on it. Set it where functions share it with others, or where it is still a new account's 10. Changed in place."
  type        = number
  default     = null

  validation {
    condition     = var.account_concurrency_quota == null ? true : var.account_concurrency_quota >= 10 && floor(var.account_concurrency_quota) == var.account_concurrency_quota
    error_message = "account_concurrency_quota (observability.account_concurrency_quota) is ${coalesce(var.account_concurrency_quota, 0)}, but must be a whole number of at least 10, AWS's smallest quota."
  }
}

variable "rejected_percent" {
  description = "Percentage of requests, 1 to 100, above which answers of 4xx start an alarm. Raise it where strangers can reach the endpoint. Changed in place."
  type        = number
  default     = 25
  nullable    = false

  validation {
    condition     = var.rejected_percent >= 1 && var.rejected_percent <= 100
    error_message = "rejected_percent is ${var.rejected_percent}, but must be 1 to 100."
  }
}

variable "minimum_events" {
  description = "How many requests or orders must have failed in the period before a share counts, 1 to 1000000, so that a quiet system does not alarm on a single one. Raise it with the traffic. Changed in place."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.minimum_events >= 1 && var.minimum_events <= 1000000 && floor(var.minimum_events) == var.minimum_events
    error_message = "minimum_events is ${var.minimum_events}, but must be a whole number, 1 to 1000000."
  }
}

variable "availability_objective_percent" {
  description = "Objective for the percentage of requests that are not answered 5xx, over 30 days, 95 to 99.99. Two pairs of windows find its error budget being used up too fast. null creates no alarm on it. Changed in place."
  type        = number
  default     = 99.9

  validation {
    condition     = var.availability_objective_percent == null ? true : var.availability_objective_percent >= 95 && var.availability_objective_percent <= 99.99
    error_message = "availability_objective_percent is ${coalesce(var.availability_objective_percent, 0)}, but must be 95 to 99.99: below, the fastest burn rate would be above 100 percent of requests."
  }
}

variable "freshness_objective_percent" {
  description = "Objective for the percentage of orders that are written within freshness_target_seconds, over 30 days, 95 to 99.99. null creates no alarm on it. Changed in place."
  type        = number
  default     = 99

  validation {
    condition     = var.freshness_objective_percent == null ? true : var.freshness_objective_percent >= 95 && var.freshness_objective_percent <= 99.99
    error_message = "freshness_objective_percent is ${coalesce(var.freshness_objective_percent, 0)}, but must be 95 to 99.99: below, the fastest burn rate would be above 100 percent of orders."
  }
}

variable "freshness_target_seconds" {
  description = "Seconds from acceptance to write above which process counts an order as late, known at plan; the same as its environment variable FRESHNESS_TARGET_SECONDS. null if it counts none, and then there is no alarm on it."
  type        = number
  default     = null

  validation {
    condition     = var.freshness_target_seconds == null ? true : var.freshness_target_seconds > 0
    error_message = "freshness_target_seconds is ${coalesce(var.freshness_target_seconds, 0)}, but must be above 0, or null if process counts no late orders."
  }
}

# ---------------------------------------------------------------------------------------------------------------------

variable "dashboard_enabled" {
  description = "Create the dashboard. Its name, which no other in the account may have, is that of the system and the region. Changed in place."
  type        = bool
  default     = true
  nullable    = false
}

variable "tags" {
  description = "Tags for every alarm, in addition to the provider's default tags; dashboards and saved queries have none. Changed in place."
  type        = map(string)
  default     = {}
  nullable    = false
}

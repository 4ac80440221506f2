locals {
  # Not from a data source, which depends_on on the module would defer: a dashboard with an unknown name is replaced.
  region = split(":", var.queue.arn)[3]

  minute  = 60
  quarter = 900
  day     = 86400

  # Dimensions as the metrics have them: "CloudWatch metrics for your Application Load Balancer", "Types of metrics for Lambda functions",
  # "Available CloudWatch metrics for Amazon SQS", "DynamoDB Metrics and dimensions". Ours are by function: lambda_src/shared/telemetry.py.
  # The load balancer's are the ends of the ARNs, of a listener that others own as well.
  load_balancer = join("/", slice(split("/", var.listener_arn), 1, 4))
  target_group  = split(":", var.target_group_arn)[5]

  of_load_balancer     = { LoadBalancer = local.load_balancer }
  of_target            = { LoadBalancer = local.load_balancer, TargetGroup = local.target_group }
  of_ingest            = { FunctionName = var.ingest_function.name }
  of_process           = { FunctionName = var.process_function.name }
  of_queue             = { QueueName = split(":", var.queue.arn)[5] }
  of_dead_letter_queue = { QueueName = split(":", var.dead_letter_queue.arn)[5] }
  of_table             = { TableName = var.table_name }

  own = "AsyncIngest"

  ok_actions = var.ok_actions == null ? var.alarm_actions : var.ok_actions
}

# The alarms, in the order of the data flow. Each has a metric, or queries of which the last is compared.
#
# missing data   notBreaching for all: none of these metrics has data without traffic, and a quiet or new system is well. An alarm that
#                must see silence compares with a metric of the queue, which has data as long as it has messages.
# datapoints     those of "Best practice alarm recommendations for AWS services" where it has the metric. Duration is the exception: in
#                periods of five minutes, three of which are the same quarter of an hour, one invocation in each is enough.
# failures       come back once per visibility timeout, so a period must be longer than that to have one in each.

locals {
  functions = { ingest = var.ingest_function, process = var.process_function }

  # A minute for every 50 seconds of a visibility timeout: whole minutes, and a fifth more, because deliveries are late when pollers are busy.
  failure_period_seconds = max(300, local.minute * ceil(var.queue.visibility_timeout_seconds / 50))

  oldest_message_age_seconds = coalesce(
    var.oldest_message_age_seconds,
    min(max(local.quarter, 2 * var.queue.visibility_timeout_seconds), floor(var.queue.retention_seconds / 2)),
  )

  # A message that the redrive policy moves keeps its first enqueue time for expiry, but its age counts from the move: "Available CloudWatch
  # metrics for Amazon SQS". By then it may be as old as the queue's retention allows. The last day is for acting.
  last_call_seconds = var.dead_letter_queue.retention_seconds - var.queue.retention_seconds - local.day

  account_concurrency = local.percent_of_quota == null ? {} : {
    account-concurrency = {
      namespace = "AWS/Lambda", metric = "ClaimedAccountConcurrency", dimensions = {}
      statistic = "Maximum", period = local.minute, datapoints = 10, of = 10, above = local.percent_of_quota
      means     = "All functions of the account together use or reserve more than ${var.concurrency_percent} % of its concurrency. At the quota, ingest is throttled and requests get 5xx."
      look      = "Which functions use it (ConcurrentExecutions by FunctionName), and whether they should; else request a higher quota, or reserve concurrency for ingest."
    }
  }
  percent_of_quota = var.account_concurrency_quota == null ? null : var.concurrency_percent * var.account_concurrency_quota / 100

  of_functions = merge([
    for key, function in local.functions : {
      for name, alarm in {
        "${key}-throttles" = {
          namespace = "AWS/Lambda", metric = "Throttles", dimensions = { FunctionName = function.name }
          statistic = "Sum", period = local.minute, datapoints = 5, of = 5, above = 0
          means = (key == "ingest"
            ? "Lambda has refused to start ingest for 5 minutes: no concurrency is left, and clients get 5xx."
            : "Lambda has refused to start process for 5 minutes: no concurrency is left. Orders wait, and each refused batch uses up one of its deliveries."
          )
          look = "ConcurrentExecutions against the account's quota and the reserved concurrency."
        }
        "${key}-duration" = {
          namespace = "AWS/Lambda", metric = "Duration", dimensions = { FunctionName = function.name }
          extended  = "p90", period = 300, datapoints = 3, of = 3, above = var.duration_percent * function.timeout_seconds * 1000 / 100
          means = (key == "ingest"
            ? "One of ten requests has taken more than ${var.duration_percent} % of ingest's timeout of ${function.timeout_seconds} s for a quarter of an hour."
            : "One of ten batches has taken more than ${var.duration_percent} % of process's timeout of ${function.timeout_seconds} s for a quarter of an hour: it runs out of time, and what it does not settle is delivered again."
          )
          look = "The saved query \"what is slow\"; then ${key == "ingest" ? "SQS" : "throttling of the table"}, hooks and memory."
        }
        "${key}-concurrency" = function.concurrency_limit == null ? null : {
          namespace = "AWS/Lambda", metric = "ConcurrentExecutions", dimensions = { FunctionName = function.name }
          statistic = "Maximum", period = local.minute, datapoints = 10, of = 10, above = var.concurrency_percent * function.concurrency_limit / 100
          means = (key == "ingest"
            ? "Ingest has used more than ${var.concurrency_percent} % of its reserved concurrency of ${function.concurrency_limit} for 10 minutes. At the limit, requests get 5xx."
            : "Process has run at more than ${var.concurrency_percent} % of its limit of ${function.concurrency_limit} for 10 minutes: orders may arrive faster than they are written."
          )
          look = key == "ingest" ? "Whether traffic has grown; ingest_reserved_concurrency." : "Whether the queue grows; if so, process_maximum_concurrency, the batch size and the memory."
        }
      } : name => alarm if alarm != null
    }
  ]...)

  all_alarms = merge(
    {
      load-balancer-errors = {
        namespace = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", dimensions = local.of_load_balancer
        statistic = "Sum", period = local.minute, datapoints = 3, of = 5, above = 0
        means     = "The load balancer itself has answered 5xx in 3 of 5 minutes: it could not invoke ingest, or ingest failed or timed out. With a shared load balancer, the requests may be those of others."
        look      = "Errors and Throttles of ingest, then its log; the load balancer's access log has the reason of each."
      }
      target-errors = {
        namespace = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", dimensions = local.of_target
        statistic = "Sum", period = local.minute, datapoints = 3, of = 5, above = 0
        means     = "Ingest has answered 503 in 3 of 5 minutes: SQS did not confirm, a hook failed, or signatures could not be checked. Clients are told to send again."
        look      = "Ingest's log: \"SQS did not confirm the message\" has AWS's error code."
      }
      rejected-share = {
        queries = {
          rejected = { namespace = local.own, metric = "Rejected", dimensions = local.of_ingest, statistic = "Sum" }
          share    = { namespace = local.own, metric = "Rejected", dimensions = local.of_ingest, statistic = "Average" } # each request counts 0 or 1
          result   = { expression = "IF(rejected >= ${var.minimum_events}, 100 * share, 0)", label = "Rejected requests, percent" }
        }
        period = 300, datapoints = 3, of = 3, above = var.rejected_percent
        means  = "More than ${var.rejected_percent} % of requests have been answered 4xx for a quarter of an hour. Their orders are not stored: a producer sends what is refused, or has the wrong key or path."
        look   = "The saved query \"why refused\" counts the reasons."
      }
      oldest-message-age = {
        namespace = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", dimensions = local.of_queue
        statistic = "Maximum", period = local.minute, datapoints = 15, of = 15, above = local.oldest_message_age_seconds
        means     = "For a quarter of an hour, an order has been waiting for more than ${local.oldest_message_age_seconds} s: process does not keep up, or does not run. SQS leaves out messages received three times or more; those are in orders-failing."
        look      = "Whether mapping-stopped, process-concurrency or table-throttles is in alarm too. Orders expire after ${var.queue.retention_seconds} s."
      }
      mapping-stopped = {
        queries = {
          waiting  = { namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", dimensions = local.of_queue, statistic = "Minimum" }
          received = { namespace = "AWS/SQS", metric = "NumberOfMessagesReceived", dimensions = local.of_queue, statistic = "Sum" }
          result   = { expression = "IF(waiting > 0 AND FILL(received, 0) < 1, 1, 0)", label = "Messages wait and nobody receives them" }
        }
        period = 300, datapoints = 3, of = 3, above = 0
        means  = "For a quarter of an hour, messages have been waiting and nothing has received one: the event source mapping is disabled (process_enabled, or by hand), deleted, or may not read the queue."
        look   = "State and StateTransitionReason of the mapping: aws lambda list-event-source-mappings --function-name ${var.process_function.name}:live"
      }
      process-errors = {
        namespace = "AWS/Lambda", metric = "Errors", dimensions = local.of_process
        statistic = "Sum", period = local.failure_period_seconds, datapoints = 3, of = 3, above = 0
        means     = "Invocations of process end without an answer, in each of 3 periods of ${local.failure_period_seconds} s: it cannot start, times out or runs out of memory. Whole batches are delivered again."
        look      = "Process's log: the line before the end. If it began with a deployment, roll back."
      }
      orders-failing = {
        namespace = local.own, metric = "Failed", dimensions = local.of_process
        statistic = "Sum", period = local.failure_period_seconds, datapoints = 3, of = 3, above = 0
        means     = "Process has reported messages for another delivery in each of 3 periods of ${local.failure_period_seconds} s. Lambda counts such invocations as successes. If it goes on, they move to the dead-letter queue."
        look      = "Process's warnings: the error code of DynamoDB, SQS or a hook."
      }
      table-throttles = {
        namespace = "AWS/DynamoDB", metric = "WriteThrottleEvents", dimensions = local.of_table
        statistic = "Sum", period = local.minute, datapoints = 5, of = 5, above = 0
        means     = "DynamoDB has throttled writes to the table for 5 minutes. Process tries again, so orders are late, not lost."
        look      = "The dashboard's causes: a hot key, the account's or table's limit, or provisioned capacity that is too low."
      }
      dead-letter-queue-not-empty = {
        namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", dimensions = local.of_dead_letter_queue
        statistic = "Maximum", period = local.minute, datapoints = 1, of = 1, above = 0
        means     = "Orders could not be written, and wait in the dead-letter queue. They expire there."
        look      = "The attribute failure_reason of a message; without one, it failed all its deliveries, and process's log has the cause."
      }
      # Averages, because those of visible and of received messages add up to that of all. A message that someone looks at stays in the sum.
      dead-letter-queue-growing = {
        queries = {
          visible  = { namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", dimensions = local.of_dead_letter_queue, statistic = "Average" }
          received = { namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesNotVisible", dimensions = local.of_dead_letter_queue, statistic = "Average" }
          messages = { expression = "visible + received", label = "Dead letters" }
          result   = { expression = "DIFF(messages)", label = "Increase of dead letters" }
        }
        period = 300, datapoints = 1, of = 1, above = 0
        means  = "There are more dead letters than 5 minutes ago. dead-letter-queue-not-empty does not notify again for further ones; this does."
        look   = "Whether the reason is the same as before; if many arrive, stop what causes them."
      }
      dead-letter-queue-last-call = {
        namespace = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", dimensions = local.of_dead_letter_queue
        statistic = "Maximum", period = 300, datapoints = 1, of = 1, above = local.last_call_seconds
        means     = "The oldest dead letter has been in the dead-letter queue for more than ${local.last_call_seconds} s, and may expire within a day. Then its orders are gone."
        look      = "Export or redrive the dead letters today."
      }
    },
    {
      for operation in ["BatchExecuteStatement", "PutItem"] : "table-system-errors-${operation}" => {
        namespace = "AWS/DynamoDB", metric = "SystemErrors", dimensions = merge(local.of_table, { Operation = operation }) # never by table alone
        statistic = "Sum", period = local.minute, datapoints = 15, of = 15, above = 0
        means     = "DynamoDB has failed calls of ${operation} with 5xx for a quarter of an hour. Process tries again, so orders are late, not lost."
        look      = "AWS Health Dashboard, for DynamoDB in ${local.region}."
        anchor    = "table-system-errors"
      }
    },
    local.of_functions,
    local.account_concurrency,
  )
  alarms = { for key, alarm in merge(local.all_alarms, local.burn_rates) : key => alarm if !contains(var.disabled_alarms, key) }

  # Those that depend on a setting have their names here whether they are there or not.
  alarm_names = sort(setunion(
    keys(local.all_alarms),
    keys(local.all_objectives),
    ["account-concurrency", "ingest-concurrency", "process-concurrency"],
  ))
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = "${each.value.means} First look: ${each.value.look} Runbook: ${var.runbook}#${try(each.value.anchor, each.key)}"

  namespace          = try(each.value.namespace, null)
  metric_name        = try(each.value.metric, null)
  dimensions         = try(each.value.dimensions, null)
  statistic          = try(each.value.statistic, null)
  extended_statistic = try(each.value.extended, null)
  period             = can(each.value.queries) ? null : each.value.period

  dynamic "metric_query" {
    for_each = try(each.value.queries, {})

    content {
      id          = metric_query.key
      expression  = try(metric_query.value.expression, null)
      label       = try(metric_query.value.label, null)
      return_data = metric_query.key == "result" # of one query only, whose period is that of its metrics

      dynamic "metric" {
        for_each = can(metric_query.value.metric) ? [metric_query.value] : []

        content {
          namespace   = metric.value.namespace
          metric_name = metric.value.metric
          dimensions  = metric.value.dimensions
          stat        = metric.value.statistic
          period      = each.value.period
        }
      }
    }
  }

  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.above
  evaluation_periods  = each.value.of
  datapoints_to_alarm = each.value.datapoints
  treat_missing_data  = "notBreaching"

  # The windows of an objective notify together, by the composite alarm.
  alarm_actions = try(each.value.is_window, false) ? [] : var.alarm_actions
  ok_actions    = try(each.value.is_window, false) ? [] : local.ok_actions

  tags = var.tags
}

# Rows in the order of the data flow, each widget with the lines of its alarms. "Dashboard Body Structure and Syntax" (Amazon CloudWatch
# API Reference) has the format. Dashboards belong to the account, not to a region, so the name has the region.

locals {
  columns       = 24
  row_widgets   = 3
  widget_height = 6
  title_height  = 1
  top_height    = 4
  alarm_color   = "#d62728"

  # What an alarm compares is drawn in the alarm's period, so that its line means something.
  rows = [
    {
      title = "Clients to load balancer to ingest"
      widgets = [
        {
          title = "Requests, and those answered 5xx", stat = "Sum", period = local.minute, alarms = ["load-balancer-errors", "target-errors"]
          metrics = [
            ["AWS/ApplicationELB", "RequestCount", local.of_target, "requests"],
            ["AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", local.of_target, "5xx of ingest"],
            ["AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", local.of_load_balancer, "5xx of the load balancer"],
          ]
        },
        {
          title = "Orders accepted, requests rejected and failed", stat = "Sum", period = local.minute, alarms = []
          metrics = [
            [local.own, "Accepted", local.of_ingest, "orders accepted"],
            [local.own, "Rejected", local.of_ingest, "requests rejected (4xx)"],
            [local.own, "Failed", local.of_ingest, "requests failed (503)"],
          ]
        },
        {
          title = "Share of requests rejected, percent", stat = "Average", period = 300, alarms = ["rejected-share"]
          math  = [{ expression = "100 * share", label = "rejected" }]
          metrics = [
            [local.own, "Rejected", local.of_ingest, "share", { id = "share", visible = false }],
          ]
        },
      ]
    },
    {
      title = "Ingest"
      widgets = [
        {
          title = "Duration, milliseconds", stat = "p90", period = 300, alarms = ["ingest-duration"]
          metrics = [
            ["AWS/Lambda", "Duration", local.of_ingest, "p90"],
            ["AWS/Lambda", "Duration", local.of_ingest, "median", { stat = "p50" }],
          ]
        },
        {
          title = "Errors and throttles", stat = "Sum", period = local.minute, alarms = ["ingest-throttles"]
          metrics = [
            ["AWS/Lambda", "Errors", local.of_ingest, "errors"],
            ["AWS/Lambda", "Throttles", local.of_ingest, "throttles"],
          ]
        },
        {
          title = "Concurrency", stat = "Maximum", period = local.minute, alarms = ["ingest-concurrency", "account-concurrency"]
          metrics = [
            ["AWS/Lambda", "ConcurrentExecutions", local.of_ingest, "ingest"],
            ["AWS/Lambda", "ClaimedAccountConcurrency", {}, "claimed in the account"],
          ]
        },
      ]
    },
    {
      title = "Queue"
      widgets = [
        {
          title = "Age of the oldest message, seconds", stat = "Maximum", period = local.minute, alarms = ["oldest-message-age"]
          metrics = [
            ["AWS/SQS", "ApproximateAgeOfOldestMessage", local.of_queue, "oldest"],
          ]
        },
        {
          title = "Messages", stat = "Maximum", period = local.minute, alarms = []
          metrics = [
            ["AWS/SQS", "ApproximateNumberOfMessagesVisible", local.of_queue, "waiting"],
            ["AWS/SQS", "ApproximateNumberOfMessagesNotVisible", local.of_queue, "in flight"],
          ]
        },
        {
          title = "Sent, received, deleted", stat = "Sum", period = local.minute, alarms = []
          metrics = [
            ["AWS/SQS", "NumberOfMessagesSent", local.of_queue, "sent"],
            ["AWS/SQS", "NumberOfMessagesReceived", local.of_queue, "received"],
            ["AWS/SQS", "NumberOfMessagesDeleted", local.of_queue, "deleted"],
          ]
        },
      ]
    },
    {
      title = "Process"
      widgets = [
        {
          title = "Orders written and superseded", stat = "Sum", period = local.minute, alarms = []
          metrics = concat([
            [local.own, "Written", local.of_process, "written"],
            [local.own, "Superseded", local.of_process, "superseded"],
            ], var.freshness_target_seconds == null ? [] : [
            [local.own, "Late", local.of_process, "written late"],
          ])
        },
        {
          title = "Messages failed and dead-lettered, invocations failed and throttled", stat = "Sum", period = local.failure_period_seconds, alarms = ["orders-failing"]
          metrics = [
            [local.own, "Failed", local.of_process, "messages to deliver again"],
            [local.own, "DeadLettered", local.of_process, "messages dead-lettered"],
            ["AWS/Lambda", "Errors", local.of_process, "errors"],
            ["AWS/Lambda", "Throttles", local.of_process, "throttles"],
          ]
        },
        {
          title = "Age of orders when written, milliseconds", stat = "p99", period = 300, alarms = []
          metrics = [
            [local.own, "Age", local.of_process, "p99"],
            [local.own, "Age", local.of_process, "median", { stat = "p50" }],
          ]
        },
        {
          title = "Duration, milliseconds", stat = "p90", period = 300, alarms = ["process-duration"]
          metrics = [
            ["AWS/Lambda", "Duration", local.of_process, "p90"],
            ["AWS/Lambda", "Duration", local.of_process, "median", { stat = "p50" }],
          ]
        },
        {
          title = "Concurrency", stat = "Maximum", period = local.minute, alarms = ["process-concurrency"]
          metrics = [
            ["AWS/Lambda", "ConcurrentExecutions", local.of_process, "process"],
          ]
        },
      ]
    },
    {
      title = "Table"
      widgets = [
        {
          title = "Writes throttled, by cause", stat = "Sum", period = local.minute, alarms = ["table-throttles"]
          metrics = [
            ["AWS/DynamoDB", "WriteThrottleEvents", local.of_table, "all"],
            ["AWS/DynamoDB", "WriteKeyRangeThroughputThrottleEvents", local.of_table, "a hot key range"],
            ["AWS/DynamoDB", "WriteMaxOnDemandThroughputThrottleEvents", local.of_table, "the table's maximum"],
            ["AWS/DynamoDB", "WriteAccountLimitThrottleEvents", local.of_table, "the account's limit"],
            ["AWS/DynamoDB", "WriteProvisionedThroughputThrottleEvents", local.of_table, "provisioned capacity"],
          ]
        },
        {
          title = "System errors", stat = "Sum", period = local.minute, alarms = ["table-system-errors-PutItem"]
          metrics = [
            ["AWS/DynamoDB", "SystemErrors", merge(local.of_table, { Operation = "BatchExecuteStatement" }), "BatchExecuteStatement"],
            ["AWS/DynamoDB", "SystemErrors", merge(local.of_table, { Operation = "PutItem" }), "PutItem"],
          ]
        },
        {
          title = "Write units consumed", stat = "Sum", period = local.minute, alarms = []
          metrics = [
            ["AWS/DynamoDB", "ConsumedWriteCapacityUnits", local.of_table, "consumed"],
          ]
        },
      ]
    },
    {
      title = "Dead-letter queue"
      widgets = [
        {
          title = "Dead letters", stat = "Maximum", period = local.minute, alarms = ["dead-letter-queue-not-empty"]
          metrics = [
            ["AWS/SQS", "ApproximateNumberOfMessagesVisible", local.of_dead_letter_queue, "waiting"],
            ["AWS/SQS", "ApproximateNumberOfMessagesNotVisible", local.of_dead_letter_queue, "in someone's hands"],
          ]
        },
        {
          title = "Age of the oldest dead letter, seconds", stat = "Maximum", period = 300, alarms = ["dead-letter-queue-last-call"]
          metrics = [
            ["AWS/SQS", "ApproximateAgeOfOldestMessage", local.of_dead_letter_queue, "oldest"],
          ]
        },
      ]
    },
    {
      title = "Objectives: percentage that fails within an hour"
      widgets = [
        for key, objective in local.objectives : {
          title = "${key}, objective ${objective.percent} %", stat = "Sum", period = 3600, alarms = ["${key}-1h", "${key}-6h"]
          math = concat(
            [{ expression = "100 * bad / all", label = "within an hour" }],
            [for id, query in objective.queries : { expression = query.expression, id = id, visible = false } if can(query.expression)],
          )
          metrics = [for id, query in objective.queries : [query.namespace, query.metric, query.dimensions, id, { id = id, visible = false }] if can(query.metric)]
        }
      ]
    },
  ]

  filled_rows = [for row in local.rows : row if length(row.widgets) > 0]
  # A row of more than three widgets continues below.
  row_lines = [for row in local.filled_rows : ceil(length(row.widgets) / local.row_widgets)]
  row_tops = [
    for number, row in local.filled_rows :
    local.top_height + number * local.title_height + local.widget_height * sum(concat([0], slice(local.row_lines, 0, number)))
  ]

  widgets = concat(
    [{
      type = "alarm", x = 0, y = 0, width = local.columns, height = local.top_height
      properties = {
        title = "${var.name} in ${local.region}"
        alarms = concat(
          [for alarm in aws_cloudwatch_composite_alarm.objective : alarm.arn],
          [for key, alarm in aws_cloudwatch_metric_alarm.this : alarm.arn if !try(local.alarms[key].is_window, false)],
        )
      }
    }],
    flatten([
      for number, row in local.filled_rows : concat(
        [{
          type       = "text", x = 0, y = local.row_tops[number], width = local.columns, height = local.title_height
          properties = { markdown = "### ${row.title}" }
        }],
        [
          for index, widget in row.widgets : {
            type   = "metric"
            x      = index % local.row_widgets * (local.columns / local.row_widgets)
            y      = local.row_tops[number] + local.title_height + floor(index / local.row_widgets) * local.widget_height
            width  = local.columns / local.row_widgets
            height = local.widget_height
            properties = {
              title  = widget.title
              view   = "timeSeries"
              region = local.region
              stat   = widget.stat
              period = widget.period
              yAxis  = { left = { min = 0 } }
              # [options] of an expression, and [namespace, name, dimension, value, …, options].
              metrics = concat(
                [for options in try(widget.math, []) : [options]],
                [
                  for metric in widget.metrics : concat(
                    [metric[0], metric[1]],
                    flatten([for name, value in metric[2] : [name, value]]),
                    [merge({ label = metric[3] }, try(metric[4], {}))],
                  )
                ],
              )
              # "Above 0" is "1 or more" for what is counted.
              annotations = {
                horizontal = [
                  for key in widget.alarms : { label = "alarm ${key}", value = max(local.alarms[key].above, local.alarms[key].above == 0 ? 1 : 0), color = local.alarm_color }
                  if contains(keys(local.alarms), key)
                ]
              }
            }
          }
        ],
      )
    ]),
  )
}

resource "aws_cloudwatch_dashboard" "this" {
  count = var.dashboard_enabled ? 1 : 0

  dashboard_name = "${var.name}-${local.region}"
  dashboard_body = jsonencode({ widgets = local.widgets })
}

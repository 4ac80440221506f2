mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

variables {
  name              = "orders"
  listener_arn      = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/orders/0123456789abcdef/1123456789abcdef"
  target_group_arn  = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/orders-ingest/2123456789abcdef"
  ingest_function   = { name = "orders-ingest", log_group_name = "/aws/lambda/orders-ingest", timeout_seconds = 10 }
  queue             = { arn = "arn:aws:sqs:eu-central-1:123456789012:orders", visibility_timeout_seconds = 180, retention_seconds = 345600 }
  dead_letter_queue = { arn = "arn:aws:sqs:eu-central-1:123456789012:orders-dead-letter", retention_seconds = 1209600 }
  process_function  = { name = "orders-process", log_group_name = "/aws/lambda/orders-process", timeout_seconds = 30, concurrency_limit = 5 }
  table_name        = "orders"
}

# Without a target, process counts no late orders.
run "defaults" {
  module { source = "./modules/observability" }

  assert {
    condition = {
      for key, alarm in aws_cloudwatch_metric_alarm.this : key => join(" ", compact([
        alarm.namespace, alarm.metric_name, alarm.statistic, alarm.extended_statistic, alarm.period == null ? null : "${alarm.period} s",
        alarm.datapoints_to_alarm, "of", alarm.evaluation_periods, ">", alarm.threshold
      ]))
      } == {
      load-balancer-errors                      = "AWS/ApplicationELB HTTPCode_ELB_5XX_Count Sum 60 s 3 of 5 > 0"
      target-errors                             = "AWS/ApplicationELB HTTPCode_Target_5XX_Count Sum 60 s 3 of 5 > 0"
      rejected-share                            = "3 of 3 > 25"
      ingest-throttles                          = "AWS/Lambda Throttles Sum 60 s 5 of 5 > 0"
      ingest-duration                           = "AWS/Lambda Duration p90 300 s 3 of 3 > 8000"
      oldest-message-age                        = "AWS/SQS ApproximateAgeOfOldestMessage Maximum 60 s 15 of 15 > 900"
      mapping-stopped                           = "3 of 3 > 0"
      process-throttles                         = "AWS/Lambda Throttles Sum 60 s 5 of 5 > 0"
      process-duration                          = "AWS/Lambda Duration p90 300 s 3 of 3 > 24000"
      process-concurrency                       = "AWS/Lambda ConcurrentExecutions Maximum 60 s 10 of 10 > 4.5"
      process-errors                            = "AWS/Lambda Errors Sum 300 s 3 of 3 > 0"
      orders-failing                            = "AsyncIngest Failed Sum 300 s 3 of 3 > 0"
      table-throttles                           = "AWS/DynamoDB WriteThrottleEvents Sum 60 s 5 of 5 > 0"
      table-system-errors-BatchExecuteStatement = "AWS/DynamoDB SystemErrors Sum 60 s 15 of 15 > 0"
      table-system-errors-PutItem               = "AWS/DynamoDB SystemErrors Sum 60 s 15 of 15 > 0"
      dead-letter-queue-not-empty               = "AWS/SQS ApproximateNumberOfMessagesVisible Maximum 60 s 1 of 1 > 0"
      dead-letter-queue-growing                 = "1 of 1 > 0"
      dead-letter-queue-last-call               = "AWS/SQS ApproximateAgeOfOldestMessage Maximum 300 s 1 of 1 > 777600"
      availability-1h                           = "1 of 1 > 1.44"
      availability-5m                           = "1 of 1 > 1.44"
      availability-6h                           = "1 of 1 > 0.6"
      availability-30m                          = "1 of 1 > 0.6"
    }
    error_message = "Each alarm must have its metric, statistic, period, datapoints and threshold."
  }
  assert {
    condition = {
      for key, alarm in aws_cloudwatch_metric_alarm.this : key => {
        for query in alarm.metric_query : query.id => query.expression != null && query.expression != "" ? query.expression : "${query.metric[0].metric_name} ${query.metric[0].stat} every ${query.metric[0].period} s"
      } if length(alarm.metric_query) > 0 && !startswith(key, "availability-")
      } == {
      rejected-share            = { rejected = "Rejected Sum every 300 s", share = "Rejected Average every 300 s", result = "IF(rejected >= 10, 100 * share, 0)" }
      mapping-stopped           = { waiting = "ApproximateNumberOfMessagesVisible Minimum every 300 s", received = "NumberOfMessagesReceived Sum every 300 s", result = "IF(waiting > 0 AND FILL(received, 0) < 1, 1, 0)" }
      dead-letter-queue-growing = { visible = "ApproximateNumberOfMessagesVisible Average every 300 s", received = "ApproximateNumberOfMessagesNotVisible Average every 300 s", messages = "visible + received", result = "DIFF(messages)" }
    }
    error_message = "Each alarm of several metrics must combine them as documented."
  }
  assert {
    condition = {
      for key, alarm in aws_cloudwatch_metric_alarm.this : key => "${one([for query in alarm.metric_query : query.expression if query.return_data])} every ${join(" ", distinct([for query in alarm.metric_query : query.metric[0].period if length(query.metric) > 0]))} s" if startswith(key, "availability-")
      } == {
      availability-1h  = "IF(bad >= 10, 100 * bad / all, 0) every 3600 s"
      availability-5m  = "IF(bad >= 1, 100 * bad / all, 0) every 300 s"
      availability-6h  = "IF(bad >= 10, 100 * bad / all, 0) every 21600 s"
      availability-30m = "IF(bad >= 1, 100 * bad / all, 0) every 1800 s"
    }
    error_message = "Each window of the objective must have its period, and only long ones ask for enough events."
  }
  assert {
    condition     = keys(aws_cloudwatch_composite_alarm.objective) == ["availability"] && aws_cloudwatch_composite_alarm.objective["availability"].alarm_rule == "(ALARM(\"orders-availability-1h\") AND ALARM(\"orders-availability-5m\")) OR (ALARM(\"orders-availability-6h\") AND ALARM(\"orders-availability-30m\"))"
    error_message = "A long and a short window must both burn."
  }
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.treat_missing_data == "notBreaching" && alarm.comparison_operator == "GreaterThanThreshold"])
    error_message = "A quiet or new system is well."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["load-balancer-errors"].dimensions == tomap({ LoadBalancer = "app/orders/0123456789abcdef" })
    error_message = "The load balancer's dimension must come from the listener's ARN."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["target-errors"].dimensions == tomap({ LoadBalancer = "app/orders/0123456789abcdef", TargetGroup = "targetgroup/orders-ingest/2123456789abcdef" })
    error_message = "The target's errors must be those of the target group."
  }
  assert {
    condition = {
      for key, alarm in aws_cloudwatch_metric_alarm.this : key => alarm.dimensions
      if alarm.metric_name != null && alarm.namespace != "AWS/ApplicationELB"
      } == {
      ingest-throttles                          = tomap({ FunctionName = "orders-ingest" })
      ingest-duration                           = tomap({ FunctionName = "orders-ingest" })
      oldest-message-age                        = tomap({ QueueName = "orders" })
      process-throttles                         = tomap({ FunctionName = "orders-process" })
      process-duration                          = tomap({ FunctionName = "orders-process" })
      process-concurrency                       = tomap({ FunctionName = "orders-process" })
      process-errors                            = tomap({ FunctionName = "orders-process" })
      orders-failing                            = tomap({ FunctionName = "orders-process" })
      table-throttles                           = tomap({ TableName = "orders" })
      table-system-errors-BatchExecuteStatement = tomap({ TableName = "orders", Operation = "BatchExecuteStatement" })
      table-system-errors-PutItem               = tomap({ TableName = "orders", Operation = "PutItem" })
      dead-letter-queue-not-empty               = tomap({ QueueName = "orders-dead-letter" })
      dead-letter-queue-last-call               = tomap({ QueueName = "orders-dead-letter" })
    }
    error_message = "Each alarm must be about the right piece."
  }
  assert {
    condition     = alltrue([for alarm in merge(aws_cloudwatch_metric_alarm.this, aws_cloudwatch_composite_alarm.objective) : length(coalesce(alarm.alarm_actions, [])) + length(coalesce(alarm.ok_actions, [])) == 0])
    error_message = "By default, nobody is notified."
  }
  assert {
    condition     = strcontains(aws_cloudwatch_metric_alarm.this["mapping-stopped"].alarm_description, "Runbook: docs/operations.md#mapping-stopped") && strcontains(aws_cloudwatch_metric_alarm.this["table-system-errors-PutItem"].alarm_description, "Runbook: docs/operations.md#table-system-errors")
    error_message = "Each alarm must name its section of the runbook."
  }
  assert {
    condition     = output.dashboard_name == "orders-eu-central-1"
    error_message = "The dashboard's name must have the region."
  }
  assert {
    condition     = output.alarm_names["availability"] == "orders-availability" && output.alarm_names["orders-failing"] == "orders-orders-failing" && keys(output.alarm_arns) == keys(output.alarm_names)
    error_message = "The outputs must list all alarms."
  }
  assert {
    condition = toset(output.query_names) == toset([
      "orders/what happened to this order", "orders/why refused", "orders/why dead-lettered", "orders/what fails", "orders/what is slow",
    ])
    error_message = "The queries must be in a folder of the system."
  }
}

run "given" {
  module { source = "./modules/observability" }

  variables {
    ingest_function   = { name = "in", log_group_name = "/aws/lambda/in", timeout_seconds = 7, concurrency_limit = 20 }
    queue             = { arn = "arn:aws:sqs:eu-central-1:123456789012:orders", visibility_timeout_seconds = 600, retention_seconds = 86400 }
    dead_letter_queue = { arn = "arn:aws:sqs:eu-central-1:123456789012:orders-dead-letter", retention_seconds = 86400 * 3 }
    process_function  = { name = "out", log_group_name = "/aws/lambda/out", timeout_seconds = 100 }

    alarm_actions                  = ["arn:aws:sns:eu-central-1:123456789012:on-call"]
    ok_actions                     = ["arn:aws:sns:eu-central-1:123456789012:all-clear"]
    runbook                        = "https://wiki.example/orders"
    oldest_message_age_seconds     = 60
    duration_percent               = 50
    concurrency_percent            = 75
    account_concurrency_quota      = 1000
    rejected_percent               = 5
    minimum_events                 = 3
    availability_objective_percent = 99
    freshness_objective_percent    = 95
    freshness_target_seconds       = 30
    dashboard_enabled              = false
    tags                           = { team = "orders" }
  }

  assert {
    condition = {
      for key, alarm in aws_cloudwatch_metric_alarm.this : key => join(" ", compact([
        alarm.namespace, alarm.metric_name, alarm.statistic, alarm.extended_statistic, alarm.period == null ? null : "${alarm.period} s",
        alarm.datapoints_to_alarm, "of", alarm.evaluation_periods, ">", alarm.threshold
      ]))
      if contains(["oldest-message-age", "ingest-duration", "process-duration", "ingest-concurrency", "account-concurrency", "rejected-share", "dead-letter-queue-last-call"], key) || can(regex("^(availability|freshness)-", key))
      } == {
      oldest-message-age          = "AWS/SQS ApproximateAgeOfOldestMessage Maximum 60 s 15 of 15 > 60"
      ingest-duration             = "AWS/Lambda Duration p90 300 s 3 of 3 > 3500"
      process-duration            = "AWS/Lambda Duration p90 300 s 3 of 3 > 50000"
      ingest-concurrency          = "AWS/Lambda ConcurrentExecutions Maximum 60 s 10 of 10 > 15"
      account-concurrency         = "AWS/Lambda ClaimedAccountConcurrency Maximum 60 s 10 of 10 > 750"
      rejected-share              = "3 of 3 > 5"
      dead-letter-queue-last-call = "AWS/SQS ApproximateAgeOfOldestMessage Maximum 300 s 1 of 1 > 86400"
      availability-1h             = "1 of 1 > 14.4"
      availability-5m             = "1 of 1 > 14.4"
      availability-6h             = "1 of 1 > 6"
      availability-30m            = "1 of 1 > 6"
      freshness-1h                = "1 of 1 > 72"
      freshness-5m                = "1 of 1 > 72"
      freshness-6h                = "1 of 1 > 30"
      freshness-30m               = "1 of 1 > 30"
    }
    error_message = "Each threshold must arrive, and alarms that the defaults lack have their metric, statistic, period and datapoints."
  }
  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.this), "process-concurrency")
    error_message = "Without a limit there is no alarm on it."
  }
  assert {
    condition     = alltrue([for key in ["orders-failing", "process-errors"] : aws_cloudwatch_metric_alarm.this[key].period == 720])
    error_message = "A period must be longer than the visibility timeout, or no failure would come back within it."
  }
  assert {
    condition = alltrue([
      for key, alarm in merge(aws_cloudwatch_metric_alarm.this, aws_cloudwatch_composite_alarm.objective) :
      length(regexall("-(1h|5m|6h|30m)$", key)) > 0 ? length(coalesce(alarm.alarm_actions, [])) + length(coalesce(alarm.ok_actions, [])) == 0 :
      alarm.alarm_actions == toset(["arn:aws:sns:eu-central-1:123456789012:on-call"]) && alarm.ok_actions == toset(["arn:aws:sns:eu-central-1:123456789012:all-clear"])
    ])
    error_message = "Every alarm must notify, except the windows, for which the composite alarms do."
  }
  assert {
    condition     = keys(aws_cloudwatch_composite_alarm.objective) == ["availability", "freshness"]
    error_message = "With a target, there is an objective for freshness."
  }
  assert {
    condition = { for query in aws_cloudwatch_metric_alarm.this["freshness-1h"].metric_query : query.id => try(query.metric[0].metric_name, query.expression) } == {
      bad = "Late", all = "Written", result = "IF(bad >= 3, 100 * bad / all, 0)"
    }
    error_message = "Freshness must be the share of orders written late."
  }
  assert {
    condition     = strcontains(aws_cloudwatch_metric_alarm.this["orders-failing"].alarm_description, "https://wiki.example/orders#orders-failing")
    error_message = "The runbook may be elsewhere."
  }
  assert {
    condition     = output.dashboard_name == null
    error_message = "There is no dashboard if it is not wanted."
  }
  assert {
    condition     = alltrue([for alarm in merge(aws_cloudwatch_metric_alarm.this, aws_cloudwatch_composite_alarm.objective) : alarm.tags == tomap({ team = "orders" })])
    error_message = "Every alarm must have the tags."
  }
}

run "a_topic_hears_of_the_end_too" {
  command = plan

  module { source = "./modules/observability" }

  variables {
    alarm_actions                  = ["arn:aws:sns:eu-central-1:123456789012:on-call"]
    availability_objective_percent = null
    freshness_target_seconds       = 60
    freshness_objective_percent    = null
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["orders-failing"].ok_actions == toset(["arn:aws:sns:eu-central-1:123456789012:on-call"])
    error_message = "By default, an alarm's end is notified as its start."
  }
  assert {
    condition     = length(aws_cloudwatch_composite_alarm.objective) == 0
    error_message = "Without an objective there is no alarm on it."
  }
}

run "silent_at_the_end" {
  command = plan

  module { source = "./modules/observability" }

  variables {
    alarm_actions = ["arn:aws:sns:eu-central-1:123456789012:on-call"]
    ok_actions    = []
  }

  assert {
    condition     = length(coalesce(aws_cloudwatch_metric_alarm.this["orders-failing"].ok_actions, [])) == 0
    error_message = "An empty list is silence."
  }
}

# The longest periods: an alarm may look at a day, or at a week if its period is an hour and more.
run "longest_visibility_timeout" {
  command = plan

  module { source = "./modules/observability" }

  variables {
    queue = { arn = "arn:aws:sqs:eu-central-1:123456789012:orders", visibility_timeout_seconds = 43200, retention_seconds = 1036800 }
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["orders-failing"].period == 51840 && aws_cloudwatch_metric_alarm.this["orders-failing"].evaluation_periods * 51840 <= 604800
    error_message = "The period must be a multiple of 60 s, and all of them a week at most."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["oldest-message-age"].threshold == 86400 && aws_cloudwatch_metric_alarm.this["dead-letter-queue-last-call"].threshold == 86400
    error_message = "The age must allow for one failed delivery, and the last call is a day before expiry."
  }
}

run "shortest_retention" {
  command = plan

  module { source = "./modules/observability" }

  variables {
    queue = { arn = "arn:aws:sqs:eu-central-1:123456789012:orders", visibility_timeout_seconds = 6, retention_seconds = 600 }
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["oldest-message-age"].threshold == 300
    error_message = "The age must be reached before messages expire."
  }
}

# One of each kind: with a metric of its own, one that depends on a setting, and an objective with its windows.
run "disabled" {
  command = plan

  module { source = "./modules/observability" }

  variables {
    disabled_alarms = ["load-balancer-errors", "account-concurrency", "availability"]
  }

  assert {
    condition     = [for key in keys(aws_cloudwatch_metric_alarm.this) : key if startswith(key, "load-balancer") || startswith(key, "availability")] == []
    error_message = "An alarm that is disabled must not be created, nor the windows of an objective."
  }
  assert {
    condition     = contains(keys(aws_cloudwatch_metric_alarm.this), "target-errors") && length(aws_cloudwatch_composite_alarm.objective) == 0
    error_message = "The others must be created."
  }
}

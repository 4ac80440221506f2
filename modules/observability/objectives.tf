# Service level objectives by multi-window burn rates: "Alerting on SLOs", The Site Reliability Workbook (Google). A burn rate of 1 uses up
# the error budget of 30 days in 30 days; 14.4 uses 2 % of it in an hour, 6 uses 5 % in six hours. The long window says that it matters,
# the short one that it still goes on. An alarm has one period, so each window is an alarm, and a composite alarm joins them.

locals {
  windows = {
    "1h"  = { period = 3600, burn_rate = 14.4 }
    "5m"  = { period = 300, burn_rate = 14.4 }
    "6h"  = { period = 21600, burn_rate = 6 }
    "30m" = { period = 1800, burn_rate = 6 }
  }
  # A short window has fewer events, and the long one has already decided that there are enough.
  long_windows = ["1h", "6h"]

  # Availability as the function sees it, for a load balancer may be shared: answers of 503, invocations that failed and those that were
  # refused, of all. FILL, because not every metric has data in every period, and a sum with a missing part is missing.
  all_objectives = {
    availability = {
      percent = var.availability_objective_percent
      says    = "requests are answered 5xx"
      look    = "The causes: target-errors (ingest answers 503), load-balancer-errors (ingest fails), ingest-throttles."
      queries = {
        failed      = { namespace = local.own, metric = "Failed", dimensions = local.of_ingest, statistic = "Sum" }
        errors      = { namespace = "AWS/Lambda", metric = "Errors", dimensions = local.of_ingest, statistic = "Sum" }
        throttles   = { namespace = "AWS/Lambda", metric = "Throttles", dimensions = local.of_ingest, statistic = "Sum" }
        invocations = { namespace = "AWS/Lambda", metric = "Invocations", dimensions = local.of_ingest, statistic = "Sum" }
        bad         = { expression = "FILL(failed, 0) + FILL(errors, 0) + FILL(throttles, 0)", label = "Failed requests" }
        all         = { expression = "FILL(invocations, 0) + FILL(throttles, 0)", label = "Requests" }
      }
    }
    # Of the orders that are written: while none is, oldest-message-age alarms.
    freshness = {
      percent = var.freshness_target_seconds == null ? null : var.freshness_objective_percent
      says    = "orders are written more than ${coalesce(var.freshness_target_seconds, 0)} s after their acceptance"
      look    = "Whether process keeps up (oldest-message-age, process-concurrency), or the table throttles (table-throttles)."
      queries = {
        bad = { namespace = local.own, metric = "Late", dimensions = local.of_process, statistic = "Sum" }
        all = { namespace = local.own, metric = "Written", dimensions = local.of_process, statistic = "Sum" }
      }
    }
  }
  objectives = { for key, objective in local.all_objectives : key => objective if objective.percent != null && !contains(var.disabled_alarms, key) }

  burn_rates = merge([
    for key, objective in local.objectives : {
      for window, it in local.windows : "${key}-${window}" => {
        queries = merge(objective.queries, {
          result = {
            expression = "IF(bad >= ${contains(local.long_windows, window) ? var.minimum_events : 1}, 100 * bad / all, 0)"
            label      = "Percentage of which ${objective.says}"
          }
        })
        period    = it.period, datapoints = 1, of = 1
        above     = floor(1000000 * it.burn_rate * (100 - objective.percent) + 0.5) / 1000000 # 14.4 × 0.1 is not quite 1.44 in binary
        means     = "Part of the alarm ${key}: within ${window}, ${objective.says} at ${it.burn_rate} times the rate that the objective of ${objective.percent} % allows. It notifies nobody by itself."
        look      = "The alarm ${key}."
        anchor    = key
        is_window = true
      }
    }
  ]...)
}

resource "aws_cloudwatch_composite_alarm" "objective" {
  for_each = local.objectives

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = "Too many ${each.value.says}: at this rate, the error budget of 30 days (${each.value.percent} %) is used up in five days or less. First look: ${each.value.look} Runbook: ${var.runbook}#${each.key}"

  alarm_rule = join(" OR ", [
    for pair in [["1h", "5m"], ["6h", "30m"]] :
    format("(ALARM(%q) AND ALARM(%q))", [for window in pair : aws_cloudwatch_metric_alarm.this["${each.key}-${window}"].alarm_name]...)
  ])

  alarm_actions = var.alarm_actions
  ok_actions    = local.ok_actions

  tags = var.tags
}

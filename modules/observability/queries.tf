# Saved queries of Logs Insights. The lines that they read are those of lambda_src/shared/telemetry.py and of the handlers' warnings.

locals {
  both_log_groups = [var.ingest_function.log_group_name, var.process_function.log_group_name]

  queries = {
    "what happened to this order" = {
      log_groups = local.both_log_groups
      text       = <<-EOT
        # Replace ID by the order's accepted_at (in its row, in microseconds), by a message id, or by a request or trace id of the load balancer.
        fields @timestamp, FunctionName, status, problem, level, message, reason, error, @message
        | filter @message like "ID"
        | sort @timestamp asc
        | limit 200
      EOT
    }
    "why refused" = {
      log_groups = [var.ingest_function.log_group_name]
      text       = <<-EOT
        filter FunctionName = "${var.ingest_function.name}" and status >= 400
        | stats count(*) as requests by status, problem
        | sort requests desc
      EOT
    }
    "why dead-lettered" = {
      log_groups = [var.process_function.log_group_name]
      text       = <<-EOT
        filter message = "Dead-lettered"
        | stats count(*) as messages, latest(message_id) as example by reason
        | sort messages desc
      EOT
    }
    "what fails" = {
      log_groups = local.both_log_groups
      text       = <<-EOT
        filter level in ["WARN", "WARNING", "ERROR", "CRITICAL", "FATAL"]
        | stats count(*) as lines, latest(@timestamp) as last by message, error
        | sort lines desc
      EOT
    }
    "what is slow" = {
      log_groups = local.both_log_groups
      text       = <<-EOT
        filter ispresent(duration_ms)
        | stats count(*) as invocations, pct(duration_ms, 50) as p50, pct(duration_ms, 90) as p90, max(duration_ms) as slowest, sum(cold_start) as cold_starts by FunctionName, bin(5m)
      EOT
    }
  }
}

resource "aws_cloudwatch_query_definition" "this" {
  for_each = local.queries

  name            = "${var.name}/${each.key}"
  log_group_names = each.value.log_groups
  query_string    = trimspace(each.value.text)
}

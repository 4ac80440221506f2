"""Real Terraform finds its alarms, dashboards and saved queries as it has left them."""

from pathlib import Path

from local.emulator import Emulator
from local.terraform import Terraform

CONFIGURATION = """
terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

provider "aws" {
  region                      = "us-east-1"
  skip_requesting_account_id  = false
  skip_metadata_api_check     = true
}

resource "aws_cloudwatch_metric_alarm" "metric" {
  alarm_name          = "<age> & more"
  alarm_description   = "What it means: \\"old\\" < 5 & more."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = "orders" }
  extended_statistic  = "p90"
  period              = 60
  comparison_operator = "GreaterThanThreshold"
  threshold           = 900
  evaluation_periods  = 15
  datapoints_to_alarm = 12
  treat_missing_data  = "notBreaching"
  alarm_actions       = ["arn:aws:sns:us-east-1:000000000000:operators"]
  ok_actions          = ["arn:aws:sns:us-east-1:000000000000:operators"]
  tags                = { Owner = "orders" }
}

resource "aws_cloudwatch_metric_alarm" "maths" {
  alarm_name          = "share"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1.44
  evaluation_periods  = 1
  treat_missing_data  = "breaching"

  metric_query {
    id          = "bad"
    return_data = false
    account_id  = "000000000000"

    metric {
      namespace   = "Orders"
      metric_name = "Late"
      dimensions  = { FunctionName = "process" }
      period      = 3600
      stat        = "Sum"
      unit        = "Count"
    }
  }

  metric_query {
    id          = "result"
    expression  = "IF(bad >= 1, 100, 0)"
    label       = "Share < 1 & more"
    period      = 3600
    return_data = true
  }
}

resource "aws_cloudwatch_composite_alarm" "both" {
  alarm_name        = "both"
  alarm_description = "Both."
  alarm_rule = join(" AND ", [
    "ALARM(\\"${aws_cloudwatch_metric_alarm.metric.alarm_name}\\")",
    "NOT OK(\\"${aws_cloudwatch_metric_alarm.maths.alarm_name}\\")",
  ])
  alarm_actions     = ["arn:aws:sns:us-east-1:000000000000:operators"]
  tags              = { Owner = "orders" }
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "orders-us-east-1"
  dashboard_body = jsonencode({
    widgets = [{
      type   = "text", x = 0, y = 0, width = 24, height = 2
      properties = { markdown = "# a < b & \\"c\\"" }
    }]
  })
}

resource "aws_cloudwatch_log_group" "this" {
  name = "/orders"
}

resource "aws_cloudwatch_query_definition" "this" {
  name            = "orders/slow"
  log_group_names = [aws_cloudwatch_log_group.this.name]
  query_string    = "fields @timestamp | filter duration_ms > 100"
}
"""


def test_a_second_plan_is_empty(tmp_path: Path) -> None:
    directory, work = tmp_path / "configuration", tmp_path / "work"
    directory.mkdir()
    work.mkdir()
    (directory / "main.tf").write_text(CONFIGURATION)
    with Emulator(tmp_path / "emulator", port=0) as emulator:
        terraform = Terraform(directory, work, emulator.environment())
        terraform.init()

        terraform.apply()

        assert terraform.pending_changes() == ""
        assert len(terraform.resources()) == 6
        terraform.destroy()
        cloudwatch = emulator.client("cloudwatch")
        left = cloudwatch.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        assert not left["MetricAlarms"]
        assert not left["CompositeAlarms"]
        assert not cloudwatch.list_dashboards()["DashboardEntries"]
        assert not emulator.client("logs").describe_query_definitions()["queryDefinitions"]

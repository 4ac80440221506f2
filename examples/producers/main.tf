# Producers besides the HTTP endpoint: an SNS topic, events on an EventBridge bus, and other accounts. Each sends to the queue itself, as
# queue_policy_documents allows; process checks their orders as ingest does, and dead-letters what cannot be stored.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80"
    }
  }
}

provider "aws" {
  region = var.region
}

module "async_ingest" {
  source = "../.."

  name                        = var.name
  queue_policy_documents      = [data.aws_iam_policy_document.producers.json]
  deletion_protection_enabled = var.deletion_protection
}

data "aws_iam_policy_document" "producers" {
  # checkov:skip=CKV_AWS_356:in a queue's policy, "*" is the queue

  statement {
    sid       = "SendFromTopic"
    actions   = ["sqs:SendMessage"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_sns_topic.orders.arn]
    }
  }

  statement {
    sid       = "SendFromEventRule"
    actions   = ["sqs:SendMessage"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_cloudwatch_event_rule.orders.arn]
    }
  }

  # Their own administrators decide which of their roles may send.
  dynamic "statement" {
    for_each = length(var.producer_account_ids) > 0 ? ["accounts"] : []

    content {
      sid       = "SendFromAccounts"
      actions   = ["sqs:SendMessage"]
      resources = ["*"]

      principals {
        type        = "AWS"
        identifiers = [for id in var.producer_account_ids : "arn:${data.aws_partition.current.partition}:iam::${id}:root"]
      }
    }
  }
}

data "aws_partition" "current" {}

resource "aws_sns_topic" "orders" {
  name              = "${var.name}-orders"
  kms_master_key_id = "alias/aws/sns"
}

resource "aws_sns_topic_subscription" "orders" {
  topic_arn            = aws_sns_topic.orders.arn
  protocol             = "sqs"
  endpoint             = module.async_ingest.queue_arn
  raw_message_delivery = true # otherwise the order would be text inside of SNS's own JSON
}

resource "aws_cloudwatch_event_rule" "orders" {
  name          = "${var.name}-orders"
  description   = "Orders of other services to the queue of ${var.name}"
  event_pattern = jsonencode({ source = ["shop"], detail-type = ["OrderPlaced"] })
}

resource "aws_cloudwatch_event_target" "orders" {
  rule       = aws_cloudwatch_event_rule.orders.name
  target_id  = "queue"
  arn        = module.async_ingest.queue_arn
  input_path = "$.detail" # the order, without the event around it
}

# What a role needs for each part that it can play at this queue. Attached by whoever makes the role.

locals {
  # Whatever key the queues have, had or get, but only by way of SQS: a message stays encrypted under the key with which it was
  # sent ("Encryption at rest in Amazon SQS"), and rights that came and went with kms_key would come too late and go too soon.
  any_key = "arn:${data.aws_partition.current.partition}:kms:${local.region}:*:key/*"

  # AWS's documents disagree on the suffix outside the commercial regions, so either will do.
  sqs_service_names = distinct(["sqs.${local.region}.amazonaws.com", "sqs.${local.region}.${data.aws_partition.current.dns_suffix}"])
}

data "aws_iam_policy_document" "producer" {
  statement {
    sid       = "SendToQueue"
    actions   = ["sqs:SendMessage"]
    resources = [local.arn]
  }

  statement {
    sid       = "EncryptForQueue"
    actions   = ["kms:GenerateDataKey", "kms:Decrypt"]
    resources = [local.any_key]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = local.sqs_service_names
    }
  }
}

data "aws_iam_policy_document" "consumer" {
  statement {
    sid       = "PollQueue"
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    resources = [local.arn]
  }

  # Polling is the Lambda service's work, which carries no lambda:SourceFunctionArn. Code that runs in the function does:
  # "Using source function ARN to control function access behavior" (AWS Lambda Developer Guide).
  statement {
    sid       = "DenyPollingByCode"
    effect    = "Deny"
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility", "sqs:PurgeQueue"]
    resources = ["*"]

    condition {
      test     = "Null"
      variable = "lambda:SourceFunctionArn"
      values   = ["false"]
    }
  }

  statement {
    sid       = "SendToDeadLetterQueue"
    actions   = ["sqs:SendMessage"]
    resources = [local.dead_letter_arn]
  }

  statement {
    sid       = "DecryptFromQueue"
    actions   = ["kms:GenerateDataKey", "kms:Decrypt"]
    resources = [local.any_key]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = local.sqs_service_names
    }
  }
}

# What a producer's and a consumer's role need, attached by whoever creates the role.

locals {
  # Any key, but only through SQS: a message stays encrypted under the key with which it was sent ("Encryption at rest in Amazon
  # SQS"), so permissions that followed kms_key would arrive too late and disappear too soon.
  any_key = "arn:${data.aws_partition.current.partition}:kms:${local.region}:*:key/*"

  # AWS's documents disagree on the suffix outside the commercial regions, so both are allowed.
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

  # The Lambda service polls, and its calls carry no lambda:SourceFunctionArn. Those of code in the function do:
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

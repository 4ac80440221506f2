# What a role needs for each part that it can play at this queue. Attached by whoever makes the role.

data "aws_iam_policy_document" "producer" {
  statement {
    sid       = "SendToQueue"
    actions   = ["sqs:SendMessage"]
    resources = [local.arn]
  }

  dynamic "statement" {
    for_each = var.kms_key[*]

    content {
      sid       = "EncryptForQueue"
      actions   = ["kms:GenerateDataKey", "kms:Decrypt"]
      resources = [statement.value.arn]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["sqs.${data.aws_service_principal.sqs.region}.amazonaws.com"]
      }
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

  dynamic "statement" {
    for_each = var.kms_key[*]

    content {
      sid       = "DecryptFromQueue"
      actions   = ["kms:GenerateDataKey", "kms:Decrypt"]
      resources = [statement.value.arn]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["sqs.${data.aws_service_principal.sqs.region}.amazonaws.com"]
      }
    }
  }
}

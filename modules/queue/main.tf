data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

# The region: data.aws_region has no attribute that providers 5 and 6 both know without a warning, see docs/compatibility.md.
data "aws_service_principal" "sqs" {
  service_name = "sqs"
}

locals {
  region           = data.aws_service_principal.sqs.region
  dead_letter_name = "${var.name}-dead-letter"
  has_key          = nonsensitive(var.kms_key != null)

  # Policies inside the queue resources need the ARNs before the queues exist; separate policy resources would add half a minute to
  # every apply.
  arn_prefix      = "arn:${data.aws_partition.current.partition}:sqs:${local.region}:${data.aws_caller_identity.current.account_id}"
  arn             = "${local.arn_prefix}:${var.name}"
  dead_letter_arn = "${local.arn_prefix}:${local.dead_letter_name}"

  # "Creating and configuring an Amazon SQS event source mapping" (AWS Lambda Developer Guide): at least six times the
  # function's timeout, plus the batching window, so that a throttled batch can be retried before it is delivered again.
  timeouts_per_visibility_timeout = 6
  minimum_visibility_timeout      = local.timeouts_per_visibility_timeout * var.consumer_timeout_seconds + var.consumer_batching_window_seconds

  # Every dead letter stays for at least a weekend.
  time_to_look_seconds = 172800

  # While the consumer fails, a message is delivered once per visibility timeout. After an outage it must have enough deliveries left
  # for ordinary trouble. Where SQS's limit of deliveries would be exceeded, the visibility timeout is longer.
  spare_receives         = 5
  receives_limit         = 1000
  default_outage_seconds = min(86400, floor(var.retention_seconds / 2)) # a day, and well within the retention
  outage_seconds         = coalesce(var.survived_outage_seconds, local.default_outage_seconds)
  visibility_needed      = var.max_receive_count != null ? 0 : ceil(local.outage_seconds / (local.receives_limit - local.spare_receives))
  visibility_timeout     = coalesce(var.visibility_timeout_seconds, max(local.minimum_visibility_timeout, local.visibility_needed))
  max_receive_count = coalesce(
    var.max_receive_count,
    min(local.receives_limit, ceil(local.outage_seconds / max(1, local.visibility_timeout)) + local.spare_receives),
  )
  survived_outage_seconds = (local.max_receive_count - 1) * local.visibility_timeout

  # Deliveries come later than scheduled when pollers are busy, and a message must not expire before its last.
  usable_share_of_retention = 0.75
}

resource "aws_sqs_queue" "this" {
  name                       = var.name
  visibility_timeout_seconds = local.visibility_timeout
  message_retention_seconds  = var.retention_seconds
  delay_seconds              = var.delay_seconds
  max_message_size           = var.max_message_bytes
  receive_wait_time_seconds  = 20
  policy                     = data.aws_iam_policy_document.queue.json

  sqs_managed_sse_enabled           = local.has_key ? null : true
  kms_master_key_id                 = one(var.kms_key[*].arn)
  kms_data_key_reuse_period_seconds = local.has_key ? 300 : null

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letter.arn
    maxReceiveCount     = local.max_receive_count
  })

  tags = var.tags

  lifecycle {
    precondition {
      condition     = local.visibility_timeout >= local.minimum_visibility_timeout
      error_message = "visibility_timeout_seconds (queue_visibility_timeout_seconds) is ${local.visibility_timeout}, but must be at least ${local.timeouts_per_visibility_timeout} × the consumer's timeout ${var.consumer_timeout_seconds} s + its batching window ${var.consumer_batching_window_seconds} s = ${local.minimum_visibility_timeout} s, or messages still being processed would be delivered again. Raise it, lower the consumer's timeout, or set it to null to derive it."
    }
    precondition {
      condition     = local.max_receive_count * local.visibility_timeout <= local.usable_share_of_retention * var.retention_seconds
      error_message = "${local.max_receive_count} deliveries, ${local.visibility_timeout} s apart, take ${local.max_receive_count * local.visibility_timeout} s, which is more than three quarters of retention_seconds (queue_retention_seconds) ${var.retention_seconds}, so a message that keeps failing could expire before it reaches the dead-letter queue. Raise the retention, or lower the number of deliveries, the consumer's timeout or the visibility timeout."
    }
    precondition {
      condition     = local.survived_outage_seconds >= coalesce(var.survived_outage_seconds, 0)
      error_message = "survived_outage_seconds is ${coalesce(var.survived_outage_seconds, 0)}, which takes more than SQS's ${local.receives_limit} deliveries, ${local.visibility_timeout} s apart. Raise visibility_timeout_seconds, or set it to null to derive it."
    }
    precondition {
      condition     = var.dead_letter_retention_seconds >= var.retention_seconds + local.time_to_look_seconds
      error_message = "dead_letter_retention_seconds is ${var.dead_letter_retention_seconds}, but must be at least two days (${local.time_to_look_seconds}) above retention_seconds (queue_retention_seconds) ${var.retention_seconds}: a message keeps its first enqueue time when it moves to the dead-letter queue, and would expire there before anyone looks. Raise the former or lower the latter."
    }
  }
}

resource "aws_sqs_queue" "dead_letter" {
  name                      = local.dead_letter_name
  message_retention_seconds = var.dead_letter_retention_seconds
  max_message_size          = var.max_message_bytes
  receive_wait_time_seconds = 20
  policy                    = data.aws_iam_policy_document.tls_only["dead_letter"].json

  sqs_managed_sse_enabled           = local.has_key ? null : true
  kms_master_key_id                 = one(var.kms_key[*].arn)
  kms_data_key_reuse_period_seconds = local.has_key ? 300 : null

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [local.arn]
  })

  tags = var.tags
}

data "aws_iam_policy_document" "tls_only" {
  for_each = { source = local.arn, dead_letter = local.dead_letter_arn }

  statement {
    sid       = "DenyWithoutTLS"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [each.value]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

data "aws_iam_policy_document" "queue" {
  source_policy_documents = concat([data.aws_iam_policy_document.tls_only["source"].json], var.policy_documents)
}

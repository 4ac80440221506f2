data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

# The region: data.aws_region has no attribute that providers 5 and 6 both know without a warning, see docs/compatibility.md.
data "aws_service_principal" "sqs" {
  service_name = "sqs"
}

locals {
  region          = data.aws_service_principal.sqs.region
  flow_logs_count = var.flow_logs_enabled ? 1 : 0
}

resource "aws_cloudwatch_log_group" "flow_logs" {
  count = local.flow_logs_count

  name              = "/aws/vpc/${var.name}-flow-logs"
  retention_in_days = var.log_retention_days
  kms_key_id        = one(var.kms_key[*].arn)

  tags = var.tags
}

data "aws_iam_policy_document" "flow_logs_trust" {
  count = local.flow_logs_count

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["vpc-flow-logs.amazonaws.com"]
    }

    # Confused deputy: only flow logs of this account and region may use the role ("IAM role for publishing flow logs to
    # CloudWatch Logs", Amazon VPC User Guide).
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:${data.aws_partition.current.partition}:ec2:${local.region}:${data.aws_caller_identity.current.account_id}:vpc-flow-log/*"]
    }
  }
}

data "aws_iam_policy_document" "flow_logs" {
  count = local.flow_logs_count

  statement {
    sid       = "WriteFlowLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"]
    resources = ["${aws_cloudwatch_log_group.flow_logs[0].arn}:*"]
  }

  # Without logs:CreateLogGroup, which AWS lists as well: it would recreate the group after a destroy.
  statement {
    sid       = "DescribeLogGroups"
    actions   = ["logs:DescribeLogGroups"]
    resources = ["arn:${data.aws_partition.current.partition}:logs:${local.region}:${data.aws_caller_identity.current.account_id}:log-group:*"]
  }
}

resource "aws_iam_role" "flow_logs" {
  count = local.flow_logs_count

  # A prefix, because IAM has one namespace for all regions, and because a new path replaces a role that is in use.
  name_prefix          = "${var.name}-flow-logs-"
  path                 = var.role_path
  permissions_boundary = one(var.permissions_boundary[*].arn)
  assume_role_policy   = data.aws_iam_policy_document.flow_logs_trust[0].json

  tags = var.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_iam_role_policy" "flow_logs" {
  count = local.flow_logs_count

  name   = "write-flow-logs"
  role   = aws_iam_role.flow_logs[0].id # unknown while the role is replaced, so the policy is as well
  policy = data.aws_iam_policy_document.flow_logs[0].json

  lifecycle {
    create_before_destroy = true # as for the role
  }
}

resource "aws_flow_log" "this" {
  count = local.flow_logs_count

  vpc_id               = aws_vpc.this.id
  traffic_type         = "ALL"
  log_destination_type = "cloud-watch-logs"
  log_destination      = aws_cloudwatch_log_group.flow_logs[0].arn
  iam_role_arn         = aws_iam_role.flow_logs[0].arn

  tags = merge(var.tags, { Name = var.name })

  # Without the policy the first records are dropped.
  depends_on = [aws_iam_role_policy.flow_logs]
}

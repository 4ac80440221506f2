locals {
  role_count = local.has_own_role ? 1 : 0
}

data "aws_iam_policy_document" "trust" {
  count = local.role_count

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }

    # Against confused deputies: only functions of this account. Not aws:SourceArn, because Lambda tests the role before the function exists.
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

data "aws_iam_policy_document" "runtime" {
  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:/aws/lambda/${var.name}:*"]
  }

  dynamic "statement" {
    for_each = var.tracing_enabled ? ["xray"] : []

    content {
      sid       = "WriteTraces"
      actions   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
      resources = ["*"]
    }
  }

  dynamic "statement" {
    for_each = var.in_vpc ? ["vpc"] : []

    content {
      # All of the region, because Lambda tests this with interfaces that do not exist yet, and all accounts, because the subnets of a
      # shared VPC belong to its owner. Denied to the function's code below.
      sid = "ManageNetworkInterfaces"
      actions = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:UnassignPrivateIpAddresses",
      ]
      resources = ["arn:${local.partition}:ec2:${local.region}:*:*/*"]
    }
  }

  dynamic "statement" {
    for_each = var.in_vpc ? ["vpc"] : []

    content {
      sid       = "DescribeNetworkInterfaces"
      actions   = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]
      resources = ["*"]
    }
  }

  # The Lambda service creates the network interfaces, and its calls carry no lambda:SourceFunctionArn. Those of code in the function
  # do: "Using source function ARN to control function access behavior" (AWS Lambda Developer Guide).
  dynamic "statement" {
    for_each = var.in_vpc ? ["vpc"] : []

    content {
      sid       = "DenyNetworkInterfacesToCode"
      effect    = "Deny"
      actions   = ["ec2:*"]
      resources = ["*"]

      condition {
        test     = "Null"
        variable = "lambda:SourceFunctionArn"
        values   = ["false"]
      }
    }
  }
}

# Lambda decrypts the environment as the role if it has no grant, because the role was replaced or the deployer may not create grants
# ("Securing Lambda environment variables", AWS Lambda Developer Guide). Any key, because it may have been another before.
data "aws_iam_policy_document" "environment" {
  statement {
    sid       = "DecryptEnvironment"
    actions   = ["kms:Decrypt"]
    resources = ["arn:${local.partition}:kms:${local.region}:*:key/*"]

    condition {
      test     = "StringEquals"
      variable = "kms:EncryptionContext:aws:lambda:FunctionArn"
      values   = ["arn:${local.partition}:lambda:${local.region}:${local.account_id}:function:${var.name}"]
    }
  }
}

data "aws_iam_policy_document" "this" {
  source_policy_documents = concat([data.aws_iam_policy_document.runtime.json, data.aws_iam_policy_document.environment.json], var.policy_documents)
}

resource "aws_iam_role" "this" {
  count = local.role_count

  # A prefix (IAM allows 38 characters), because IAM has one namespace for all regions, and because a new path replaces the role while
  # the function still runs with the old one.
  name_prefix          = "${substr(var.name, 0, 37)}-"
  description          = "Execution role of the function ${var.name}"
  path                 = var.role_path
  permissions_boundary = one(var.permissions_boundary[*].arn)
  assume_role_policy   = data.aws_iam_policy_document.trust[0].json

  tags = var.tags

  lifecycle {
    create_before_destroy = true # the function switches in between
  }
}

resource "aws_iam_role_policy" "this" {
  count = local.role_count

  name   = "least-privilege"
  role   = aws_iam_role.this[0].id # unknown while the role is replaced, so the policy is as well
  policy = data.aws_iam_policy_document.this.json

  lifecycle {
    create_before_destroy = true
  }
}

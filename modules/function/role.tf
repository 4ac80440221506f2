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

    # Confused deputy: only functions of this account. Not aws:SourceArn: Lambda tries the role before the function exists.
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
      # As wide as the region, for Lambda tries it out on interfaces that do not exist yet, and in any account, for the subnets of a
      # shared VPC belong to its owner; denied to the code below.
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

  # The Lambda service makes the network interfaces, and its calls carry no lambda:SourceFunctionArn. Code in the function
  # does: "Using source function ARN to control function access behavior" (AWS Lambda Developer Guide).
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

# Lambda decrypts the environment as the role where it holds no grant for it: the role was replaced, or whoever deployed may not
# make grants ("Securing Lambda environment variables", AWS Lambda Developer Guide). Whatever key it is encrypted under.
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

  # IAM has one name space for all regions, and a new path replaces a role while the function still runs with the old one.
  name_prefix          = "${substr(var.name, 0, 37)}-"
  description          = "Execution role of the function ${var.name}"
  path                 = var.role_path
  permissions_boundary = one(var.permissions_boundary[*].arn)
  assume_role_policy   = data.aws_iam_policy_document.trust[0].json

  tags = var.tags

  lifecycle {
    create_before_destroy = true # the function is switched in between
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

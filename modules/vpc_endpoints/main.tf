# The region: data.aws_region has no attribute that providers 5 and 6 both know without a warning, see docs/compatibility.md.
data "aws_service_principal" "sqs" {
  service_name = "sqs"
}

# The way from private subnets to SQS and DynamoDB without NAT. Each endpoint's policy names who may do what through it:
# "Control access to VPC endpoints using endpoint policies" (AWS PrivateLink Guide).

resource "aws_security_group" "sqs" {
  name        = "${var.name}-sqs-endpoint"
  description = "SQS endpoint of ${var.name}: HTTPS in from the functions, nothing out"
  vpc_id      = var.vpc_id

  tags = merge(var.tags, { Name = "${var.name}-sqs-endpoint" })
}

resource "aws_vpc_security_group_ingress_rule" "sqs" {
  for_each = var.client_security_group_ids

  security_group_id            = aws_security_group.sqs.id
  description                  = "HTTPS from ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = each.value

  tags = var.tags
}

resource "aws_vpc_endpoint" "sqs" {
  vpc_id              = var.vpc_id
  service_name        = "com.amazonaws.${data.aws_service_principal.sqs.region}.sqs"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = var.subnet_ids
  security_group_ids  = [aws_security_group.sqs.id]
  policy              = data.aws_iam_policy_document.sqs.json

  tags = merge(var.tags, { Name = "${var.name}-sqs" })
}

data "aws_iam_policy_document" "sqs" {
  statement {
    sid       = "SendByFunctions"
    actions   = ["sqs:SendMessage"]
    resources = var.queue_arns

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:PrincipalArn"
      values   = var.sqs_role_arns
    }
  }
}

resource "aws_vpc_endpoint" "dynamodb" {
  vpc_id            = var.vpc_id
  service_name      = "com.amazonaws.${data.aws_service_principal.sqs.region}.dynamodb"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = var.route_table_ids
  policy            = data.aws_iam_policy_document.dynamodb.json

  tags = merge(var.tags, { Name = "${var.name}-dynamodb" })
}

data "aws_iam_policy_document" "dynamodb" {
  # A gateway endpoint takes "*" as the principal only; the condition names the role.
  statement {
    sid       = "WriteByFunction"
    actions   = ["dynamodb:PartiQLInsert", "dynamodb:PutItem"]
    resources = [var.table_arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:PrincipalArn"
      values   = var.dynamodb_role_arns
    }
  }
}

# The route from private subnets to SQS, DynamoDB and, if there are secrets, Secrets Manager without NAT, for one system or for several that share a network. Each endpoint's
# policy says which actions it allows with which account's credentials: "Control access to VPC endpoints using endpoint policies" (AWS
# PrivateLink Guide). It does not name roles: IAM decides that, and a system whose roles change would be cut off.

data "aws_caller_identity" "current" {}

locals {
  clients = merge(
    { for client, id in var.client_security_group_ids : client => { security_group_id = id, cidr_block = null } },
    { for client, cidr_block in var.client_cidr_blocks : client => { security_group_id = null, cidr_block = cidr_block } },
  )
}

# By a pattern, because the name has another prefix in China; each region has one service that matches.
data "aws_vpc_endpoint_service" "sqs" {
  service_type = "Interface"

  filter {
    name   = "service-name"
    values = ["*.sqs"]
  }
}

data "aws_vpc_endpoint_service" "dynamodb" {
  service_type = "Gateway"

  filter {
    name   = "service-name"
    values = ["*.dynamodb"]
  }
}

data "aws_subnet" "function" {
  count = length(var.subnet_ids)

  id = var.subnet_ids[count.index]
}

resource "aws_security_group" "sqs" {
  name_prefix = "${var.name}-sqs-endpoint-"
  description = "SQS endpoint of ${var.name}: HTTPS in from the functions, nothing out"
  vpc_id      = var.vpc_id

  tags = merge(var.tags, { Name = "${var.name}-sqs-endpoint" })

  lifecycle {
    create_before_destroy = true # the endpoint needs the new group before it releases the old one
  }
}

resource "aws_vpc_security_group_ingress_rule" "sqs" {
  for_each = local.clients

  security_group_id            = aws_security_group.sqs.id
  description                  = "HTTPS from ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = each.value.security_group_id
  cidr_ipv4                    = each.value.cidr_block

  tags = var.tags
}

resource "aws_vpc_endpoint" "sqs" {
  vpc_id              = var.vpc_id
  service_name        = data.aws_vpc_endpoint_service.sqs.service_name
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = var.subnet_ids
  security_group_ids  = [aws_security_group.sqs.id]

  tags = merge(var.tags, { Name = "${var.name}-sqs" })

  # Its private name takes over all SQS traffic as soon as it exists.
  depends_on = [aws_vpc_security_group_ingress_rule.sqs]

  lifecycle {
    # It never changes, but it is unknown where depends_on on the module defers the data source, which would replace the endpoint.
    ignore_changes = [service_name]

    precondition {
      # An emulator may list no zones.
      condition     = length(data.aws_vpc_endpoint_service.sqs.availability_zones) == 0 || alltrue([for subnet in data.aws_subnet.function : contains(data.aws_vpc_endpoint_service.sqs.availability_zones, subnet.availability_zone)])
      error_message = "subnet_ids are in ${join(", ", data.aws_subnet.function[*].availability_zone)}, but SQS offers endpoints only in ${join(", ", data.aws_vpc_endpoint_service.sqs.availability_zones)}. Choose subnets in those zones for the functions, or disable the endpoints."
    }
    precondition {
      condition     = length(distinct(data.aws_subnet.function[*].availability_zone)) == length(var.subnet_ids)
      error_message = "subnet_ids are in ${join(", ", data.aws_subnet.function[*].availability_zone)}, but an endpoint takes only one subnet per zone. Choose one function subnet per zone."
    }
  }
}

resource "aws_vpc_endpoint_policy" "sqs" {
  vpc_endpoint_id = aws_vpc_endpoint.sqs.id
  policy          = data.aws_iam_policy_document.sqs_merged.json
}

data "aws_iam_policy_document" "sqs_merged" {
  source_policy_documents = concat([data.aws_iam_policy_document.sqs.json], var.sqs_policy_documents)
}

data "aws_iam_policy_document" "sqs" {
  statement {
    sid       = "SendToQueues"
    actions   = ["sqs:SendMessage"]
    resources = var.queue_arns

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_vpc_endpoint" "dynamodb" {
  vpc_id            = var.vpc_id
  service_name      = data.aws_vpc_endpoint_service.dynamodb.service_name
  vpc_endpoint_type = "Gateway"
  route_table_ids   = var.route_table_ids

  tags = merge(var.tags, { Name = "${var.name}-dynamodb" })

  lifecycle {
    # As for SQS.
    ignore_changes = [service_name]
  }
}

resource "aws_vpc_endpoint_policy" "dynamodb" {
  vpc_endpoint_id = aws_vpc_endpoint.dynamodb.id
  policy          = data.aws_iam_policy_document.dynamodb_merged.json
}

data "aws_iam_policy_document" "dynamodb_merged" {
  source_policy_documents = concat([data.aws_iam_policy_document.dynamodb.json], var.dynamodb_policy_documents)
}

data "aws_iam_policy_document" "dynamodb" {
  # A gateway endpoint's policy accepts no principal but "*".
  statement {
    sid       = "WriteToTables"
    actions   = ["dynamodb:PartiQLInsert", "dynamodb:PutItem"]
    resources = var.table_arns

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

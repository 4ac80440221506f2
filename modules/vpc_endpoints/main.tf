# The route from private subnets to SQS, DynamoDB and, if there are secrets, Secrets Manager without NAT, for one system or for several
# that share a network. Each endpoint's policy says which actions it allows with which account's credentials: "Control access to VPC
# endpoints using endpoint policies" (AWS PrivateLink Guide). It does not name roles: IAM decides that, and a system whose roles change
# would be cut off.

data "aws_caller_identity" "current" {}

locals {
  clients = merge(
    { for client, id in var.client_security_group_ids : client => { security_group_id = id, cidr_block = null } },
    { for client, cidr_block in var.client_cidr_blocks : client => { security_group_id = null, cidr_block = cidr_block } },
  )

  # Interface endpoints: each has addresses in the subnets, and a private name.
  services = merge(
    {
      sqs = {
        title            = "SQS"
        name             = "sqs"
        service_name     = "*.sqs"
        sid              = "SendToQueues"
        action           = "sqs:SendMessage"
        resources        = var.queue_arns
        policy_documents = var.sqs_policy_documents
      }
    },
    length(var.secret_arns) == 0 ? {} : {
      secrets_manager = {
        title            = "Secrets Manager"
        name             = "secrets-manager"
        service_name     = "*.secretsmanager"
        sid              = "ReadSecrets"
        action           = "secretsmanager:GetSecretValue"
        resources        = var.secret_arns
        policy_documents = var.secrets_manager_policy_documents
      }
    },
  )
  admissions = {
    for pair in setproduct(keys(local.services), keys(local.clients)) :
    "${pair[0]} ${pair[1]}" => { service = pair[0], client = pair[1] }
  }
}

data "aws_subnet" "function" {
  count = length(var.subnet_ids)

  id = var.subnet_ids[count.index]
}

# By a pattern, because the name has another prefix in China; each region has one service that matches.
data "aws_vpc_endpoint_service" "interface" {
  for_each = local.services

  service_type = "Interface"

  filter {
    name   = "service-name"
    values = [each.value.service_name]
  }
}

resource "aws_security_group" "interface" {
  for_each = local.services

  name_prefix = "${var.name}-${each.value.name}-endpoint-"
  description = "${each.value.title} endpoint of ${var.name}: HTTPS in from the functions, nothing out"
  vpc_id      = var.vpc_id

  tags = merge(var.tags, { Name = "${var.name}-${each.value.name}-endpoint" })

  lifecycle {
    create_before_destroy = true # the endpoint needs the new group before it releases the old one
  }
}

resource "aws_vpc_security_group_ingress_rule" "interface" {
  for_each = local.admissions

  security_group_id            = aws_security_group.interface[each.value.service].id
  description                  = "HTTPS from ${each.value.client}"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = local.clients[each.value.client].security_group_id
  cidr_ipv4                    = local.clients[each.value.client].cidr_block

  tags = var.tags
}

resource "aws_vpc_endpoint" "interface" {
  for_each = local.services

  vpc_id              = var.vpc_id
  service_name        = data.aws_vpc_endpoint_service.interface[each.key].service_name
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = var.subnet_ids
  security_group_ids  = [aws_security_group.interface[each.key].id]

  tags = merge(var.tags, { Name = "${var.name}-${each.value.name}" })

  # Its private name takes over all traffic to the service as soon as it exists.
  depends_on = [aws_vpc_security_group_ingress_rule.interface]

  lifecycle {
    create_before_destroy = true # functions stop using it before it goes
    # It never changes, but it is unknown where depends_on on the module defers the data source, which would replace the endpoint.
    ignore_changes = [service_name]

    precondition {
      # An emulator may list no zones.
      condition     = length(data.aws_vpc_endpoint_service.interface[each.key].availability_zones) == 0 || alltrue([for subnet in data.aws_subnet.function : contains(data.aws_vpc_endpoint_service.interface[each.key].availability_zones, subnet.availability_zone)])
      error_message = "subnet_ids are in ${join(", ", data.aws_subnet.function[*].availability_zone)}, but ${each.value.title} offers endpoints only in ${join(", ", data.aws_vpc_endpoint_service.interface[each.key].availability_zones)}. Choose subnets in those zones for the functions, or disable the endpoints."
    }
    precondition {
      condition     = length(distinct(data.aws_subnet.function[*].availability_zone)) == length(var.subnet_ids)
      error_message = "subnet_ids are in ${join(", ", data.aws_subnet.function[*].availability_zone)}, but an endpoint takes only one subnet per zone. Choose one function subnet per zone."
    }
  }
}

resource "aws_vpc_endpoint_policy" "interface" {
  for_each = local.services

  vpc_endpoint_id = aws_vpc_endpoint.interface[each.key].id
  policy          = data.aws_iam_policy_document.interface_merged[each.key].json
}

data "aws_iam_policy_document" "interface_merged" {
  for_each = local.services

  source_policy_documents = concat([data.aws_iam_policy_document.interface[each.key].json], each.value.policy_documents)
}

data "aws_iam_policy_document" "interface" {
  for_each = local.services

  statement {
    sid       = each.value.sid
    actions   = [each.value.action]
    resources = each.value.resources

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

data "aws_vpc_endpoint_service" "dynamodb" {
  service_type = "Gateway"

  filter {
    name   = "service-name"
    values = ["*.dynamodb"]
  }
}

resource "aws_vpc_endpoint" "dynamodb" {
  vpc_id            = var.vpc_id
  service_name      = data.aws_vpc_endpoint_service.dynamodb.service_name
  vpc_endpoint_type = "Gateway"
  route_table_ids   = var.route_table_ids

  tags = merge(var.tags, { Name = "${var.name}-dynamodb" })

  lifecycle {
    # As for the interface endpoints.
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

locals {
  secrets_manager_count = length(var.secret_arns) > 0 ? 1 : 0
}

data "aws_vpc_endpoint_service" "secrets_manager" {
  count = local.secrets_manager_count

  service_type = "Interface"

  filter {
    name   = "service-name"
    values = ["*.secretsmanager"]
  }
}

resource "aws_security_group" "secrets_manager" {
  count = local.secrets_manager_count

  name_prefix = "${var.name}-secrets-manager-endpoint-"
  description = "Secrets Manager endpoint of ${var.name}: HTTPS in from the functions, nothing out"
  vpc_id      = var.vpc_id

  tags = merge(var.tags, { Name = "${var.name}-secrets-manager-endpoint" })

  lifecycle {
    create_before_destroy = true # the endpoint needs the new group before it releases the old one
  }
}

resource "aws_vpc_security_group_ingress_rule" "secrets_manager" {
  for_each = local.secrets_manager_count == 0 ? {} : local.clients

  security_group_id            = aws_security_group.secrets_manager[0].id
  description                  = "HTTPS from ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = each.value.security_group_id
  cidr_ipv4                    = each.value.cidr_block

  tags = var.tags
}

resource "aws_vpc_endpoint" "secrets_manager" {
  count = local.secrets_manager_count

  vpc_id              = var.vpc_id
  service_name        = data.aws_vpc_endpoint_service.secrets_manager[0].service_name
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = var.subnet_ids
  security_group_ids  = aws_security_group.secrets_manager[*].id

  tags = merge(var.tags, { Name = "${var.name}-secrets-manager" })

  # Its private name takes over all Secrets Manager traffic as soon as it exists.
  depends_on = [aws_vpc_security_group_ingress_rule.secrets_manager]

  lifecycle {
    create_before_destroy = true           # functions stop using it before it goes
    ignore_changes        = [service_name] # as for SQS

    precondition {
      condition     = length(data.aws_vpc_endpoint_service.secrets_manager[0].availability_zones) == 0 || alltrue([for subnet in data.aws_subnet.function : contains(data.aws_vpc_endpoint_service.secrets_manager[0].availability_zones, subnet.availability_zone)])
      error_message = "subnet_ids are in ${join(", ", data.aws_subnet.function[*].availability_zone)}, but Secrets Manager offers endpoints only in ${join(", ", data.aws_vpc_endpoint_service.secrets_manager[0].availability_zones)}. Choose subnets in those zones for the functions, or disable the endpoints."
    }
  }
}

resource "aws_vpc_endpoint_policy" "secrets_manager" {
  count = local.secrets_manager_count

  vpc_endpoint_id = aws_vpc_endpoint.secrets_manager[0].id
  policy          = data.aws_iam_policy_document.secrets_manager_merged[0].json
}

data "aws_iam_policy_document" "secrets_manager_merged" {
  count = local.secrets_manager_count

  source_policy_documents = concat([data.aws_iam_policy_document.secrets_manager[0].json], var.secrets_manager_policy_documents)
}

data "aws_iam_policy_document" "secrets_manager" {
  count = local.secrets_manager_count

  statement {
    sid       = "ReadSecrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = var.secret_arns

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

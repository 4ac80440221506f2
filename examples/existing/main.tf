# In an existing environment: its network, shared load balancer, roles, key and table. All of these are created in the same
# configuration, and so are unknown at plan, to show that none of them needs to exist beforehand.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80"
    }
  }
}

provider "aws" {
  region = var.region
}

module "async_ingest" {
  source = "../.."

  name = var.name

  existing_network = {
    vpc_id                   = module.network.vpc_id
    vpc_cidr_block           = module.network.vpc_cidr_block
    load_balancer_subnet_ids = module.network.public_subnet_ids
    function_subnet_ids      = module.network.private_subnet_ids
    function_route_table_ids = module.network.private_route_table_ids
  }
  vpc_endpoints = { enabled = true } # nothing else runs in this network

  existing_listener = { arn = aws_lb_listener.shared.arn, priority = 100 }
  paths             = ["/lambda/api", "/v1/orders"]

  existing_roles = { ingest = { arn = local.role_arns["ingest"] }, process = { arn = local.role_arns["process"] } }

  existing_table      = { name = module.table.name, arn = module.table.arn }
  table_partition_key = { name = "order_id", type = "S" }
  table_sort_key      = { name = "item", type = "S" }

  kms_key = { arn = aws_kms_key.this.arn }
}

# Rarely needed settings, here the table's class and stream, are inputs of the submodules only.
module "table" {
  source = "../../modules/table"

  name                        = "${var.name}-orders"
  partition_key               = { name = "order_id", type = "S" }
  sort_key                    = { name = "item", type = "S" }
  table_class                 = "STANDARD_INFREQUENT_ACCESS"
  stream_view_type            = "NEW_IMAGE"
  kms_key                     = { arn = aws_kms_key.this.arn }
  deletion_protection_enabled = var.deletion_protection
}

module "network" {
  source = "../../modules/network"

  name       = "${var.name}-net"
  cidr_block = "10.20.0.0/20"
}

resource "aws_kms_key" "this" {
  description         = "Orders of ${var.name}"
  enable_key_rotation = true
  policy              = module.async_ingest.kms_key_policy_json
}

# The team owns the roles; the module's outputs say what they must allow.
resource "aws_iam_role" "orders" {
  for_each = toset(["ingest", "process"])

  name               = "${var.name}-team-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.lambda.json
}

resource "aws_iam_role_policy" "orders" {
  for_each = {
    ingest  = module.async_ingest.ingest_policy_json
    process = module.async_ingest.process_policy_json
  }

  name   = "orders"
  role   = aws_iam_role.orders[each.key].name
  policy = each.value
}

# Through the policies, because Lambda refuses a role that does not have the function's permissions yet.
locals {
  role_arns = {
    for name, policy in aws_iam_role_policy.orders :
    name => "arn:aws:iam::${data.aws_caller_identity.current.account_id}:role/${policy.role}"
  }
}

data "aws_caller_identity" "current" {}

data "aws_iam_policy_document" "lambda" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

# The load balancer that several services share.
resource "aws_lb" "shared" {
  # checkov:skip=CKV_AWS_91:an example without a bucket; examples/complete has one
  # checkov:skip=CKV2_AWS_20:an example without a certificate; examples/complete has one
  name                       = "${var.name}-shared"
  internal                   = true
  load_balancer_type         = "application"
  subnets                    = module.network.public_subnet_ids
  security_groups            = [aws_security_group.shared.id]
  enable_deletion_protection = var.deletion_protection
  drop_invalid_header_fields = true
}

resource "aws_lb_listener" "shared" {
  # checkov:skip=CKV_AWS_2:an example without a certificate; examples/complete has one
  # checkov:skip=CKV_AWS_103:an example without a certificate; examples/complete has one
  load_balancer_arn = aws_lb.shared.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "fixed-response"

    fixed_response {
      status_code  = "404"
      content_type = "text/plain"
      message_body = "Not here"
    }
  }
}

resource "aws_security_group" "shared" {
  name        = "${var.name}-shared"
  description = "Shared load balancer: HTTP from the VPC in, nothing out"
  vpc_id      = module.network.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "shared" {
  security_group_id = aws_security_group.shared.id
  description       = "HTTP from the VPC"
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 80
  cidr_ipv4         = module.network.vpc_cidr_block
}

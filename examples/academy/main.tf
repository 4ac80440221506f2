# AWS Academy and similar accounts: you may not create roles, one pre-made role does everything, and quotas are small.

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

data "aws_caller_identity" "current" {}

locals {
  role = { arn = "arn:aws:iam::${data.aws_caller_identity.current.account_id}:role/${var.role_name}" }
}

module "async_ingest" {
  source = "../.."

  name = var.name

  # From the lab's own network only, or from a laptop on the internet.
  load_balancer_internal            = length(var.client_cidr_blocks) == 0
  load_balancer_ingress_cidr_blocks = length(var.client_cidr_blocks) == 0 ? null : var.client_cidr_blocks

  existing_roles = { ingest = local.role, process = local.role }
  vpc            = { flow_logs_enabled = false } # they would need a role of their own

  # A lab ends within hours and nobody is on call, while alarms and dashboard would take a part of its budget.
  observability = null

  process_maximum_concurrency = 2
  deletion_protection_enabled = var.deletion_protection
}

# AWS Academy and the like: no role may be created, one pre-made role does everything, and the account is small.

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

  existing_ingest_role  = local.role
  existing_process_role = local.role
  flow_logs_enabled     = false # no role may be made for them

  process_maximum_concurrency = 2
  deletion_protection_enabled = var.deletion_protection
}

# The whole system with all defaults: one module block, one URL.

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

  name                        = var.name
  deletion_protection_enabled = var.deletion_protection
}

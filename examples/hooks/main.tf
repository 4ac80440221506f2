# Hooks of the team's own: a JSON Schema enforced at ingest, and a total computed at process. README.md says how they are tested.

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

  order_hooks = { source_dir = "${path.module}/hooks" }
}

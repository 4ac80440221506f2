terraform {
  required_version = ">= 1.9"

  required_providers {
    # tflint-ignore: terraform_unused_required_providers # passes the mocked provider on
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80"
    }
  }
}

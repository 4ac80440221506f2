terraform {
  required_version = ">= 1.9"

  required_providers {
    # tflint-ignore: terraform_unused_required_providers # the test hands its mocked provider on by it
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80"
    }
  }
}

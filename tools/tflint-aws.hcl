# .tflint.hcl and the AWS ruleset, for machines that reach GitHub (make lint finds out).

plugin "terraform" {
  enabled = true
  preset  = "all"
}

plugin "aws" {
  enabled = true
  version = "0.44.0"
  source  = "github.com/terraform-linters/tflint-ruleset-aws"
}

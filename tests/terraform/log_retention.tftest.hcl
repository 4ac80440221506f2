mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

run "every_period_is_accepted" {
  module { source = "./tests/terraform/log_retention" }
  command = plan
}

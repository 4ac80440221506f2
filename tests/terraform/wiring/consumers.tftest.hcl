# What consumers' configurations make of the root. test_consumers.py reads the plans.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

run "brought_along" {
  module { source = "./tests/terraform/brought" }
  state_key = "brought"
  command   = plan
}

run "deferred" {
  module { source = "./tests/terraform/deferred" }
  state_key = "deferred"

  variables { trigger = "1" }
}

run "deferred_again" {
  module { source = "./tests/terraform/deferred" }
  state_key = "deferred"
  command   = plan

  variables { trigger = "2" }
}

# Plans of consumers' configurations, which test_consumers.py reads.

mock_provider "aws" {
  source = "./tests/terraform/mocks"
}

run "provided" {
  module { source = "./tests/terraform/provided" }
  state_key = "provided"
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

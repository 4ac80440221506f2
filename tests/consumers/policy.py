"""Consumers that a team's own policy checks read: the module by git, pinned by its commit."""

from local.emulator import ACCOUNT, REGION
from tests.support.repository import Repository

PROVIDER = """
provider "aws" {
  region = "us-east-1"
}
"""
MINIMAL = """
module "async_ingest" {{
  source = "{source}"
  name   = "{name}"
}}
"""
# Key, certificate and bucket are the team's, as are the checks of these.
SECURED = """
module "async_ingest" {{
  source = "{source}"

  name                      = "{name}"
  kms_key                   = {{ arn = "arn:aws:kms:{place}:key/orders" }}
  certificate               = {{ arn = "arn:aws:acm:{place}:certificate/orders" }}
  load_balancer_access_logs = {{ bucket = "team-logs" }}
  observability             = {{ alarm_actions = ["arn:aws:sns:{place}:on-call"] }}
}}
"""
OUTPUTS = """
output "all" {
  value = module.async_ingest
}
"""


def configuration(block: str, repository: Repository, name: str) -> str:
    """Returns a root module with a block, whose source is the repository's newest commit."""
    source = repository.source(ref=repository.git("rev-parse", "HEAD"))
    return PROVIDER + block.format(source=source, name=name, place=f"{REGION}:{ACCOUNT}") + OUTPUTS

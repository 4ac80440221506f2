"""What consumers write: configurations whose modules come from a git repository, at a tag."""

import json
import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from local.emulator import ROOT
from tests.support.repository import Repository
from tools import markup

Json = dict[str, Any]

SUBMODULES = sorted(path.name for path in (ROOT / "modules").iterdir())
CIDR_BLOCKS = ("10.0.0.0/16", "10.1.0.0/16", "10.2.0.0/16")
# What each system must have, by the end of its address.
PIECES = (
    "module.table.aws_dynamodb_table.this[0]",
    "module.queue.aws_sqs_queue.this",
    "module.load_balancer.aws_lb.this[0]",
    "aws_lambda_event_source_mapping.process",
)


# The source in the documents, with its version or without.
PUBLISHED = (
    r'"git::https://github\.com/OWNER/terraform-aws-async-ingest\.git(//[\w/]+)?(\?ref=[\w.]+)?"'
)
# What the READMEs of the submodules mention and do not show.
BESIDE = """
module "async_ingest" {{
  source = "{source}"
}}

resource "aws_sns_topic" "on_call" {{
  name = "on-call"
}}

resource "aws_security_group" "worker" {{
  vpc_id = module.network.vpc_id
}}
"""

# What they refer to, as a team has it that uses one submodule only.
_ARN = "arn:aws:{}:eu-central-1:123456789012:{}"
_BALANCER = _ARN.format("elasticloadbalancing", "{}/orders/0123456789abcdef")
GIVEN = {
    "aws_security_group.worker.id": "sg-0123456789abcdef0",
    "aws_sns_topic.on_call.arn": _ARN.format("sns", "on-call"),
    "module.api.alias_arn": _ARN.format("lambda", "function:api:live"),
    "module.async_ingest.dead_letter_queue_arn": _ARN.format("sqs", "orders-dead-letter"),
    "module.async_ingest.listener_arn": _BALANCER.format("listener/app") + "/0123456789abcdef",
    "module.async_ingest.queue_arn": _ARN.format("sqs", "orders"),
    "module.async_ingest.table_name": "orders",
    "module.async_ingest.target_group_arn": _BALANCER.format("targetgroup"),
    "module.network.private_route_table_ids": ["rtb-0123456789abcdef0"],
    "module.network.private_subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    "module.network.public_subnet_ids": ["subnet-0123456789abcdef2", "subnet-0123456789abcdef3"],
    "module.network.vpc_cidr_block": "10.0.0.0/16",
    "module.network.vpc_id": "vpc-0123456789abcdef0",
    "module.queue.arn": _ARN.format("sqs", "orders"),
    "module.queue.producer_policy_json": '{"Version":"2012-10-17","Statement":[]}',
    "module.queue.url": "https://sqs.eu-central-1.amazonaws.com/123456789012/orders",
    "module.table.arn": _ARN.format("dynamodb", "table/orders"),
}
REFERENCE = re.compile(r"\b(?:module|aws_\w+)\.\w+\.\w+")


class Configuration(NamedTuple):
    """A consumer's root module.

    Attributes:
        files: Their contents, by name.
        systems: Addresses of the root module's instances.
        pieces: What each of them has, by the end of its address.
        called: Other module calls, each of which has resources.
        providers: The AWS providers.
    """

    files: dict[str, str]
    systems: tuple[str, ...]
    pieces: tuple[str, ...] = PIECES
    called: tuple[str, ...] = ()
    providers: tuple[Json, ...] = ({},)

    def write(self, directory: Path) -> None:
        """Writes it, with its providers: one that is only implied would not be mocked."""
        directory.mkdir(parents=True)
        providers = json.dumps({"provider": {"aws": [*self.providers]}})
        for name, text in {**self.files, "providers.tf.json": providers}.items():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / name).write_text(text)


def _systems(addresses: Iterable[str], modules: Json) -> Configuration:
    return Configuration({"main.tf.json": json.dumps({"module": modules})}, tuple(addresses))


def one(repository: Repository, ref: str) -> Configuration:
    """The README's block."""
    module = {"source": repository.source(ref=ref), "name": "orders"}
    return _systems(["module.async_ingest"], {"async_ingest": module})


def two(repository: Repository, ref: str) -> Configuration:
    """Two systems side by side."""
    names = ("orders", "returns")
    source = repository.source(ref=ref)
    modules = {
        name: {"source": source, "name": name, "vpc": {"cidr_block": block}}
        for name, block in zip(names, CIDR_BLOCKS, strict=False)
    }
    return _systems((f"module.{name}" for name in names), modules)


def each(repository: Repository, ref: str) -> Configuration:
    """Three systems by for_each."""
    ranges = dict(zip(("coffee", "tea", "water"), CIDR_BLOCKS, strict=True))
    module = {
        "source": repository.source(ref=ref),
        "for_each": ranges,
        "name": "${each.key}",
        "vpc": {"cidr_block": "${each.value}"},
    }
    return _systems((f'module.orders["{name}"]' for name in ranges), {"orders": module})


def regions(repository: Repository, ref: str) -> Configuration:
    """Two systems of one name, in two regions."""
    source = repository.source(ref=ref)
    modules = {
        "here": {"source": source, "name": "orders"},
        "there": {"source": source, "name": "orders", "providers": {"aws": "aws.there"}},
    }
    providers = ({"region": "eu-central-1"}, {"region": "us-east-1", "alias": "there"})
    return _systems(("module.here", "module.there"), modules)._replace(providers=providers)


def submodules(repository: Repository, ref: str) -> Configuration:
    """All submodules in one configuration, as their READMEs use them, beside a whole system."""
    files = {f"{name}.tf": _documented(repository, name, ref) for name in SUBMODULES}
    files |= {
        "beside.tf": BESIDE.format(source=repository.source(ref=ref)),
        "src/api/handler.py": "",
    }
    text = "".join(files.values())
    called = tuple(re.findall(r'^module "(\w+)"', text, re.MULTILINE))
    return Configuration(files, ("module.async_ingest",), called=called)


def alone(module: str, repository: Repository, ref: str) -> Configuration:
    """One submodule and nothing else: what it shares with others is given as values."""
    text = _documented(repository, module, ref)
    text = REFERENCE.sub(lambda found: json.dumps(GIVEN[found[0]]), text)
    called = tuple(re.findall(r'^module "(\w+)"', text, re.MULTILINE))
    return Configuration({"main.tf": text, "src/api/handler.py": ""}, (), called=called)


def unknown(repository: Repository, ref: str) -> Configuration:
    """Everything that a team brings along is unknown at plan."""
    text = (repository.directory / "tests" / "terraform" / "provided" / "main.tf").read_text()
    text = re.sub(r'(?ms)^module "secret_.*?^}\n', "", text)  # their region is not the emulator's
    systems = tuple(f"module.{name}" for name in re.findall(r'^module "(\w+)"', text, re.MULTILINE))
    return Configuration(
        {"main.tf": text.replace("../../..", repository.source(ref=ref))}, systems, PIECES[-1:]
    )


def _documented(repository: Repository, module: str, ref: str) -> str:
    """Returns the block of a submodule's README, with the repository's source."""
    readme = (repository.directory / "modules" / module / "README.md").read_text()
    [block, *_] = markup.blocks(readme, "hcl")
    text, count = re.subn(PUBLISHED, f'"{repository.source(module, ref)}"', block)
    assert count == 1, f"modules/{module}/README.md has {count} sources"
    return text


# Whether an engine understands the submodules, `submodules` shows: these are for one engine.
ALONE = {f"{name}_alone": partial(alone, name) for name in SUBMODULES}
CONFIGURATIONS: dict[str, Callable[[Repository, str], Configuration]] = {
    **{make.__name__: make for make in (one, two, each, regions, submodules, unknown)},
    **ALONE,
}


def missing(configuration: Configuration, addresses: Iterable[str]) -> list[str]:
    """Returns the pieces that a plan does not create."""
    wanted = {f"{one}.{piece}" for one in configuration.systems for piece in configuration.pieces}
    wanted |= {f"module.{name}." for name in configuration.called}
    return sorted(
        piece for piece in wanted if not any(address.startswith(piece) for address in addresses)
    )

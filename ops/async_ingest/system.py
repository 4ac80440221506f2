"""Which system, and what it consists of as deployed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from async_ingest import outputs
from async_ingest.aws import Aws
from async_ingest.errors import OpsError, code_of, is_denied

ALIAS = "live"


class Key(NamedTuple):
    """A key attribute of the table."""

    name: str
    type: str  # "S" or "N"


class System:
    """A system by its name, from which the names of all that it consists of follow.

    Args:
        name: The module's input `name`.
        aws: Where it is.
        known: The module's outputs, as far as they are known.
    """

    def __init__(self, name: str, aws: Aws, known: Mapping[str, Any] | None = None) -> None:
        self.name = name
        self.aws = aws
        self.known = known or {}
        self.sqs = aws.client("sqs")
        self._environments: dict[str, dict[str, str]] = {}

    @property
    def ingest_function(self) -> str:
        return f"{self.name}-ingest"

    @property
    def process_function(self) -> str:
        return f"{self.name}-process"

    @property
    def functions(self) -> tuple[str, str]:
        return self.ingest_function, self.process_function

    @cached_property
    def queue_url(self) -> str:
        return self._queue_url(self.name)

    @cached_property
    def dead_letter_url(self) -> str:
        return self._queue_url(f"{self.name}-dead-letter")

    @cached_property
    def queue_arn(self) -> str:
        return self.arn_of(self.queue_url)

    @cached_property
    def dead_letter_arn(self) -> str:
        return self.arn_of(self.dead_letter_url)

    @cached_property
    def table_name(self) -> str:
        return str(
            self.known.get("table_name")
            or self.environment(self.process_function).get("TABLE_NAME", self.name)
        )

    @cached_property
    def keys(self) -> tuple[Key, ...]:
        """The table's keys, from the table itself: the functions' settings may be wrong."""
        table = self.aws.client("dynamodb").describe_table(TableName=self.table_name)["Table"]
        types = {
            one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]
        }
        schema = sorted(table["KeySchema"], key=lambda one: one["KeyType"] != "HASH")
        return tuple(Key(one["AttributeName"], types[one["AttributeName"]]) for one in schema)

    @cached_property
    def accepted_at_name(self) -> str:
        return self.environment(self.process_function).get("ACCEPTED_AT_ATTRIBUTE", "accepted_at")

    def configuration(self, function: str, qualifier: str | None = ALIAS) -> dict[str, Any]:
        """Returns the configuration of a function's version, by default of the alias's."""
        arguments = {"Qualifier": qualifier} if qualifier else {}
        answer: dict[str, Any] = self.aws.client("lambda").get_function_configuration(
            FunctionName=function, **arguments
        )
        return answer

    def environment(self, function: str) -> dict[str, str]:
        """Returns the environment variables of what the alias invokes."""
        if function not in self._environments:
            found = self.configuration(function).get("Environment", {}).get("Variables", {})
            self._environments[function] = found
        return self._environments[function]

    def mappings(self) -> list[dict[str, Any]]:
        """Returns the event source mappings of the queue."""
        pages = (
            self.aws.client("lambda")
            .get_paginator("list_event_source_mappings")
            .paginate(EventSourceArn=self.queue_arn)
        )
        return [mapping for page in pages for mapping in page["EventSourceMappings"]]

    def mapping(self) -> dict[str, Any]:
        """Returns the event source mapping. Raises OpsError unless there is exactly one."""
        found = self.mappings()
        if len(found) != 1:
            raise OpsError(
                f"Queue {self.name} has {len(found)} event source mappings, not one: "
                "run `async-ingest doctor`."
            )
        return found[0]

    def queue_attributes(self, url: str, *names: str) -> dict[str, str]:
        """Returns the attributes of a queue, by default all."""
        answer: dict[str, str] = self.sqs.get_queue_attributes(
            QueueUrl=url, AttributeNames=names or ("All",)
        )["Attributes"]
        return answer

    def depth(self, url: str) -> tuple[int, int]:
        """Returns how many messages are visible, and how many in flight; both approximate."""
        visible, hidden = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"
        found = self.queue_attributes(url, visible, hidden)
        return int(found[visible]), int(found[hidden])

    def arn_of(self, url: str) -> str:
        return self.queue_attributes(url, "QueueArn")["QueueArn"]

    def _queue_url(self, queue: str) -> str:
        try:
            return str(self.sqs.get_queue_url(QueueName=queue)["QueueUrl"])
        except ClientError as error:
            if "NonExistentQueue" not in code_of(error) + str(error):
                raise
            raise OpsError(
                f"There is no queue {queue} in {self.aws.region}. Check --name, --region and "
                "--profile; the name is the module's input `name`."
            ) from None


def find(aws: Aws, name: str | None, directory: Path | None) -> System:
    """Returns the system that is meant.

    Raises:
        OpsError: There is none, or more than one, and none was named.
    """
    if directory is not None:
        return System(*_chosen(outputs.read(directory), name, str(directory), aws))
    if name is not None:
        return System(name, aws)
    deployed: dict[str, Mapping[str, Any]] = {found: {} for found in _deployed(aws)}
    return System(*_chosen(deployed, None, f"region {aws.region}", aws))


def _chosen(
    systems: Mapping[str, Mapping[str, Any]], name: str | None, place: str, aws: Aws
) -> tuple[str, Aws, Mapping[str, Any]]:
    if name is None and len(systems) == 1:
        [name] = systems
    if name is not None and name in systems:
        return name, aws, systems[name]
    listed = ", ".join(sorted(systems)) or "none"
    if name is not None:
        raise OpsError(f"There is no system {name} in {place}. There are: {listed}.")
    if not systems:
        raise OpsError(f"There is no system in {place}. Check --region and --profile.")
    raise OpsError(f"Which system? There are several in {place}: {listed}. Pass --name.")


def _deployed(aws: Aws) -> list[str]:
    """Returns the names of the systems in a region: pairs of functions as the module makes them."""
    try:
        pages = aws.client("lambda").get_paginator("list_functions").paginate()
        found = {function["FunctionName"] for page in pages for function in page["Functions"]}
    except ClientError as error:
        if is_denied(error):
            raise OpsError("Which system? Pass --name or --terraform.") from None
        raise
    names = (one.removesuffix("-ingest") for one in found if one.endswith("-ingest"))
    return sorted(name for name in names if f"{name}-process" in found)


def decoded(text: str | None) -> Any:
    """Returns a document of JSON, or None if it is none."""
    try:
        return json.loads(text or "")
    except ValueError:
        return None

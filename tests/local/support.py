"""What the checks of patches and the recorded answers both need."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local.emulator import Emulator


@contextmanager
def trace_header(client: Any, value: str) -> Iterator[None]:
    """Gives SQS calls of the client an X-Amzn-Trace-Id, as those of a function's SDK have one."""

    def add(request: Any, **_: Any) -> None:
        request.headers["X-Amzn-Trace-Id"] = value

    client.meta.events.register("before-send.sqs.*", add)
    try:
        yield
    finally:
        client.meta.events.unregister("before-send.sqs.*", add)


def create_table(emulator: Emulator, name: str, keys: dict[str, str]) -> None:
    """Creates a table; ``keys`` are names and types, the partition key first."""
    emulator.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": key, "KeyType": kind}
            for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
        ],
        AttributeDefinitions=[
            {"AttributeName": key, "AttributeType": kind} for key, kind in keys.items()
        ],
    )

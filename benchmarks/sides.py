"""The two sides that are compared, and their common environment, orders and events."""

import importlib
import json
import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from benchmarks import ROOT
from local import events
from local.archive import zipped

ENVIRONMENT = events.ENVIRONMENT | {
    "AWS_DEFAULT_REGION": events.ENVIRONMENT["AWS_REGION"],
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "NO_PROXY": "127.0.0.1",
}
TABLE = ENVIRONMENT["TABLE_NAME"]
CONTEXT = events.Context()
REPORTS_FAILURES = ("ReportBatchItemFailures",)

Handler: TypeAlias = Callable[[Any, Any], Any]


class Side(NamedTuple):
    name: str
    root: Path  # of the functions' zips
    files: tuple[str, ...]  # patterns, "{}" being the function, "ingest" or "process"
    module: str
    response_types: tuple[str, ...]  # of the event source mapping

    def zip(self, function: str) -> bytes:
        paths = [path for each in self.files for path in self.root.glob(each.format(function))]
        return zipped({path.relative_to(self.root).as_posix(): path.read_text() for path in paths})

    def load(self, function: str, endpoint_url: str) -> Any:
        """Imports the function into this process, its client pointed at ``endpoint_url``."""
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ.update(ENVIRONMENT, AWS_ENDPOINT_URL=endpoint_url)
        return importlib.import_module(self.module.format(function))


SIDES = (
    Side("ours", ROOT / "lambda_src", ("{}/*.py", "shared/*.py"), "{}.handler", REPORTS_FAILURES),
    Side("tutorial", ROOT / "benchmarks", ("tutorial/{}.py",), "tutorial.{}", ()),
)


def check(answer: Any) -> None:
    """Raises unless a handler has succeeded: failing quickly is not speed."""
    if answer and (answer.get("statusCode", 200) >= 300 or answer.get("batchItemFailures")):
        raise RuntimeError(f"A handler failed on the benchmark's orders: {answer}")


def order() -> dict[str, Any]:
    """Returns the README's order with a new key, but no price: the tutorial fails on 1.10."""
    return {"order_id": str(uuid.uuid4()), "item": "Kopi Susu", "qty": 2}


def request() -> dict[str, Any]:
    """Returns a load balancer's event with a new order."""
    headers = {
        "accept": "*/*",
        "content-length": "75",
        "content-type": "application/json",
        "host": "orders.example",
        "user-agent": "curl/8.5.0",
        "x-amzn-trace-id": events.TRACE_ID,
        "x-forwarded-for": "192.0.2.1",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
    return events.request(json.dumps(order()), headers=headers)


def batch(orders: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns an SQS event with a message for each order, accepted now."""
    accepted_at = time.time_ns() // 1000
    records = [events.record(order, str(uuid.uuid4()), accepted_at) for order in orders]
    return {"Records": records}

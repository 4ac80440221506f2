"""The largest event that Lambda delivers fits into the smallest memory, whatever it contains.

Each is measured in a process of its own: the real handler, its own client, a server that answers
each call as a success.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from local.events import record
from tests.support import child
from tests.support.yes_server import yes_server

# Of 256 MB, the smallest memory of process, Lambda's runtime takes a part. 30 to 55 are measured.
LIMIT_MB = 100
MESSAGE_BYTES = 261_000
MESSAGES = 23  # 6 MB, the most that Lambda delivers: "Lambda quotas"

SCRIPT = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
from process import handler, reader

if budget := {budget}:
    reader.MAX_GROUP_BYTES = budget
context = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: 600_000)
answer = handler.handle(json.loads(Path({event!r}).read_bytes()), context)
assert answer == {{"batchItemFailures": []}}, answer
(peak,) = (line for line in Path("/proc/self/status").open() if line.startswith("VmHWM:"))
print(int(peak.split()[1]) // 1024)
"""


def list_of(value: str) -> Callable[[int], str]:
    """Returns a function that makes an order with as many of a value as fit."""

    def body(number: int) -> str:
        order = f'{{"order_id":"{number}","item":"Kopi","n":[%s]}}'
        return order % ",".join([value] * ((MESSAGE_BYTES - len(order)) // (len(value) + 1)))

    return body


def orders_with(members: str, count: int) -> Callable[[int], str]:
    """Returns a function that makes so many orders with different keys."""

    def body(number: int) -> str:
        keys = range(number * count, number * count + count)
        orders = [f'{{"order_id":"{key:06}","item":"K"{members}}}' for key in keys]
        return f"[{','.join(orders)}]"

    return body


TINY_ORDERS = orders_with("", MESSAGE_BYTES // 34)
SHAPES = {
    "numbers": list_of("1"),
    "empty lists": list_of("[]"),
    "small objects": list_of('{"a":{}}'),
    "1,000 orders": orders_with(f',"n":[{",".join("1" * 110)}]', 1000),
    "tiny orders": TINY_ORDERS,
}


def peak_mb(event: Path, budget: int | None = None) -> int:
    with yes_server() as (url, calls):
        script = SCRIPT.format(budget=budget, event=str(event))
        result = child.run(script, AWS_ENDPOINT_URL=url)
    assert result.returncode == 0, result.stderr
    metrics, peak = result.stdout.splitlines()
    assert json.loads(metrics)["Written"] >= MESSAGES
    assert calls
    return int(peak)


def write_event(path: Path, shape: Callable[[int], str]) -> Path:
    bodies = [shape(number) for number in range(MESSAGES)]
    records = [record(body, str(number)) for number, body in enumerate(bodies)]
    path.write_text(json.dumps({"Records": records}))
    assert 5_800_000 < sum(map(len, bodies)) < 6_100_000
    return path


@pytest.mark.parametrize("shape", SHAPES)
def test_the_largest_event_fits_into_the_smallest_memory(shape: str, tmp_path: Path) -> None:
    assert peak_mb(write_event(tmp_path / "event.json", SHAPES[shape])) < LIMIT_MB


def test_without_groups_the_largest_event_would_not_fit(tmp_path: Path) -> None:
    """216 MB are measured, so the tests above depend on the groups."""
    event = write_event(tmp_path / "event.json", TINY_ORDERS)

    assert peak_mb(event, budget=10**9) > LIMIT_MB

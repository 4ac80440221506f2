"""The largest event that Lambda delivers fits into the smallest memory, whatever it contains.

So does a request or a message of 1 MiB, the most that queue_max_message_bytes allows, into the
memory that it asks for, and is read in proportion to its size.

Each is measured in a process of its own: the real handler, its own client, a server that answers
each call as a success.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from local.events import record, request
from local.limits import ARE_POSSIBLE
from tests.support import child
from tests.support.yes_server import yes_server

# Of 256 MB, the smallest memory of process, Lambda's runtime takes a part. 30 to 55 are measured.
LIMIT_MB = 100
MESSAGE_BYTES = 261_000
MESSAGES = 23  # 6 MB, the most that Lambda delivers: "Lambda quotas"

# Of the 512 MB that 1 MiB asks for. Up to 80 are measured in ingest, and 105 in process.
LARGE_LIMIT_MB = 200
LARGE_BYTES = 1_047_500
LARGE_MESSAGES = 5
# Ingest's CPU time, in that of the json module for small numbers of that size, since machines
# differ. Up to 6 are measured.
LARGE_LIMIT_TIMES = 12

pytestmark = pytest.mark.skipif(not ARE_POSSIBLE, reason="reads /proc: Linux only")

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


INGEST_SCRIPT = """
import json, time
from pathlib import Path
from types import SimpleNamespace
from ingest import handler

handler.QUEUE.send = lambda body, *_: str(len(body))
context = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: 600_000)
event = json.loads(Path({event!r}).read_bytes())

def cpu_seconds(call):
    began = time.process_time()
    call()
    return time.process_time() - began

def handle():
    answer = handler.handle(event, context)
    assert answer["statusCode"] == {status}, answer

seconds = min(cpu_seconds(handle) for _ in range(5))
(peak,) = (line for line in Path("/proc/self/status").open() if line.startswith("VmHWM:"))
numbers = Path({numbers!r}).read_text()
unit = min(cpu_seconds(lambda: json.dumps(json.loads(numbers))) for _ in range(5))
print(int(peak.split()[1]) // 1024, seconds / unit)
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


def large_body(value: str) -> Callable[[int], str]:
    """Returns a function that makes an array of orders that DynamoDB can store, of 1 MiB."""

    def body(number: int) -> str:
        heads = [f'{{"order_id":"{number}-{part:02}","item":"K","n":[' for part in range(8)]
        count = (LARGE_BYTES // len(heads) - len(heads[0]) - 3) // (len(value) + 1)
        return f"[{','.join(head + ','.join([value] * count) + ']}' for head in heads)}]"

    return body


LARGE_SHAPES = {
    "numbers": large_body("1"),
    "empty lists": large_body("[]"),
    "small objects": large_body('{"a":{}}'),
    "text": large_body('"\\u00e9"'),
}


def peak_mb(event: Path, budget: int | None = None, messages: int = MESSAGES) -> int:
    with yes_server() as (url, calls):
        script = SCRIPT.format(budget=budget, event=str(event))
        result = child.run(script, AWS_ENDPOINT_URL=url)
    assert result.returncode == 0, result.stderr
    metrics, peak = result.stdout.splitlines()
    assert json.loads(metrics)["Written"] >= messages
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


@pytest.mark.parametrize("shape", LARGE_SHAPES)
def test_messages_of_1_mib_fit_into_memory(shape: str, tmp_path: Path) -> None:
    bodies = [LARGE_SHAPES[shape](number) for number in range(LARGE_MESSAGES)]
    assert all(1_040_000 < len(body) <= LARGE_BYTES for body in bodies)
    event = tmp_path / "event.json"
    event.write_text(
        json.dumps({"Records": [record(body, str(n)) for n, body in enumerate(bodies)]})
    )

    assert peak_mb(event, messages=LARGE_MESSAGES) < LARGE_LIMIT_MB


@pytest.mark.parametrize(
    ("shape", "status"),
    [*((shape, 202) for shape in LARGE_SHAPES), ("one order of brackets", 400)],
)
def test_a_request_of_1_mib_fits_into_memory_and_is_read_in_proportion(
    shape: str, status: int, tmp_path: Path
) -> None:
    hostile = '{"order_id":"1","item":"K","n":[' + "[],[" * 261_000 + "]" * 261_000 + "]}"
    body = LARGE_SHAPES[shape](1) if shape in LARGE_SHAPES else hostile[:LARGE_BYTES]
    event, numbers = tmp_path / "event.json", tmp_path / "numbers.json"
    event.write_text(json.dumps(request(body)))
    numbers.write_text(LARGE_SHAPES["numbers"](1))
    script = INGEST_SCRIPT.format(event=str(event), status=status, numbers=str(numbers))

    result = child.run(script, MAX_MESSAGE_BYTES="1048576")

    assert result.returncode == 0, result.stderr
    peak, times = result.stdout.splitlines()[-1].split()
    assert int(peak) < LARGE_LIMIT_MB
    assert float(times) < LARGE_LIMIT_TIMES

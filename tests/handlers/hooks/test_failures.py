"""A hook that fails, in whatever way: 503 at ingest, and one line that says where, of no order."""

import logging
import signal
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from async_ingest_hooks import Request
from async_ingest_hooks import hooks as runner
from ingest import handler
from local.emulator import ROOT
from shared import orders
from tests.support import child
from tests.support.fakes import FakeSqs
from tests.support.hooks import Hooks
from tests.support.ingest import ORDER, post

pytestmark = pytest.mark.usefixtures("quick_calls")

SECRET = "Kopi Susu"  # in ORDER


def failure(caplog: pytest.LogCaptureFixture, status: int = 503) -> dict[str, Any]:
    """Posts an order, and returns what the one line of the log says."""
    answered, content, headers = post()
    assert answered == status
    assert headers["Retry-After"] == "5"
    (entry,) = caplog.records
    assert entry.levelno == logging.ERROR
    assert SECRET not in caplog.text + str(entry.__dict__) + str(content)
    return entry.__dict__


RAISED = {
    "ValueError": "raise ValueError(order['item'])",
    "KeyError": "raise KeyError(order['item'])",
    "AssertionError": "assert not order, order",
    "SystemExit": "import sys; sys.exit(order['item'])",
    "KeyboardInterrupt": "raise KeyboardInterrupt",
    "GeneratorExit": "raise GeneratorExit",
    "StopIteration": "next(iter(()))",
    "BaseException": "raise BaseException(order)",
    "MemoryError": "raise MemoryError",
    "ExceptionGroup": "raise ExceptionGroup(order['item'], [ValueError(order)])",
    "TypeError": "raise 1",
    "ZeroDivisionError": "return 1 / 0",
    "UnboundLocalError": "x = x",
}


@pytest.mark.parametrize("kind", RAISED)
def test_an_exception_is_answered_503_and_its_place_is_logged(
    sqs: FakeSqs, hooks: Hooks, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    hook = hooks.use("accept", f"def accept(order, request):\n    {RAISED[kind]}\n")

    logged = failure(caplog)

    package = str(hook).partition(".")[0]
    assert logged["error"] == kind
    assert logged["at"] == f"{package}/__init__.py:2 in accept"
    assert logged["hook"] == str(hook)
    assert not sqs.sent


def test_the_place_is_the_teams_own_line(
    sqs: FakeSqs, hooks: Hooks, caplog: pytest.LogCaptureFixture
) -> None:
    """Not that of a library, which another call may have used correctly."""
    source = "from . import checks\ndef accept(order, request): return checks.check(order)"
    checks = "import json\n\n\ndef check(order):\n    return json.loads(order['item'])\n"
    hook = hooks.use("accept", source, checks=checks)

    logged = failure(caplog)

    assert logged["error"] == "JSONDecodeError"
    assert logged["at"] == f"{str(hook).partition('.')[0]}/checks.py:5 in check"


def test_endless_recursion_is_answered_503(
    sqs: FakeSqs, hooks: Hooks, caplog: pytest.LogCaptureFixture
) -> None:
    hooks.use("accept", "def accept(order, request): return accept(order, request)")

    assert failure(caplog)["error"] == "RecursionError"
    assert post("{}")[0] == 400


RETURNED = {
    "None": ("None", "NoneType"),
    "a string": ("'order'", "str"),
    "a list": ("[order]", "list"),
    "a float": ("{**order, 'x': 0.1}", "float"),
    "a float within": ("{**order, 'x': [{'y': 2.0}]}", "float"),
    "NaN": ("{**order, 'x': Decimal('NaN')}", "Decimal"),
    "sNaN": ("{**order, 'x': Decimal('sNaN')}", "Decimal"),
    "Infinity": ("{**order, 'x': Decimal('-Infinity')}", "Decimal"),
    "bytes": ("{**order, 'x': b''}", "bytes"),
    "a set": ("{**order, 'x': {1}}", "set"),
    "an object": ("{**order, 'x': object()}", "object"),
    "a name that is a number": ("{**order, 1: 2}", "int"),
    "a generator": ("(yield order)", "generator"),
    "endless": ("endless(order)", "RecursionError"),
    "5,000 digits": ("{**order, 'x': 10 ** 5000}", "ValueError"),
}


@pytest.mark.parametrize("name", RETURNED)
def test_what_is_no_order_is_answered_503(
    sqs: FakeSqs, hooks: Hooks, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    result, returned = RETURNED[name]
    source = f"""
        from decimal import Decimal
        def endless(order):
            order["self"] = order
            return order
        def accept(order, request): return {result}
    """
    hooks.use("accept", source)

    logged = failure(caplog)

    assert (logged["error"], logged["returned"]) == ("NotAnOrder", returned)


@pytest.mark.filterwarnings("ignore:coroutine")
def test_a_coroutine_is_no_order(
    sqs: FakeSqs, hooks: Hooks, caplog: pytest.LogCaptureFixture
) -> None:
    hooks.use("accept", "async def accept(order, request): return order")

    assert failure(caplog)["returned"] == "coroutine"


def test_reasons_that_are_none_are_answered_503(
    sqs: FakeSqs, hooks: Hooks, caplog: pytest.LogCaptureFixture
) -> None:
    source = """
        from async_ingest_hooks import Refused
        def accept(order, request):
            refused = Refused("no")
            refused.faults = order["item"]
            raise refused
    """
    hooks.use("accept", source)

    assert failure(caplog)["error"] == "NoReason"


LOOPS = {
    "loop": "while True: pass",
    "sleep": "time.sleep(9)",
    "regular expression": "re.match(r'(a+)+$', 'a' * 40 + 'b')",
    "caught once": "while True:\n        try: time.sleep(9)\n        except Exception: pass",
    "caught as a refusal": (
        "try: time.sleep(9)\n    except BaseException: raise Refused('bad') from None"
    ),
    "caught and returned": "try: time.sleep(9)\n    except BaseException: return order",
    "waits for a thread": "t = threading.Thread(target=time.sleep, args=(2,)); t.start(); t.join()",
    "asyncio": "asyncio.run(asyncio.sleep(9))",
}


@pytest.mark.parametrize("name", LOOPS)
def test_a_hook_is_stopped_when_its_time_is_over(
    sqs: FakeSqs, hooks: Hooks, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    source = (
        "import asyncio, re, threading, time\nfrom async_ingest_hooks import Refused\n"
        f"def accept(order, request):\n    {LOOPS[name]}\n"
    )
    hook = hooks.use("accept", source, timeout_seconds=0.1)
    start = time.monotonic()

    logged = failure(caplog)

    assert time.monotonic() - start < 1.5
    assert logged["error"] == "HookTimeout"
    assert str(hook).partition(".")[0] in logged["at"]
    assert not sqs.sent


def test_the_time_is_for_all_orders_of_a_request(
    sqs: FakeSqs, hooks: Hooks, caplog: pytest.LogCaptureFixture
) -> None:
    source = "import time\ndef accept(order, request):\n    time.sleep(0.03)\n    return order"
    hooks.use("accept", source, timeout_seconds=0.1)
    given = [f'{{"order_id":"{number}","item":"Kopi"}}' for number in range(9)]

    assert post(f"[{','.join(given)}]")[0] == 503
    assert caplog.records[0].__dict__["error"] in ("HookTimeout", "NoTime")
    assert post(f"[{','.join(given[:2])}]")[0] == 202


def test_a_hook_is_not_charged_for_the_copies(
    sqs: FakeSqs, hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def call(value: Any) -> Any:
            time.sleep(0.4)
            return function(value)

        return call

    for name in ("to_hook", "from_hook"):
        monkeypatch.setattr(runner, name, slowly(getattr(runner, name)))
    source = "import time\ndef accept(order, request):\n    time.sleep(0.15)\n    return order"
    hooks.use("accept", source, timeout_seconds=0.3)

    assert post()[0] == 202


def test_nothing_is_stopped_after_the_hook(sqs: FakeSqs, hooks: Hooks) -> None:
    hooks.use("accept", "def accept(order, request): return order", timeout_seconds=0.05)

    assert post()[0] == 202

    time.sleep(0.1)  # a timer that was left on would raise here


def test_a_finally_that_takes_long_is_stopped_too(
    sqs: FakeSqs, hooks: Hooks, caplog: pytest.LogCaptureFixture
) -> None:
    source = """
        import time
        def accept(order, request):
            try:
                time.sleep(9)
            finally:
                time.sleep(9)
    """
    hooks.use("accept", source, timeout_seconds=0.1)
    start = time.monotonic()

    assert failure(caplog)["error"] == "HookTimeout"
    assert time.monotonic() - start < 1.5


PRINTS = {
    "print": "print(order)",
    "half a line": "print(order, end='')",
    "standard error": "print(order, file=sys.stderr)",
    "bytes": "sys.stdout.buffer.write(order['item'].encode())",
    "a closed stream": "sys.stdout.close(); print(order)",
    "another stream": "sys.stdout = sys.__stdout__",
    "half a surrogate pair": "print(chr(0xd800))",
    "a warning": "import warnings; warnings.warn(str(order))",
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", PRINTS)
def test_what_it_prints_goes_nowhere(
    sqs: FakeSqs, hooks: Hooks, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """post() asserts that there is one line, that of the metrics."""
    source = f"import sys\ndef accept(order, request):\n    {PRINTS[name]}\n    return order"
    hooks.use("accept", source)
    before = sys.stdout, sys.stderr

    for _ in range(2):
        assert post()[0] == 202

    assert (sys.stdout, sys.stderr) == before
    printed = capfd.readouterr()
    assert SECRET not in printed.out + printed.err


IMPORTS = {
    "ValueError": ("raise ValueError", "{}/__init__.py:1 in <module>"),
    "SyntaxError": ("\n\ndef accept(:", "{}/__init__.py:3"),
    "ModuleNotFoundError": ("\nimport nowhere", "{}/__init__.py:2 in <module>"),
    "SystemExit": ("raise SystemExit", "{}/__init__.py:1 in <module>"),
    "Refused": (
        "from async_ingest_hooks import Refused\nraise Refused('x')",
        "{}/__init__.py:2 in <module>",
    ),
    "NoHook": ("accept = 1", "{}"),
}


@pytest.mark.parametrize("kind", IMPORTS)
def test_a_package_that_cannot_be_imported_is_one_line_and_503(
    sqs: FakeSqs, hooks: Hooks, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    source, place = IMPORTS[kind]
    hook = hooks.use("accept", source)
    package = str(hook).partition(".")[0]
    assert not caplog.records

    logged = failure(caplog)

    assert (logged["hook"], logged["error"]) == (str(hook), kind)
    assert logged["at"] == place.format(package)
    assert kind != "ModuleNotFoundError" or logged["missing"] == "nowhere"


def test_a_failed_import_is_tried_again_half_a_minute_later(
    sqs: FakeSqs, hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
        import time
        if time.clock_gettime(0) > 0: import only_later
        def accept(order, request): return order
    """
    hook = hooks.use("accept", source)
    assert post()[0] == 503
    monkeypatch.setitem(sys.modules, "only_later", sys)
    assert post()[0] == 503

    hook._failed_at -= 30

    assert post()[0] == 202


def test_one_failure_has_no_effect_on_the_next_request(
    sqs: FakeSqs, hooks: Hooks, caplog: pytest.LogCaptureFixture
) -> None:
    source = """
        calls = []
        def accept(order, request):
            calls.append(order)
            order["qty"] = None
            if len(calls) == 1:
                raise ValueError
            return order
    """
    hooks.use("accept", source)

    assert [post()[0], post()[0]] == [503, 202]


def test_a_document_remains_as_it_is(hooks: Hooks) -> None:
    source = """
        def accept(order, request):
            order["list"].append(1)
            order["map"].clear()
            raise ValueError
    """
    hook = hooks.hook("accept", source)
    text = '{"order_id":"1","item":"x","list":[1.10],"map":{"a":{}}}'
    document = orders.read(text, handler.SCHEMA)

    with pytest.raises(Exception, match="ValueError"):
        hook.run(document, handler.SCHEMA, 9.0, Request)

    assert orders.encode(document.value) == text
    assert Decimal("1.10") == Decimal(document.orders[0]["list"][0])


# None of them can be stopped: a loop in C, and those that catch everything.
UNSTOPPABLE = {
    "in C": "sum(iter(int, 1))",
    "catches everything": "while True:\n        try: time.sleep(0)\n        except: pass",
    "sleeps": "while True:\n        try: time.sleep(9)\n        except: pass",
}
SCRIPT = """
import sys
sys.path.insert(0, {directory!r})
from types import SimpleNamespace
from async_ingest_hooks import Request
from ingest import handler
from local.events import request
context = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: 30_000)
handler.handle(request({order!r}), context)
"""


@pytest.mark.parametrize("name", UNSTOPPABLE)
def test_a_hook_that_cannot_be_stopped_ends_the_process_and_says_where(
    hooks: Hooks, name: str, tmp_path: Any
) -> None:
    source = f"import time\ndef accept(order, request):\n    {UNSTOPPABLE[name]}\n"
    package = hooks.package(source)
    script = SCRIPT.format(directory=str(tmp_path), order=ORDER)
    path = f"{ROOT / 'lambda_src'}:{ROOT}"

    result = child.run(
        script, PYTHONPATH=path, ORDER_HOOKS=package, ORDER_HOOKS_TIMEOUT_SECONDS="0.1"
    )

    assert result.returncode == -signal.SIGPROF, result.stderr
    assert f"{package}/__init__.py" in result.stderr
    assert " in accept" in result.stderr
    assert SECRET not in result.stderr + result.stdout

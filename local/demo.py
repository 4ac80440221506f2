"""`make demo` and `make demo-down`: the whole system on this machine, with a real order.

`python -m local.demo up` starts the emulator, applies examples/minimal with Terraform and the real
AWS provider, posts an order through the load balancer and shows its row. The stack stays up.
`python -m local.demo down` destroys it.
"""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console

from local.emulator import ROOT, Emulator, EmulatorError
from local.screen import Screen, Stage
from local.terraform import Changes, Terraform, TerraformError

EXAMPLE = ROOT / "examples" / "minimal"
DATA_DIR = ROOT / ".cache" / "demo"
EMULATOR_DIR = DATA_DIR / "emulator"
VARIABLES = {"deletion_protection": "false"}

ITEMS = ("Kopi Susu", "Es Teh", "Nasi Goreng", "Pisang Goreng")
ROW_SECONDS = 30.0

# How long an interrupted Terraform may take to come to an end where its state is of use later, and
# where it is not, because the emulator will be stopped.
PATIENCE_SECONDS = 60.0
IMPATIENCE_SECONDS = 5.0


class DemoError(RuntimeError):
    """The demo cannot go on; the message says what to do."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: str


def main(arguments: list[str] | None = None) -> int:
    commands = {"up": up, "down": down}
    arguments = sys.argv[1:] if arguments is None else arguments
    if len(arguments) != 1 or arguments[0] not in commands:
        print("usage: python -m local.demo up|down", file=sys.stderr)
        return 2

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    screen = Screen()
    try:
        commands[arguments[0]](screen)
    except KeyboardInterrupt:
        return 130
    except (DemoError, EmulatorError, TerraformError) as error:
        screen.console.print(f"\n{error}", style="red", markup=False, soft_wrap=True)
        return 1
    return 0


def up(screen: Screen) -> None:
    """Build the stack, or find it as it is; send an order and show its row."""
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    running = Emulator.attach(EMULATOR_DIR)
    emulator = running or Emulator(EMULATOR_DIR, detached=True)
    with _left_as_before(screen, emulator, is_new=running is None), screen:
        with screen.stage("Emulator") as stage:
            stage.note = "running already" if running else _start(emulator)
        terraform = _terraform(
            screen, emulator, PATIENCE_SECONDS if running else IMPATIENCE_SECONDS
        )
        with screen.stage("terraform init"):
            terraform.init()
        with screen.stage("terraform apply") as stage:
            changes = terraform.apply(VARIABLES, _follow(screen, stage))
            stage.note = _summary(changes)
        outputs = terraform.outputs()
        url = emulator.alb_url(outputs["load_balancer_name"])
        url += urlsplit(outputs["endpoint_url"]).path
        table = Table(emulator, outputs["table_name"])
        with screen.stage("POST an order") as stage:
            order = table.next_order()
            answer = _post(url, order)
            stage.note = str(answer.status)
            if answer.status != 202:
                raise DemoError(
                    f"The order was not accepted: {answer.status} {answer.body}\n"
                    f"The emulator's log says more: {emulator.log_path}"
                )
        with screen.stage("Wait for its row"):
            row = table.wait_for(order)
    _show(screen.console, url, order, answer, table.name, row)
    _print(screen.console, f"\nOn AWS the URL would be {outputs['endpoint_url']}")


def down(screen: Screen) -> None:
    """Destroy the stack with Terraform and stop the emulator."""
    emulator = Emulator.attach(EMULATOR_DIR)
    if emulator is None:
        gone = "The emulator is not running, and what was built went with it. Removed its state."
        _print(screen.console, gone if _discard_state() else "Nothing is running.")
        return
    with screen:
        try:
            terraform = _terraform(screen, emulator, IMPATIENCE_SECONDS)
            with screen.stage("terraform destroy") as stage:
                terraform.init()
                stage.note = _summary(terraform.destroy(VARIABLES, _follow(screen, stage)))
        except TerraformError as error:
            raise DemoError(
                f"{error}\n\nTerraform could not destroy the stack. It was all in the memory "
                "of the emulator, which is stopped: nothing is left. But please report this."
            ) from None
        finally:
            with screen.stage("Stop the emulator"):
                _stop(emulator)
    _print(screen.console, "\nNothing is left: no resource, no process, no state.")


def _start(emulator: Emulator) -> str:
    # It has everything in memory: a state from before is of things that are gone.
    had_state = _discard_state()
    emulator.start()
    if not had_state:
        return emulator.endpoint_url
    return (
        f"{emulator.endpoint_url}; an earlier one has ended with what it had, so all is built anew"
    )


def _stop(emulator: Emulator) -> None:
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # it takes a moment, and must not be left half done
    emulator.stop()
    _discard_state()


@contextlib.contextmanager
def _left_as_before(screen: Screen, emulator: Emulator, *, is_new: bool) -> Iterator[None]:
    """When the block fails or is interrupted, leave nothing running that was not before."""
    try:
        yield
    except (KeyboardInterrupt, DemoError, EmulatorError, TerraformError) as error:
        if is_new:
            _stop(emulator)
            hint = "Nothing is left running. Start again with: make demo"
        else:
            hint = "The stack is still up. Go on with: make demo. Remove it with: make demo-down"
        if isinstance(error, KeyboardInterrupt):
            _print(screen.console, f"\nInterrupted. {hint}")
            raise
        raise DemoError(f"{error}\n\n{hint}") from None


def _terraform(screen: Screen, emulator: Emulator, patience_seconds: float) -> Terraform:
    return Terraform(
        EXAMPLE,
        DATA_DIR,
        emulator.environment(),
        patience_seconds=patience_seconds,
        on_interrupt=lambda: _print(screen.console, "Waiting for Terraform to come to an end."),
    )


def _discard_state() -> bool:
    """Remove Terraform's state. Returns whether there was one."""
    states = list(DATA_DIR.glob("*terraform.tfstate*"))
    for state in states:
        state.unlink()
    return bool(states)


def _follow(screen: Screen, stage: Stage) -> Any:
    def follow(changes: Changes, line: str | None) -> None:
        stage.note, stage.running = str(changes), changes.running
        if line:
            screen.line(f"  {line} [{changes}]")

    return follow


def _summary(changes: Changes) -> str:
    if not changes.planned:
        return f"nothing changed, {changes.refreshed} resources are as they should be"
    words = {"add": "created", "change": "changed", "remove": "destroyed"}
    return ", ".join(f"{n} {words[name]}" for name, n in changes.counts.items() if n)


class Table:
    """The table of the demo, with the keys of examples/minimal: order_id and item."""

    def __init__(self, emulator: Emulator, name: str) -> None:
        self.name = name
        self._client = emulator.client("dynamodb")
        self._log_path = emulator.log_path

    def next_order(self) -> dict[str, Any]:
        """An order that is not in the table yet; the first one is always the same."""
        count = self._client.scan(TableName=self.name, Select="COUNT")["Count"]
        return {"order_id": str(123 + count), "item": ITEMS[count % len(ITEMS)], "qty": 2 + count}

    def wait_for(self, order: dict[str, Any]) -> dict[str, Any]:
        """Poll until the order's row is there, and return it."""
        key = {name: {"S": order[name]} for name in ("order_id", "item")}
        deadline = time.monotonic() + ROW_SECONDS
        while time.monotonic() < deadline:
            item = self._client.get_item(TableName=self.name, Key=key, ConsistentRead=True)
            if row := item.get("Item"):
                return {name: next(iter(value.values())) for name, value in row.items()}
            time.sleep(0.05)
        raise DemoError(
            f"The order was accepted, but its row is not in the table after {ROW_SECONDS:.0f} s. "
            f"What the process function says is in the emulator's log: {self._log_path}"
        )


def _post(url: str, order: dict[str, Any]) -> Answer:
    request = urllib.request.Request(
        url, json.dumps(order).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    # Without proxies: it is this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as response:
            return Answer(response.status, response.read().decode())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.read().decode(errors="replace"))
    except OSError as error:
        raise DemoError(f"The load balancer does not answer at {url}: {error}") from None


def _show(  # noqa: PLR0917 - one line each
    console: Console,
    url: str,
    order: dict[str, Any],
    answer: Answer,
    table_name: str,
    row: dict[str, Any],
) -> None:
    another = json.dumps({"order_id": "200", "item": "Teh Tarik", "qty": 1})
    curl = f"curl -i {url} -H 'Content-Type: application/json' -d '{another}'"
    for title, *lines in (
        ("Request", f"POST {url}", json.dumps(order)),
        ("Answer", str(answer.status), answer.body),
        (f"Row in table {table_name}", *(f"{name:<12} {value}" for name, value in row.items())),
        ("Send one yourself", curl),
        ("Send another and see its row", "make demo"),
        ("Stop and remove everything", "make demo-down"),
    ):
        console.print(f"\n[bold]{title}")
        for line in lines:
            _print(console, f"  {line}")


def _print(console: Console, text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())

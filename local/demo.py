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
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console

from local.emulator import CREDENTIALS, ROOT, Emulator, EmulatorError
from local.http_client import Answer
from local.screen import Picture, Screen, Stage
from local.stack import EXAMPLE, Stack
from local.terraform import Changes, Observer, Terraform, TerraformError
from local.waiting import NotInTimeError

DATA_DIR = ROOT / ".cache" / "demo"
EMULATOR_DIR = DATA_DIR / "emulator"
VARIABLES = {"deletion_protection": "false"}

ITEMS = ("Kopi Susu", "Es Teh", "Nasi Goreng", "Pisang Goreng")

# How long an interrupted Terraform may take to finish: where its state is needed later, and where
# it is not, because the emulator is about to be stopped.
PATIENCE_SECONDS = 60.0
IMPATIENCE_SECONDS = 5.0
ROW_SECONDS = 30.0  # that a reader waits for the row


class DemoError(RuntimeError):
    """The demo cannot go on; the message says what to do."""


def main(arguments: list[str] | None = None) -> int:
    command: Callable[[Screen], None]
    match sys.argv[1:] if arguments is None else arguments:
        case ["up"]:
            command = up
        case ["up", "--picture", path]:
            command = partial(up, picture=Path(path))
        case ["down"]:
            command = down
        case _:
            print("usage: python -m local.demo up [--picture FILE.svg] | down", file=sys.stderr)
            return 2

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    screen = Screen()
    try:
        command(screen)
    except KeyboardInterrupt:
        return 130
    except (DemoError, EmulatorError, TerraformError) as error:
        screen.console.print(f"\n{error}", style="red", markup=False, soft_wrap=True)
        return 1
    return 0


def up(screen: Screen, picture: Path | None = None) -> None:
    """Builds the stack, unless it is already up, sends an order and shows its row.

    With `picture`, what a terminal shows in the end is also written to that file, as SVG.
    """
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    running = Emulator.attach(EMULATOR_DIR)
    emulator = running or Emulator(EMULATOR_DIR, detached=True)
    with _restored_on_failure(screen, emulator, is_new=running is None), screen:
        with screen.stage("Emulator") as stage:
            stage.note = "already running" if running else _start(emulator)
        terraform = _terraform(
            screen, emulator, PATIENCE_SECONDS if running else IMPATIENCE_SECONDS
        )
        with screen.stage("terraform init"):
            terraform.init()
        with screen.stage("terraform apply") as stage:
            stage.note = _summary(terraform.apply(_follow(screen, stage)))
        stack = Stack(emulator, terraform)
        with screen.stage("POST an order") as stage:
            order = _next_order(stack)
            answer = _post(stack, order)
            stage.note = str(answer.status)
        with screen.stage("Wait for its row"):
            row = _wait_for_row(stack, order)
    _show(screen.console, stack, order, answer, row)
    if picture:
        drawn = Picture()
        drawn.console.print("[green]$[/] make demo")
        drawn.console.print(screen.render())
        _show(drawn.console, stack, order, answer, row)
        drawn.save(picture, "make demo")


def down(screen: Screen) -> None:
    """Destroys the stack with Terraform and stops the emulator."""
    emulator = Emulator.attach(EMULATOR_DIR)
    if emulator is None:
        gone = "The emulator is not running, and its resources are gone with it. Removed its state."
        _print(screen.console, gone if _discard_state() else "Nothing is running.")
        return
    with screen:
        try:
            terraform = _terraform(screen, emulator, IMPATIENCE_SECONDS)
            with screen.stage("terraform destroy") as stage:
                terraform.init()
                stage.note = _summary(terraform.destroy(_follow(screen, stage)))
        except TerraformError as error:
            raise DemoError(
                f"{error}\n\nTerraform could not destroy the stack. It only existed in the memory "
                "of the emulator, which is stopped now: nothing is left. But please report this."
            ) from None
        finally:
            with screen.stage("Stop the emulator"):
                _stop(emulator)
    _print(screen.console, "\nNothing is left: no resource, no process, no state.")


def _start(emulator: Emulator) -> str:
    # The emulator is in-memory, so old state describes resources that no longer exist.
    had_state = _discard_state()
    emulator.start()
    if not had_state:
        return emulator.endpoint_url
    return (
        f"{emulator.endpoint_url}; an earlier one has ended, and its resources with it: "
        "everything is built from scratch"
    )


def _stop(emulator: Emulator) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a stop must not be interrupted halfway
    emulator.stop()
    _discard_state()


@contextlib.contextmanager
def _restored_on_failure(screen: Screen, emulator: Emulator, *, is_new: bool) -> Iterator[None]:
    """Leaves nothing running that was not running before if the block fails or is interrupted."""
    try:
        yield
    except (KeyboardInterrupt, DemoError, EmulatorError, TerraformError) as error:
        if is_new:
            _stop(emulator)
            hint = "Nothing is left running. Start again with: make demo"
        else:
            hint = "The stack is still up. Continue with: make demo. Remove it with: make demo-down"
        if isinstance(error, KeyboardInterrupt):
            _print(screen.console, f"\nInterrupted. {hint}")
            raise
        raise DemoError(f"{error}\n\n{hint}") from None


def _terraform(screen: Screen, emulator: Emulator, patience_seconds: float) -> Terraform:
    return Terraform(
        EXAMPLE,
        DATA_DIR,
        emulator.environment(),
        VARIABLES,
        patience_seconds=patience_seconds,
        on_interrupt=lambda: _print(screen.console, "Waiting for Terraform to finish."),
    )


def _discard_state() -> bool:
    """Removes Terraform's state. Returns whether there was one."""
    states = list(DATA_DIR.glob("*terraform.tfstate*"))
    for state in states:
        state.unlink()
    return bool(states)


def _follow(screen: Screen, stage: Stage) -> Observer:
    def follow(changes: Changes, line: str | None) -> None:
        stage.note, stage.running = str(changes), changes.running
        if line:
            screen.line(f"  {line} [{changes}]")

    return follow


def _summary(changes: Changes) -> str:
    if not changes.planned:
        return f"no changes; {changes.refreshed} resources match the configuration"
    words = {"add": "created", "change": "changed", "remove": "destroyed"}
    return ", ".join(f"{n} {words[name]}" for name, n in changes.counts.items() if n)


def _next_order(stack: Stack) -> dict[str, Any]:
    """Returns an order that is not in the table yet; the first one is always the same."""
    table = {"TableName": stack.outputs["table_name"]}
    count = stack.dynamodb.scan(**table, Select="COUNT")["Count"]
    return {"order_id": str(123 + count), "item": ITEMS[count % len(ITEMS)], "qty": 2 + count}


def _post(stack: Stack, order: dict[str, Any]) -> Answer:
    try:
        answer = stack.post(order)
    except OSError as error:
        raise DemoError(f"The load balancer does not answer at {stack.url}: {error}") from None
    if answer.status != 202:
        raise DemoError(
            f"The order was not accepted: {answer.status} {answer.body.decode(errors='replace')}\n"
            f"The emulator's log has more: {stack.emulator.log_path}"
        )
    return answer


def _wait_for_row(stack: Stack, order: dict[str, Any]) -> dict[str, Any]:
    try:
        row = stack.wait_for_row(order, ROW_SECONDS)
    except NotInTimeError:
        raise DemoError(
            "The order was accepted, but its row is not in the table. The output of the process "
            f"function is in the emulator's log: {stack.emulator.log_path}"
        ) from None
    return {name: next(iter(value.values())) for name, value in row.items()}


def _show(
    console: Console, stack: Stack, order: dict[str, Any], answer: Answer, row: dict[str, Any]
) -> None:
    another = json.dumps({"order_id": "200", "item": "Teh Tarik", "qty": 1})
    curl = f"curl -i {stack.url} -H 'Content-Type: application/json' -d '{another}'"
    columns = (f"{name:<12} {value}" for name, value in row.items())
    for title, *lines in (
        ("Request", f"POST {stack.url}", json.dumps(order)),
        ("Answer", str(answer.status), answer.body.decode()),
        (f"Row in table {stack.outputs['table_name']}", *columns),
        ("Send one yourself", curl),
        ("Send another and see its row", "make demo"),
        ("See how it is", _operated(stack, "status")),
        ("Stop and remove everything", "make demo-down"),
    ):
        console.print(f"\n[bold]{title}")
        for line in lines:
            _print(console, f"  {line}")
    _print(console, f"\nOn AWS the URL would be {stack.outputs['endpoint_url']}")


def _operated(stack: Stack, command: str) -> str:
    """Returns a command that operates the demo."""
    credentials = " ".join(f"{name.upper()}={value}" for name, value in CREDENTIALS.items())
    where = f"--region {stack.emulator.region} --endpoint-url {stack.emulator.endpoint_url}"
    return f'{credentials} make ops ARGS="{command} --name {stack.system.name} {where}"'


def _print(console: Console, text: str) -> None:
    console.print(text, markup=False, soft_wrap=not console.record)


if __name__ == "__main__":
    sys.exit(main())

"""The demo with a fake Terraform and the real emulator."""

import io
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from local import demo, screen
from local.emulator import ROOT, Emulator
from local.screen import Picture, Screen
from local.terraform import Changes, Terraform, TerraformError
from local.waiting import eventually

VPC = "module.async_ingest.module.network[0].aws_vpc.this"


def event(kind: str, **members: Any) -> str:
    return json.dumps({"type": kind} | members)


def hook(address: str, action: str = "create", seconds: int = 0) -> dict[str, Any]:
    return {"resource": {"addr": address}, "action": action, "elapsed_seconds": seconds}


def plan(add: int) -> str:
    counts = {"add": add, "change": 0, "remove": 0, "operation": "plan"}
    return event("change_summary", changes=counts)


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts a fake Terraform on the PATH that runs a shell script for `apply`."""

    def put(apply: str) -> None:
        directory = tmp_path / "bin"
        directory.mkdir(exist_ok=True)
        program = directory / "terraform"
        program.write_text(f'#!/bin/sh\ncase "$2" in apply)\n{apply}\n;; esac\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(directory), prepend=os.pathsep)

    return put


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Screen, io.StringIO]:
    """The demo's screen without a terminal, and its output. The demo's data is in tmp_path."""
    monkeypatch.setattr(demo, "DATA_DIR", tmp_path)
    monkeypatch.setattr(demo, "EMULATOR_DIR", tmp_path / "emulator")
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # not in the tests' own process
    output = io.StringIO()
    return Screen(Console(file=output, width=100)), output


def test_changes_are_counted_and_reported() -> None:
    changes = Changes()
    rule = 'module.async_ingest.module.load_balancer.aws_lb_listener_rule.this["http /orders"]'
    data = "module.async_ingest.data.aws_iam_policy_document.this"

    def take(line: str) -> str | None:
        return changes.take(json.loads(line))

    assert str(changes) == "planning"
    assert take(event("refresh_complete", hook=hook(VPC))) is None
    assert str(changes) == "1 resources read"
    assert take(plan(add=2)) is None
    assert str(changes) == "0 of 2"
    take(event("apply_start", hook=hook(VPC)))
    take(event("apply_start", hook=hook(data, "read")))
    assert list(changes.running) == ["network.aws_vpc.this"]
    line = take(event("apply_complete", hook=hook(VPC, seconds=10)))
    assert line == "created network.aws_vpc.this (10 s)"
    assert take(event("apply_complete", hook=hook(data, "read"))) is None
    line = take(event("apply_complete", hook=hook(rule, "delete")))
    assert line == 'destroyed load_balancer.aws_lb_listener_rule.this["http /orders"] (0 s)'
    take(event("apply_start", hook=hook("aws_sqs_queue.this")))
    take(event("apply_errored", hook=hook("aws_sqs_queue.this")))
    assert str(changes) == "2 of 2"
    assert not changes.running


def test_a_failure_is_readable_and_leaves_nothing_running(
    play: Any, shown: tuple[Screen, io.StringIO], tmp_path: Path
) -> None:
    diagnostic = {
        "severity": "error",
        "summary": "creating EC2 VPC",
        "detail": "VpcLimitExceeded",
        "address": VPC,
        "range": {"filename": "main.tf", "start": {"line": 7}},
    }
    failed = event("diagnostic", diagnostic=diagnostic)
    play(f"touch {tmp_path}/terraform.tfstate\necho '{failed}'\nexit 1")

    with pytest.raises(demo.DemoError) as failure:
        demo.up(shown[0])

    text = str(failure.value)
    assert "Error: creating EC2 VPC\n" in text
    assert f"  {VPC}, main.tf:7\n\n  VpcLimitExceeded" in text
    assert text.endswith("Nothing is left running. Start again with: make demo")
    assert Emulator.attach(tmp_path / "emulator") is None
    assert not list(tmp_path.glob("*tfstate*"))


def test_a_state_without_its_emulator_is_discarded(
    play: Any, shown: tuple[Screen, io.StringIO], tmp_path: Path
) -> None:
    state = tmp_path / "terraform.tfstate"
    state.write_text("of an earlier emulator")
    play(f"test -e {state} && echo it is still there\nexit 1")

    with pytest.raises(demo.DemoError) as failure:
        demo.up(shown[0])

    assert "it is still there" not in str(failure.value)
    assert "an earlier one has ended, and its resources with it" in shown[1].getvalue()


def test_an_emulator_that_was_running_before_survives_a_failure(
    play: Any, shown: tuple[Screen, io.StringIO], tmp_path: Path
) -> None:
    play("exit 1")
    with Emulator(tmp_path / "emulator", port=0, detached=True) as emulator:
        (tmp_path / "terraform.tfstate").touch()

        with pytest.raises(demo.DemoError, match="The stack is still up"):
            demo.up(shown[0])

        emulator.client("sqs").list_queues()
        assert (tmp_path / "terraform.tfstate").exists()


def test_down_without_a_running_emulator_removes_its_state(
    shown: tuple[Screen, io.StringIO], tmp_path: Path
) -> None:
    demo.down(shown[0])
    (tmp_path / "terraform.tfstate").touch()
    demo.down(shown[0])

    assert shown[1].getvalue().splitlines() == [
        "Nothing is running.",
        "The emulator is not running, and its resources are gone with it. Removed its state.",
    ]
    assert not list(tmp_path.glob("*tfstate*"))


def test_down_stops_the_emulator_even_if_terraform_fails(
    play: Any, shown: tuple[Screen, io.StringIO], tmp_path: Path
) -> None:
    play("")
    program = (tmp_path / "bin/terraform").read_text().replace("apply)", "destroy) exit 1")
    (tmp_path / "bin/terraform").write_text(program)
    Emulator(tmp_path / "emulator", port=0, detached=True).start()

    with pytest.raises(demo.DemoError, match="nothing is left"):
        demo.down(shown[0])

    assert Emulator.attach(tmp_path / "emulator") is None


@pytest.mark.parametrize("trap", ["exit 0", ""], ids=["obeys", "ignores it"])
def test_interrupted_terraform_is_waited_for_or_killed(
    play: Any, tmp_path: Path, trap: str
) -> None:
    started = event("apply_start", hook=hook(VPC))
    play(f"trap '{trap}' INT\necho $$ > {tmp_path}/pid\necho '{started}'\n{'sleep 0.1;' * 300}")
    notes: list[str] = []
    terraform = Terraform(
        tmp_path,
        tmp_path,
        os.environ,
        patience_seconds=10 if trap else 0.3,
        on_interrupt=lambda: notes.append("waiting"),
    )

    def interrupt(_changes: Changes, _line: str | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        terraform.apply(interrupt)

    assert notes == ["waiting"]
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_terraform_does_not_see_the_users_settings(
    play: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.terraform.CLI_CONFIG", tmp_path / "missing")
    play(f"env > {tmp_path}/environment")
    foreign = {"TF_VAR_name": "mine", "TF_CLI_ARGS_apply": "-destroy", "TF_WORKSPACE": "mine"}
    kept = {"TF_CLI_CONFIG_FILE": "terraform.rc", "PATH": os.environ["PATH"]}

    Terraform(tmp_path, tmp_path, foreign | kept).apply()

    environment = (tmp_path / "environment").read_text()
    assert "mine" not in environment
    assert "-destroy" not in environment
    assert "TF_CLI_CONFIG_FILE=terraform.rc" in environment


def test_a_missing_terraform_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(TerraformError, match=r"install Terraform 1\.9 or newer"):
        Terraform(tmp_path, tmp_path, {}).init()


def test_without_a_terminal_lines_and_signs_of_life_are_printed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(screen, "HEARTBEAT_SECONDS", 0.05)
    output = io.StringIO()
    with Screen(Console(file=output)) as lines, lines.stage("terraform apply") as stage:
        stage.note, stage.running = "1 of 2", {"aws_lb.this": time.monotonic() - 30}
        eventually(lambda: "still" in output.getvalue(), "a sign of life")
        stage.note = "[2] created"

    text = output.getvalue()
    assert text.startswith("terraform apply ...\n")
    assert "terraform apply: 0 s; 1 of 2; aws_lb.this (30 s)" in text
    assert "terraform apply: [2] created (0." in text
    assert "\x1b" not in text


def test_a_picture_shows_the_stages_and_loads_nothing(tmp_path: Path) -> None:
    shown, picture = Screen(Console(file=io.StringIO())), Picture()
    with shown, shown.stage("terraform apply") as stage:
        stage.note = "94 created"
    picture.console.print(shown.render())

    picture.save(tmp_path / "demo.svg", "make demo")

    text = (tmp_path / "demo.svg").read_text().replace("&#160;", " ")
    assert "terraform apply" in text
    assert "94 created" in text
    assert "url(http" not in text


def test_an_unknown_command_prints_the_usage() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "local.demo", "sideways"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 2
    assert run.stderr == "usage: python -m local.demo up [--picture FILE.svg] | down\n"

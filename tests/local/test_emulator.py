"""The emulator as a process: its start, its end, its address and its environment."""

import argparse
import concurrent.futures
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config

from local import patches
from local.emulator import HOST, REGION, ROOT, Emulator, EmulatorError
from local.server import listening_socket
from local.waiting import eventually
from tests.local.support import deploy, processes_of


def test_patches_refuse_another_version_of_the_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "version", lambda _: "1.6.0")

    with pytest.raises(patches.PatchError, match=r"ministack 1\.5\.33, and 1\.6\.0 is installed"):
        patches.apply()


@pytest.mark.parametrize(
    ("module", "name", "message"),
    [
        ("services.nothing", "_tg_xml", "cannot be imported"),
        ("services.alb", "_nothing", "has no _nothing"),
        ("services.alb", "_NOTHING[Key]", "has no table _NOTHING"),
        ("services.alb", "_ACTION_MAP[Nothing]", r"has no _ACTION_MAP\[Nothing\]"),
        ("services.alb", "_lb_attr", r"takes \['lb_arn', 'key', 'default'\], not \['tg'\]"),
    ],
)
def test_a_patch_whose_target_has_moved_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, module: str, name: str, message: str
) -> None:
    def change() -> None:
        @patches.around(module, name)
        def replacement(original: Any, tg: Any) -> None: ...

    monkeypatch.setattr(patches, "all_patches", lambda: {"moved": change})

    with pytest.raises(patches.PatchError, match=f"The patch moved does not fit.*{message}"):
        patches.apply()


def test_an_unknown_patch_cannot_be_left_out(tmp_path: Path) -> None:
    with pytest.raises(EmulatorError, match="No patch is called nothing"):
        Emulator(tmp_path, without=["nothing"]).start()


def test_tls_speaks_http_1_1_whatever_a_client_prefers(tmp_path: Path) -> None:
    """Over HTTP/2, the server loses answers, and Terraform waits for them without end."""
    with Emulator(tmp_path, tls=True) as emulator:
        context = ssl.create_default_context(cafile=emulator.ca_bundle)
        context.set_alpn_protocols(["h2", "http/1.1"])
        with (
            socket.create_connection((HOST, emulator.port)) as plain,
            context.wrap_socket(plain, server_hostname=HOST) as connection,
        ):
            assert connection.selected_alpn_protocol() == "http/1.1"


def test_a_port_in_use_is_avoided(tmp_path: Path) -> None:
    with (
        Emulator(tmp_path / "first", port=0) as first,
        Emulator(tmp_path / "second", port=first.port) as second,
    ):
        assert second.port != first.port
        second.client("sqs").create_queue(QueueName="second")
        assert not first.client("sqs").list_queues().get("QueueUrls")


def test_two_that_choose_a_port_at_once_do_not_share_it() -> None:
    options = argparse.Namespace(port=0, or_any_port=True)
    with listening_socket(options) as first:
        options.port = first.getsockname()[1]
        with listening_socket(options) as second:
            assert second.getsockname()[1] != options.port


def test_a_directory_has_at_most_one_emulator(tmp_path: Path) -> None:
    with (
        Emulator(tmp_path, port=0),
        pytest.raises(EmulatorError, match="already running with"),
    ):
        Emulator(tmp_path, port=0).start()


def test_it_listens_on_loopback_only(emulators: dict[bool, Emulator]) -> None:
    table = Path("/proc/net/tcp")
    if not table.exists():
        pytest.skip("needs /proc")
    rows = [line.split() for line in table.read_text().splitlines()[1:]]
    listening = {row[1] for row in rows if row[3] == "0A"}
    for emulator in emulators.values():
        port = f":{emulator.port:04X}"
        assert {one for one in listening if one.endswith(port)} == {f"0100007F{port}"}


@pytest.mark.parametrize("tls", [False, True])
def test_nothing_is_left_after_stop(tmp_path: Path, tls: bool) -> None:
    emulator = Emulator(tmp_path, port=0, tls=tls).start()
    deploy(emulator, "hang", "import time\ndef handle(event, context):\n    time.sleep(60)")
    group, once = emulator.pid, Config(retries={"total_max_attempts": 1})
    functions = emulator.client("lambda", config=once)

    with concurrent.futures.ThreadPoolExecutor() as pool:
        invocation = pool.submit(functions.invoke, FunctionName="hang")
        eventually(lambda: len(processes_of(group)) == 2, "a worker")
        emulator.stop()
        assert invocation.exception() is not None

    assert processes_of(group) == set()
    assert not (tmp_path / "tmp").exists()
    assert Emulator.attach(tmp_path) is None


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_the_parent_ends(tmp_path: Path, end: signal.Signals) -> None:
    program = (
        "import pathlib, signal, time; from local.emulator import Emulator\n"
        # A shell's background jobs are started with SIGINT ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"with Emulator(pathlib.Path({str(tmp_path)!r}), port=0) as emulator:\n"
        "    print(emulator.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as parent:
        assert parent.stdout
        group = int(parent.stdout.readline())
        assert processes_of(group) == {group}
        parent.send_signal(end)

    eventually(lambda: not processes_of(group), "the end of the emulator")


def test_a_detached_emulator_is_found_again(tmp_path: Path) -> None:
    assert Emulator.attach(tmp_path) is None
    program = (
        "import pathlib; from local.emulator import Emulator\n"
        f"Emulator(pathlib.Path({str(tmp_path)!r}), port=0, tls=True, detached=True).start()"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)

    found = Emulator.attach(tmp_path)

    assert found is not None
    assert found.endpoint_url.startswith("https://127.0.0.1:")
    found.client("sqs").create_queue(QueueName="orders")
    group = found.pid
    found.stop()
    assert processes_of(group) == set()
    assert Emulator.attach(tmp_path) is None


def test_a_stale_state_file_is_ignored(tmp_path: Path) -> None:
    # The process exists, but is another program: it does not hold the lock.
    stale = {"pid": os.getpid(), "port": 1, "auth": False, "tls": False, "region": REGION}
    (tmp_path / "emulator.json").write_text(json.dumps(stale))

    assert Emulator.attach(tmp_path) is None
    with Emulator(tmp_path, port=0) as emulator:
        assert emulator.pid != os.getpid()


def test_state_is_kept_on_request(tmp_path: Path) -> None:
    with Emulator(tmp_path, port=0, keep_state=True) as emulator:
        emulator.client("sqs").create_queue(QueueName="orders")
    with Emulator(tmp_path, port=0, keep_state=True) as emulator:
        assert emulator.client("sqs").get_queue_url(QueueName="orders")


def test_the_environment_leads_only_to_the_emulator(
    emulators: dict[bool, Emulator], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE", "AWS_ENDPOINT_URL_SQS"):
        monkeypatch.setenv(name, "elsewhere")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid")
    monkeypatch.setenv("NO_PROXY", "internal.invalid")

    plain, enforced = (emulators[auth].environment() for auth in (False, True))

    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_SQS"} & plain.keys()
    assert "AWS_CA_BUNDLE" not in plain
    assert enforced["AWS_CA_BUNDLE"].endswith("authority.pem")
    assert plain["HTTPS_PROXY"] == "http://proxy.invalid"  # terraform init may need it
    assert plain["NO_PROXY"] == "internal.invalid,127.0.0.1,localhost"
    # A client in this process ignores the environment, too.
    emulators[True].client("sqs").list_queues()

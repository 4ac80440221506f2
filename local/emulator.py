"""The AWS emulator of the local stack, as its users see it: start, stop, address, credentials.

The process itself is `local.server`.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
import botocore.session
from botocore.config import Config

from local.certificates import certificate_in
from local.http_client import send
from local.waiting import NotInTimeError, eventually

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
PREFERRED_PORT = 4566
STATE_FILE = "emulator.json"  # in the data directory
START_SECONDS = 30.0
STOP_SECONDS = 30.0  # saving a large state takes a while on a busy machine

ACCOUNT = "000000000000"
REGION = "us-east-1"  # unless another is chosen
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}  # of its root


class EmulatorError(RuntimeError):
    """The emulator did not start, stop, or answer as it should; the message says what to do."""


@dataclass(frozen=True)
class Running:
    """The content of the state file in the data directory of a running emulator.

    The emulator holds a lock on the file for as long as it lives. So the file of one that is gone
    is never mistaken for a running one, even if another program has its process ID by now.
    """

    pid: int
    port: int
    auth: bool
    tls: bool
    region: str


class Emulator:
    """An emulator in a process of its own.

        with Emulator(tmp_path, auth=True, tls=True) as emulator:
            emulator.client("sqs").create_queue(QueueName="orders")

    Args:
        data_dir: For its log, certificate and state.
        port: The preferred port; any free one is used if it is taken. A restarted emulator prefers
            the port that it had.
        auth: Enforce IAM: `test`/`test` is the root of account 000000000000, and functions get
            sessions of their roles.
        tls: Serve HTTPS, with a certificate whose authority is `ca_bundle`.
        region: The only region that it knows.
        keep_state: Save the state in `data_dir` at stop, and restore it at the next start.
        detached: Let it outlive this process. Otherwise it ends with this process, however that
            ends.
        function_limits: Limit functions to the memory and the CPU of their memory size (Linux
            only).
        without: Names of patches not to apply.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int = PREFERRED_PORT,
        auth: bool = False,
        tls: bool = False,
        region: str = REGION,
        keep_state: bool = False,
        detached: bool = False,
        function_limits: bool = False,
        without: Iterable[str] = (),
    ) -> None:
        self.data_dir = data_dir.resolve()
        self.region = region
        self.log_path = self.data_dir / "emulator.log"
        self._detached = detached
        self._process: subprocess.Popen[bytes] | None = None
        self._running: Running | None = None
        options = {
            "--auth": auth,
            "--tls": tls,
            "--keep-state": keep_state,
            "--function-limits": function_limits,
        }
        self._port = port
        self._arguments = [
            *("--or-any-port", "--data", str(self.data_dir)),
            *("--region", region),
            *(name for name, is_on in options.items() if is_on),
            *(word for name in without for word in ("--without", name)),
            *(() if detached else ("--end-with-stdin",)),
        ]

    @classmethod
    def attach(cls, data_dir: Path) -> Emulator | None:
        """Returns the emulator that is running with this data directory, or None."""
        running = _running_in(data_dir)
        if running is None:
            return None
        emulator = cls(
            data_dir,
            port=running.port,
            auth=running.auth,
            tls=running.tls,
            region=running.region,
            detached=True,
        )
        emulator._running = running
        return emulator

    def start(self) -> Self:
        """Starts it and waits until it answers.

        Raises:
            EmulatorError: It did not; the message has the end of its log.
        """
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "local.server", f"--port={self._port}", *self._arguments],
                cwd=ROOT,
                env=_server_environment(),
                stdin=subprocess.DEVNULL if self._detached else subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # out of reach of Ctrl-C in the terminal
            )
        try:
            self._wait_until_healthy(self._process)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stops the emulator, if it is running, and every process that it has started."""
        process, self._process = self._process, None
        running, self._running = self._running, None
        if process is not None:
            _end_group(process.pid, has_ended=lambda: process.poll() is not None)
            process.wait()
            if process.stdin:
                process.stdin.close()
        elif running is not None:
            _end_group(running.pid, has_ended=lambda: _running_in(self.data_dir) is None)
        shutil.rmtree(self.data_dir / "tmp", ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._require_running().pid

    @property
    def port(self) -> int:
        return self._require_running().port

    @property
    def endpoint_url(self) -> str:
        running = self._require_running()
        return f"{'https' if running.tls else 'http'}://{HOST}:{running.port}"

    @property
    def ca_bundle(self) -> Path | None:
        """The authority to trust, or None without TLS."""
        return certificate_in(self.data_dir).authority if self._require_running().tls else None

    @property
    def tls_context(self) -> ssl.SSLContext | None:
        """A context that trusts `ca_bundle`, or None without TLS."""
        return ssl.create_default_context(cafile=self.ca_bundle) if self.ca_bundle else None

    def environment(self) -> dict[str, str]:
        """Returns the whole environment of a process that talks to this emulator, never to AWS.

        It is this process's environment, with every AWS_* replaced by the emulator's.
        """
        own = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        not_by_proxy = ",".join(filter(None, [own.get("NO_PROXY"), HOST, "localhost"]))
        environment = own | {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            **{name.upper(): value for name, value in CREDENTIALS.items()},
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": not_by_proxy,
            "no_proxy": not_by_proxy,
        }
        if self.ca_bundle:
            environment["AWS_CA_BUNDLE"] = str(self.ca_bundle)
        return environment

    @functools.cached_property
    def _session(self) -> Any:
        """A session that reads neither a profile nor a file."""
        files = dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
        no_profile = {"profile": (None, None, None, None)}
        return boto3.Session(
            botocore_session=botocore.session.Session(session_vars=no_profile | files)
        )

    def client(self, service: str, **options: Any) -> Any:
        """Returns a boto3 client that ignores the environment and configuration of this machine.

        Args:
            service: As boto3 names it.
            options: Of boto3's `client`. Without credentials, it acts as the account's root.
        """
        config = Config(proxies={}, connect_timeout=5, read_timeout=60)
        if extra := options.pop("config", None):
            config = config.merge(extra)
        arguments = {
            "region_name": self.region,
            "endpoint_url": self.endpoint_url,
            "verify": str(self.ca_bundle) if self.ca_bundle else None,
            **CREDENTIALS,
            **options,
        }
        return self._session.client(service, config=config, **arguments)

    def alb_url(self, load_balancer_name: str) -> str:
        """Returns the URL of a load balancer, to which the path of a request is appended."""
        return f"{self.endpoint_url}/_alb/{load_balancer_name}"

    def request(self, path: str, *, method: str = "GET", timeout: float = 10) -> bytes:
        """Sends a request to the emulator's own interface, and returns the body of the answer.

        Raises:
            OSError: It does not answer, or answers with an error.
        """
        answer = send(
            self.endpoint_url + path, method=method, tls=self.tls_context, timeout=timeout
        )
        if answer.status >= 400:
            raise OSError(f"{method} {path}: {answer.status}")
        return answer.body

    def move_cloudwatch_clock(self, seconds: float, *, skip: bool = False) -> float:
        """Moves the clock of CloudWatch forward, and of nothing else; returns what it shows.

        Each minute on the way, gauges are taken and alarms are evaluated, unless `skip`: then the
        time in between has no data.
        """
        query = f"seconds={seconds}" + ("&skip=1" if skip else "")
        answer = self.request(f"/_ministack/cloudwatch/clock?{query}", method="POST", timeout=600)
        return float(json.loads(answer)["now"])

    def reset(self) -> None:
        """Removes every resource and ends the functions' workers."""
        self.request("/_ministack/reset", method="POST")

    def log_tail(self, lines: int = 20) -> str:
        """Returns the end of its log."""
        if not self.log_path.exists():
            return ""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    def _require_running(self) -> Running:
        if self._running is None:
            raise EmulatorError("The emulator is not running: call start(), or use it in a with.")
        return self._running

    def _wait_until_healthy(self, process: subprocess.Popen[bytes]) -> None:
        def is_healthy() -> bool:
            if process.poll() is not None:
                raise EmulatorError(f"The emulator did not start:\n{self.log_tail()}")
            running = _running_in(self.data_dir)
            if running is None or running.pid != process.pid:
                return False
            self._running = running
            self._port = running.port
            try:
                self.request("/_ministack/health", timeout=1)
            except OSError:
                return False
            return True

        try:
            eventually(is_healthy, "a healthy emulator", START_SECONDS)
        except NotInTimeError:
            raise EmulatorError(
                f"The emulator did not answer within {START_SECONDS:.0f} s. The end of "
                f"{self.log_path}:\n{self.log_tail()}"
            ) from None


def _running_in(data_dir: Path) -> Running | None:
    """Returns the emulator that is running with this data directory, if its file is locked."""
    try:
        with (data_dir / STATE_FILE).open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return Running(**json.load(file))
            return None
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _end_group(group: int, has_ended: Callable[[], bool]) -> None:
    """Ends the emulator, then whatever is left of its process group."""

    def kill_group(number: int) -> bool:
        try:
            os.killpg(group, number)
        except (ProcessLookupError, PermissionError):  # macOS: the latter for a group of zombies
            return False
        return True

    with contextlib.suppress(ProcessLookupError):
        os.kill(group, signal.SIGTERM)  # the emulator alone: it ends its workers itself
    with contextlib.suppress(NotInTimeError):
        eventually(has_ended, "the end of the emulator", STOP_SECONDS)
    kill_group(signal.SIGKILL)
    # A killed process stays a zombie until its parent reaps it: not worth a longer wait.
    with contextlib.suppress(NotInTimeError):
        eventually(lambda: has_ended() and not kill_group(0), "the end of its workers", 1)


def _server_environment() -> dict[str, str]:
    """Returns this process's environment without what would misdirect the functions' calls."""
    return {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("AWS_", "MINISTACK_")) and not key.lower().endswith("_proxy")
    }

"""The AWS emulator of the local stack: ministack with the patches of local/patches, on 127.0.0.1.

`python -m local.emulator --port 4566` runs it in the foreground; `--help` names the rest. Tests and
the demo use the class `Emulator`, which runs the same command in a process group of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import fcntl
import functools
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NoReturn, Self

import boto3
import botocore.session
from botocore.config import Config as ClientConfig
from hypercorn.asyncio import serve
from hypercorn.config import Config

from local.certificates import certificate_in, ensure_certificate
from local.patches import PINNED_VERSION, PatchError, all_patches, apply, internal

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
PREFERRED_PORT = 4566
LIMITS = (  # the patches of --function-limits
    "functions_have_the_cpu_of_their_memory_size",
    "functions_end_with_the_memory_of_their_size",
)
START_SECONDS = 30.0
STOP_SECONDS = 30.0  # a large state takes a while to be written on a busy machine


class EmulatorError(RuntimeError):
    """The emulator did not start, stop, or answer as it must; the message says what to do."""


@dataclass(frozen=True)
class Running:
    """What a running emulator writes into `emulator.json` of its data directory.

    It holds a lock on that file for as long as it lives. So the file of one that is gone is never
    taken for a running one, even when its process id belongs to another program by now.
    """

    pid: int
    port: int
    auth: bool
    tls: bool
    region: str


class Emulator:
    """An emulator in a process of its own, with `data_dir` for its log, certificate and state.

        with Emulator(tmp_path, auth=True, tls=True) as emulator:
            emulator.client("sqs").create_queue(QueueName="orders")

    `port` is taken if it is free, and any other if not; after a stop, the same again if it is free.
    `auth` enforces IAM: `test`/`test` is the root of account 000000000000, functions have the
    sessions of their roles. `keep_state` writes the state to `data_dir` when it stops, and reads it
    at the next start. `detached` lets it outlive this process; otherwise it ends with this process,
    however that ends. `function_limits` gives functions the memory and the CPU of their memory
    size, and no more (Linux only). `without` names patches that are left out.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int = PREFERRED_PORT,
        auth: bool = False,
        tls: bool = False,
        region: str = "us-east-1",
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
        """The emulator that is running with this data directory, or None."""
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
        """Start it and wait until it answers. Raises EmulatorError, with the end of its log."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "local.emulator", f"--port={self._port}", *self._arguments],
                cwd=ROOT,
                env=_environment_of_the_emulator(),
                stdin=subprocess.DEVNULL if self._detached else subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a group that Ctrl-C in the terminal does not reach
            )
        try:
            self._wait_until_healthy(self._process)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop the emulator and every process that it has started, if it is running."""
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

    def environment(self) -> dict[str, str]:
        """The whole environment for a process that is to reach this emulator and nothing of AWS.

        This process's own without any AWS_* of it, and with those of the emulator.
        """
        own = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        not_by_proxy = ",".join(filter(None, [own.get("NO_PROXY"), HOST, "localhost"]))
        environment = own | {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
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
        """A boto3 client, as the account's root unless `options` say otherwise.

        It does not look at the environment or at the configuration of this machine.
        """
        config = ClientConfig(proxies={}, connect_timeout=5, read_timeout=60)
        if extra := options.pop("config", None):
            config = config.merge(extra)
        arguments = {
            "region_name": self.region,
            "endpoint_url": self.endpoint_url,
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
            "verify": str(self.ca_bundle) if self.ca_bundle else None,
        } | options
        return self._session.client(service, config=config, **arguments)

    def alb_url(self, load_balancer_name: str) -> str:
        """Where the load balancer of this name is reached; the request's path follows."""
        return f"{self.endpoint_url}/_alb/{load_balancer_name}"

    def request(self, path: str, *, method: str = "GET", timeout: float = 10) -> bytes:
        """Ask the emulator itself. Raises OSError if it does not answer, or with an error."""
        context = ssl.create_default_context(cafile=self.ca_bundle) if self.ca_bundle else None
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        request = urllib.request.Request(self.endpoint_url + path, method=method)
        with opener.open(request, timeout=timeout) as response:
            content: bytes = response.read()
        return content

    def reset(self) -> None:
        """Remove every resource and end the functions' workers."""
        self.request("/_ministack/reset", method="POST")

    def log_tail(self, lines: int = 20) -> str:
        """The end of its log."""
        if not self.log_path.exists():
            return ""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    def _require_running(self) -> Running:
        if self._running is None:
            raise EmulatorError("The emulator is not running: call start(), or use it in a with.")
        return self._running

    def _wait_until_healthy(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise EmulatorError(f"The emulator did not start:\n{self.log_tail()}")
            running = _running_in(self.data_dir)
            if running is not None and running.pid == process.pid:
                self._running = running
                self._port = running.port
                with contextlib.suppress(OSError):
                    self.request("/_ministack/health", timeout=1)
                    return
            time.sleep(0.02)
        raise EmulatorError(
            f"The emulator did not answer within {START_SECONDS:.0f} s. The end of {self.log_path}:"
            f"\n{self.log_tail()}"
        )


def _running_in(data_dir: Path) -> Running | None:
    """What is running with this data directory, or None: its file is locked by nobody then."""
    try:
        with (data_dir / "emulator.json").open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return Running(**json.load(file))
            return None
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _end_group(group: int, has_ended: Callable[[], bool]) -> None:
    """End the emulator, then whatever is left of its process group."""

    def wait(condition: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.02)

    def send(number: int) -> bool:
        try:
            os.killpg(group, number)
        except (ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
            return False
        return True

    with contextlib.suppress(ProcessLookupError):
        os.kill(group, signal.SIGTERM)  # the emulator alone: it ends its workers itself
    wait(has_ended, STOP_SECONDS)
    send(signal.SIGKILL)
    # What was killed may stay a zombie for as long as its parent does not care; no reason to wait.
    wait(lambda: has_ended() and not send(0), 1)


def _environment_of_the_emulator() -> dict[str, str]:
    """This process's, without what would lead the functions elsewhere: workers inherit it."""
    return {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("AWS_", "MINISTACK_")) and not key.lower().endswith("_proxy")
    }


# What follows runs in the emulator's own process.


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m local.emulator",
        description=f"Run ministack {PINNED_VERSION} with this project's patches on {HOST}.",
    )
    parser.add_argument("--port", type=int, default=PREFERRED_PORT, help="default: %(default)s")
    parser.add_argument("--or-any-port", action="store_true", help="if --port is taken")
    parser.add_argument("--data", type=Path, default=ROOT / ".cache/emulator", metavar="DIR")
    parser.add_argument("--region", default="us-east-1", help="default: %(default)s")
    parser.add_argument("--auth", action="store_true", help="enforce IAM")
    parser.add_argument("--tls", action="store_true", help="HTTPS, with authority.pem in --data")
    parser.add_argument("--keep-state", action="store_true", help="from one run to the next")
    parser.add_argument(
        "--function-limits", action="store_true", help="memory and CPU as memory_size says; Linux"
    )
    parser.add_argument("--without", action="append", default=[], metavar="PATCH")
    parser.add_argument("--end-with-stdin", action="store_true", help="when stdin is closed")
    parser.add_argument("--list-patches", action="store_true", help="and end")
    options = parser.parse_args(arguments)
    options.data = options.data.resolve()

    if options.list_patches:
        for name, function in all_patches().items():
            print(f"{name}\n    {(function.__doc__ or '').strip()}\n")
        return 0
    try:
        with _only_one_in(options.data) as state_file, _listening_socket(options) as listener:
            running = Running(
                os.getpid(), listener.getsockname()[1], options.auth, options.tls, options.region
            )
            _prepare(options, running)
            apply([*options.without, *(() if options.function_limits else LIMITS)])
            json.dump(asdict(running), state_file)
            state_file.flush()
            _serve(options, running, listener)
    except (EmulatorError, PatchError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


@contextlib.contextmanager
def _only_one_in(data_dir: Path) -> Iterator[IO[str]]:
    """Hold the data directory's lock. Raises EmulatorError if another emulator does."""
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / "emulator.json"
    deadline = time.monotonic() + 2  # somebody may be looking at this moment
    with path.open("a+") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise EmulatorError(
                        f"An emulator is already running with {data_dir}: stop it, or name another "
                        "directory with --data."
                    ) from None
                time.sleep(0.02)
        file.truncate(0)
        yield file


def _listening_socket(options: argparse.Namespace) -> socket.socket:
    """A socket at the port that is wanted, or at any. Raises EmulatorError if it is taken."""
    try:
        return _listening_at(options.port)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
    if not options.or_any_port:
        raise EmulatorError(
            f"Port {options.port} is taken: name another with --port, or --or-any-port."
        )
    return _listening_at(0)


def _listening_at(port: int) -> socket.socket:
    """It listens at once: two sockets can be bound to a port at which neither does."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def _prepare(options: argparse.Namespace, running: Running) -> None:
    """Set the emulator's environment, which it reads when it is imported."""
    temporary = options.data / "tmp"  # where workers unpack the functions
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    os.environ |= {
        "GATEWAY_PORT": str(running.port),
        "BIND_HOST": HOST,
        "MINISTACK_REGION": running.region,
        "AUTH": str(running.auth).lower(),
        "USE_SSL": str(int(running.tls)),
        "PERSIST_STATE": str(int(options.keep_state)),
        "STATE_DIR": str(options.data / "state"),
        "IOT_MTLS_ENABLED": "0",  # it would listen on a port of its own, on every interface
        "SFTP_ENABLED": "0",
        "TMPDIR": str(temporary),
    }
    if running.tls:
        certificate = ensure_certificate(options.data)
        os.environ |= {
            "MINISTACK_SSL_CERT": str(certificate.certificate),
            "MINISTACK_SSL_KEY": str(certificate.key),
            # For the workers, which inherit it. The emulator would leave one that is set alone.
            "AWS_CA_BUNDLE": str(certificate.authority),
        }


def _serve(options: argparse.Namespace, running: Running, listener: socket.socket) -> NoReturn:
    """Serve until SIGTERM, SIGINT or the end of stdin.

    Not with ministack's own main, which may listen on port 443 as well and leaves workers running.
    """
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = 75
    if running.tls:
        certificate = certificate_in(options.data)
        config.certfile, config.keyfile = str(certificate.certificate), str(certificate.key)

    async def serve_until_told() -> None:
        told = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, told.set)
        if options.end_with_stdin:
            threading.Thread(target=_end_with_stdin, daemon=True).start()
        never = asyncio.Event().wait
        app = internal("app", "app")
        server = asyncio.ensure_future(serve(app, config, shutdown_trigger=never))
        await asyncio.wait(
            [server, asyncio.ensure_future(told.wait())], return_when=asyncio.FIRST_COMPLETED
        )
        if server.done():
            server.result()  # raises what has ended it
        if options.keep_state:
            internal("app", "save_all")(internal("app", "_build_persistence_save_dict")())
        internal("core.lambda_runtime", "reset")()
        shutil.rmtree(options.data / "tmp", ignore_errors=True)
        os._exit(0)  # without waiting for clients to close their connections

    asyncio.run(serve_until_told())
    raise EmulatorError("The emulator has ended by itself.")


def _end_with_stdin() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())

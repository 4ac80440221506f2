"""The emulator's own process: ministack with the patches of local/patches, on 127.0.0.1.

``python -m local.server`` runs it in the foreground; ``--help`` lists the options. The class
`local.emulator.Emulator` starts the same command in a process group of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import fcntl
import json
import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, NoReturn

from hypercorn.asyncio import serve
from hypercorn.config import Config

from local.certificates import certificate_in, ensure_certificate
from local.emulator import HOST, PREFERRED_PORT, REGION, ROOT, STATE_FILE, EmulatorError, Running
from local.patches import PINNED_VERSION, PatchError, all_patches, apply, internal
from local.repeats import OncePerInvocation
from local.waiting import NotInTimeError, eventually

LOCK_SECONDS = 2.0  # a client that looks at the file holds its lock for a moment
# Longer than a client's: that of AWS's SDK for Go is 90. Whoever closes an idle connection may cut
# off a request that has just arrived: it takes effect without an answer, and is sent again.
KEEP_ALIVE_SECONDS = 120
FUNCTION_LIMIT_PATCHES = (  # applied with --function-limits only
    "functions_have_the_cpu_of_their_memory_size",
    "functions_end_with_the_memory_of_their_size",
)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m local.server",
        description=f"Run ministack {PINNED_VERSION} with this project's patches on {HOST}.",
    )
    parser.add_argument("--port", type=int, default=PREFERRED_PORT, help="default: %(default)s")
    parser.add_argument("--or-any-port", action="store_true", help="fall back if --port is taken")
    parser.add_argument("--data", type=Path, default=ROOT / ".cache/emulator", metavar="DIR")
    parser.add_argument("--region", default=REGION, help="default: %(default)s")
    parser.add_argument("--auth", action="store_true", help="enforce IAM")
    parser.add_argument("--tls", action="store_true", help="serve HTTPS; authority.pem in --data")
    parser.add_argument("--keep-state", action="store_true", help="save and restore all resources")
    parser.add_argument(
        "--function-limits",
        action="store_true",
        help="limit memory and CPU of functions to their memory_size (Linux only)",
    )
    parser.add_argument("--without", action="append", default=[], metavar="PATCH")
    parser.add_argument("--end-with-stdin", action="store_true", help="stop when stdin closes")
    parser.add_argument("--list-patches", action="store_true", help="print the patches and exit")
    options = parser.parse_args(arguments)
    options.data = options.data.resolve()

    if options.list_patches:
        for name, function in all_patches().items():
            print(f"{name}\n    {(function.__doc__ or '').strip()}\n")
        return 0
    try:
        with _lock(options.data) as state_file, listening_socket(options) as listener:
            running = Running(
                os.getpid(), listener.getsockname()[1], options.auth, options.tls, options.region
            )
            _prepare_environment(options, running)
            limits = () if options.function_limits else FUNCTION_LIMIT_PATCHES
            apply([*options.without, *limits])
            json.dump(asdict(running), state_file)
            state_file.flush()
            _serve(options, running, listener)
    except (EmulatorError, PatchError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


@contextlib.contextmanager
def _lock(data_dir: Path) -> Iterator[IO[str]]:
    """Holds the lock of the data directory's state file, which is opened empty.

    Raises:
        EmulatorError: Another emulator holds it.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / STATE_FILE).open("a+") as file:

        def is_locked() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        try:
            eventually(is_locked, "the lock of the data directory", LOCK_SECONDS)
        except NotInTimeError:
            raise EmulatorError(
                f"An emulator is already running with {data_dir}: stop it, or name another "
                "directory with --data."
            ) from None
        file.truncate(0)
        yield file


def listening_socket(options: argparse.Namespace) -> socket.socket:
    """Returns a socket that listens on the preferred port, or on any other if that is allowed.

    Raises:
        EmulatorError: The port is taken, and no other is allowed.
    """
    try:
        return _listen(options.port)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
    if not options.or_any_port:
        raise EmulatorError(
            f"Port {options.port} is taken: name another with --port, or use --or-any-port."
        )
    return _listen(0)


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        # At once: two sockets can be bound to the same port for as long as neither listens.
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def _prepare_environment(options: argparse.Namespace, running: Running) -> None:
    """Sets the environment variables that ministack reads when it is imported."""
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
            # Inherited by the workers. ministack keeps a value that is already set.
            "AWS_CA_BUNDLE": str(certificate.authority),
        }


def _serve(options: argparse.Namespace, running: Running, listener: socket.socket) -> NoReturn:
    """Serves until SIGTERM, SIGINT or the end of stdin, then ends the process.

    ministack's own main is not used: it may also listen on port 443, and leaves workers running.
    """
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = KEEP_ALIVE_SECONDS
    # As AWS's endpoints. Over HTTP/2, Hypercorn cuts a connection off after so many requests.
    config.alpn_protocols = ["http/1.1"]
    if running.tls:
        certificate = certificate_in(options.data)
        config.certfile, config.keyfile = str(certificate.certificate), str(certificate.key)

    async def serve_until_stopped() -> None:
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        if options.end_with_stdin:
            threading.Thread(target=_terminate_with_stdin, daemon=True).start()
        never = asyncio.Event().wait
        app: Any = OncePerInvocation(internal("app", "app"))
        server = asyncio.ensure_future(serve(app, config, shutdown_trigger=never))
        await asyncio.wait(
            [server, asyncio.ensure_future(stopped.wait())], return_when=asyncio.FIRST_COMPLETED
        )
        if server.done():
            server.result()  # raises the error that ended it
        if options.keep_state:
            internal("app", "save_all")(internal("app", "_build_persistence_save_dict")())
        internal("core.lambda_runtime", "reset")()
        shutil.rmtree(options.data / "tmp", ignore_errors=True)
        os._exit(0)  # without waiting for clients to close their connections

    asyncio.run(serve_until_stopped())
    raise EmulatorError("The emulator ended without being told to.")


def _terminate_with_stdin() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())

"""Servers in Java to test against, fetched by Maven as tools/<name>/pom.xml says."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.emulator import ROOT

START_SECONDS = 120


@contextlib.contextmanager
def server(name: str, arguments: Callable[[int, Path], list[str]]) -> Iterator[str]:
    """Runs a server on a free port, and gives its URL.

    Skips where Java or Maven are missing, and fails there in CI.

    Args:
        name: Of its folder in tools.
        arguments: Java's, of a port and the folder of the jars: options, the class, its arguments.
    """
    jars = _fetch(name)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*"]
    log = jars / f"{port}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [_program("java"), *options, *arguments(port, jars)],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{name} did not start:\n{log.read_text()}")
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
        log.unlink()


@contextlib.contextmanager
def elasticmq() -> Iterator[str]:
    """An SQS, but for signatures, which it does not look at."""

    def arguments(port: int, _: Path) -> list[str]:
        return [
            "-Drest-sqs.bind-hostname=127.0.0.1",
            f"-Drest-sqs.bind-port={port}",
            f"-Dnode-address.port={port}",
            "-Drest-stats.enabled=false",
            "org.elasticmq.server.Main",
        ]

    with server("elasticmq", arguments) as url:
        yield url


def _fetch(name: str) -> Path:
    jars = ROOT / ".cache" / name
    pom = ROOT / "tools" / name / "pom.xml"
    complete = jars / "complete"
    if complete.exists() and complete.read_text() == pom.read_text():
        return jars
    shutil.rmtree(jars, ignore_errors=True)
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={jars}", "-DincludeScope=runtime"]
    fetched = subprocess.run(
        [_program("mvn"), "--batch-mode", "--quiet", "--file", pom, *goal],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if fetched.returncode:
        _missing(f"Maven could not fetch {name}:\n{fetched.stdout}")
    complete.write_text(pom.read_text())
    return jars


def _program(name: str) -> str:
    return shutil.which(name) or _missing(
        f"{name} is missing, so nothing is compared with servers in Java. Install Java >= 17 and "
        "Maven (Debian: apt-get install default-jre-headless maven) to have it compared."
    )


def _missing(reason: str) -> str:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)

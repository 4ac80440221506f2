"""Options that all commands have, and how results are shown."""

from __future__ import annotations

import functools
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from async_ingest import system
from async_ingest.aws import Aws
from async_ingest.receiving import DEFAULT_VISIBILITY
from async_ingest.signing import Headers, Key

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# Not an option, which other users of the machine would see.
SIGNING_VARIABLE = "ASYNC_INGEST_SECRET"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Screen:
    """Where a command writes: results to stdout, what it is doing to stderr."""

    def __init__(self, *, is_json: bool) -> None:
        self.is_json = is_json
        self.results = Console(soft_wrap=True, highlight=False)
        self.progress = Console(stderr=True, soft_wrap=True, highlight=False)

    def result(self, document: Mapping[str, Any], *lines: str | Table) -> None:
        """Shows a result: the document with --json, else the lines, which may have markup."""
        if self.is_json:
            click.echo(json.dumps(document, indent=2, default=str, ensure_ascii=False))
            return
        for line in lines:
            self.results.print(line)

    def line(self, document: Mapping[str, Any]) -> None:
        """Prints a document of several, on a line of its own."""
        click.echo(json.dumps(document, default=str, ensure_ascii=False))

    def note(self, text: str) -> None:
        """Says on stderr what is happening."""
        self.progress.print(safe(text))

    def write(self, directory: Path, document: Mapping[str, Any], page: str) -> None:
        """Writes a result and its report to a directory, by the command's name."""
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / str(click.get_current_context().command.name)
        path.with_suffix(".json").write_text(json.dumps(document, indent=2) + "\n")
        path.with_suffix(".html").write_text(page)
        self.note(f"Written: {path}.json, {path}.html")


def safe(text: object) -> str:
    """Returns text that neither a terminal nor rich interprets."""
    return escape(_CONTROL.sub("?", str(text)))


def table(*columns: str) -> Table:
    made = Table(box=None, pad_edge=False, show_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def iso(seconds: float) -> str | None:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds)) if seconds else None


class Duration(click.ParamType[Any]):
    """Seconds, or a number with s, m, h or d."""

    name = "duration"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smhd]?)", str(value))
        if not match:
            self.fail(f"{value} is not a duration, such as 90s, 15m, 2h or 3d", param, ctx)
        return float(match[1]) * _UNITS[match[2] or "s"]


class Pair(click.ParamType[Any]):
    """NAME=VALUE."""

    name = "name=value"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, str]:
        name, sign, text = str(value).partition("=")
        if not sign or not name:
            self.fail(f"{value} is not NAME=VALUE", param, ctx)
        return name, text


class Setting(Pair):
    """NAME=VALUE, whose value is that of JSON, or else the text that it is."""

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, Any]:
        name, text = super().convert(value, param, ctx)
        try:
            return name, json.loads(text)
        except ValueError:
            return name, text


def decorated(function: Callable[..., Any], options: Sequence[Any]) -> Callable[..., Any]:
    for option in reversed(options):
        function = option(function)
    return function


@contextmanager
def progress(screen: Screen, total: int) -> Iterator[Callable[[int], None]]:
    """Shows how many of a total are done, in a terminal. Yields what is called with the number."""
    with Progress(
        *Progress.get_default_columns()[:2],
        TextColumn("{task.completed} of {task.total}"),
        TimeElapsedColumn(),
        console=screen.progress,
        transient=True,
        disable=not screen.progress.is_terminal,
    ) as shown:
        task = shown.add_task("orders", total=total)
        yield lambda number: shown.advance(task, number)


def for_system(function: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options that name a system, and passes it `screen` and `system`."""

    @functools.wraps(function)
    def command(find: Callable[[], system.System], **options: Any) -> Any:
        return function(system=find(), **options)

    return for_target(command)


def for_target(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a command that may do without: it gets `screen`, and `find` for the system."""

    @functools.wraps(function)
    def command(  # noqa: PLR0917 - click passes them by name
        name: str | None,
        terraform: Path | None,
        profile: str | None,
        region: str | None,
        endpoint_url: str | None,
        as_json: bool,
        **options: Any,
    ) -> Any:
        def find() -> system.System:
            return system.find(Aws(profile, region, endpoint_url), name, terraform)

        return function(screen=Screen(is_json=as_json), find=find, **options)

    return decorated(
        command,
        [
            click.option("--name", envvar="ASYNC_INGEST_NAME", help="The module's input `name`."),
            click.option(
                "--terraform",
                metavar="DIR",
                envvar="ASYNC_INGEST_TERRAFORM",
                type=click.Path(exists=True, file_okay=False, path_type=Path),
                help="Take the system from the Terraform outputs of this directory.",
            ),
            click.option("--profile", help="As for the AWS CLI; default AWS_PROFILE."),
            click.option("--region", help="As for the AWS CLI; default AWS_REGION."),
            click.option("--endpoint-url", help="Of AWS; default AWS_ENDPOINT_URL."),
            click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
        ],
    )


yes = click.option("--yes", is_flag=True, help="Do it. Without this, only say what would be done.")

output = click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the result and its report to this directory, in JSON and HTML.",
)

visibility = click.option(
    "--visibility",
    type=click.IntRange(5, 43200),
    default=DEFAULT_VISIBILITY,
    show_default=True,
    help="Seconds for which a killed run hides the dead letters that it has received.",
)


def selection(function: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options that select dead letters."""
    return decorated(
        function,
        [
            click.option("--reason", help="Only those whose reason contains this, in any case."),
            click.option("--without-reason", is_flag=True, help="Only those without a reason."),
            click.option("--older-than", type=Duration(), help="Accepted longer ago, such as 2h."),
            click.option("--newer-than", type=Duration(), help="Accepted more recently."),
            click.option(
                "--key",
                "keys",
                type=Pair(),
                multiple=True,
                help="Only those with an order whose attribute has this value; repeatable.",
            ),
            click.option("--limit", type=click.IntRange(1), help="At most so many."),
        ],
    )


class Header(click.ParamType[Any]):
    """NAME: VALUE."""

    name = "name: value"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, str]:
        name, sign, text = str(value).partition(":")
        if not sign or not name.strip():
            self.fail(f"{value} is not NAME: VALUE", param, ctx)
        return name.strip(), text.strip()


def posting(function: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options that say where and how orders are posted.

    It gets `url`, and `headers` of each request.
    """

    @functools.wraps(function)
    def command(
        headers: Sequence[tuple[str, str]], sign: str | None, signature_header: str, **options: Any
    ) -> Any:
        key = Key(sign, _secret(), signature_header) if sign else None
        return function(headers=Headers(dict(headers), key), **options)

    return decorated(
        command,
        [
            click.option("--url", envvar="ASYNC_INGEST_URL", help="Where orders are posted."),
            click.option(
                "--header",
                "headers",
                type=Header(),
                multiple=True,
                help="Of the request, as 'NAME: VALUE'; repeatable.",
            ),
            click.option(
                "--sign",
                metavar="KEY_ID",
                envvar="ASYNC_INGEST_KEY_ID",
                help=f"Sign each request by this key, whose secret is in {SIGNING_VARIABLE}.",
            ),
            click.option(
                "--signature-header",
                default=Key.header,
                show_default=True,
                help="Header of request_signature.",
            ),
        ],
    )


def _secret() -> str:
    secret = os.environ.get(SIGNING_VARIABLE)
    if not secret:
        raise click.UsageError(f"--sign needs the key's secret in {SIGNING_VARIABLE}.")
    return secret

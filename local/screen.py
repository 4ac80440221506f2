"""Shows the progress of stages: live in a terminal, elsewhere one line per event."""

from __future__ import annotations

import contextlib
import io
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

HEARTBEAT_SECONDS = 10.0
MAX_RUNNING_SHOWN = 8


@dataclass
class Stage:
    """One step. `note` is its progress or its outcome, `running` what it is busy with."""

    title: str
    started: float
    note: str = ""
    running: Mapping[str, float] = field(default_factory=dict)  # what -> start, monotonic seconds
    seconds: float | None = None
    has_failed: bool = False

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.started if self.seconds is None else self.seconds


class Picture:
    """What a terminal would show, as an SVG file.

    Attributes:
        console: On which it is printed; lines are wrapped.
    """

    WIDTH = 100
    # Without the fonts that rich would have a browser load from elsewhere.
    FORMAT = re.sub(r"@font-face {{.*?}}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)

    def __init__(self) -> None:
        self.console = Console(
            record=True, width=self.WIDTH, file=io.StringIO(), force_terminal=True, highlight=False
        )

    def save(self, path: Path, title: str) -> None:
        self.console.save_svg(str(path), title=title, code_format=self.FORMAT, unique_id="picture")


def console_for_tables() -> Console:
    """Returns a console that is wide enough for tables where the width is unknown."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=160)


class Screen:
    """A context manager around stages; what is printed afterwards appears below them."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self._is_live = self.console.is_terminal and not self.console.is_dumb_terminal
        self._stages: list[Stage] = []
        self._spinner = Spinner("dots")
        self._live = Live(console=self.console, get_renderable=self.render, refresh_per_second=10)
        self._last_line = time.monotonic()
        self._done = threading.Event()

    def __enter__(self) -> Self:
        if self._is_live:
            self._live.start()
        else:
            threading.Thread(target=self._beat, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._done.set()
        if self._is_live:
            self._live.stop()

    @contextlib.contextmanager
    def stage(self, title: str) -> Iterator[Stage]:
        stage = Stage(title, time.monotonic())
        self._stages.append(stage)
        self.line(f"{title} ...")
        try:
            yield stage
        except BaseException:
            stage.has_failed = True
            raise
        finally:
            stage.seconds = stage.elapsed
            stage.running = {}
            outcome = "failed" if stage.has_failed else stage.note or "done"
            self.line(f"{title}: {outcome} ({stage.seconds:.1f} s)")

    def line(self, text: str) -> None:
        """Prints an event, unless a live display shows the progress."""
        if not self._is_live:
            self._last_line = time.monotonic()
            self.console.print(text, markup=False, soft_wrap=True)

    def _beat(self) -> None:
        """Prints a sign of life when nothing has been printed for a while."""
        while not self._done.wait(HEARTBEAT_SECONDS / 10):
            if time.monotonic() - self._last_line < HEARTBEAT_SECONDS or not self._stages:
                continue
            stage = self._stages[-1]
            busy = ", ".join(f"{what} ({age:.0f} s)" for what, age in _ages(dict(stage.running)))
            parts = [f"{stage.title}: {stage.elapsed:.0f} s", stage.note, busy]
            self.line("  still in progress, " + "; ".join(filter(None, parts)))

    def render(self) -> RenderableType:
        """Returns the stages as they are now."""
        stages = Table.grid(padding=(0, 2))
        for stage in self._stages:
            mark: RenderableType = self._spinner
            if stage.has_failed:
                mark = Text("✘", "red")
            elif stage.seconds is not None:
                mark = Text("✔", "green")
            stages.add_row(mark, stage.title, f"{stage.elapsed:.1f} s", Text(stage.note, "dim"))
        running = _ages(dict(self._stages[-1].running)) if self._stages else []
        busy = Table.grid(padding=(0, 2))
        for what, age in running[:MAX_RUNNING_SHOWN]:
            busy.add_row("   ", Text(what, "dim"), Text(f"{age:.0f} s", "dim"))
        if len(running) > MAX_RUNNING_SHOWN:
            busy.add_row("   ", Text(f"and {len(running) - MAX_RUNNING_SHOWN} more", "dim"))
        return Group(stages, busy) if running else stages


def _ages(running: Mapping[str, float]) -> list[tuple[str, float]]:
    """Returns what is running and for how many seconds, the longest first."""
    now = time.monotonic()
    return sorted(((what, now - start) for what, start in running.items()), key=lambda one: -one[1])

"""Mistakes in process, each with the scenario that must detect it."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.settle.run import SOURCES
from tests.support.mutation import Mutation


class Mutant(NamedTuple):
    mistake: str
    scenario: str  # that must detect it
    mutation: Mutation


MUTANTS = {
    "no_order_by_receives": Mutant(
        "Messages are taken as they come, also the one that has its last delivery.",
        "a_third_above_the_model",
        Mutation(
            "process/reader.py",
            "for record in sorted(records, key=urgency):",
            "for record in records:",
        ),
    ),
    "no_time_check": Mutant(
        "Messages are read although no time is left to write them.",
        "backlog_in_batches_of_100",
        Mutation(
            "process/reader.py",
            "if deadline.remaining() >= _min_seconds(record) * (HOOK_FACTOR if prepare else 1):",
            "if MIN_SECONDS:",
        ),
    ),
    "one_thread": Mutant(
        "Calls are made one after another.",
        "most_orders_of_a_message",
        Mutation(
            "process/writer.py", "others = min(len(items), self._parallel_calls) - 1", "others = 0"
        ),
    ),
    "no_byte_budget": Mutant(
        "A batch is read as a whole before anything of it is written.",
        "6_mb_of_small_orders",
        Mutation(
            "process/reader.py", "MAX_GROUP_BYTES = 256 * 1024", "MAX_GROUP_BYTES = 6 * 1024 * 1024"
        ),
    ),
    "retries_without_a_deadline": Mutant(
        "Before another attempt nobody looks whether there is time for it.",
        "throttled_for_an_hour",
        Mutation(
            "shared/aws.py", "if self.remaining() - seconds < min_seconds:", "if seconds < 0:"
        ),
    ),
}


@contextlib.contextmanager
def mutated(mutant: Mutant) -> Iterator[Path]:
    """Yields the function's sources with the mistake."""
    with tempfile.TemporaryDirectory() as directory:
        sources = Path(directory) / "lambda_src"
        shutil.copytree(SOURCES, sources, ignore=shutil.ignore_patterns("__pycache__"))
        file = sources / mutant.mutation.path
        file.write_text(mutant.mutation.applied_to(file.read_text()))
        yield sources

"""Compares this module with public modules composed by hand: `make compare`.

python -m tests.comparison [--check]

It plans both systems, and each of miswirings.toml, with the real provider against the emulator:
a mocked provider does not check at plan what the real one does. Neither is applied.

--check: fail if the document and measured.json say something else, instead of writing them.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from local.emulator import ROOT, Emulator
from tests.comparison import document, sources
from tests.comparison.systems import System, make_both, miswirings
from tests.support import provider
from tools import setup

REPORT = ROOT / "build" / "comparison.json"


def measured(composed: System, here: System) -> dict[str, Any]:
    rows: dict[str, dict[str, str | None]] = {}
    for row in miswirings():
        mistaken = row.in_used(here.text)
        rows[row.mistake] = {
            "composed": composed.complaint(row.in_composed(composed.text), row.about),
            "here": here.complaint(mistaken, row.about, ignored=row.ignored)
            if row.inputs
            else None,
        }
        print(f"{row.mistake}: {rows[row.mistake]}", flush=True)
    return {
        "made_from": document.made_from(),
        "commits": sources.commits(),
        "composed": {**composed.size(), **composed.findings()},
        "here": {**here.size(), **here.findings()},
        "miswirings": rows,
    }


def main(arguments: list[str]) -> int:
    sources.use_mirror()
    sources.commits()  # stops here if they cannot be had
    sources.build_providers()
    with tempfile.TemporaryDirectory() as directory:
        top = Path(directory)
        with (
            Emulator(top / "emulator") as emulator,
            provider.attached(emulator.environment()) as attached,
        ):
            report = measured(*make_both(top, emulator.environment() | attached))
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(document.as_json(report))
    print(document.summary(report))
    if "--check" not in arguments:
        document.write(report)
    elif document.recorded() != report or document.is_stale():
        print(
            f"✗ docs/comparison.md does not say what was measured: compare {REPORT.name} in build/"
            f" with {document.RECORDED.relative_to(ROOT)}, then make compare WRITE=1",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except setup.SetupError as error:
        sys.exit(f"✗ {error}")

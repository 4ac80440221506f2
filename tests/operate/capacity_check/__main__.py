"""The simulator against the local stack: `make capacity-check`.

python -m tests.operate.capacity_check [NAME ...]    only these loads; nothing is written to docs
"""

import json
import sys
import time
from dataclasses import asdict

from local.emulator import ROOT
from local.screen import Screen, console_for_tables
from tests.operate.capacity_check import calibrate, comparison
from tests.operate.capacity_check.cases import CASES
from tests.operate.capacity_check.judge import compare
from tests.operate.capacity_check.system import slow_as_aws
from tests.support.stack import temporary_stack

REPORT = ROOT / "build" / "capacity-check.json"
DOCUMENT = ROOT / "docs" / "capacity.md"


def main(names: list[str]) -> int:
    known = {case.name: case for case in CASES}
    if unknown := set(names) - known.keys():
        print(f"Unknown: {', '.join(unknown)}. Known are:", *known, sep="\n  ")
        return 2
    console = console_for_tables()
    compared = []
    with (
        Screen(console) as screen,
        temporary_stack("capacity", screen) as stack,
        slow_as_aws(stack) as system,
    ):
        with screen.stage("measure the stack's own constants"):
            calibration = calibrate.calibration_of(calibrate.take(system))
        for name in names or known:
            with screen.stage(name) as stage:
                one = compare(system, known[name], calibration)
                compared.append(one)
                stage.note = f"{one}{'; OUTSIDE' if one.outside else ''}"
    today = time.strftime("%Y-%m-%d", time.gmtime())
    made = comparison.document(compared, asdict(calibration), today)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(made, indent=2) + "\n")
    if not names:
        DOCUMENT.write_text(comparison.in_document(DOCUMENT.read_text(), made))
    console.print(comparison.table(made), markup=False)
    for sentence in made["outside"]:
        console.print(f"✗ {sentence}", style="red", markup=False)
    return 1 if made["outside"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

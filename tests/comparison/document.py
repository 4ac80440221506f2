"""What was measured, as measured.json and the tables of docs/comparison.md have it."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from local.emulator import ROOT
from tests.comparison.sources import COMPOSED, GITHUB, PROVIDERS, modules
from tests.comparison.systems import MISWIRINGS, Miswiring, lines, miswirings, used
from tools.markup import table, with_part

DOCUMENT = ROOT / "docs" / "comparison.md"
PROOF = ROOT / "docs" / "proof.md"
RECORDED = Path(__file__).with_name("measured.json")

Report = dict[str, Any]
Cell = Callable[[Miswiring], str]

OWNER = "terraform-aws-modules/terraform-aws-"
SYSTEMS = ("composed by hand", "here")
SIZES = ("lines of Terraform", "module blocks", "resources")
FOUND, SILENT = "refused at plan", "**not found**"
CANNOT = "cannot be written"
BY_AWS = "refused by AWS"


def made_from() -> str:
    """Returns a digest of what is compared, as far as it is in this folder and the README."""
    files = [MISWIRINGS, COMPOSED / "main.tf", *sorted(COMPOSED.rglob("*.py"))]
    text = "\0".join([*(path.read_text() for path in files), used(), json.dumps(PROVIDERS)])
    return hashlib.sha256(text.encode()).hexdigest()


def as_json(report: Report) -> str:
    return json.dumps(report, indent=2) + "\n"


def recorded() -> Report:
    report: Report = json.loads(RECORDED.read_text())
    return report


def write(report: Report) -> None:
    RECORDED.write_text(as_json(report))
    DOCUMENT.write_text(written(DOCUMENT.read_text(), report))


def is_stale() -> bool:
    text = DOCUMENT.read_text()
    return text != written(text, recorded())


def written(text: str, report: Report) -> str:
    """Returns the document with the tables of a report."""
    text = with_part(text, "MODULES", modules_list(report))
    text = with_part(text, "SIZES", sizes_table(report))
    text = with_part(text, "SUMMARY", summary(report))
    return with_part(text, "MISWIRINGS", miswirings_table(report))


def modules_list(report: Report) -> str:
    links = [
        f"[{name.removeprefix(OWNER)} {tag}]({GITHUB}{name}/tree/{report['commits'][name]})"
        for name, tag in modules().items()
    ]
    return f"{', '.join(links)}.\n"


def sizes_table(report: Report) -> str:
    handlers = sum(lines(path.read_text()) for path in COMPOSED.rglob("*.py"))
    both = (report["composed"], report["here"])

    def counts(kind: str) -> list[str]:
        return [": ".join([str(sum(one[kind].values())), *_listed(one[kind])]) for one in both]

    rows = [
        *([what, *(str(one[what]) for one in both)] for what in SIZES),
        ["lines of handlers", str(handlers), "0"],
        ["checkov's findings in the plan", *counts("failed")],
        ["skipped ones, each with a reason beside its resource", *counts("skipped")],
    ]
    return table(["", *SYSTEMS], rows)


def _listed(counts: Mapping[str, int]) -> list[str]:
    return [", ".join(counts)] if counts else []


def miswirings_table(report: Report) -> str:
    rows = [
        [row.mistake, *(cell(row) for cell in _cells(report)), _cost(row)] for row in miswirings()
    ]
    return table(["mistake", *SYSTEMS, "what it costs where nothing finds it"], rows)


def summary(report: Report) -> str:
    """Returns a sentence for each system that counts where the mistakes are found."""
    composed, here = _cells(report)
    rows = miswirings()

    def counted(cells: Sequence[str]) -> str:
        # What the inputs of a cell with a semicolon take away is not there by default.
        starts = [cell.partition(";")[0] for cell in cells]
        return ", ".join(
            f"{count} {what}"
            for what, count in (
                ("cannot be written", starts.count(CANNOT)),
                ("are refused at plan", starts.count(FOUND)),
                (f"are {BY_AWS} in the middle of the apply", "".join(starts).count(BY_AWS)),
                ("are not found", starts.count(SILENT)),
            )
            if count
        )

    return (
        f"Of {len(rows)} mistakes in the composition, {counted([composed(row) for row in rows])}."
        f" Of the same here, {counted([here(row) for row in rows])}.\n"
    )


def _cells(report: Report) -> tuple[Cell, Cell]:
    """Returns what the table says of a mistake in the composition, and here."""
    found = report["miswirings"]

    def outcome(row: Miswiring, complaint: str | None) -> str:
        if complaint:
            return FOUND
        return f"[{BY_AWS}]({row.refused_by_aws}) at apply" if row.refused_by_aws else SILENT

    def composed(row: Miswiring) -> str:
        return outcome(row, found[row.mistake]["composed"])

    def here(row: Miswiring) -> str:
        by_inputs = outcome(row, found[row.mistake]["here"])
        if not row.fixed:
            return by_inputs
        names = ", ".join(f"`{name}`" for name in row.inputs)
        return f"{CANNOT}; with {names}, {by_inputs}" if names else CANNOT

    return composed, here


def _cost(row: Miswiring) -> str:
    if not row.measured:
        return row.cost
    rows = PROOF.read_text().splitlines()
    [line] = [one for one in rows if one.startswith(f"| {row.measured} |")]
    scenario, found = line.strip("| ").split(" | ")[1:]
    return (
        f"{row.cost}; a handler with the same effect, in the scenario *{scenario}*:"
        f" [{found}](proof.md#does-it-detect-mistakes)"
    )

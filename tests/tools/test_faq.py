"""docs/faq.md quotes the messages of the module and of ingest as they are in the code."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("From `terraform plan`", "From the endpoint", "202, but no row")  # sections
SECTIONS = re.split(r"^## ", (ROOT / "docs" / "faq.md").read_text(), flags=re.MULTILINE)[1:]
QUOTES = [
    quote
    for section in SECTIONS
    if section.startswith(OURS)
    for heading in re.findall(r"^### (.*)$", section, re.MULTILINE)
    for quote in re.findall(r"`([^`]+)`", heading)
]


@cache
def code() -> str:
    paths = [*ROOT.glob("*.tf"), *ROOT.glob("modules/*/*.tf"), *ROOT.glob("lambda_src/*/*.py")]
    text = "\n".join(path.read_text() for path in paths)
    return re.sub(r'"\s*\n\s*f?"', "", text)  # strings that continue on the next line


def test_each_section_of_ours_is_there() -> None:
    assert sum(section.startswith(OURS) for section in SECTIONS) == len(OURS)


@pytest.mark.parametrize("quote", QUOTES)
def test_a_message_is_quoted_verbatim(quote: str) -> None:
    assert quote in code()

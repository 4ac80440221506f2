"""build/operate.json: one document of all parts, each written when it ends."""

import json
from collections.abc import Mapping
from typing import Any

from local.emulator import ROOT

PATH = ROOT / "build" / "operate.json"


def write(part: str, figures: Mapping[str, Any]) -> None:
    """Adds the figures of a part, or replaces them, and leaves those of other parts."""
    PATH.parent.mkdir(exist_ok=True)
    document = json.loads(PATH.read_text()) if PATH.exists() else {}
    document[part] = dict(figures)
    PATH.write_text(json.dumps(document, indent=2) + "\n")

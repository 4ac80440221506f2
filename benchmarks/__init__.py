"""What the handlers cost, beside a pair written the way tutorials do: ``make bench``."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Both pairs are imported the way Lambda does it, from the root of their zip.
sys.path[:0] = [str(ROOT / "lambda_src"), str(ROOT / "benchmarks")]

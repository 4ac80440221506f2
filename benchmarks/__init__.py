"""The cost of the handlers, compared with a pair written as in tutorials: ``make bench``."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Both pairs are imported as in Lambda, from the root of their zip.
sys.path[:0] = [str(ROOT / "lambda_src"), str(ROOT / "benchmarks")]

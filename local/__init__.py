"""AWS on this machine, to try the module and to test it. Real AWS needs nothing from here."""

import sys
from pathlib import Path

# The local stack is operated by the command of ops/, which is installed nowhere here.
sys.path.append(str(Path(__file__).resolve().parent.parent / "ops"))

"""Looks up known vulnerabilities of the pinned Python packages with pip-audit.

    .cache/venv/bin/python tools/audit.py [--required]

pip-audit passes a package that it could not look up, so without access to a vulnerability database
it passes everything. Here that prints a note, and fails with --required.
"""

import argparse
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

REQUIREMENTS = sorted(Path(__file__).resolve().parent.glob("requirements*.txt"))
SECONDS = 120  # for some 100 packages, looked up one after another


class Audit(NamedTuple):
    packages: list[dict[str, Any]]  # each with its "vulns", or the "skip_reason" for none
    trouble: str = ""


def pip_audit(file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    fixed = ("--require-hashes", "--disable-pip", "--progress-spinner=off", "--timeout=5")
    return subprocess.run(
        [sys.executable, "-m", "pip_audit", *fixed, f"--requirement={file}", *options],
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def look_up(file: Path) -> Audit:
    try:
        result = pip_audit(file, "--format=json")
        return Audit(json.loads(result.stdout)["dependencies"])
    except subprocess.TimeoutExpired:
        return Audit([], f"no answer within {SECONDS} s")
    except ValueError:  # no JSON
        return Audit([], result.stderr.strip().rpartition("\n")[2])


def passes(name: str, audit: Audit, required: bool) -> bool:
    """Prints the result of an audit, and returns whether it passes."""
    skipped = [package["skip_reason"] for package in audit.packages if "skip_reason" in package]
    audited = len(audit.packages) - len(skipped)
    if not audited:
        sign = "✗" if required else "NOTE"
        reason = next(iter(skipped), audit.trouble)
        print(f"{sign} pip-audit: {name}: not audited: {reason}")
        print(f"{sign} pip-audit: run it on a machine that reaches PyPI's JSON API. CI does.")
        return not required

    findings = [
        f"{package['name']} {package['version']}: {finding['id']}, "
        f"fixed in {', '.join(finding['fix_versions']) or 'no version yet'}"
        for package in audit.packages
        for finding in package.get("vulns", [])
    ]
    print(f"pip-audit: {name}: {audited} packages looked up, {len(findings)} vulnerabilities known")
    for complaint in (*findings, *skipped):
        print(f"✗ {complaint}")
    return not findings and not skipped


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="pip-audit of tools/requirements*.txt.")
    parser.add_argument("--required", action="store_true", help="fail if nothing was looked up")
    required = parser.parse_args(arguments).required

    for file in REQUIREMENTS:
        readable = pip_audit(file, "--dry-run")
        if readable.returncode:
            print(f"✗ pip-audit: {file.name}: {readable.stderr.strip()}")
            return 1
    with ThreadPoolExecutor() as pool:
        audits = zip(REQUIREMENTS, pool.map(look_up, REQUIREMENTS), strict=True)
        verdicts = [passes(file.name, audit, required) for file, audit in audits]
    return int(not all(verdicts))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

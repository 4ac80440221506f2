"""Checks that the checkout can be released as a version, and builds what is released.

    make release VERSION=1.0.0

The newest heading of CHANGELOG.md is the one place that has the version. The tag is made by
.github/workflows/release.yml, which runs this first.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools import commits, packages

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "build" / "release"
PINS = ROOT / "tools" / "requirements.txt"
CYCLONEDX = ROOT / ".cache" / "venv-release" / "bin" / "cyclonedx-py"
HEADING = re.compile(r"^## \[(\d+\.\d+\.\d+)\] - (.*)$", re.MULTILINE)
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
REFERENCE = re.compile(r"terraform-aws-async-ingest[\w./-]*\?ref=([\w.-]+)")


class ReleaseError(Exception):
    """It cannot be released; the message says why."""


def newest(root: Path) -> tuple[str, str]:
    """Returns the newest version of CHANGELOG.md and its date, or what stands in its place."""
    found = HEADING.search((root / "CHANGELOG.md").read_text())
    if not found:
        raise ReleaseError("CHANGELOG.md has no heading such as: ## [1.0.0] - 2026-12-01")
    return found[1], found[2]


def disagreements(root: Path) -> Iterator[str]:
    """Yields what names another version than CHANGELOG's newest."""
    version, _ = newest(root)
    project = tomllib.loads((root / "ops" / "pyproject.toml").read_text())["project"]
    if project["version"] != version:
        yield f"ops/pyproject.toml has {project['version']}, CHANGELOG.md {version}"
    for name in _git(root, "ls-files", "--", "*.md", "*.tf").splitlines():
        for reference in REFERENCE.findall((root / name).read_text()):
            if reference != f"v{version}":
                yield f"{name} has ?ref={reference}, CHANGELOG.md {version}"


def problems(root: Path, version: str) -> Iterator[str]:
    """Yields what stands against releasing a checkout as a version."""
    if _git(root, "status", "--porcelain"):
        yield "the work tree has changes that are not committed"
    latest, date = newest(root)
    if latest != version:
        yield f"CHANGELOG.md's newest version is {latest}, not {version}"
    if not DATE.fullmatch(date):
        yield f"CHANGELOG.md has no date for {latest}, but {date!r}"
    yield from disagreements(root)
    tags = _git(root, "tag", "--list", "v*", "--sort=-version:refname").split()
    head = _git(root, "tag", "--points-at", "HEAD").split()
    if f"v{version}" in tags and f"v{version}" not in head:
        yield f"the tag v{version} is of another commit"
    since = [tag for tag in tags if tag not in head][:1]
    for subject in commits.unconventional(root, *since):
        yield f"a commit is not conventional: {subject}"


def notes(root: Path, version: str) -> str:
    """Returns CHANGELOG's part about a version."""
    text = (root / "CHANGELOG.md").read_text()
    start = text.index(f"## [{version}]")
    end = text.find("\n## [", start)
    return text[text.index("\n", start) : end if end > 0 else len(text)].strip() + "\n"


def build(root: Path, version: str, output: Path) -> None:
    """Builds the release of the commit that is checked out, the same bytes wherever it is built.

    The directory then has the functions' packages, the command's wheel, a bill of materials, the
    notes, packages.json with the hashes as Terraform takes them, and SHA256SUMS of all. (Only on
    Windows, the bill of materials has one thing more, which click needs there.)
    """
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory) / "source"
        source.mkdir()
        archive = Path(directory) / "source.tar"
        _git(root, "archive", "--format=tar", f"--output={archive}", "HEAD")
        _run("tar", "-xf", archive, "-C", source)
        hashes = {}
        for name, package in packages.build(source, os.environ).items():
            target = output / f"{name}-{version}.zip"
            shutil.copyfile(package.file, target)
            hashes[name] = {"filename": target.name, "source_code_hash": package.source_code_hash}
        (output / "packages.json").write_text(json.dumps(hashes, indent=2) + "\n")
        epoch = _git(root, "log", "-1", "--format=%ct")
        wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
        wheel += ["--no-build-isolation", f"--wheel-dir={output}", str(source / "ops")]
        _run(*wheel, environment={"SOURCE_DATE_EPOCH": epoch})
    (output / "notes.md").write_text(notes(root, version))
    bill_of_materials(output, version)
    files = sorted(path for path in output.iterdir())
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (output / "SHA256SUMS").write_text("".join(sums))


def bill_of_materials(output: Path, version: str) -> None:
    """Writes sbom.cdx.json: the wheel with what it needs, and the packages, which need nothing.

    The wheel takes newer versions of what it needs as well. Listed are those that are pinned for
    its tests, so that the list does not depend on the day.
    """
    [wheel] = output.glob("*.whl")
    target = output / "sbom.cdx.json"
    with tempfile.TemporaryDirectory() as directory:
        installed = Path(directory) / "environment" / "bin" / "python"
        _run(sys.executable, "-m", "venv", "--without-pip", installed.parent.parent)
        wanted = Path(directory) / "wanted.txt"
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        wanted.write_text(f"{wheel.resolve()} --hash=sha256:{digest}\n")
        pip = (sys.executable, "-m", "pip", "--python", installed, "install", "--quiet")
        _run(*pip, "--require-hashes", "--constraint", PINS, "--requirement", wanted)
        _run(
            *(CYCLONEDX, "environment", "--output-reproducible", "--output-format", "JSON"),
            *("--output-file", target, installed),
        )
    document: dict[str, Any] = json.loads(target.read_text())
    document["metadata"]["component"] = {
        "type": "application",
        "name": "terraform-aws-async-ingest",
        "version": version,
    }
    for component in document["components"]:
        component.pop("externalReferences", None)  # where the wheel was on this machine
    for file in sorted(output.glob("*.zip")):
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        package = {"type": "file", "name": file.name, "version": version}
        hashes = [{"alg": "SHA-256", "content": digest}]
        document["components"].append({**package, "bom-ref": file.name, "hashes": hashes})
    target.write_text(json.dumps(document, indent=2) + "\n")


def _git(root: Path, *arguments: str) -> str:
    return _run("git", "-C", root, *arguments).rstrip("\n")


def _run(*command: str | Path, environment: dict[str, str] | None = None) -> str:
    result = subprocess.run(
        command,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
    )
    if result.returncode != 0:
        raise ReleaseError(f"{' '.join(map(str, command))}: {result.stderr or result.stdout}")
    return result.stdout


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make release", description=__doc__)
    parser.add_argument("version", metavar="VERSION", help="such as 1.0.0")
    version = parser.parse_args(arguments).version
    try:
        found = list(problems(ROOT, version))
        for problem in found:
            print(f"✗ {problem}", file=sys.stderr)
        if found:
            return 1
        build(ROOT, version, OUTPUT)
    except ReleaseError as error:
        print(f"✗ {error}", file=sys.stderr)
        return 1
    print((OUTPUT / "SHA256SUMS").read_text(), end="")
    print(f"✓ {version} is in {OUTPUT.relative_to(ROOT)}; the tag is made by the release workflow")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

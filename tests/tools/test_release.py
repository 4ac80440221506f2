"""What a release must agree on, in repositories made here, and what it consists of."""

import hashlib
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from local.emulator import ROOT
from tests.support.repository import AUTHOR
from tools import commits, release, setup

CHANGELOG = """# Changelog

## [1.1.0] - 2026-12-01

### Added

- Something.

## [1.0.0] - 2026-11-30

- The first.
"""
BLOCK = 'source = "git::https://github.com/OWNER/terraform-aws-async-ingest.git//modules/queue?ref={}"\n'


class Checkout:
    """A repository with what a release looks at."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("CHANGELOG.md", CHANGELOG)
        self.write("ops/pyproject.toml", '[project]\nversion = "1.1.0"\n')
        self.write("README.md", BLOCK.format("v1.1.0"))
        self.git("init", "--quiet")
        self.commit("feat: a first commit")

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *AUTHOR, *arguments], cwd=self.root, check=True)

    def commit(self, subject: str) -> None:
        self.git("add", "--all")
        date = "--date=2030-01-01T00:00:00Z"
        command = ["commit", "--quiet", "--allow-empty", date, "--message", subject]
        environment = {"GIT_COMMITTER_DATE": "2030-01-01T00:00:00Z"}
        subprocess.run(
            ["git", *AUTHOR, *command],
            cwd=self.root,
            check=True,
            env={**os.environ, **environment},
        )

    def problems(self) -> list[str]:
        return list(release.problems(self.root, "1.1.0"))


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "checkout")


def test_what_agrees_can_be_released_again_too(checkout: Checkout) -> None:
    assert checkout.problems() == []

    checkout.git("tag", "v1.1.0")

    assert checkout.problems() == []


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("CHANGELOG.md", "## [1.2.0] - 2026-12-01", "newest version is 1.2.0, not 1.1.0"),
        ("CHANGELOG.md", "## [1.1.0] - unreleased", "no date for 1.1.0"),
        ("ops/pyproject.toml", '[project]\nversion = "1.0.0"', "ops/pyproject.toml has 1.0.0"),
        ("docs/a.md", BLOCK.format("v1.0.0"), "docs/a.md has ?ref=v1.0.0"),
        ("docs/a.md", BLOCK.format("main"), "docs/a.md has ?ref=main"),
    ],
)
def test_a_disagreement_is_named(checkout: Checkout, name: str, text: str, problem: str) -> None:
    checkout.write(name, text)
    checkout.commit("docs: something else")

    assert problem in "\n".join(checkout.problems())


def test_a_change_that_is_not_committed_is_named(checkout: Checkout) -> None:
    checkout.write("README.md", "")

    assert checkout.problems() == ["the work tree has changes that are not committed"]


def test_a_tag_of_another_commit_is_named(checkout: Checkout) -> None:
    checkout.git("tag", "v1.1.0")
    checkout.commit("fix: something")

    assert checkout.problems() == ["the tag v1.1.0 is of another commit"]


@pytest.mark.parametrize(
    ("subject", "is_conventional"),
    [
        ("feat(queue)!: a dead-letter queue", True),
        ("fix: an order was lost", True),
        ("Queue: a dead-letter queue", False),
        ("feature: a queue", False),
        ("feat:", False),
    ],
)
def test_commits_since_the_last_tag_are_conventional(
    checkout: Checkout, subject: str, is_conventional: bool
) -> None:
    checkout.commit("whatever was said before")
    checkout.git("tag", "v1.0.0")
    checkout.commit(subject)

    expected = [] if is_conventional else [f"a commit is not conventional: {subject}"]
    assert checkout.problems() == expected


def test_this_checkouts_commits_are_conventional() -> None:
    assert list(commits.unconventional(ROOT)) == []


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("fix(queue): an order was lost\n\nAt length.\n", 0),
        ("Merge branch 'queue'\n", 0),
        ("fixup! fix: an order was lost\n", 0),
        ("An order was lost\n", 1),
        ("\n", 1),
    ],
)
def test_the_hook_checks_the_subject(
    tmp_path: Path, message: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "message").write_text(message)

    assert commits.main(str(tmp_path / "message")) == code
    assert ("is not conventional" in capsys.readouterr().err) is bool(code)


def test_the_notes_are_the_versions_part(checkout: Checkout) -> None:
    assert release.notes(checkout.root, "1.1.0") == "### Added\n\n- Something.\n"


def test_this_checkout_agrees_on_its_version() -> None:
    assert list(release.disagreements(ROOT)) == []


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of the newest commit."""
    assert setup.main(["providers", "release"]) == 0
    output = tmp_path_factory.mktemp("release") / "output"
    release.build(ROOT, release.newest(ROOT)[0], output)
    return output


@pytest.mark.nightly
def test_a_release_has_checksums_of_everything(built: Path) -> None:
    names = {path.name.split("-")[0] for path in built.iterdir()} - {"SHA256SUMS"}

    lines = [line.split("  ") for line in (built / "SHA256SUMS").read_text().splitlines()]
    sums = {name: digest for digest, name in lines}

    files = {"packages.json", "sbom.cdx.json", "notes.md"}
    assert names == {"ingest", "process", "async_ingest"} | files
    assert sums == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in built.iterdir()
        if path.name != "SHA256SUMS"
    }


@pytest.mark.nightly
def test_a_release_is_the_same_bytes_again(built: Path, tmp_path: Path) -> None:
    again = tmp_path / "elsewhere"

    release.build(ROOT, release.newest(ROOT)[0], again)

    for file in built.iterdir():
        assert (again / file.name).read_bytes() == file.read_bytes(), file.name
    assert json.loads((built / "packages.json").read_text()).keys() == {"ingest", "process"}


@pytest.mark.nightly
def test_the_bill_of_materials_has_the_packages_and_the_pinned_versions(built: Path) -> None:
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)", release.PINS.read_text(), re.MULTILINE))

    components = json.loads((built / "sbom.cdx.json").read_text())["components"]
    found = {one["name"].lower(): one["version"] for one in components}

    own = {path.name for path in built.glob("*.zip")} | {"async-ingest"}
    assert {name: found.pop(name) for name in own} == dict.fromkeys(own, release.newest(ROOT)[0])
    assert found.keys() >= {"boto3", "botocore", "click", "rich", "urllib3"}
    assert found == {name: pins[name] for name in found}

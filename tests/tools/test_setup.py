"""Which AWS provider set-up installs, with a fake Terraform."""

import os
import sys
from pathlib import Path

import pytest

from tools import setup
from tools.engines import install

PLATFORM = setup.terraform_platform()
HASHICORP = setup.hashicorp().relative_to(setup.MIRROR)

# Answers `version -json`, and `providers mirror` with the newest matching version of the registry.
TERRAFORM = f"""#!{sys.executable}
import json, pathlib, sys, zipfile

arguments = sys.argv[1:]
if arguments[0] == "version":
    print(json.dumps({{"terraform_version": "1.11.4"}}))
    sys.exit()
assert arguments[:2] == ["providers", "mirror"], arguments
required = json.loads(pathlib.Path("main.tf.json").read_text())["terraform"]["required_providers"]
log = pathlib.Path(__file__).with_name("asked")
log.write_text((log.read_text() if log.exists() else "") + required["aws"]["version"] + "\\n")
released = {{"5.100.0": "5.100.0", "~> 5.0": "5.105.1", "~> 6.0": "6.9.0"}}
if required["aws"]["version"] not in released:
    sys.exit("no available releases match the given constraints")
for name, version in (("aws", released[required["aws"]["version"]]), ("archive", "2.7.1")):
    directory = pathlib.Path(arguments[-1]) / "{HASHICORP}" / name
    directory.mkdir(parents=True)
    (directory / "index.json").write_text("{{}}")
    (directory / f"{{version}}.json").write_text("{{}}")
    packed = directory / f"terraform-provider-{{name}}_{{version}}_{PLATFORM}.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"terraform-provider-{{name}}_v{{version}}_x5", "program")
"""


class Machine:
    """A checkout on a machine with Terraform, a directory of mirrors, and perhaps the registry."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = directory / "checkout"
        self.mirrors = directory / "mirrors"
        self.asked = directory / "bin" / "asked"
        self._monkeypatch = monkeypatch
        for path in (self.root / "modules" / "queue", self.mirrors, self.asked.parent):
            path.mkdir(parents=True)
        terraform = self.asked.with_name("terraform")
        terraform.write_text(TERRAFORM)
        terraform.chmod(0o755)
        monkeypatch.setenv("PATH", f"{terraform.parent}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.delenv("AWS_PROVIDER", raising=False)
        monkeypatch.setattr(setup, "ROOT", self.root)
        monkeypatch.setattr(setup, "CACHE", self.root / ".cache")
        monkeypatch.setattr(setup, "MIRROR", self.root / ".cache" / "providers")
        monkeypatch.setattr(setup, "places", lambda: [self.mirrors])
        monkeypatch.setattr(setup, "go_build", self._built)
        self.reach_registry(reached=False)

    @staticmethod
    def _built(_: str, target: Path) -> None:
        target.parent.mkdir(parents=True)
        target.write_text("program")

    def reach_registry(self, *, reached: bool = True) -> None:
        self._monkeypatch.setattr(setup, "registry_is_reachable", lambda: reached)

    def want(self, version: str) -> None:
        self._monkeypatch.setenv("AWS_PROVIDER", version)

    def mirror(self, *versions: str) -> None:
        for version in versions:
            (self.mirrors / HASHICORP / "aws" / version / PLATFORM).mkdir(parents=True)

    def set_up(self) -> list[str]:
        """Runs set-up. Returns the AWS providers that Terraform then finds."""
        setup.providers()
        configuration = (self.root / ".cache" / "terraform.rc").read_text()
        assert f'filesystem_mirror {{\n    path = "{setup.MIRROR}"' in configuration
        assert "direct" not in configuration
        return [path.name for path in sorted(setup.hashicorp().glob("aws/*"))]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("wanted", "asked", "found"),
    [
        ("", "5.100.0", "5.100.0"),
        ("5.100.0", "5.100.0", "5.100.0"),
        ("5", "~> 5.0", "5.105.1"),
        ("6", "~> 6.0", "6.9.0"),
    ],
)
def test_the_registry_provides_the_requested_version(
    machine: Machine, wanted: str, asked: str, found: str
) -> None:
    machine.mirror("5.90.0", "6.1.0")
    machine.reach_registry()
    machine.want(wanted)

    assert machine.set_up() == [found]
    assert machine.asked.read_text().splitlines() == [asked]


def test_providers_of_the_registry_are_unpacked_and_executable(machine: Machine) -> None:
    machine.reach_registry()
    machine.set_up()

    for name, version in (("aws", "5.100.0"), ("archive", "2.7.1")):
        target = setup.hashicorp() / name / version / PLATFORM
        program = target / f"terraform-provider-{name}_v{version}_x5"
        assert program.read_text() == "program"
        assert os.access(program, os.X_OK)
        assert [path.name for path in target.parents[1].iterdir()] == [version]


def test_a_version_missing_in_the_registry_is_an_error(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.reach_registry()
    machine.want("7")

    with pytest.raises(setup.SetupError, match="providers mirror"):
        machine.set_up()
    assert "no available releases match" in capsys.readouterr().err
    assert not (machine.root / ".cache" / "terraform.rc").exists()


def test_set_up_installs_a_version_only_once(machine: Machine) -> None:
    machine.reach_registry()
    lock = machine.root / "modules" / "queue" / ".terraform.lock.hcl"

    machine.set_up()
    lock.write_text("5.100.0")
    machine.set_up()
    assert len(machine.asked.read_text().splitlines()) == 1
    assert lock.exists()

    machine.want("6")
    assert machine.set_up() == ["6.9.0"]
    assert not lock.exists(), "it would pin Terraform to 5.100.0"

    machine.want("")
    assert machine.set_up() == ["5.100.0"]


@pytest.mark.parametrize(
    ("there", "wanted", "found"),
    [
        (["5.99.1", "5.100.0", "6.1.0"], "", "5.100.0"),
        (["5.99.1", "6.1.0"], "", "6.1.0"),
        (["5.99.1", "5.100.0", "6.1.0", "6.10.0"], "6", "6.10.0"),
        (["5.99.1", "5.100.0", "6.1.0", "6.10.0"], "6.1", "6.1.0"),
        (["5.99.1", "5.100.0", "6.1.0"], "5.99.1", "5.99.1"),
        (["5.9.0", "5.100.0"], "5", "5.100.0"),
    ],
)
def test_without_the_registry_a_mirror_provides_the_version(
    machine: Machine, there: list[str], wanted: str, found: str
) -> None:
    machine.mirror(*there)
    machine.want(wanted)

    assert machine.set_up() == [found]


@pytest.mark.parametrize(
    ("there", "wanted", "says"),
    [
        (["5.99.1", "5.100.0"], "6", "holds AWS provider 6 .*Available: 5.99.1, 5.100.0"),
        (["5.100.0"], "5.100.1", "holds AWS provider 5.100.1 .*Available: 5.100.0"),
        (["5.79.0"], "5", "Available: none"),
        (["5.79.0"], "", "holds the AWS provider 5.80 or newer"),
        ([], "", "holds the AWS provider 5.80 or newer"),
        (["5.100.0"], "latest", "AWS_PROVIDER is 'latest'"),
        (["5.100.0"], "~> 5.0", "AWS_PROVIDER is '~> 5.0'"),
    ],
)
def test_a_missing_version_is_reported(
    machine: Machine, there: list[str], wanted: str, says: str
) -> None:
    machine.mirror(*there)
    machine.want(wanted)

    with pytest.raises(setup.SetupError, match=says):
        machine.set_up()


def test_an_environment_that_is_a_link_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be removed and rebuilt for whoever shares it."""
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (tmp_path / "venv").symlink_to(theirs)
    monkeypatch.setattr(setup, "CACHE", tmp_path)

    with pytest.raises(setup.SetupError, match=r"\.cache/venv is a link"):
        setup.python_environment("venv", setup.TOOLS / "requirements.txt")

    assert theirs.is_dir()


def test_an_engine_that_cannot_be_had_is_named_loudly(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(name: str) -> None:
        raise setup.SetupError("No Go.")

    monkeypatch.setattr(install, "ENGINES", setup.CACHE / tmp_path.name)
    monkeypatch.setattr(install, "terraform_library", lambda name: None)
    monkeypatch.setattr(install, "opentofu", refuse)
    monkeypatch.delenv("ONLINE", raising=False)

    install.install()

    printed = capsys.readouterr().out
    assert "NOTE opentofu: cannot be had here, so NO consumer is tried with it. No Go." in printed
    assert "NOTE opentofu: put a program named terraform" in printed

    monkeypatch.setenv("ONLINE", "1")
    with pytest.raises(setup.SetupError, match="opentofu could not be had"):
        install.install()

"""Installs what the Makefile's targets need below .cache/, unless it is there already.

    python3 tools/setup.py python      the environment of the local stack, tests and linters
    python3 tools/setup.py checkov     checkov, in an environment of its own
    python3 tools/setup.py providers   Terraform's providers, and the configuration that finds them
    python3 tools/setup.py go          tflint, terraform-docs and actionlint
    python3 tools/setup.py release     what makes a release's bill of materials

AWS_PROVIDER selects another AWS provider than the tested one: a version such as 5.100.0, or a
prefix such as 6 for the newest release of that series.

Standard library only: this runs before anything is installed.
"""

import contextlib
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "tools"
CACHE = ROOT / ".cache"
MIRROR = CACHE / "providers"

LAMBDA_PYTHON = "3.13"
MINIMUM_TERRAFORM = (1, 9)
MINIMUM_AWS_PROVIDER = (5, 80)
TESTED_AWS_PROVIDER = "5.100.0"
ARCHIVE_PROVIDER = "1.3.0"  # the version that tools/go.mod builds


class SetupError(Exception):
    """A problem that only the reader can fix; the message says how."""


@contextlib.contextmanager
def stage(title: str) -> Iterator[None]:
    """Announces a slow step, and reports its duration."""
    print(f"… {title}", flush=True)
    start = time.monotonic()
    yield
    print(f"✓ {title}: {time.monotonic() - start:.0f} s", flush=True)


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    """Runs a command quietly; prints its output only if it fails."""
    result = subprocess.run(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if result.returncode != 0:
        print(result.stdout, file=sys.stderr)
        raise SetupError(f"`{' '.join(map(str, command))}` failed; its output is above.")


def fresh(stamp: Path, *inputs: Path | str) -> bool:
    """Returns whether `stamp` records exactly these inputs (files by content)."""
    return stamp.exists() and stamp.read_text() == fingerprint(*inputs)


def fingerprint(*inputs: Path | str) -> str:
    digest = hashlib.sha256()
    for item in inputs:
        digest.update(item.read_bytes() if isinstance(item, Path) else item.encode())
    return digest.hexdigest()


# Python -----------------------------------------------------------------------------------------


def lambda_python() -> Path:
    """Returns the Python version that Lambda runs, if installed, else the one running this.

    The local stack's Lambda workers use the Python of its environment.
    """
    beside = Path(sys.base_prefix).parent.glob(
        f"{LAMBDA_PYTHON}*/bin/python3"
    )  # pyenv and the like
    on_path = shutil.which(f"python{LAMBDA_PYTHON}")
    for candidate in (*([Path(on_path)] if on_path else []), *sorted(beside, reverse=True)):
        answer = subprocess.run(
            [candidate, "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
        )
        if answer.stdout.strip() == LAMBDA_PYTHON:
            return candidate
    return Path(sys.executable)


def python_environment(name: str, requirements: Path) -> None:
    """Creates the virtual environment `.cache/<name>` with exactly the pinned requirements."""
    environment = CACHE / name
    python = lambda_python()
    if environment.is_symlink():
        raise SetupError(
            f".cache/{name} is a link, and is rebuilt in place whenever the requirements change:"
            " remove it, and let this checkout have its own."
        )
    stamp = environment / "made-from"
    if fresh(stamp, requirements, str(python)):
        return
    with stage(f"Python environment .cache/{name} on {python_version(python)}"):
        shutil.rmtree(environment, ignore_errors=True)
        run(python, "-m", "venv", environment)
        run(
            environment / "bin" / "python",
            *("-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps", "-r"),
            requirements,
        )
        stamp.write_text(fingerprint(requirements, str(python)))


def python_version(python: Path) -> str:
    version = subprocess.run([python, "--version"], capture_output=True, text=True).stdout.strip()
    note = "" if LAMBDA_PYTHON in version else f" (Lambda runs {LAMBDA_PYTHON}; not found here)"
    return version + note


# Terraform --------------------------------------------------------------------------------------


def check_terraform() -> None:
    minimum = ".".join(map(str, MINIMUM_TERRAFORM))
    if not shutil.which("terraform"):
        raise SetupError(f"terraform is not on PATH. Install Terraform {minimum} or newer.")
    answer = subprocess.run(
        ["terraform", "version", "-json"], capture_output=True, text=True, check=False
    )
    version = json.loads(answer.stdout)["terraform_version"]
    if version_tuple(version) < MINIMUM_TERRAFORM:
        raise SetupError(f"terraform is {version}. Install Terraform {minimum} or newer.")


def version_tuple(version: str) -> tuple[int, ...]:
    return tuple(
        int(part) for part in version.split("-", maxsplit=1)[0].split(".") if part.isdigit()
    )


def registry_is_reachable() -> bool:
    try:
        with urllib.request.urlopen(
            "https://registry.terraform.io/.well-known/terraform.json", timeout=10
        ) as answer:
            return "providers.v1" in json.load(answer)
    except (OSError, ValueError):
        return False


def terraform_platform() -> str:
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return f"{platform.system().lower()}_{machine}"


def wanted_aws_provider() -> str:
    wanted = os.environ.get("AWS_PROVIDER") or TESTED_AWS_PROVIDER
    if not re.fullmatch(r"\d+(\.\d+){0,2}", wanted):
        raise SetupError(
            f"AWS_PROVIDER is {wanted!r}. Set it to a version such as {TESTED_AWS_PROVIDER}, to the"
            " start of one, such as 6, or leave it out."
        )
    return wanted


def constraint(wanted: str) -> str:
    """Returns the version constraint for the newest release with this prefix."""
    return wanted if wanted.count(".") == 2 else f"~> {wanted}.0"


def places() -> list[Path]:
    """Returns the directories that may hold a filesystem mirror of providers."""
    home = Path.home()
    return [
        *(Path(os.environ[name]) for name in ("TF_PLUGIN_CACHE_DIR",) if os.environ.get(name)),
        home / ".terraform.d" / "plugins",
        home / ".local" / "share" / "terraform" / "plugins",
        *Path("/usr").glob("*/terraform/plugins"),
        *Path("/usr/local").glob("*/terraform/plugins"),
        *Path("/opt").glob("*"),
    ]


def mirrored_aws_provider(wanted: str) -> Path:
    """Returns the newest matching AWS provider in any Terraform filesystem mirror of this machine.

    Without AWS_PROVIDER, if the tested version is missing, that is the newest of all.
    """
    pattern = f"registry.terraform.io/hashicorp/aws/*/{terraform_platform()}"
    found = {
        version_tuple(path.parent.name): path for place in places() for path in place.glob(pattern)
    }
    usable = {version: path for version, path in found.items() if version >= MINIMUM_AWS_PROVIDER}
    start = version_tuple(wanted)
    chosen = [version for version in usable if version[: len(start)] == start]
    if os.environ.get("AWS_PROVIDER") and not chosen:
        there = ", ".join(path.parent.name for _, path in sorted(usable.items())) or "none"
        raise SetupError(
            "The Terraform registry is unreachable, and no local mirror holds AWS provider"
            f" {wanted} for {terraform_platform()}. Available: {there}. Connect to the internet, or"
            " set AWS_PROVIDER to an available version."
        )
    if not usable:
        raise SetupError(
            "The Terraform registry is unreachable, and no local mirror holds the AWS provider"
            f" {'.'.join(map(str, MINIMUM_AWS_PROVIDER))} or newer for {terraform_platform()}."
            " Connect to the internet, or put one where Terraform looks by itself, for example"
            " ~/.terraform.d/plugins/registry.terraform.io/hashicorp/aws/VERSION/OS_ARCH/."
        )
    return usable[max(chosen or usable)]


def providers() -> None:
    """Fills a provider mirror of our own, and writes .cache/terraform.rc, which points to it.

    Terraform can only choose what the mirror holds, so everybody runs the same versions.
    """
    check_terraform()
    wanted = wanted_aws_provider()
    configuration = CACHE / "terraform.rc"
    stamp = MIRROR / "made-for"
    held = list(hashicorp().glob("aws/*/*"))
    if configuration.exists() and fresh(stamp, wanted) and all(path.exists() for path in held):
        return
    CACHE.mkdir(exist_ok=True)
    shutil.rmtree(MIRROR, ignore_errors=True)
    if registry_is_reachable():
        with stage(f"Terraform providers: AWS {wanted} and archive from the Terraform registry"):
            mirror_from_registry(wanted)
    else:
        mirror_from_this_machine(wanted)
    remove_locks()
    configuration.unlink(missing_ok=True)
    configuration.write_text(
        f'provider_installation {{\n  filesystem_mirror {{\n    path = "{MIRROR}"\n  }}\n}}\n'
    )
    stamp.write_text(fingerprint(wanted))


def hashicorp() -> Path:
    return MIRROR / "registry.terraform.io" / "hashicorp"


def mirror_from_registry(wanted: str) -> None:
    required = {
        "aws": {"source": "hashicorp/aws", "version": constraint(wanted)},
        "archive": {"source": "hashicorp/archive", "version": f">= {ARCHIVE_PROVIDER}"},
    }
    with tempfile.TemporaryDirectory() as directory:
        configuration = {"terraform": {"required_providers": required}}
        (Path(directory) / "main.tf.json").write_text(json.dumps(configuration))
        platform_option = f"-platform={terraform_platform()}"
        run("terraform", "providers", "mirror", platform_option, MIRROR, cwd=Path(directory))
    # Terraform links to an unpacked provider, but would unpack a zip again in every directory.
    for archive in hashicorp().glob("*/*.zip"):
        version = archive.name.removeprefix(f"terraform-provider-{archive.parent.name}_")
        target = archive.parent / version.split("_")[0] / terraform_platform()
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(target)
        for program in target.glob("terraform-provider-*"):
            program.chmod(0o755)
        archive.unlink()
    for index in hashicorp().glob("*/*.json"):
        index.unlink()


def mirror_from_this_machine(wanted: str) -> None:
    aws = mirrored_aws_provider(wanted)
    link = hashicorp() / "aws" / aws.parent.name / aws.name
    link.parent.mkdir(parents=True)
    link.symlink_to(aws)
    binary = f"terraform-provider-archive_v{ARCHIVE_PROVIDER}_x5"
    tested = "" if aws.parent.name == wanted else f" (for {wanted})"
    with stage(
        "Terraform providers: the registry is unreachable, so AWS"
        f" {aws.parent.name}{tested} from a local mirror,"
        f" archive {ARCHIVE_PROVIDER} built from source"
    ):
        go_build(
            "github.com/terraform-providers/terraform-provider-archive",
            hashicorp() / "archive" / ARCHIVE_PROVIDER / terraform_platform() / binary,
        )


def remove_locks() -> None:
    """Removes lock files, which would hold a directory to the provider it was first used with."""
    for directory in ("", "modules/*/", "examples/*/"):
        for lock in ROOT.glob(f"{directory}.terraform.lock.hcl"):
            lock.unlink()


# Go tools ---------------------------------------------------------------------------------------


def go_build(package: str, target: Path, module: Path = TOOLS) -> None:
    if not shutil.which("go"):
        raise SetupError(f"go is not on PATH. Install Go 1.26 or newer, which builds {package}.")
    target.parent.mkdir(parents=True, exist_ok=True)
    run("go", "build", "-o", target, package, cwd=module)


def go_tools() -> None:
    """Builds the linters at the versions pinned in tools/go.mod."""
    for package in (
        "github.com/terraform-linters/tflint",
        "github.com/terraform-docs/terraform-docs",
        "github.com/rhysd/actionlint/cmd/actionlint",
    ):
        name = package.rsplit("/", 1)[1]
        stamp = CACHE / "bin" / f"{name}.made-from"
        if fresh(stamp, TOOLS / "go.sum"):
            continue
        with stage(f"{name}, built from source"):
            go_build(package, CACHE / "bin" / name)
            stamp.write_text(fingerprint(TOOLS / "go.sum"))


STEPS = {
    "python": lambda: python_environment("venv", TOOLS / "requirements.txt"),
    "checkov": lambda: python_environment("venv-checkov", TOOLS / "requirements-checkov.txt"),
    "providers": providers,
    "release": lambda: python_environment("venv-release", TOOLS / "requirements-release.txt"),
    "go": go_tools,
}


def main(names: list[str]) -> int:
    if unknown := [name for name in names if name not in STEPS]:
        print(f"tools/setup.py: unknown step {', '.join(unknown)}; known: {', '.join(STEPS)}")
        return 2
    try:
        for name in names:
            STEPS[name]()
    except SetupError as error:
        print(f"✗ {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("✗ interrupted; run the same command again to continue", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

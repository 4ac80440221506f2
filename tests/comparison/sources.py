"""Public modules, and the providers that only they need, from their git repositories."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

from local.emulator import ROOT
from tools import setup

GITHUB = "https://github.com/"
COMPOSED = Path(__file__).parent / "composed"
# The newest whose constraints AWS provider 5 satisfies are in composed/main.tf.
SOURCE = re.compile(rf'"git::{GITHUB}([\w.-]+/[\w.-]+)\.git(?://[\w/-]+)?\?ref=(v[\d.]+)"')
PROVIDERS = {
    f"hashicorp/terraform-provider-{name}": version
    for name, version in (("external", "v2.3.5"), ("local", "v2.5.3"), ("null", "v3.2.4"))
}


def modules() -> dict[str, str]:
    """Returns the tag of each repository of modules that the composed system names."""
    return dict(sorted(SOURCE.findall((COMPOSED / "main.tf").read_text())))


def use_mirror() -> None:
    """Has git, in this process and those that it starts, read MODULES_MIRROR for GitHub."""
    os.environ["GIT_TERMINAL_PROMPT"] = "0"
    if mirror := os.environ.get("MODULES_MIRROR"):
        count = int(os.environ.get("GIT_CONFIG_COUNT", "0"))
        url = Path(mirror).resolve().as_uri()
        os.environ |= {
            "GIT_CONFIG_COUNT": str(count + 1),
            f"GIT_CONFIG_KEY_{count}": f"url.{url}/.insteadOf",
            f"GIT_CONFIG_VALUE_{count}": GITHUB,
        }


def commits() -> dict[str, str]:
    """Returns the commit of each module's tag.

    Raises:
        SetupError: One cannot be had; the message says where all of them can.
    """
    return {name: _commit(name, tag) for name, tag in modules().items()}


def build_providers() -> None:
    """Builds what is missing in the mirror of providers. Raises SetupError."""
    for name, tag in PROVIDERS.items():
        _commit(name, tag)
        provider, version = name.rpartition("-")[2], tag.removeprefix("v")
        directory = setup.hashicorp() / provider / version / setup.terraform_platform()
        binary = directory / f"terraform-provider-{provider}_{tag}"
        if binary.exists():
            continue
        with (
            setup.stage(f"Terraform provider {provider} {version}, built from source"),
            tempfile.TemporaryDirectory() as clone,
        ):
            options = ("--quiet", "--depth=1", f"--branch={tag}", "-c", "advice.detachedHead=false")
            setup.run("git", "clone", *options, f"{GITHUB}{name}.git", clone)
            setup.go_build(".", binary, Path(clone))


def _commit(name: str, tag: str) -> str:
    answer = subprocess.run(
        ["git", "ls-remote", "--exit-code", f"{GITHUB}{name}.git", f"refs/tags/{tag}^{{}}", tag],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if answer.returncode:
        wanted = ", ".join(f"{GITHUB}{name}" for name in (*modules(), *PROVIDERS))
        raise setup.SetupError(
            f"NOTHING is compared: {name} {tag} cannot be had.\n{answer.stderr.strip()}\nRun it"
            " where GitHub is reached, as the nightly workflow does, or set MODULES_MIRROR to a"
            f" directory with clones named OWNER/NAME.git of {wanted}."
        )
    # The commit of an annotated tag comes after the tag itself.
    return answer.stdout.split("\n")[-2].split("\t")[0]

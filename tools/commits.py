"""Whether commits say what they do as Conventional Commits 1.0.0 has it.

    python -m tools.commits .git/COMMIT_EDITMSG

The hook commit-msg runs this, and `make release` checks all commits since the last tag.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# https://www.conventionalcommits.org, version 1.0.0.
TYPES = (
    "build",
    "chore",
    "ci",
    "docs",
    "feat",
    "fix",
    "perf",
    "refactor",
    "revert",
    "style",
    "test",
)
SUBJECT = re.compile(rf"({'|'.join(TYPES)})(\([\w./-]+\))?!?: \S.*")
# Of git, for what does not stay as it is: a merge has no subject of its own.
GITS_OWN = re.compile(r"Merge |(fixup|squash|amend)! ")
CONVENTIONAL_SINCE = "2026-11-27T01:22:44Z"  # the commit before, c1fb338, is the last that is not


def unconventional(root: Path, since: str | None = None) -> Iterator[str]:
    """Yields the subjects of commits that are not conventional, merges aside.

    Args:
        root: Of the repository.
        since: A tag; without one, all commits since ``CONVENTIONAL_SINCE`` are looked at.
    """
    listed = subprocess.run(
        [
            *("git", "log", "--no-merges", "--format=%s"),
            *(f"--since-as-filter={CONVENTIONAL_SINCE}", f"{since}..HEAD" if since else "HEAD"),
        ],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    for subject in listed.stdout.splitlines():
        if not SUBJECT.fullmatch(subject):
            yield subject


def main(message: str) -> int:
    subject = Path(message).read_text().partition("\n")[0]
    if SUBJECT.fullmatch(subject) or GITS_OWN.match(subject):
        return 0
    print(
        f"✗ {subject!r} is not conventional. Write for example: feat(queue): … or fix: …\n"
        f"  Types: {', '.join(TYPES)}; feat! for what breaks the interface.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

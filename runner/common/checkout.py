"""The commit of a checkout, read from its files; and whether it was changed, which git is asked."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from embedmark.runner.common.commits import is_commit
from embedmark.runner.common.files import read_regular

_REFERENCE = re.compile(r"refs(/[A-Za-z0-9_][A-Za-z0-9_.+-]*)+")


def commit_of(root: Path) -> str | None:
    """Return the commit that a checkout is at, without calling git; None where that cannot be told.

    Args:
        root: The folder that `.git` is in. It may be hostile: nothing but names of references is followed.
    """
    git = root / ".git"
    try:
        if git.is_file():  # of a worktree
            git = root / read_regular(git, 4096).decode().strip().removeprefix("gitdir: ")
        head = read_regular(git / "HEAD", 300).decode("ascii").strip()
        if head.startswith("ref: "):
            head = _of_reference(git, head.removeprefix("ref: "))
    except (OSError, UnicodeDecodeError):
        return None
    return head if is_commit(head) else None


def _of_reference(git: Path, name: str) -> str:
    if not _REFERENCE.fullmatch(name) or ".." in name:
        return ""
    common = git / "commondir"
    where = git / read_regular(common, 4096).decode().strip() if common.is_file() else git
    loose = where.joinpath(*name.split("/"))
    if loose.is_file():
        return read_regular(loose, 100).decode("ascii").strip()
    packed = read_regular(where / "packed-refs").decode("ascii", "replace").splitlines()
    return next((line.split(" ")[0] for line in packed if line.endswith(f" {name}")), "")


def is_changed(root: Path) -> bool | None:
    """Ask git whether tracked files of one's own checkout differ from its commit; None where git does not say."""
    command = ["git", "-C", str(root), "status", "--porcelain", "--untracked-files=no"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return bool(done.stdout.strip())

"""`review`: the files of a pull request, checked."""

from __future__ import annotations

import argparse
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the checkout of the branch; nothing in it is run")
    parser.add_argument(
        "--changed", type=Path, required=True, metavar="FILE", help="new and changed paths, as git diff -z writes them"
    )
    parser.add_argument("--deleted", type=Path, metavar="FILE", help="deleted paths, likewise")
    parser.add_argument("--signers", type=Path, metavar="FILE", help="who may sign, out of the base branch")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the report instead of printing it")


def handle(options: argparse.Namespace) -> int:
    """Do it, and return the exit status."""
    from embedmark.runner.cli.submitting import review

    return review(options.folder, options.changed, options.deleted, options.signers, options.out)

"""`results new`: a repository that receives submissions."""

from __future__ import annotations

import argparse
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="new")
    new = actions.add_parser("new", description="make a repository that receives submissions")
    new.add_argument("folder", type=Path, metavar="FOLDER", help="a new folder")


def handle(options: argparse.Namespace) -> int:
    """Do it, and return the exit status."""
    from embedmark.runner.cli.submitting import new_repository

    return new_repository(options.folder)

"""`completion`: a shell's completion script."""

from __future__ import annotations

import argparse

from embedmark.runner.common.errors import OK


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("shell", choices=["bash", "zsh", "fish"])


def handle(options: argparse.Namespace) -> int:
    """Do it, and return the exit status."""
    from embedmark.runner.cli.completion import script

    print(script(options.shell))
    return OK

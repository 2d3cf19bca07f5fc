"""`__complete`: what shells ask for the words that may come next."""

from __future__ import annotations

import argparse

from embedmark.runner.common.errors import OK


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("words", nargs=argparse.REMAINDER)


def handle(options: argparse.Namespace) -> int:
    """Do it, and return the exit status."""
    from embedmark.runner.cli.completion import candidates
    from embedmark.runner.cli.registry import VERBS
    from embedmark.runner.common.text import say

    say("\n".join(candidates(options.words, VERBS)))
    return OK

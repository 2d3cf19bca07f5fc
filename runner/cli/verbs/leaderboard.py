"""`leaderboard`: every benchmark with its scores, as pages or in the terminal."""

from __future__ import annotations

import argparse
from pathlib import Path

from embedmark.runner.cli.arguments import take_config_dir, take_outputs
from embedmark.runner.common.errors import UserError

_TAKES = {
    "build": {"out", "benchmark", "signers"},
    "serve": {"out", "port", "host"},
    "show": {"words", "top"},
}
"""Of each action what it alone takes."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument(
        "action", choices=list(_TAKES),
        help="build: make a folder of pages, which opens from disk and on any host; serve: show it in a browser, built "
        "first where it is missing or old; show: print one benchmark",
    )  # fmt: skip
    parser.add_argument(
        "words", nargs="*", metavar="key=value",
        help="of show: benchmark=NAME, and which tasks are kept: type=, lang=, domain=, modality=, task=, drop=, each "
        "with names between commas",
    )  # fmt: skip
    parser.add_argument("--top", type=int, metavar="N", help="of show: how many to print (default: 20)")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="of build, serve: the folder (default: leaderboard in the outputs)"
    )
    parser.add_argument(
        "--benchmark", action="append", metavar="NAME", help="of build: this alone; may be repeated (default: all)"
    )
    parser.add_argument(
        "--signers", type=Path, metavar="FILE",
        help="of build: who may sign records, as ssh-keygen's allowed signers; scores say who signed them",
    )  # fmt: skip
    parser.add_argument("--port", type=int, metavar="N", help="of serve: the port (default: the first free from 8000)")
    parser.add_argument(
        "--host", metavar="ADDRESS", help="of serve: where to listen (default: 127.0.0.1, this machine alone)"
    )
    take_outputs(parser)
    take_config_dir(parser)


def handle(options: argparse.Namespace) -> int:
    """Do it, and return the exit status."""
    from embedmark.runner.cli import boards

    _refuse_others(options)
    where = boards.Where(options.outputs, options.out, options.config_dir)
    if options.action == "build":
        return boards.build(where, options.benchmark, options.signers)
    if options.action == "serve":
        return boards.show_pages(where, options.host, options.port)
    return boards.show(where, options.words, options.top)


def _refuse_others(options: argparse.Namespace) -> None:
    """Raises UserError for what another action takes."""
    for action, names in _TAKES.items():
        for name in sorted(names - _TAKES[options.action]):
            if value := getattr(options, name):
                said = f"found {value[0]!r}" if name == "words" else f"--{name}"
                raise UserError(f"leaderboard {options.action}: {said}, which belongs to `leaderboard {action}`")

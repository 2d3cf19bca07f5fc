"""`store`: what outputs take on disk."""

from __future__ import annotations

import argparse
from pathlib import Path

from embedmark.runner.cli.arguments import take_outputs


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    take_outputs(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object, in bytes")
    actions = parser.add_subparsers(dest="action", metavar="[prune]")
    what = "delete vectors, and never a record"
    prune = actions.add_parser("prune", help=what, description=what, allow_abbrev=False)
    prune.add_argument("--model", metavar="NAME", help="those of this model")
    prune.add_argument("--older", metavar="AGE", help="those not used for so long: 12h, 90d, 8w")
    prune.add_argument("--yes", action="store_true", help="without being asked")
    # Its default would take the place of what is given before `prune`.
    prune.add_argument("--outputs", type=Path, default=argparse.SUPPRESS, help="where results lie (default: outputs)")


def handle(options: argparse.Namespace) -> int:
    """Do it, and return the exit status."""
    from embedmark.runner.cli.store import prune, show

    if options.action == "prune":
        return prune(options.outputs, model=options.model, older=options.older, confirmed=options.yes)
    return show(options.outputs, as_json=options.json)

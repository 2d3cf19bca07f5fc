"""`lint`: what looks wrong with scores."""

from __future__ import annotations

import argparse

from embedmark.runner.cli.arguments import take_config_dir, take_outputs


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument(
        "what",
        nargs="?",
        metavar="PATH|imported|snapshot",
        help="result files, imported scores, or the published ones that ship (default: one's own records)",
    )
    parser.add_argument("--all", action="store_true", help="also what is odd and no fault of a number")
    parser.add_argument("--strict", action="store_true", help="end with 1 for warnings, too")
    parser.add_argument("--json", action="store_true", help="one JSON object a finding")
    take_outputs(parser)
    take_config_dir(parser)


def handle(options: argparse.Namespace) -> int:
    """Do it, and return the exit status."""
    from embedmark.runner.cli.linting import lint

    return lint(
        options.what, options.outputs, options.config_dir, everything=options.all, strict=options.strict,
        as_json=options.json,
    )  # fmt: skip

"""`sign`: vouch for a record with an SSH key."""

from __future__ import annotations

import argparse
from pathlib import Path

from embedmark.runner.cli.arguments import take_outputs


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("jobs", nargs="+", metavar="JOB", help="a job: its folder, or digits of its fingerprint")
    parser.add_argument("--key", type=Path, required=True, metavar="FILE", help="an SSH key, as ~/.ssh/id_ed25519")
    take_outputs(parser)


def handle(options: argparse.Namespace) -> int:
    """Do it, and return the exit status."""
    from embedmark.runner.cli.signing import sign

    return sign(options.jobs, options.outputs, options.key)

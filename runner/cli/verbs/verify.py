"""`verify`: whether records are as they were written, who signed them, and whether they are what they claim."""

from __future__ import annotations

import argparse
from pathlib import Path

from embedmark.runner.cli.arguments import take_config_dir, take_outputs


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument(
        "jobs", nargs="*", metavar="JOB",
        help="a job that is run again and compared: its folder, or digits of its fingerprint (default: none; all are "
        "looked at)",
    )  # fmt: skip
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="run N jobs again, drawn by --nonce")
    parser.add_argument("--nonce", default="", metavar="TEXT", help="what --sample draws by (default: a new one)")
    parser.add_argument("--quick", action="store_true", help="encode a few rows of each job alone; never a match")
    parser.add_argument("--signers", type=Path, metavar="FILE", help="who may sign, as ssh-keygen's allowed signers")
    parser.add_argument("--revoked", type=Path, metavar="FILE", help="keys that may no longer sign")
    parser.add_argument("--at", metavar="TIME", help="when keys have to be valid, as in 20261126 (default: now)")
    take_outputs(parser)
    take_config_dir(parser)


def handle(options: argparse.Namespace) -> int:
    """Do it, and return the exit status."""
    from embedmark.runner.cli.verifying import Asked, verify
    from embedmark.runner.common.errors import UserError
    from embedmark.runner.provenance.ssh import Signers

    if options.signers is None and (options.revoked or options.at):
        raise UserError("--revoked and --at say more about --signers FILE; give it with them")
    if options.sample < 0:
        raise UserError(f"--sample: found {options.sample}; expected how many jobs to run again")
    signers = None if options.signers is None else Signers(options.signers, options.revoked, options.at)
    return verify(
        Asked(options.jobs, options.outputs, options.sample, options.nonce, options.quick, signers, options.config_dir)
    )

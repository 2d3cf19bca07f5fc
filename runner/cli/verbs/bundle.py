"""`bundle`: all that a plan needs in one archive."""

from __future__ import annotations

import argparse
from pathlib import Path

from embedmark.runner.cli.arguments import take_overrides


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    take_overrides(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="the archive to write, as e5.tar")
    parser.add_argument("--run", type=Path, metavar="FILE", help="run an archive, or the folder it was unpacked into")
    parser.add_argument(
        "--folder", type=Path, metavar="FOLDER", help="where --run unpacks (default: beside the archive)"
    )
    parser.add_argument(
        "--trust-remote-code", action="store_true",
        help="with --run: let the model's own Python code, which came in the archive, run on this machine",
    )  # fmt: skip


def handle(options: argparse.Namespace) -> int:
    """Do it, and return the exit status."""
    from embedmark.runner.cli.bundling import bundle, run_bundle
    from embedmark.runner.common.errors import UserError

    if (options.out is None) == (options.run is None):
        raise UserError("bundle: give --out FILE to make an archive, or --run FILE to run one")
    if options.run is not None:
        if options.config_dir:
            raise UserError("bundle --run: takes no --config-dir; all that it reads is in the archive")
        return run_bundle(options.run, options.overrides, options.folder, trusted=options.trust_remote_code)
    if options.folder is not None or options.trust_remote_code:
        raise UserError("bundle: --folder and --trust-remote-code go with --run FILE")
    return bundle(options.overrides, options.config_dir, options.out)

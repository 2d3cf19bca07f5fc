"""Arguments that several verbs take."""

from __future__ import annotations

import argparse
from pathlib import Path


def take_overrides(parser: argparse.ArgumentParser) -> None:
    """Config groups and values, and folders of configs."""
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="config groups and values, as in model=e5")
    take_config_dir(parser)


def take_multirun(parser: argparse.ArgumentParser) -> None:
    """Overrides of which each may have several values."""
    take_overrides(parser)
    parser.add_argument(
        "-m",
        "--multirun",
        action="store_true",
        help="sweep: a comma-separated value is tried one by one (Hydra multirun)",
    )


def take_config_dir(parser: argparse.ArgumentParser) -> None:
    """Folders of configs."""
    parser.add_argument(
        "-cd", "--config-dir", action="append", default=[], type=Path, metavar="DIR",
        help="a folder of your own with model/, task/ or benchmark/ files; may be given several times",
    )  # fmt: skip


def take_outputs(parser: argparse.ArgumentParser) -> None:
    """The folder of results."""
    parser.add_argument("--outputs", type=Path, default=Path("outputs"), help="where results lie (default: outputs)")


def take_new(parser: argparse.ArgumentParser, named: str) -> None:
    """`new NAME`, which writes a file into a config folder."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="new")
    new = actions.add_parser("new", description=f"{parser.description}; the file is yours to edit")
    new.add_argument("name", metavar="NAME", help=named)
    new.add_argument(
        "--out", type=Path, default=Path("mine"), metavar="FOLDER",
        help="the config folder to write into, to be given to other verbs as --config-dir (default: ./mine)",
    )  # fmt: skip
    new.add_argument("--force", action="store_true", help="write over a file that is there already")

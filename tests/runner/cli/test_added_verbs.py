"""A verb that an installed package adds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

CODE = """
from embedmark.runner.cli.registry import Verb

GREET = Verb("{name}", "greet somebody", "{group}", ("python -m runner {name} ada",), "greeting")
"""

GREETING = """
def arguments(parser):
    parser.add_argument("who")
    parser.add_argument("--loud", action="store_true")

def handle(options):
    print(f"hello {options.who}{'!' if options.loud else ''}")
    return 0
"""


def installed(folder: Path, name: str = "greet", group: str = "look", code: str = CODE) -> dict[str, str]:
    """A package with that verb, and the environment in which it is installed."""
    (folder / "greets-1.0.dist-info").mkdir(parents=True)
    (folder / "greets-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: greets\nVersion: 1.0\n")
    entry = f"[embedmark.verbs]\n{name} = greets:GREET\n"
    (folder / "greets-1.0.dist-info" / "entry_points.txt").write_text(entry)
    (folder / "greets.py").write_text(code.format(name=name, group=group))
    (folder / "greeting.py").write_text(GREETING)
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT), os.environ.get("PYTHONPATH", "")])}


def ours(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "embedmark.runner", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_it_is_listed_has_help_and_is_done(tmp_path: Path) -> None:
    environment = installed(tmp_path / "site")
    assert ours(environment, "greet", "--loud", "ada").stdout == "hello ada!\n"
    assert "  greet" in ours(environment, "--help").stdout
    assert "example:\n  python -m runner greet ada" in ours(environment, "greet", "--help").stdout


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"name": "plan"}, "package greets 1.0 adds a verb under the name 'plan'"),
        ({"name": "Report"}, "package greets 1.0 adds a verb under the name 'Report'"),
    ],
)
def test_a_verb_of_ours_is_not_taken(more: dict[str, str], message: str, tmp_path: Path) -> None:
    ran = ours(installed(tmp_path / "site", **more), "--help")
    assert ran.returncode == 2
    assert message in ran.stderr


@pytest.mark.parametrize("more", [{"group": "chat"}, {"code": "raise ImportError('broken')"}])
def test_one_that_cannot_be_used_breaks_no_other(more: dict[str, str], tmp_path: Path) -> None:
    environment = installed(tmp_path / "site", **more)
    assert ours(environment, "list", "models", "minilm").returncode == 0
    ran = ours(environment, "greet", "ada")
    assert ran.returncode == 2
    assert "verb 'greet' is left out: greets 1.0 adds it as greets:GREET" in ran.stderr

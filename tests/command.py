"""Command lines run through main, and what they say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from embedmark.runner.cli.main import main
from embedmark.runner.common.text import MESSAGE


@dataclass(frozen=True)
class Said:
    """The exit status of a command line, and what it printed."""

    status: int | str | None
    out: str
    err: str

    @property
    def jobs(self) -> list[dict[str, Any]]:
        """The objects that `--json` prints."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def fingerprints(self) -> list[str]:
        """Those of the jobs of a plan."""
        return [job["fingerprint"] for job in self.jobs]


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> Said:
    """Run one command line."""
    capsys.readouterr()
    status: int | str | None
    try:
        status = main(arguments)
    except SystemExit as left:
        status = left.code
    said = capsys.readouterr()
    return Said(status, said.out, said.err)


def mistake(said: Said, *told: str) -> None:
    """Check that a command line was refused in one clear message that says all of `told`."""
    assert said.status == 2, said
    assert said.err.startswith("error: "), said.err
    assert "warning:" not in said.err
    for words in told:
        assert words in said.err, said.err
    assert len(said.err) <= MESSAGE + len("error: \n")
    for raw in ("Traceback", "mismatched", "Lexer", "NoViableAlt", "HYDRA", "Error executing", "Could not override"):
        assert raw not in said.err

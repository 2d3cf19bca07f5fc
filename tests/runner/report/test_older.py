"""What a change of version made old: said in one line, shown by `report --older`, and in no mean of today."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from planned_records import change, fail, measure, reported_project
from small_project import small_project

from embedmark.models.loaders import loaders
from embedmark.runner.cli.main import main
from embedmark.runner.config import identity
from embedmark.runner.config.schema.sources import sources
from embedmark.runner.report import older
from embedmark.tasks.types import task_types

LOADER = "sentence_transformer"
Patch = pytest.MonkeyPatch
Versions = Callable[[Patch], None]


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: Patch) -> Path:
    monkeypatch.chdir(tmp_path)
    return reported_project(tmp_path / "mine")


def before(change: Versions, mine: Path, *overrides: str) -> None:
    """Records of a version of embedmark that is older by one."""
    with pytest.MonkeyPatch.context() as patch:
        change(patch)
        measure(mine, *overrides, score=0.75)


def version_of(known: Callable[[], Mapping[str, Any]], name: str, field: str) -> Versions:
    def change(patch: Patch) -> None:
        entry = known()[name]
        patch.setitem(known(), name, replace(entry, **{field: getattr(entry, field) - 1}))  # type: ignore[arg-type]

    return change


def layout(patch: Patch) -> None:
    patch.setattr(identity, "IDENTITY", identity.IDENTITY - 1)


CHANGES: list[tuple[str, Versions, str, str]] = [
    ("loader", version_of(loaders, LOADER, "version"), "loader_version", "column"),
    ("protocol", version_of(task_types, "sts", "protocol"), "protocol", "row"),
    ("reading", version_of(sources, "files", "version"), "reading", "row"),
    ("layout of the identity", layout, "identity", "row"),
]


@pytest.mark.parametrize(
    ("changed", "word", "where"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES]
)
def test_every_kind_of_version(
    changed: Versions, word: str, where: str, mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before(changed, mine, "model=a", "tasks=[Likeness]")
    told = f"1 job was done with {word} "
    asked = ["-cd", str(mine), "model=a", "tasks=[Likeness]"]

    assert main(["plan", *asked]) == 0
    assert f"{told}" in (out := capsys.readouterr().out)
    assert "`report --older` shows them" in out
    assert main(["report", "-cd", str(mine)]) == 0
    assert f"{told}" in (out := capsys.readouterr().out)
    assert "75.00" not in out

    measure(mine, "model=a", "tasks=[Likeness]", score=0.25)
    assert main(["plan", *asked]) == 0
    assert "was done with" not in capsys.readouterr().out
    assert main(["report", "-cd", str(mine)]) == 0
    assert f"{told}" in (out := capsys.readouterr().out)
    assert "75.00" not in out
    assert "25.00" in out

    assert main(["report", "-cd", str(mine), "--older"]) == 0
    out = capsys.readouterr().out
    assert "was done with" not in out
    assert "75.00" in out
    assert "25.00" in out
    written = json.loads(Path("outputs/report/report.json").read_text())
    marked = (
        [model["label"] for model in written["models"]]
        if where == "column"
        else [row["label"] for row in written["tasks"]]
    )
    assert sorted(f"old: {word}=" in label for label in marked) == [False, True]
    assert all(model["mean_task"] in ({0.75, 0.25} if where == "column" else {0.25}) for model in written["models"])


def test_a_run_says_what_it_does_again(tmp_path: Path, monkeypatch: Patch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["-cd", str(small_project(tmp_path / "mine")), "model=tiny", "tasks=[Likeness]"]
    with pytest.MonkeyPatch.context() as patch:
        version_of(task_types, "sts", "protocol")(patch)
        assert main(asked) == 0
    capsys.readouterr()
    for line in (True, False):
        assert main(asked) == 0
        printed = capsys.readouterr()
        assert ("1 job was done with protocol " in printed.out + printed.err) is line
    assert len(list(Path("outputs/jobs").glob("Likeness--*"))) == 2


def test_a_benchmark_of_today_leaves_old_records_out(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before(version_of(task_types, "sts", "protocol"), mine, "model=a", "benchmark=small")
    assert main(["report", "-cd", str(mine), "--benchmark", "Small"]) == 0
    out = capsys.readouterr().out
    assert "1 job was done with protocol " in out
    assert "org/a has no mean: Likeness (missing)" in out
    assert main(["report", "-cd", str(mine), "--benchmark", "Small", "--older"]) == 0
    out = capsys.readouterr().out
    assert "Likeness (stale: protocol " in out
    assert "Likeness (old: protocol=" in out


def test_a_default_that_moved_is_named_with_the_version(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(mine, "model/a.yaml", dtype="bfloat16")
    before(version_of(loaders, LOADER, "version"), mine, "model=a", "benchmark=small")
    change(mine, "model/a.yaml", without=["dtype"])
    for verb in (["plan", "-cd", str(mine), "model=a", "benchmark=small"], ["report", "-cd", str(mine)]):
        assert main(verb) == 0
        (line,) = (line for line in capsys.readouterr().out.splitlines() if "jobs were done" in line)
        assert line.startswith("4 jobs were done with loader_version ")
        assert "dtype bfloat16 (now " in line
        assert line.endswith("; `report --older` shows them")


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["model.dtype=bfloat16"], "dtype bfloat16 (now "),
        (["model.truncate_dim=8"], "truncate_dim 8 (now none)"),
        (["model.prompts={query: 'q: '}"], "prompts.query"),
    ],
)
def test_other_settings_of_the_model_are_other_columns(
    overrides: list[str], words: str, mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measure(mine, "model=a", "tasks=[Likeness]", *overrides)
    assert main(["report", "-cd", str(mine)]) == 0
    out = capsys.readouterr().out
    assert "done with" not in out
    assert "50.00" in out
    assert f"org/a ({words.split()[0]}=" in out
    assert main(["plan", "-cd", str(mine), "model=a", "tasks=[Likeness]"]) == 0
    out = capsys.readouterr().out
    assert "`report --older`" not in out
    assert words in out or "prompts" in words
    # And what was chosen on purpose now is not said to make the default old.
    measure(mine, "model=b", "tasks=[Likeness]")
    assert main(["plan", "-cd", str(mine), "model=b", "tasks=[Likeness]", *overrides]) == 0
    assert "done with" not in capsys.readouterr().out


def test_failures_of_older_versions_are_not_named(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        version_of(sources, "files", "version")(patch)
        fail(mine, "model=a", "tasks=[Likeness]")
    measure(mine, "model=a", "tasks=[Likeness]")
    assert main(["report", "-cd", str(mine)]) == 0
    assert "failed" not in capsys.readouterr().out


def test_members_of_a_model_are_looked_at() -> None:
    present = loaders()[LOADER].version
    member = {"loader": LOADER, "loader_version": present - 1}
    model = {"loader": "concatenation", "members": [member, {"loader": "no such loader", "loader_version": 1}]}
    (found,) = older.outdated_model(model)
    assert (found.key, found.a, found.b) == ("model.members[0].loader_version", present - 1, present)


def test_the_csv_says_what_is_old(mine: Path) -> None:
    before(version_of(loaders, LOADER, "version"), mine, "model=a", "tasks=[Likeness]")
    measure(mine, "model=a", "tasks=[Likeness]", score=0.25)
    assert main(["report", "-cd", str(mine), "--older"]) == 0
    rows = list(csv.DictReader(Path("outputs/report/report.csv").read_text().splitlines()))
    labels = {row["label"]: row["score"] for row in rows if row["level"] == "job"}
    assert len(labels) == 2
    assert next(score for label, score in labels.items() if "(old: loader_version=" in label) == "0.75"

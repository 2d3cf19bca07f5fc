"""What the display makes of failures, of amounts and of the progress bars of libraries."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
from sample_records import failure, identity
from small_project import small_project, table, task

from embedmark.runner.cli.main import main
from embedmark.runner.display import transfers
from embedmark.runner.display.failures import Failures
from embedmark.runner.display.progress import amount, display


@pytest.mark.parametrize(
    ("done", "total", "unit", "expected"),
    [
        (12_345, 1_200_000, "tokens", "12.3k/1.2M tokens"),
        (0, 999, "tokens", "0/999 tokens"),
        (999_960, 999_960, "tokens", "1.0M/1.0M tokens"),
        (3_500_000_000, 7_100_000_000, "tokens", "3.5G/7.1G tokens"),
        (3, 12, "jobs", "3/12 jobs"),
        (3, None, "jobs", "3/? jobs"),
        (1_200_000_000, 3_400_000_000, "B", "1.2/3.4 GB"),
        (5, 900, "B", "5/900 B"),
        (1500, None, "B", "1.5 kB"),
        (120, None, "examples", "120 examples"),
    ],
)
def test_amounts(done: float, total: float | None, unit: str, expected: str) -> None:
    assert amount(done, total, unit) == expected


def told(*errors: tuple[str, str, str]) -> list[str]:
    """The lines for errors (task, subset, message)."""
    failures = Failures()
    lines = []
    for name, subset, message in errors:
        made = failure(identity(name), message)
        made = made.model_copy(update={"job": made.job.model_copy(update={"subset": subset, "split": "test"})})
        lines.append(failures.line(f"{name}/{subset}", made))
    return [line for line in lines if line] + failures.rest()


@pytest.mark.parametrize(
    ("errors", "lines"),
    [
        ([("T", "en", "no label")], ["T/en: failed: ValueError: no label"]),
        ([("T", "en", "no label"), ("T", "de", "no label")], ["T/en", "T: … and 1 more subset failed alike: de"]),
        ([("T", "en", "subset 'en' is empty"), ("T", "de", "subset 'de' is empty")], ["T/en", "1 more subset"]),
        ([("T", "en", "row 3 of en"), ("T", "de", "row 17 of de")], ["T/en", "1 more subset"]),
        ([("T", "en", "no label"), ("T", "de", "no text")], ["T/en", "T/de"]),
        ([("T", "en", "garden in en"), ("T", "de", "garden in de")], ["T/en", "1 more subset"]),
        ([("A", "en", "no network"), ("B", "en", "no network")], ["A/en", "1 more job failed alike: B"]),
        ([("A", "x", "A: no file"), ("B", "x", "B: no file")], ["A/x", "1 more job"]),
        ([("T", str(n), "no label") for n in range(12)], ["T/0", "and 11 more subsets failed alike: 1, 2, 3, 4, 5, …"]),
        ([("T", "en", "first\nsecond")], ["T/en: failed: ValueError: first"]),
        ([("T", "en", "")], ["T/en: failed: ValueError"]),
        ([("T", "en", "long " * 500)], ["T/en"]),
    ],
    ids=lambda value: value[-1][-1][:30] if isinstance(value[0], tuple) else "",
)
def test_equal_errors_are_one_line(errors: list[tuple[str, str, str]], lines: list[str]) -> None:
    found = told(*errors)
    assert len(found) == len(lines)
    assert all(expected in line for expected, line in zip(lines, found, strict=True)), found
    assert all(len(line) <= 700 and "\n" not in line for line in found)


@pytest.mark.parametrize("live", [False, True], ids=["lines", "bars"])
def test_bars_of_libraries_are_the_displays(
    live: bool, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import datasets
    from datasets.utils import tqdm as of_datasets
    from tqdm.auto import tqdm

    datasets.enable_progress_bars()  # a dataset that this process has read from a hub turned them off

    for name in ("CI", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(transfers, "WORTH_SECONDS", 0.0)
    monkeypatch.setattr("embedmark.runner.display.progress.LINE_SECONDS", 0.0)
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: live)
    kept = tqdm.display
    with display(stream):
        with tqdm(desc="model.safetensors", total=3_400_000, unit="B", unit_scale=True, mininterval=0) as bar:
            bar.update(1_200_000)
            time.sleep(0.3 if live else 0.0)
        for _ in of_datasets(range(3), desc="Generating [train] split", unit=" examples", mininterval=0):
            time.sleep(0.1 if live else 0.0)
    shown = stream.getvalue()
    assert "model.safetensors" in shown
    assert "1.2/3.4 MB" in shown
    assert "Generating [train] split" in shown
    assert capfd.readouterr() == ("", "")
    assert tqdm.display is kept


def test_subsets_that_fail_alike_are_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = small_project(tmp_path / "project")
    subsets = {f"s{letter}": ["eng-Latn"] for letter in "abcdefghijkl"}
    for subset in subsets:
        table(project, f"many/{subset}", test=[{"sentence1": "a", "sentence2": "b"}])
    task(project, "Many", "sts", "cosine_spearman", subsets=subsets)
    outputs: Any = tmp_path / "outputs"
    command = ["run", "--config-dir", str(project), "model=tiny", "tasks=[Many,Likeness]", f"outputs={outputs}"]
    assert main(command) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if "score" in line and "failed" in line]) == 1
    assert len([line for line in lines if "Many: … and 11 more subsets failed alike: sb, sc" in line]) == 1
    assert len(list(outputs.glob("jobs/*.failed/failure.json"))) == 12
    assert json.loads(next(outputs.glob("jobs/Likeness--*/result.json")).read_text())["main_score"]

"""A reader of a package's data that there is not is refused before anything is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from embedmark.runner.cli.main import main
from embedmark.runner.config.schema.dataset import READERS
from embedmark.runner.data.sources.package import readers


def test_each_name_has_a_function() -> None:
    assert set(READERS) <= set(readers())
    assert all(callable(reader) for reader in readers().values())


@pytest.mark.parametrize("verb", ["plan", "show", "run"])
def test_an_unknown_one_is_told(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own" / "task").mkdir(parents=True)
    dataset = {"package": "emoji", "version": "2.15.0", "reader": "emoji_name"}
    values = {"name": "Mine", "type": "sts", "dataset": dataset, "main_metric": "pearson", "languages": ["eng-Latn"]}
    (tmp_path / "own" / "task" / "mine.yaml").write_text(yaml.safe_dump(values))
    asked = ["Mine"] if verb == "show" else ["model=minilm", "tasks=[Mine]"]
    assert main([verb, "--config-dir", "own", *asked]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "mine.yaml: dataset.reader: found 'emoji_name'; expected one of bible_verses, emoji_names" in said
    assert "Did you mean 'emoji_names'?" in said

"""A loader that there is not is told by every verb, before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedmark.runner.cli.main import main


@pytest.mark.parametrize("verb", ["plan", "show", "run"])
def test_it_is_told_with_the_nearest(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own" / "model").mkdir(parents=True)
    (tmp_path / "own" / "model" / "mine.yaml").write_text("name: a/b\nloader: sentence_transfomer\n")
    asked = ["mine"] if verb == "show" else ["model=mine", "tasks=[STSBenchmark]"]
    assert main([verb, "--config-dir", "own", *asked]) == 2
    assert "no loader 'sentence_transfomer'. Did you mean 'sentence_transformer'?" in capsys.readouterr().err
    assert not Path("outputs").exists()

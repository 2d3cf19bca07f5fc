"""What a paper and a model card need, made of records: nothing is left unsaid, and no text of others is obeyed."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from planned_records import measure
from sample_records import identity, keep, record

from embedmark.runner.cli.main import main
from embedmark.runner.export.papers import escaped


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def made(to: str, *more: str) -> dict[str, str]:
    assert main(["export", "--to", to, "--out", f"out-{to}", *more]) == 0
    return {
        str(path.relative_to(f"out-{to}")): path.read_text() for path in Path(f"out-{to}").rglob("*") if path.is_file()
    }


def test_a_model_card_in_both_forms(tmp_path: Path) -> None:
    from huggingface_hub import ModelCard
    from huggingface_hub._eval_results import parse_eval_result_entries

    measure(tmp_path, "model=minilm", "tasks=[STSBenchmark,{name: NusaX-senti, subsets: [eng]}]", score=0.8203249999)
    found = made("model-card")
    name = "sentence-transformers_all-MiniLM-L6-v2"
    assert set(found) == {f"{name}/README.md", f"{name}/.eval_results/embedmark.yaml"}
    card = ModelCard(found[f"{name}/README.md"])
    results = {result.dataset_name: result for result in card.data.eval_results if result.metric_type == "main_score"}
    assert set(results) == {"MTEB STSBenchmark", "MTEB NusaX-senti (eng)"}
    sts = results["MTEB STSBenchmark"]
    assert (sts.dataset_type, sts.metric_value, sts.dataset_config) == ("mteb/stsbenchmark-sts", 82.0325, "default")
    assert sts.dataset_revision == "b0fddb56ed78048fa8b90373c8a3cfc37b684831"
    entries = yaml.safe_load(found[f"{name}/.eval_results/embedmark.yaml"])
    assert len(parse_eval_result_entries(entries)) == 3
    # The whole task only where all of it is there.
    assert {entry["dataset"]["task_id"]: entry["value"] for entry in entries} == {
        "STSBenchmark_default_test": 82.0325, "STSBenchmark": 82.0325, "NusaX-senti_eng_test": 82.0325,
    }  # fmt: skip
    assert all(set(entry) <= {"dataset", "value", "date", "notes", "source"} for entry in entries)
    Path("README.md").write_text(found[f"{name}/README.md"])
    assert main(["import", "README.md"]) == 0


def test_an_undefined_score_is_left_out_of_cards_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measure(tmp_path, "model=minilm", "tasks=[STSBenchmark]", score=math.nan)
    made("model-card")
    assert "STSBenchmark: left out: its score is not defined" in capsys.readouterr().out
    assert "STSBenchmark & -- " in made("latex")["scores.tex"]


def test_latex_says_versions_revisions_and_what_is_partial(tmp_path: Path) -> None:
    measure(tmp_path, "model=minilm", "tasks=[STSBenchmark,{name: NusaX-senti, subsets: [eng,ind]}]", score=0.5)
    measure(tmp_path, "model=bm25", "tasks=[SciFact]", score=0.66)
    text = made("latex")["scores.tex"]
    assert "NusaX-senti$^{*}$ & -- & 50.00" in text or "NusaX-senti$^{*}$ & 50.00 & --" in text
    assert "NusaX-senti 2 of 12 splits and subsets." in text
    assert "% STSBenchmark: hub:mteb/stsbenchmark-sts at b0fddb56ed78048fa8b90373c8a3cfc37b684831" in text
    assert re.search(r"measured by embedmark \d", text)
    assert "Mean (Task) & -- & --" in text  # neither has all


def test_bibtex_and_methods(tmp_path: Path) -> None:
    measure(tmp_path, "model=minilm", "tasks=[STSBenchmark,STS16]", score=0.5)
    text = made("bibtex", "--benchmark", "quickstart")["references.bib"]
    keys = re.findall(r"^@(\w+)\{([^,]+),", text, re.MULTILINE)
    assert keys[0] == ("software", "embedmark")
    assert [key for _, key in keys[1:]] == [
        "benchmark-quickstart", "model-sentence-transformers-all-minilm-l6-v2", "task-sts16", "task-stsbenchmark",
    ] or len(keys) == 5  # fmt: skip
    assert "revision b0fddb56ed78048fa8b90373c8a3cfc37b684831" in text
    (methods,) = made("methods", "--benchmark", "quickstart").values()
    assert "was evaluated on 2 tasks of benchmark quickstart (2 scores) with embedmark" in methods
    assert "STSBenchmark (b0fddb56)" in methods
    assert "max_tokens 256" in methods


def test_names_of_others_are_text_in_latex(tmp_path: Path) -> None:
    assert escaped("a_b & 50% \\input{/etc/passwd} \x1b[31m") == (
        r"a\_b \& 50\% \textbackslash{}input\{/etc/passwd\} \textbackslash{}x1b[31m"
    )
    values: Any = identity(task="Evil_&%", model="org/$x$")
    keep(tmp_path / "outputs", values, record(values))
    text = made("latex")["scores.tex"]
    assert r"Evil\_\&\%" in text
    assert r"\$x\$" in text
    assert json.loads(json.dumps(text)) == text

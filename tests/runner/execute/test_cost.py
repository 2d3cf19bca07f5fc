"""`plan --cost`: what is left to encode, in texts, tokens and dollars, told before anything is encoded or asked."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from small_project import small_project, table, task

from embedmark.runner.cli.main import main


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = small_project(tmp_path_factory.mktemp("project"))
    table(folder, "half", test=[{"sentence1": "a"}])
    task(folder, "Half", "sts", "cosine_spearman")
    about = {"price_per_million_tokens": 1000}
    service = {"name": "test/service", "loader": "cohere", "prompts": {"query": "q: "}, "about": about}
    (folder / "model" / "service.yaml").write_text(yaml.safe_dump(service), encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COHERE_API_KEY", raising=False)
    monkeypatch.delenv("CO_API_KEY", raising=False)


def verb(name: str, project: Path, model: str, *tasks: str, flags: tuple[str, ...] = ()) -> int:
    arguments = ["--config-dir", str(project), f"model={model}", f"tasks=[{','.join(tasks)}]", "outputs=out"]
    return main([name, *flags, *arguments])


def cost(project: Path, capsys: pytest.CaptureFixture[str], model: str, *tasks: str, status: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert verb("plan", project, model, *tasks, flags=("--cost", "--json")) == status
    told: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])["cost"]
    return told


def column(project: Path, name: str, *fields: str) -> list[str]:
    rows = (project / "data" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(row)[field] for row in rows for field in fields]


def test_a_local_model_counts_each_text_of_all_jobs_once(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = set(column(project, "likeness/test", "sentence1", "sentence2"))
    told = cost(project, capsys, "tiny", "Likeness", "Twins")
    assert told == {
        "texts": len(texts),
        "texts_to_encode": len(texts),
        "tokens": sum(len(text.split()) for text in texts),
        "tokens_are": "counted",
        "usd": None,
        "data": {},
        "not_counted": {},
    }


def test_what_is_done_or_stored_is_not_counted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verb("run", project, "tiny", "Likeness") == 0
    told = cost(project, capsys, "tiny", "Likeness", "Twins", "Pairs")
    assert (told["texts_to_encode"], told["tokens"]) == (0, 0)
    assert told["texts"] == len(set(column(project, "twins/test", "sentence1", "sentence2")))
    assert cost(project, capsys, "tiny", "Likeness")["texts"] == 0


def test_a_service_is_estimated_with_its_prompts_and_without_its_key(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    queries = {f"q: {text}" for text in column(project, "search/queries/test", "text")}
    documents = set(column(project, "search/corpus/test", "text"))
    told = cost(project, capsys, "service", "Search")
    assert told["texts"] == told["texts_to_encode"] == len(queries) + len(documents)
    assert told["tokens"] == math.ceil(sum(map(len, queries | documents)) / 4)
    assert told["tokens_are"] == "estimated"
    assert told["usd"] == pytest.approx(told["tokens"] / 1000)


def test_it_is_told_in_words_and_writes_no_vectors(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = cost(project, capsys, "service", "Search")
    assert verb("plan", project, "service", "Search", flags=("--cost",)) == 0
    said = capsys.readouterr().out
    assert f"distinct texts to encode: {told['texts']}\n" in said
    assert f"tokens: {told['tokens']:,} (an estimate: a token is taken to be 4 characters)" in said
    assert f"price: about {told['usd']:.2f} USD, at 1000 USD a million tokens" in said
    assert not Path("out/store").exists()
    assert not Path("out/jobs").exists()


def test_a_job_whose_texts_cannot_be_read_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = cost(project, capsys, "service", "Half", "Likeness", status=1)
    assert list(told["not_counted"]) == ["Half"]
    assert "sentence2" in told["not_counted"]["Half"]
    assert told["texts"] == len(set(column(project, "likeness/test", "sentence1", "sentence2")))


def test_models_without_vectors_have_nothing_to_count(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "model" / "words.yaml").write_text("name: test/words\nloader: bm25\n", encoding="utf-8")
    assert verb("plan", project, "words", "Search", flags=("--cost",)) == 2
    assert "test/words: --cost counts the texts of models that give one vector" in capsys.readouterr().err


def test_a_plan_alone_reads_nothing(project: Path) -> None:
    assert verb("plan", project, "service", "Half") == 0
    assert not Path("out").exists()

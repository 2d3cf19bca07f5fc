"""What a plan knows to be wrong before anything is loaded: one line that names the file, the key and the right form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from small_project import small_project

from embedmark.runner.cli.main import main
from embedmark.runner.common.text import MESSAGE


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


TASK = {"name": "Odd", "type": "sts", "languages": ["eng-Latn"], "main_metric": "cosine_spearman"}
RETRIEVAL = {"type": "retrieval", "main_metric": "ndcg_at_10"}
TASKS: dict[str, tuple[dict[str, Any], str]] = {
    "a metric of another type": ({"main_metric": "ndcg_at_10"}, "main_metric: found 'ndcg_at_10'"),
    "a misspelt metric": ({"main_metric": "cosine_sperman"}, "Did you mean 'cosine_spearman'"),
    "a k that is not asked for": ({**RETRIEVAL, "main_metric": "ndcg_at_7"}, "main_metric: found 'ndcg_at_7'"),
    "a k of other settings": ({**RETRIEVAL, "settings": {"k_values": [1, 5]}}, "main_metric: found 'ndcg_at_10'"),
    "an extra metric that is not asked for": ({**RETRIEVAL, "main_metric": "p-MRR"}, "main_metric: found 'p-MRR'"),
    "accuracy without a k of 1": (
        {**RETRIEVAL, "main_metric": "accuracy", "settings": {"k_values": [10]}},
        "main_metric: found 'accuracy'",
    ),
    "a metric of a clustering": ({"type": "clustering", "main_metric": "vmeasure"}, "Did you mean 'v_measure'"),
    "an empty metric": ({"main_metric": ""}, "main_metric: found ''"),
    "a misspelt step": ({"transforms": [{"renam": {"a": "b"}}]}, "Did you mean 'rename'"),
    "a misspelt argument": ({"transforms": [{"filter": {"colum": "a", "in": ["x"]}}]}, "Did you mean 'column'"),
    "a step without its argument": ({"transforms": [{"filter": {"in": ["x"]}}]}, "column: missing"),
    "an argument of another kind": ({"transforms": [{"take": "two"}]}, "expected a whole number"),
    "two steps in one": ({"transforms": [{"take": 2, "shuffle": 1}]}, "expected one verb, found 2"),
    "a part that there is not": ({"transforms": [{"take": 2, "part": "answers"}]}, "expected one of corpus, queries"),
    "a language by its name": ({"languages": ["english"]}, "Did you mean 'eng-Latn'"),
    "a language of two letters": ({"languages": ["en"]}, "Did you mean 'eng-Latn'"),
    "a language without script": ({"languages": ["deu"]}, "Did you mean 'deu-Latn'"),
    "a script by its name": ({"languages": ["eng-Latin"]}, "Did you mean 'eng-Latn'"),
    "a script in small letters": ({"languages": ["eng-latn"]}, "Did you mean 'eng-Latn'"),
    "a language with its country": ({"languages": ["pt-BR"]}, "Did you mean 'por-Latn'"),
    "an underscore": ({"languages": ["zho_Hans"]}, "Did you mean 'zho-Hans'"),
    "the older code of a language": ({"languages": ["ger-Latn"]}, "Did you mean 'deu-Latn'"),
    "a language that there is not": ({"languages": ["xyz-Latn"]}, "languages.0: found 'xyz-Latn'"),
    "a script that there is not": ({"languages": ["rus-Abcd"]}, "Did you mean 'rus-Cyrl'"),
    "a language of a subset": ({"languages": [], "subsets": {"de": ["german"]}}, "Did you mean 'deu-Latn'"),
    "a pattern that may take for ever": (
        {"dataset": {"hub": "a/b", "pattern": "(?=a)(a+)+b"}},
        "lookaround and back-references are not known",
    ),
}
MODELS: dict[str, tuple[dict[str, Any], str]] = {
    "a misspelt parameter": ({"parameters": {"poling": "cls"}}, "Did you mean 'pooling'"),
    "a parameter of another loader": ({"loader": "bm25", "parameters": {"pooling": "cls"}}, "no parameter 'pooling'"),
    "a parameter of none": ({"loader": "model2vec", "parameters": {"x": 1}}, "no parameter 'x'"),
    "a parameter of a service": ({"loader": "cohere", "parameters": {"dimension": 8}}, "Did you mean 'dimensions'"),
    "a parameter of a hybrid": (
        {"loader": "fusion", "members": ["tiny", "bm25"], "parameters": {"weight": [1, 1]}},
        "Did you mean 'weights'",
    ),
    "a parameter of a member": (
        {"loader": "fusion", "members": ["tiny", {"name": "b", "loader": "bm25", "parameters": {"k": 1}}]},
        "no parameter 'k'",
    ),
    "more dimensions than there are": ({"truncate_dim": 512, "about": {"embed_dim": 384}}, "expected at most 384"),
    "more than the largest of several": ({"truncate_dim": 99, "about": {"embed_dim": [32, 64]}}, "expected at most 64"),
    "a language of the model": ({"about": {"languages": ["English"]}}, "Did you mean 'eng-Latn'"),
    "dimensions of a model without any": (
        {"loader": "bm25", "truncate_dim": 64},
        "truncate_dim: the model gives",
    ),
    "a loader that there is not": ({"loader": "bm52"}, "Did you mean 'bm25'"),
}
DEVICES = ["cuda:99x", "gpu", "cuda:", "CUDA", "cpu:0", "cuda:-1", "tpu", "cuda 0", "auto:1", "mps:x", "''"]


def _check(shown: str, path: Path, said: str) -> None:
    assert said in shown
    assert path.name in shown
    assert len(shown) <= MESSAGE + len("error: ")


@pytest.mark.parametrize("case", TASKS)
def test_a_task_that_cannot_be_measured(case: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change, said = TASKS[case]
    values = {**TASK, "dataset": {"files": str(project / "data/likeness")}, **change}
    path = project / "task" / "odd.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    for verb in ("plan", *(("show", "run") if case.startswith("a misspelt") else ())):
        line = ["show", "Odd"] if verb == "show" else [verb, "model=tiny", "task=odd"]
        assert main([*line, "--config-dir", str(project)]) == 2
        _check(capsys.readouterr().err, path, said)
    assert not list(Path().iterdir())


@pytest.mark.parametrize("case", MODELS)
def test_a_model_that_cannot_be_loaded(case: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change, said = MODELS[case]
    path = project / "model" / "odd.yaml"
    path.write_text(yaml.safe_dump({"name": "odd/model", "source": {"path": "x"}, **change}), encoding="utf-8")
    for verb in ("plan", *(("show", "run") if case.startswith("a misspelt") else ())):
        line = ["show", "odd/model"] if verb == "show" else [verb, "model=odd", "tasks=[Topics]"]
        assert main([*line, "--config-dir", str(project)]) == 2
        shown = capsys.readouterr().err
        assert said in shown
        assert len(shown) <= MESSAGE + len("error: ")
    assert not list(Path().iterdir())


@pytest.mark.parametrize("device", DEVICES)
def test_a_device_that_there_is_not(device: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["plan", "--config-dir", str(project), "model=tiny", "tasks=[Topics]"]
    assert main([*line, f"execution.device={device}"]) == 2
    shown = capsys.readouterr().err
    assert "execution.device" in shown
    assert "auto, cpu, cuda" in shown


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:1", "mps", "xpu:0"])
def test_devices_that_there_are(device: str, project: Path) -> None:
    line = ["plan", "--config-dir", str(project), "model=tiny", "tasks=[Topics]"]
    assert main([*line, f"execution.device={device}"]) == 0

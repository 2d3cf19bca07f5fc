"""The command line composes, names are found, and what is misspelt is told how to be spelt."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedmark.runner.common.errors import UserError
from embedmark.runner.config.catalogue import Catalogue, read_config, read_task
from embedmark.runner.config.command_line import split_search_path
from embedmark.runner.config.compose import settings_from
from embedmark.runner.config.schema import ModelConfig


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for kind in ("model", "task", "benchmark"):
        (tmp_path / kind).mkdir()
    return tmp_path


def test_the_default_is_minilm_on_the_quickstart() -> None:
    settings, _ = settings_from([])
    assert settings.model.name == "sentence-transformers/all-MiniLM-L6-v2"
    assert settings.benchmark is not None
    assert settings.benchmark.name == "Quickstart"


def test_names_files_and_aliases_mean_the_same() -> None:
    names = ["model=e5", "model=e5_base_v2", "model=intfloat/e5-base-v2", "model=INTFLOAT/E5-base-v2"]
    assert {settings_from([name])[0].model.revision for name in names} == {"1c644c92ad3ba1efdad3f1451a637716616a20e8"}
    benchmarks = ["benchmark=mteb_eng_v2", "benchmark=MTEB(eng, v2)", "benchmark='MTEB(eng)'"]
    assert {len(settings_from([name])[0].benchmark.tasks) for name in benchmarks} == {41}  # type: ignore[union-attr]


def test_values_can_be_overridden_without_a_plus() -> None:
    settings, _ = settings_from(["model.prompts.query='query: '", "model.max_tokens=64", "execution.threads=1"])
    assert settings.model.prompts == {"query": "query: "}
    assert (settings.model.max_tokens, settings.execution.threads) == (64, 1)


def test_a_task_takes_the_place_of_the_default_benchmark() -> None:
    settings, _ = settings_from(["tasks=[STSBenchmark]"])
    assert settings.benchmark is None
    settings, _ = settings_from(["tasks=[STSBenchmark]", "benchmark=mteb_eng_v2"])
    assert settings.benchmark is not None


def test_own_folder_adds_and_shadows(folder: Path) -> None:
    (folder / "model" / "minilm.yaml").write_text("name: shadow\n")
    (folder / "model" / "added.yaml").write_text("name: mine/added\nmax_tokens: 7\n")
    assert settings_from(["model=minilm"], [folder])[0].model.name == "shadow"
    settings, catalogue = settings_from(["model=mine/added"], [folder])
    assert settings.model.max_tokens == 7
    assert catalogue.model("mine/added").max_tokens == 7
    assert settings_from(["model=minilm"])[0].model.name != "shadow"


def test_search_path_override_becomes_a_folder() -> None:
    rest, folders = split_search_path(["model=a", "hydra.searchpath=[file:///x,/y]"])
    assert (rest, folders) == (["model=a"], [Path("/x"), Path("/y")])


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("model=minlm", "'minilm'"),
        ("model=minilm,e6", "no model 'e6'"),
        ("benchmark=mteb_eng_v22", "'mteb_eng_v2'"),
        ("modle=minilm", "'model'"),
        ("model.promts.query=x", "'prompts'"),
        ("model.max_tokens=many", "model.max_tokens: found 'many'"),
        ("model.max_tokens=0", "expected a number of at least 1"),
        ("model.dtype=float61", "'float16'"),
        ("execution.batch_tokens=-1", "execution.batch_tokens: found -1"),
        ("execution=cluster", "execution/cluster"),
        ("plan", "key=value"),
        ("task=sts/stsbenchmrk", "'sts/stsbenchmark'"),
    ],
)
def test_mistakes_on_the_command_line(override: str, told: str) -> None:
    with pytest.raises(UserError) as caught:
        settings_from([override])
    assert told in str(caught.value)
    assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: a\nnormalise: true\n", "normalise: no such key. Did you mean 'normalize'?"),
        (
            "name: a\nsource: {hubb: x}\n",
            "source: found {'hubb': 'x'}; expected keys with values, one of them hub, package or path",
        ),
        ("name: a\nmax_tokens: [1]\n", "max_tokens: found [1]"),
        ("loader: sentence_transformer\n", "name: missing"),
        ("name: [a\n", "not valid YAML"),
        ("- a\n", "expected a mapping"),
    ],
)
def test_mistakes_in_a_file(folder: Path, text: str, told: str) -> None:
    path = folder / "model" / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        read_config(path, ModelConfig)
    assert str(path) in str(caught.value)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"type": "clasification"}, "'classification'"),
        ({"settings": "{sample_per_label: 8}"}, "Did you mean 'samples_per_label'?"),
        ({"settings": "{samples_per_label: many}"}, "samples_per_label: found 'many'"),
        ({"languages": "[]"}, "give `languages: [eng-Latn]`"),
        ({"dataset": "{hub: a/b, revison: c}"}, "dataset.revison: no such key. Did you mean 'revision'?"),
        ({"splits": "[]"}, "`splits` is empty"),
    ],
)
def test_mistakes_in_a_task(folder: Path, change: dict[str, str], told: str) -> None:
    values = {
        "name": "T",
        "type": "classification",
        "dataset": "{hub: a/b, revision: c}",
        "languages": "[eng-Latn]",
        "main_metric": "accuracy",
    }
    path = folder / "task" / "t.yaml"
    path.write_text("".join(f"{key}: {value}\n" for key, value in {**values, **change}.items()))
    with pytest.raises(UserError) as caught:
        read_task(path)
    assert str(path) in str(caught.value)
    assert told in str(caught.value)


def test_mistakes_in_a_composed_file_name_the_file(folder: Path) -> None:
    path = folder / "model" / "mine.yaml"
    path.write_text("name: mine\nnormalise: true\n")
    with pytest.raises(UserError) as caught:
        settings_from(["model=mine"], [folder])
    assert str(path) in str(caught.value)
    assert "normalise: no such key. Did you mean 'normalize'?" in str(caught.value)


def test_two_files_of_one_name_are_refused(folder: Path) -> None:
    for file in ("a", "b"):
        (folder / "model" / f"{file}.yaml").write_text("name: same\n")
    with pytest.raises(UserError, match="already the name of"):
        Catalogue([folder]).model("same")


@pytest.mark.parametrize(
    ("override", "meant"),
    [
        ("model.prompts={qurey: 'query: '}", "'query'"),
        ("model.prompts={ArguAnna-query: 'query: '}", "'ArguAna'"),
        ("model.parameters={encode: {Retreival-query: {task: retrieval.query}}}", "'Retrieval'"),
    ],
)
def test_a_prompt_that_nothing_can_ask_for_is_refused(override: str, meant: str) -> None:
    with pytest.raises(UserError, match=f"all-MiniLM-L6-v2.*Did you mean {meant}"):
        settings_from([override])

"""Values of the command line: a mapping replaces what it names whole, a dotted key changes one entry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from command import command, mistake
from small_project import small_project

from embedmark.runner.config.compose import settings_from


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = small_project(tmp_path_factory.mktemp("project"))
    _write(
        folder / "model" / "full.yaml",
        name="org/full",
        revision="a" * 40,
        prompts={"query": "q: ", "document": "d: "},
        parameters={"encode": {"Retrieval-query": {"task": "x"}}, "context": {"prompt": "p"}},
        instructions={"template": "T {instruction}", "bare": "B"},
        truncate_dim=8,
        about={"license": "mit", "embed_dim": 32, "modalities": ["text", "image"], "training_datasets": ["MSMARCO"]},
    )
    _write(
        folder / "task" / "several.yaml",
        name="Several",
        type="classification",
        dataset={"hub": "org/data", "revision": "b" * 40, "config": "c"},
        subsets={"en": ["eng-Latn"], "de": ["deu-Latn"], "fr": ["fra-Latn"]},
        main_metric="accuracy",
        settings={"n_experiments": 3, "samples_per_label": 4},
        transforms=[{"rename": {"a": "text"}}, {"rename": {"b": "label"}}],
    )
    _write(folder / "benchmark" / "two.yaml", name="Two", tasks=["Topics", "Likeness"])
    return folder


def _write(path: Path, **values: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")


def _at(values: Any, path: str) -> Any:
    for key in path.split("/"):
        values = values[key] if isinstance(values, Mapping) else getattr(values, key)
    return values


FULL = ["model=full", "tasks=[Topics]"]
SEVERAL = ["model=tiny", "task=several"]


@pytest.mark.parametrize(
    ("overrides", "path", "value"),
    [
        ([*FULL, "model.prompts={query: 'x '}"], "model/prompts", {"query": "x "}),
        ([*FULL, "model.prompts.query=x"], "model/prompts", {"query": "x", "document": "d: "}),
        ([*FULL, "+model.prompts.STS=x"], "model/prompts", {"query": "q: ", "document": "d: ", "STS": "x"}),
        ([*FULL, "~model.prompts"], "model/prompts", {}),
        ([*FULL, "~model.prompts.query"], "model/prompts", {"document": "d: "}),
        ([*FULL, "model.prompts={}"], "model/prompts", {}),
        ([*FULL, "model.prompts={STS: a}", "model.prompts.query=b"], "model/prompts", {"STS": "a", "query": "b"}),
        ([*FULL, "model.prompts.query=b", "model.prompts={STS: a}"], "model/prompts", {"STS": "a"}),
        (["model.prompts.STS=z", *FULL, "~model.prompts.document"], "model/prompts", {"query": "q: ", "STS": "z"}),
        ([*FULL, "model.parameters.encode.STS={task: y}"], "model/parameters/context", {"prompt": "p"}),
        ([*FULL, "model.parameters={context: {prompt: z}}"], "model/parameters", {"context": {"prompt": "z"}}),
        ([*FULL, "model.instructions={template: 'I {instruction}'}"], "model/instructions/bare", ""),
        ([*FULL, "model.instructions.template='I {instruction}'"], "model/instructions/bare", "B"),
        ([*FULL, "model.truncate_dim=null"], "model/truncate_dim", None),
        ([*FULL, "++model.truncate_dim=4"], "model/truncate_dim", 4),
        ([*FULL, "model.about={license: x}"], "model/about/embed_dim", None),
        ([*FULL, "model.about.license=x"], "model/about/embed_dim", 32),
        ([*FULL, "model.max_tokens=1", "model.max_tokens=2"], "model/max_tokens", 2),
        ([*FULL, "model.revision=12345"], "model/revision", "12345"),
        ([*SEVERAL, "task.subsets={en: [eng-Latn]}"], "task/subsets", {"en": ("eng-Latn",)}),
        ([*SEVERAL, "~task.subsets.en"], "task/subsets", {"de": ("deu-Latn",), "fr": ("fra-Latn",)}),
        ([*SEVERAL, "task.settings={n_experiments: 5}"], "task/settings", {"n_experiments": 5}),
        ([*SEVERAL, "task.settings.n_experiments=5"], "task/settings/samples_per_label", 4),
        ([*SEVERAL, "task.dataset={hub: a/b}"], "task/dataset/config", None),
        ([*SEVERAL, "task.dataset.hub=a/b"], "task/dataset/config", "c"),
        ([*SEVERAL, "task.transforms=[]"], "task/transforms", ()),
        ([*SEVERAL, "~task.transforms.0"], "task/transforms", ({"rename": {"b": "label"}},)),
        ([*SEVERAL, "task.prompt={query: a}"], "task/prompt", {"query": "a"}),
        (["model=tiny", "benchmark=two", "benchmark.tasks=[Pairs]"], "benchmark/tasks", None),
    ],
)  # fmt: skip
def test_a_mapping_replaces_and_a_dotted_key_changes_one_entry(
    overrides: list[str], path: str, value: Any, project: Path
) -> None:
    found = _at(settings_from(overrides, [project])[0], path)
    assert [task.name for task in found] == ["Pairs"] if path == "benchmark/tasks" else found == value


@pytest.mark.parametrize(
    ("overrides", "name", "revision"),
    [
        (["model.source={path: WEIGHTS}"], "weights", None),
        (["model.source={path: WEIGHTS/}"], "weights", None),
        (["model.source.path=WEIGHTS"], "weights", None),
        (["model.source={hub: other/one}"], "other/one", None),
        (["model.source={hub: other/one}", f"model.revision={'c' * 40}"], "other/one", "c" * 40),
        (["model.revision=main", "model.source={path: WEIGHTS}"], "weights", "main"),
        (["model.source={path: WEIGHTS}", "model.name=mine/step"], "mine/step", None),
        (["model.name=mine/step", "model.source={path: WEIGHTS}"], "mine/step", None),
        (["model.source={hub: org/full}"], "org/full", "a" * 40),
        (["model.name=other/two"], "other/two", None),
        (["model.max_tokens=3"], "org/full", "a" * 40),
        (["model.source=null"], "org/full", "a" * 40),
    ],
)
def test_other_weights_have_nothing_of_the_old_ones(
    overrides: list[str], name: str, revision: str | None, project: Path
) -> None:
    overrides = [override.replace("WEIGHTS", f"{project}/weights") for override in overrides]
    model = settings_from([*FULL, *overrides], [project])[0].model
    assert (model.name, model.revision) == (name, revision)
    kept = revision == "a" * 40
    assert model.about.training_datasets == (("MSMARCO",) if kept else None)
    assert model.about.modalities == ("text", "image")
    assert model.prompts == {"query": "q: ", "document": "d: "}


def test_a_shipped_model_takes_weights_of_ones_own(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ("plan", "--json", "-cd", str(project), "tasks=[Topics]", f"model.source={{path: {project}/weights}}")
    (job,) = command(capsys, *given, "model=minilm").jobs
    assert job["model"] == "weights"
    assert command(capsys, *given, "model=minilm", "model.name=weights").fingerprints == [job["fingerprint"]]
    assert command(capsys, *given, "model=minilm", "model.name=w2").fingerprints != [job["fingerprint"]]


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("~model.prompts.qurey", "'query'"),
        ("~model.promts", "'prompts'"),
        ("~model.prompts=x", "write '~model.prompts'"),
        ("~benchmark=inf", "write '~benchmark'"),
        ("~model", "needs its model"),
        ("~outputs", "needs its outputs"),
        ("model.name.first=x", "no entries"),
        ("model.truncate_dim.x=1", "no entries"),
        ("model.prompts=5", "model.prompts"),
        ("model.prompts={query: [a]}", "model.prompts.query"),
        ("model.source={pth: x}", "hub, package or path"),
        ("model.source={path: x, hub: y}", "hub"),
        ("task.settings.x=1", "give task=NAME"),
        ("model={name: x}", "expected a name"),
        ("model.=x", "no key"),
        ("model..name=x", "no key"),
        ("=x", "expected key=value"),
        ("model", "expected key=value"),
        ("execution.thread=1", "'threads'"),
        ("benchmark.task=[x]", "'tasks'"),
    ],
)
def test_changes_that_cannot_be_made(
    override: str, told: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mistake(command(capsys, "plan", "-cd", str(project), *FULL, override), told)

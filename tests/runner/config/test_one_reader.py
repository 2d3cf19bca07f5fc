"""A file says the same however it is named: no interpolation, the same defaults, the same fingerprint."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from command import command, mistake
from small_project import small_project

from embedmark.runner.config.compose import settings_from


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return small_project(tmp_path / "project")


def _model(project: Path, file: str, text: str) -> None:
    path = project / "model" / f"{file}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace("WEIGHTS", str(project / "weights")), encoding="utf-8")


PROMPTS = [
    "${oc.env:HOME}", "${outputs}", "${", "a $ b", "$$", "\\${x}", "${now:%Y}", "{query}", "%20;", "'quoted'", 'a "b"',
    "${oc.env:HOME,x}", "${hydra:job.num}", "a\\b", "ü ß 数", "a, b", "[x] (y) {z}", "line\nbreak", "# c", "%27;",
]  # fmt: skip


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_prompt_is_literal_text_in_a_file_and_on_the_command_line(
    prompt: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = {"path": f"{project}/weights"}
    text = yaml.safe_dump({"name": "mine/prompted", "source": source, "prompts": {"query": prompt}})
    _model(project, "prompted", text)
    task = yaml.safe_load((project / "task" / "search.yaml").read_text())
    (project / "task" / "prompted.yaml").write_text(yaml.safe_dump({**task, "name": "Prompted", "prompt": prompt}))
    plan = ("plan", "--json", "-cd", str(project))
    by_list = command(capsys, *plan, "model=prompted", "tasks=[Prompted]")
    assert by_list.status == 0
    assert command(capsys, *plan, "model=prompted", "task=prompted") == by_list
    quoted = "'" + prompt.replace("'", "\\'") + "'"
    tiny = ("model=tiny", "model.name=mine/prompted", "tasks=[Prompted]")
    typed = command(capsys, *plan, *tiny, f"model.prompts.query={quoted}")
    assert (typed.fingerprints, typed.err) == (by_list.fingerprints, "")
    assert settings_from([f"model.prompts={{query: {quoted}}}"])[0].model.prompts == {"query": prompt}
    points = command(capsys, *plan, "-m", *tiny, f"model.prompts.query=x,{quoted}")
    assert points.fingerprints[1:] == by_list.fingerprints


@pytest.mark.parametrize(
    ("files", "name", "dim", "max_tokens"),
    [
        ({"x": "defaults: [tiny, _self_]\nname: mine/x\nmax_tokens: 7\n"}, "mine/x", None, 7),
        ({"x": "defaults: [tiny]\nname: mine/x\nmax_tokens: 7\n"}, "mine/x", None, 7),
        ({"x": "defaults: tiny\nmax_tokens: 7\n"}, "test/tiny", None, 7),
        ({"x": "defaults: [_self_, tiny]\nname: mine/x\nmax_tokens: 7\n"}, "test/tiny", None, 7),
        ({"x": "defaults: [tiny]\n"}, "test/tiny", None, None),
        ({"x": "defaults: [y]\nmax_tokens: 7\n", "y": "defaults: [tiny]\nname: y\ntruncate_dim: 4\n"}, "y", 4, 7),
        ({"x": "defaults: [tiny, y]\nmax_tokens: 7\n", "y": "max_tokens: 3\ntruncate_dim: 4\n"}, "test/tiny", 4, 7),
        ({"x": "defaults: [y, tiny, _self_]\nname: mine/x\n", "y": "max_tokens: 3\ntruncate_dim: 4\n"}, "mine/x", 4, 3),
        ({"sub/x": "defaults: [/tiny, y]\n", "sub/y": "max_tokens: 3\n"}, "test/tiny", None, 3),
        ({"sub/x": "defaults: [/model/tiny, _self_]\nmax_tokens: 3\n"}, "test/tiny", None, 3),
        ({"x": "defaults: [bases/y.yaml]\nmax_tokens: 3\n", "bases/y": "defaults: [/tiny]\n"}, "test/tiny", None, 3),
    ],
)  # fmt: skip
def test_defaults_are_the_same_for_every_way_to_name_a_model(
    files: dict[str, str], name: str, dim: int | None, max_tokens: int | None, project: Path
) -> None:
    for file, text in files.items():
        _model(project, file, text)
    choice = next(iter(files))
    other = project.parent / "other"
    (other / "model").mkdir(parents=True)
    (other / "model" / "both.yaml").write_text(f"name: both\nloader: fusion\nmembers: [{choice}, bm25]\n")
    model = settings_from([f"model={choice}"], [project])[0].model
    source = settings_from(["model=tiny"], [project])[0].model.source
    assert (model.name, model.truncate_dim, model.max_tokens, model.source) == (name, dim, max_tokens, source)
    # As a member of another model, whose file lies in another folder.
    assert settings_from(["model=both"], [other, project])[0].model.members[0] == model


def test_defaults_of_a_task(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "task" / "sub").mkdir()
    (project / "task" / "fewer.yaml").write_text(
        "defaults: [topics, _self_]\nname: Fewer\nsettings: {n_experiments: 2}\n"
    )
    (project / "task" / "sub" / "x.yaml").write_text("defaults: [/fewer, _self_]\nname: X\nsplits: [train]\n")
    plan = ("plan", "--json", "-cd", str(project), "model=tiny")
    for name, choice in (("Fewer", "fewer"), ("X", "sub/x")):
        by_list = command(capsys, *plan, f"tasks=[{name}]")
        assert [job["task"] for job in by_list.jobs] == [name]
        assert command(capsys, *plan, f"task={choice}") == by_list
        changed = command(capsys, *plan, f"task={choice}", "task.settings.n_experiments=2")
        assert changed.fingerprints == by_list.fingerprints
    typed = command(capsys, *plan, "task=topics", "task.name=Fewer", "task.settings.n_experiments=2")
    assert typed.fingerprints == command(capsys, *plan, "task=fewer").fingerprints


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"x": "defaults: [x, _self_]\nname: x\n"}, "x → x is a circle"),
        ({"x": "defaults: [y]\n", "y": "defaults: [z]\n", "z": "defaults: [x]\n"}, "x → y → z → x is a circle"),
        ({"x": "defaults: [tny]\n"}, "'tiny'"),
        ({"x": "defaults: 3\n"}, "found 3"),
        ({"x": "defaults: {tiny: 1}\n"}, "expected names of files"),
        ({"x": "defaults: [[tiny]]\n"}, "expected names of files"),
        ({"x": "defaults: ['']\n"}, "expected names of files"),
        ({"x": "defaults:\n"}, "expected names of files"),
        ({"x": "defaults: [/task/topics]\n"}, "no file"),
        ({"x": "defaults: [../../model/tiny]\n"}, "no file"),
        ({"x": "defaults: [y]\n", "y": "name: [\n"}, "y.yaml, line 2"),
        ({"x": "defaults: [tiny]\nmax_token: 3\n"}, "'max_tokens'"),
    ],
)
def test_defaults_that_cannot_be(
    files: dict[str, str], told: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file, text in files.items():
        _model(project, file, text)
    said = command(capsys, "plan", "-cd", str(project), "model=x", "tasks=[Topics]")
    mistake(said, told)
    assert command(capsys, "show", "-cd", str(project), "x").err == said.err
    _model(project, "both", "name: both\nloader: fusion\nmembers: [x, bm25]\n")
    assert (
        said.err.removeprefix("error: ").strip()
        in command(capsys, "plan", "-cd", str(project), "model=both", "tasks=[Topics]").err
    )


def test_another_source_in_a_file_has_nothing_of_the_defaults_weights(project: Path) -> None:
    _model(project, "published", f"name: org/published\nrevision: {'a' * 40}\nabout: {{license: mit}}\n")
    _model(project, "mine", "defaults: [published, _self_]\nsource: {path: WEIGHTS}\n")
    model = settings_from(["model=mine"], [project])[0].model
    assert (model.name, model.revision, model.about.license) == ("weights", None, None)


def test_a_configyaml_of_ones_own_chooses_by_name_or_group(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hydra = 'hydra: {run: {dir: "${outputs}/invocations/x"}}\n'
    for text in (
        "defaults: [_self_, execution: inline]\nmodel: tiny\ntasks: [Topics]\noutputs: outputs\n",
        "defaults: [_self_, model: tiny, benchmark: null, task: topics, execution: inline]\noutputs: outputs\n",
        "defaults: [execution: inline, model: tiny, _self_]\nmodel: {name: test/tiny}\ntask: topics\noutputs: x\n",
    ):
        (project / "config.yaml").write_text(text + hydra)
        said = command(capsys, "plan", "--json", "-cd", str(project))
        assert [(job["model"], job["task"]) for job in said.jobs] == [("test/tiny", "Topics")]
        other = command(capsys, "plan", "--json", "-cd", str(project), "model=minilm", "model.max_tokens=5")
        assert other.jobs[0]["model"] == "sentence-transformers/all-MiniLM-L6-v2"
    (project / "config.yaml").write_text("defaults: [execution: inline]\nmodel: a\nmodel: b\n")
    mistake(command(capsys, "plan", "-cd", str(project)), "config.yaml, line 3", "'model'", "twice")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("device: cpu\ndevice: cuda\n", "line 2: key 'device' is given twice"),
        ("device: [cpu\n", "not valid YAML"),
        ("device: {a: " + "[" * 3000, "nested more than 50"),
        ("a0: &a0 [1,1,1]\n" + "".join(f"a{i}: &a{i} [*a{i - 1},*a{i - 1}]\n" for i in range(1, 20)), "200,000"),
        ("- cpu\n", "expected a mapping"),
        ("devise: cpu\n", "'device'"),
        ("device: ${nowhere}\n", "nowhere"),
    ],
)  # fmt: skip
def test_an_execution_of_ones_own_is_read_within_the_same_bounds(
    text: str, told: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project / "execution" / "own.yaml"
    path.parent.mkdir()
    path.write_text(text)
    mistake(command(capsys, "plan", "-cd", str(project), "model=tiny", "tasks=[Topics]", "execution=own"), told)
    assert command(capsys, "plan", "-cd", str(project), "model=tiny", "tasks=[Topics]").status == 0
    path.write_text("device: cpu\nbatch_tokens: 100\n")
    execution = settings_from(["execution=own", "execution.threads=1"], [project])[0].execution
    assert (execution.device, execution.batch_tokens, execution.threads) == ("cpu", 100, 1)

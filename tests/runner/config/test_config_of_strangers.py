"""A config.yaml or an execution file of a stranger's folder calls nothing, and gets nothing of the environment."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from small_project import small_project

from embedmark.runner.cli.main import main

CALL = "{_target_: shutil.copyfile, src: /etc/hostname, dst: taken}"
COPY = f"hydra: {{callbacks: {{a: {CALL}}}}}"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SESAME", "the-secret")
    (tmp_path / "theirs" / "execution").mkdir(parents=True)
    handlers = list(logging.getLogger().handlers)
    yield tmp_path / "theirs"
    logging.getLogger().handlers[:] = handlers  # Hydra's own go on writing to what was standard output


def ask(verb: str, project: Path, *more: str) -> int:
    return main([verb, "-cd", str(project), "-cd", "theirs", "model=tiny", "tasks=[Likeness]", *more])


@pytest.mark.parametrize(
    ("config", "key"),
    [
        (COPY, "hydra.callbacks"),
        ("hydra: {job: {env_set: {HF_ENDPOINT: 'http://evil.example'}}}", "hydra.job.env_set"),
        ("hydra: {launcher: {_target_: subprocess.getoutput}}", "hydra.launcher"),
        ("hydra: {sweeper: {_target_: os.system}}", "hydra.sweeper"),
        ("hydra: {job_logging: {handlers: {h: {'()': os.system, command: touch taken}}}}", "hydra.job_logging"),
        ("hydra: {hydra_logging: {formatters: {f: {'()': os.system}}}}", "hydra.hydra_logging"),
        ("defaults: [_self_, {execution@hydra.job.env_set: set}]", "hydra.job.env_set"),
    ],
)
def test_nothing_is_called(
    config: str, key: str, folder: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "config.yaml").write_text(config)
    (folder / "execution" / "set.yaml").write_text("HF_ENDPOINT: http://evil.example\n")
    assert ask("run", project) == 2
    assert key in capsys.readouterr().err
    assert not Path("taken").exists()


@pytest.mark.parametrize("sweep", [(), ("-m",)])
def test_nor_by_a_file_that_is_chosen(
    sweep: tuple[str, ...], folder: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "execution" / "fast.yaml").write_text(f"# @package _global_\n{COPY}\n")
    assert ask("run", project, "execution=fast", *sweep) == 2
    assert "hydra.callbacks" in capsys.readouterr().err
    assert not Path("taken").exists()


def test_where_results_go_may_be_said(folder: Path, project: Path) -> None:
    (folder / "config.yaml").write_text("defaults: [_self_]\noutputs: ${oc.env:SESAME}\ndraws: job\n")
    assert ask("plan", project) == 0


def test_the_environment_stays_out_of_a_model(folder: Path, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parameters = {"url": "http://127.0.0.1:1/${oc.env:SESAME}", "key": None, "retries": 0}
    model = {"name": "x", "loader": "openai", "revision": "1", "prompts": {"query": "${oc.env:SESAME}: "}}
    (folder / "config.yaml").write_text(yaml.safe_dump({"model": {**model, "parameters": parameters}}))
    assert main(["-cd", str(project), "-cd", "theirs", "tasks=[Likeness]"]) in {1, 2}
    shown = capsys.readouterr()
    kept = [path.read_bytes() for path in Path.cwd().rglob("*") if path.is_file()]
    assert not any(b"the-secret" in content for content in [*kept, shown.out.encode(), shown.err.encode()])


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("config.yaml", "hydra: 5", "another kind"),
        ("config.yaml", "hydra: {run: 5}", "another kind"),
        ("config.yaml", "defaults: [config, _self_]", "leads back to itself"),
        ("config.yaml", "defaults: {a: b}", "expected a list"),
        ("config.yaml", "defaults: [{execution: nope}]", "no file execution/nope.yaml"),
        ("config.yaml", "defaults: [_self_, {override hydra/launcher: x}]", "no file hydra/launcher/x.yaml"),
        ("config.yaml", "defaults: [[x]]", "cannot be composed"),
        ("config.yaml", "outputs: ${outputs}", "leads back to itself"),
        ("config.yaml", "outputs: ${oc.env:NOPE}", "the environment has no such variable"),
        ("config.yaml", "outputs: ???", "give a value"),
        ("config.yaml", "asked: {x: y}", "asked: no such key"),
        ("execution/x.yaml", "defaults: [x]", "leads back to itself"),
        ("execution/x.yaml", "defaults: 5", "expected a list"),
        ("execution/x.yaml", "defaults: [nope]", "no file execution/nope.yaml"),
        ("execution/x.yaml", "# @package a b\nthreads: 1", "@package"),
        ("execution/x.yaml", "threads: ${nope}", "there is no such key"),
    ],
)
def test_mistakes_are_told_in_our_words(
    file: str, content: str, said: str, folder: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / file).write_text(content)
    for verb in ("plan", "run"):
        assert ask(verb, project, *(["execution=x"] if "x.yaml" in file else [])) == 2
        shown = capsys.readouterr().err
        assert said in shown
        assert not any(word in shown for word in ("Error", "search path", "got int", "NoneType", "a fault"))


@pytest.mark.parametrize(
    "override",
    [
        "hydra.sweeper.params={model: 'a,b'}",
        "hydra.sweeper.params=x",
        "hydra/launcher=x",
        "hydra=x",
        "hydra.mode=x",
        "hydra.job_logging.x=1",
        "~hydra.run",
        "+hydra.callbacks={a: {_target_: os.system, command: id}}",
        "hydra.launcher._target_=subprocess.getoutput",
        "hydra.run.dir=${nope}",
    ],
)
def test_hydras_own_keys_given_wrongly(override: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for more in ((), ("-m",)):
        assert ask("run", project, override, "hydra.output_subdir=null", *more) in {0, 2}
        shown = capsys.readouterr().err
        assert [word for word in ("Error:", "search path", "NoneType", "a fault", "HYDRA") if word in shown] == [], (
            shown
        )

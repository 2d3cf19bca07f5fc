"""An archive made of a plan, and run without a network: equal fingerprints, equal scores."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from loopback import HubRoot, serving
from small_project import small_project, task
from tiny_models import tiny_bert

from embedmark.runner.bundle.archive import Source, write
from embedmark.runner.bundle.manifest import Content, Manifest
from embedmark.runner.cli.main import main
from embedmark.runner.results.record import read_record

COMMIT = "8b3219a92973c328a8e22fadcfa821b5dc75636a"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return small_project(tmp_path / "project")


def offline(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine that has nothing and reaches nobody."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    return {**kept, "HF_HOME": str(tmp_path / "empty"), "HF_ENDPOINT": "http://127.0.0.1:9"}


def started(*arguments: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "embedmark.runner", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def scores(outputs: Path) -> dict[str, Mapping[str, float]]:
    records = [read_record(path) for path in outputs.glob("jobs/*/result.json")]
    return {record.fingerprint: record.scores for record in records}


@pytest.mark.slow
def test_folders_of_ones_own_come_along(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = ["model=tiny", "tasks=[{name: Likeness, splits: [test]},Search,Groups]", "--config-dir", "project"]
    assert main(["run", *plan, "outputs=here"]) == 0
    assert main(["bundle", *plan, "--out", "x.tar"]) == 0
    said = capsys.readouterr().out
    assert said.index("to write") < said.index("written; there: `python -m runner bundle --run x.tar`")
    assert main(["bundle", *plan, "--out", "y.tar"]) == 0
    assert Path("x.tar").read_bytes() == Path("y.tar").read_bytes()
    shutil.rmtree(project)
    done = started("bundle", "--run", "x.tar", "outputs=there", env=offline(tmp_path))
    assert done.returncode == 0, done.stderr
    assert len(scores(Path("there"))) == 3
    assert scores(Path("there")) == scores(Path("here"))
    assert not (tmp_path / "empty").exists()
    changed = next(Path("x").glob("folders/task-likeness-*/test.jsonl"))
    changed.write_text(changed.read_text().replace("the", "The", 1))
    again = started("bundle", "--run", "x", "rerun=true", env=offline(tmp_path))
    assert again.returncode == 2
    assert f"{changed}: is not what was packed" in again.stderr
    (tmp_path / "x/configs/config.yaml").write_text("outputs: elsewhere\n")
    shutil.copyfile(Path("y.tar"), Path("x.tar"))
    shutil.rmtree("x/folders")
    assert "missing; unpack the bundle again" in started("bundle", "--run", "x.tar", env=offline(tmp_path)).stderr


@pytest.mark.slow
def test_a_hub_that_is_gone(hub_root: HubRoot, project: Path, tmp_path: Path) -> None:
    """Weights and data that no config pins, a dataset of several configurations, and a model's prompts for others."""
    weights = tiny_bert(tmp_path / "bert")
    own = {"name": "org/tiny", "prompts": {"Topics": "a: ", "query": "q: "}, "dtype": "float32"}
    (project / "model/hubbed.yaml").write_text(yaml.safe_dump(own))
    task(project, "Sts", "sts", "cosine_spearman", dataset={"hub": "mteb/stsbenchmark-sts"})
    asked = "tasks=[Sts,{name: XQuADRetrieval, subsets: [de]},{name: NusaX-senti, subsets: [ind]}]"
    plan = ["model=hubbed", asked, "--config-dir", "project"]
    made = {"HF_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}
    with serving(hub_root(models={f"org/tiny/{COMMIT}": weights})) as endpoint:
        env = {**os.environ, **made, "HF_ENDPOINT": endpoint}
        packed = started("bundle", *plan, "--out", "x.tar", env=env)
        assert packed.returncode == 0, packed.stderr
        run = started("run", *plan, "outputs=here", env=env)
        assert run.returncode == 0, run.stderr
        fresh = {**env, "HF_HOME": str(tmp_path / "other-home")}
        assert started("bundle", *plan, "--out", "y.tar", env=fresh).returncode == 0
    assert Path("x.tar").read_bytes() == Path("y.tar").read_bytes()
    shutil.rmtree(project)
    shutil.rmtree(tmp_path / "home")
    done = started("bundle", "--run", "x.tar", "outputs=there", env=offline(tmp_path))
    assert done.returncode == 0, done.stderr
    assert len(scores(Path("here"))) == 3
    assert scores(Path("there")) == scores(Path("here"))
    assert not (tmp_path / "empty").exists()


@pytest.mark.slow
def test_code_that_came_along_runs_only_where_it_is_trusted(project: Path, tmp_path: Path) -> None:
    code = project / "weights/own.py"
    code.write_text(f"import pathlib\npathlib.Path({str(tmp_path / 'taken')!r}).touch()\nclass Encoder: ...\n")
    model = {"name": "me/own", "loader": "own:Encoder", "source": {"path": str(project / "weights")}}
    (project / "model/own.yaml").write_text(yaml.safe_dump({**model, "trust_remote_code": True}))
    assert main(["bundle", "model=own", "tasks=[Likeness]", "--config-dir", "project", "--out", "x.tar"]) == 0
    assert json.loads(_manifest_of("x.tar"))["code"] is True
    refused = started("bundle", "--run", "x.tar", env=offline(tmp_path))
    assert (refused.returncode, (tmp_path / "taken").exists()) == (2, False)
    assert "runs Python code that came with the bundle" in refused.stderr
    trusted = started("bundle", "--run", "x.tar", "--trust-remote-code", env=offline(tmp_path))
    assert (trusted.returncode, (tmp_path / "taken").exists()) == (1, True)  # its class is no encoder


def _manifest_of(path: str) -> bytes:
    with tarfile.open(path) as archive:
        content = archive.extractfile("manifest.json")
        assert content is not None
        return content.read()


@pytest.mark.slow
def test_configs_that_lead_out_of_the_bundle(project: Path, tmp_path: Path) -> None:
    assert main(["bundle", "model=tiny", "tasks=[Likeness]", "--config-dir", "project", "--out", "x.tar"]) == 0
    manifest = Manifest.model_validate_json(_manifest_of("x.tar"))
    started("bundle", "--run", "x.tar", env=offline(tmp_path))
    for name, value in (("model/bundle", {"path": str(project / "weights")}), ("task/0001-Likeness", None)):
        path = Path(f"x/configs/{name}.yaml")
        values = yaml.safe_load(path.read_text())
        values["source" if value else "dataset"] = value or {"files": str(project / "data/likeness")}
        content = yaml.safe_dump(values).encode()
        told = Content(size=len(content), sha256=hashlib.sha256(content).hexdigest())
        changed = manifest.model_copy(update={"files": {**manifest.files, f"configs/{name}.yaml": told}})
        sources = {found.sha256: Source(Path("x", file)) for file, found in manifest.files.items()}
        write(Path("y.tar"), changed, {**sources, told.sha256: Source(content)})
        shutil.rmtree("y", ignore_errors=True)
        refused = started("bundle", "--run", "y.tar", env=offline(tmp_path))
        assert refused.returncode == 2
        assert "leads out of the folder" in refused.stderr


def test_what_has_no_place_in_an_archive(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(said: str, *arguments: str) -> None:
        assert main(["bundle", *arguments]) == 2
        assert said in capsys.readouterr().err

    out = ["--out", "x.tar"]
    refused("a service runs it (voyage)", "model=voyage_3_5", "tasks=[BibleBookClustering]", *out)
    refused("give --out FILE to make an archive, or --run FILE", "model=minilm")
    refused("cannot be read", "--run", "absent.tar")
    refused("cannot be changed", "--run", "x.tar", "model.max_tokens=8")
    refused("cannot be changed", "--run", "x.tar", "hydra.run.dir=/tmp")
    refused("takes no --config-dir", "--run", "x.tar", "--config-dir", "project")
    refused("go with --run", "model=tiny", "--folder", "there", *out)
    (project / "weights/adapter_config.json").write_text('{"base_model_name_or_path": "org/base"}')
    refused("adapter of 'org/base'", "model=tiny", "tasks=[Likeness]", "--config-dir", "project", *out)
    refused("a folder; give the file", "model=minilm", "--out", "project")
    assert not list(Path().glob("*.tar*"))

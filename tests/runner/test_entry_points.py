"""What an installed package adds: a loader and a task type, which a YAML of one's own then uses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from small_project import small_project, task

ROOT = Path(__file__).parents[2]

METADATA = "Metadata-Version: 2.1\nName: added-kinds\nVersion: 1.0\n"

ENTRY_POINTS = """
[embedmark.models]
initials = added_kinds:INITIALS

[embedmark.tasks]
same_initial = added_kinds:SAME_INITIAL
"""

PACKAGE = """
from dataclasses import dataclass

from models.loaders import Loader
from tasks.types import TaskType


@dataclass(frozen=True)
class Settings:
    column: str = "text"


INITIALS = Loader("initials", "added_model:load", 3, needs_weights=False)
SAME_INITIAL = TaskType("same_initial", "SameInitial", "added_task:SameInitial", Settings, 7)
"""

MODEL = """
import numpy as np

from models.base import Variant
from models.prompts import PromptTable


class Initials:
    similarity = "cosine"
    batch_tokens = 100
    facts = {"made": "by hand"}

    def __init__(self, prompts):
        self.prompts = PromptTable(prompts)

    def variant(self, context):
        return Variant(self.prompts.choose(context))

    def lengths(self, texts, variant):
        return np.array([len(text) for text in texts])

    def encode(self, texts, variant):
        return np.array([[ord((variant.prompt + text)[0]), 1] for text in texts], dtype=np.float32)


def load(spec):
    return Initials(spec.prompts)
"""

TASK = """
import numpy as np

from tasks.base import Scores, TextSet
from tasks.columns import texts_of


class SameInitial:
    accepts = frozenset({"encoder"})

    def __init__(self, settings, context, main_metric):
        self.settings, self.context, self.main_metric = settings, context, main_metric

    def splits(self):
        return (self.context.split,)

    def texts(self, data):
        texts = texts_of(data.rows(self.context.split), self.settings.column)
        return [TextSet("texts", texts, None, self.context.split)]

    def evaluate(self, embeddings, data):
        initials = embeddings["texts"][:, 0]
        return Scores(self.main_metric, {"a": float(np.mean(initials == ord("a"))), "n": float(len(initials))})
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder to put on the path, with a distribution in it as an installer leaves one."""
    folder = tmp_path / "site"
    about = folder / "added_kinds-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(METADATA, encoding="utf-8")
    (about / "entry_points.txt").write_text(ENTRY_POINTS, encoding="utf-8")
    for name, text in (("added_kinds", PACKAGE), ("added_model", MODEL), ("added_task", TASK)):
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


def test_a_package_adds_a_loader_and_a_task_type(installed: Path, tmp_path: Path) -> None:
    project = small_project(tmp_path / "project")
    task(project, "Alike", "same_initial", "a", settings={"column": "sentence1"})
    rows = [{"sentence1": text} for text in ("apple", "pear", "ant", "almond")]
    (project / "data" / "alike").mkdir()
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (project / "data" / "alike" / "test.jsonl").write_text(lines, encoding="utf-8")
    (project / "model" / "added.yaml").write_text("name: own/added\nloader: initials\n", encoding="utf-8")

    def run(*overrides: str, path: Path | None = installed) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "runner", "--config-dir", str(project), "tasks=[Alike,Search]", *overrides]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, filter(None, [path, ROOT])))}
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)

    done = run("model=added")
    assert done.returncode == 0, done.stdout + done.stderr
    (folder,) = (tmp_path / "outputs").glob("jobs/Alike--*")
    record, identity = (json.loads((folder / f"{name}.json").read_text()) for name in ("result", "identity"))
    assert record["scores"] == {"a": 0.75, "n": 4.0}
    assert record["job"]["type"] == "SameInitial"
    assert (identity["model"]["loader_version"], identity["task"]["protocol"]) == (3, 7)
    assert len(list((tmp_path / "outputs").glob("jobs/Search--*/result.json"))) == 1

    # A prompt may be keyed by the new type's label, and changes what the model gives.
    prompted = run("model=added", "model.prompts={SameInitial: 'b '}", "outputs=prompted", "tasks=[Alike]")
    assert prompted.returncode == 0, prompted.stderr
    (path,) = (tmp_path / "prompted").glob("jobs/*/result.json")
    assert json.loads(path.read_text())["scores"]["a"] == 0.0

    # Without the package the names are unknown, and errors say so.
    for model, told in (("added", "no loader 'initials'"), ("tiny", "no task type 'same_initial'")):
        missing = run(f"model={model}", path=None)
        assert missing.returncode == 2
        assert told in missing.stderr

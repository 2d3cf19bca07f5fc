"""What an installed package adds: a loader and a task type, which a YAML of one's own then uses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from small_project import small_project, task

from models.loaders import added_loaders, loaders
from runner.__main__ import main
from runner.data.sources.package import added_readers, readers
from tasks.types import added_types, task_types

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

    def run(*overrides: str, verb: str = "run", path: Path | None = installed) -> subprocess.CompletedProcess[str]:
        folder = ["--config-dir", str(project)]
        command = [sys.executable, "-m", "runner", verb, *folder, "tasks=[Alike,Search]", *overrides]
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
        missing = run(f"model={model}", verb="plan", path=None)
        assert missing.returncode == 2
        assert told in missing.stderr


# ------------------------------------------------------------------------------------- what cannot be taken as it is

OF_A_STRANGER = """
from models.loaders import Loader
from tasks.types import TaskType
from tasks.settings import STSSettings

def kind(name, label="Strange", settings=STSSettings, implementation="tasks.sts:STS", protocol=1):
    return TaskType(name, label, implementation, settings, protocol)

def loader(name, implementation="models.static:load", version=1):
    return Loader(name, implementation, version)

"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Puts a distribution on the path, as an installer leaves it: its name, its entry points and its one module."""
    caches = (task_types, added_types, loaders, added_loaders, readers, added_readers)
    modules: list[str] = []

    def put(name: str, points: str, text: str = "") -> None:
        about = tmp_path / "site" / f"{name}-1.0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
        (about / "entry_points.txt").write_text(points, encoding="utf-8")
        (tmp_path / "site" / f"{name}.py").write_text(OF_A_STRANGER + text, encoding="utf-8")
        modules.append(name)
        monkeypatch.syspath_prepend(str(tmp_path / "site"))
        for cached in caches:
            cached.cache_clear()

    yield put
    for cached in caches:
        cached.cache_clear()
    for name in modules:
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With one job that is done."""
    made = small_project(tmp_path_factory.mktemp("project"))
    assert main(["model=tiny", "tasks=[Likeness]", f"outputs={made / 'done'}", "--config-dir", str(made)]) == 0
    return made


TASKS, MODELS = "[embedmark.tasks]\n", "[embedmark.models]\n"

TAKEN = {
    "a type": (TASKS + "sts = stranger:K", "K = kind('sts')", "'sts'"),
    "a type, in capitals": (TASKS + "STS = stranger:K", "K = kind('STS')", "'STS'"),
    "a type, by the object": (TASKS + "mine = stranger:K", "K = kind('retrieval')", "'retrieval'"),
    "a label": (TASKS + "mine = stranger:K", "K = kind('mine', 'Classification')", "'Classification'"),
    "a label, in small letters": (TASKS + "mine = stranger:K", "K = kind('mine', 'bitextmining')", "'bitextmining'"),
    "a label as a name": (TASKS + "PairClassification = stranger:K", "", "'PairClassification'"),
    "a type that cannot be imported": (TASKS + "clustering = nowhere:K", "", "'clustering'"),
    "a loader": (MODELS + "sentence_transformer = stranger:L", "L = loader('sentence_transformer')", "'sentence_tr"),
    "a loader of a service": (MODELS + "OpenAI = stranger:L", "L = loader('OpenAI')", "'OpenAI'"),
    "a loader, by the object": (MODELS + "mine = stranger:L", "L = loader('bm25')", "'bm25'"),
}


@pytest.mark.parametrize("case", TAKEN)
def test_a_name_that_is_taken_is_refused(
    case: str, install: Install, project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    points, text, named = TAKEN[case]
    install("stranger", points, text)
    folder = ["--config-dir", str(project)]
    for verb in ([], ["plan"]):
        assert main([*verb, "model=tiny", "tasks=[Likeness]", f"outputs={tmp_path / 'out'}", *folder]) == 2
        line = capsys.readouterr().err.splitlines()[-1]
        assert "stranger 1.0" in line
        assert named in line
        assert len(line) <= 600
    assert not list((tmp_path / "out").glob("jobs/*"))
    # What measures nothing goes on.
    for verb in (["list", "tasks", "Likeness"], ["report", "--outputs", str(project / "done")]):
        assert main([*verb, *folder]) == 0


LEFT_OUT = {
    "no such module": (TASKS + "mine = nowhere:K", "", "no module 'nowhere'"),
    "no such attribute": (TASKS + "mine = stranger:K", "", "'K'"),
    "a module that raises": (
        TASKS + "mine = stranger:K",
        "raise RuntimeError('no\\nlicence')",
        "RuntimeError: no lice",
    ),
    "a module that ends the process": (TASKS + "mine = stranger:K", "import sys; sys.exit(3)", "SystemExit"),
    "a module with a mistake": (TASKS + "mine = stranger:K", "K = = 3", "SyntaxError"),
    "no TaskType": (TASKS + "mine = stranger:K", "K = {'name': 'mine'}", "no TaskType"),
    "a loader as a type": (TASKS + "mine = stranger:K", "K = loader('mine')", "no TaskType"),
    "a module alone": (TASKS + "mine = stranger", "", "expected module:NAME"),
    "no object": (TASKS + "mine = stranger K", "", "expected module:NAME"),
    "another name": (TASKS + "mine = stranger:K", "K = kind('yours')", "'yours'"),
    "no settings": (TASKS + "mine = stranger:K", "K = kind('mine', settings=dict)", "no dataclass"),
    "no protocol": (TASKS + "mine = stranger:K", "K = kind('mine', protocol='1')", "no whole number"),
    "no class": (TASKS + "mine = stranger:K", "K = kind('mine', implementation='x')", "module:Class"),
    "no loader": (MODELS + "mine = stranger:L", "L = kind", "no Loader"),
    "a loader without a version": (MODELS + "mine = stranger:L", "L = loader('mine', version=None)", "whole number"),
    "a loader called as a class": (MODELS + "a.b:C = stranger:L", "L = loader('a.b:C')", "colon"),
}


@pytest.mark.parametrize("case", LEFT_OUT)
def test_what_cannot_be_used_is_named_and_left_out(
    case: str,
    install: Install,
    project: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    points, text, told = LEFT_OUT[case]
    install("stranger", points, text)
    command = [f"outputs={tmp_path}", "--config-dir", str(project)]
    assert main(["plan", "model=tiny", "tasks=[Likeness]", *command]) == 0
    (line,) = caplog.messages
    assert "stranger 1.0" in line
    assert told in line
    assert len(line) <= 600
    # Who needs it is told why it is not there.
    wanted = ["model.loader=mine"] if points.startswith(MODELS) else ["+task.type=mine"]
    capsys.readouterr()
    if "mine" in points:
        assert main(["plan", "model=tiny", "task=likeness", *wanted, *command]) == 2
        assert told in capsys.readouterr().err


@pytest.mark.parametrize("group", [TASKS, MODELS])
def test_two_packages_that_add_one_name_are_refused(
    group: str, install: Install, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install("stranger", group + "mine = stranger:X", "X = kind('mine')")
    install("visitor", group + "Mine = visitor:X", "X = kind('Mine')")
    assert main(["plan", "model=tiny", "tasks=[Likeness]", "--config-dir", str(project)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "stranger 1.0 and visitor 1.0" in line


def test_what_others_add_well_is_there_beside_what_is_left_out(install: Install, project: Path) -> None:
    install("stranger", TASKS + "mine = stranger:K\nbad = stranger:None\n", "K = kind('mine')")
    install("visitor", TASKS + "other = visitor:K\n", "K = kind('other', 'Strange')")
    assert {"mine", "other", "sts"} <= task_types().keys()
    assert added_types().left_out.keys() == {"bad"}


SOURCES = "[embedmark.sources]\n"
READ = """
import pyarrow as pa
from runner.data.table import Table

def read(dataset):
    rows = {"sentence1": ["a b", "c d", "e"], "sentence2": ["a b", "d", "q r"], "score": [5.0, 2.0, 0.5]}
    return {"test": Table(pa.table(rows))}
"""


@pytest.mark.parametrize(
    ("points", "reader", "status", "told"),
    [
        ("mine = stranger:read", "mine", 0, ""),
        ("bible_verses = stranger:read", "mine", 1, "stranger 1.0 adds a reader under the name 'bible_verses'"),
        ("Emoji_Names = stranger:read", "emoji_names", 1, "stranger 1.0 adds a reader under the name 'Emoji_Names'"),
        ("mine = stranger:nothing", "mine", 1, "stranger 1.0 adds it as stranger:nothing"),
        ("mine = stranger:nothing\nyours = stranger:read", "yours", 0, ""),
        ("mine = stranger:read\nMine = stranger:pa", "mine", 1, "added more than once, by stranger 1.0"),
    ],
)
def test_readers_of_packages(
    points: str,
    reader: str,
    status: int,
    told: str,
    install: Install,
    project: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    install("stranger", SOURCES + points, READ)
    dataset = {"package": "stranger", "version": "1.0", "reader": reader}
    task(project, "Shipped", "sts", "cosine_spearman", dataset=dataset)
    command = ["model=tiny", "tasks=[Shipped]", f"outputs={tmp_path / 'out'}", "--config-dir", str(project)]
    assert main(command) == status
    printed = " ".join("".join(capsys.readouterr()).split())
    assert told in printed

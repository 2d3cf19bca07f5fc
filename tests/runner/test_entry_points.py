"""What an installed package adds: a loader and a task type, which a YAML of one's own then uses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from small_project import small_project, task

from embedmark.models.loaders import added_loaders, loaders
from embedmark.runner.cli.main import main
from embedmark.runner.common.plugins import added_entries
from embedmark.runner.config.schema.sources import added_sources, sources
from embedmark.runner.data.sources.package import added_readers, readers
from embedmark.runner.data.transforms.steps import added_steps, arguments_of, step_kinds
from embedmark.tasks.retrieval.extras import added_metrics, extra_metrics
from embedmark.tasks.types import added_types, task_types

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

from embedmark.models.loaders import Loader
from embedmark.tasks.types import TaskType


@dataclass(frozen=True)
class Settings:
    column: str = "text"

    def column_roles(self):
        return ((self.column, "text"),)

    def metrics(self):
        return {"a", "n"}


INITIALS = Loader("initials", "added_model:load", 3, needs_weights=False)
SAME_INITIAL = TaskType("same_initial", "SameInitial", "added_task:SameInitial", Settings, 7)
"""

MODEL = """
import numpy as np

from embedmark.models.base import Variant
from embedmark.models.prompts import PromptTable


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

from embedmark.tasks.base import Bound, ItemSet, Scores
from embedmark.tasks.columns import texts_of


class SameInitial(Bound):
    def items(self, data):
        texts = texts_of(data.rows(self.split), self.settings.column)
        return [ItemSet("texts", texts, None)]

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
    assert identity["model"]["plug_ins"] == identity["task"]["plug_ins"] == {"added-kinds": "1.0"}
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
from embedmark.models.loaders import Loader
from embedmark.tasks.types import TaskType
from embedmark.tasks.pairs.settings import STSSettings

def kind(name, label="Strange", settings=STSSettings, implementation="embedmark.tasks.pairs.sts:STS", protocol=1):
    return TaskType(name, label, implementation, settings, protocol)

def loader(name, implementation="embedmark.models.static:load", version=1):
    return Loader(name, implementation, version)

"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Puts a distribution on the path, as an installer leaves it: its name, its entry points and its one module."""
    caches: tuple[Any, ...] = (
        *(added_entries, task_types, added_types, loaders, added_loaders, readers, added_readers),
        *(step_kinds, added_steps, arguments_of, sources, added_sources),
        *(extra_metrics, added_metrics),
    )
    modules: list[str] = []

    def put(name: str, points: str, text: str = "", version: str = "1.0") -> None:
        for earlier in (tmp_path / "site").glob(f"{name}-*"):
            shutil.rmtree(earlier)
        about = tmp_path / "site" / f"{name}-{version}.dist-info"
        about.mkdir(parents=True)
        text_about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        (about / "METADATA").write_text(text_about, encoding="utf-8")
        (about / "entry_points.txt").write_text(points, encoding="utf-8")
        (tmp_path / "site" / f"{name}.py").write_text(OF_A_STRANGER + text, encoding="utf-8")
        modules.append(name)
        monkeypatch.syspath_prepend(str(tmp_path / "site"))
        sys.modules.pop(name, None)
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
    "a source": ("[embedmark.sources]\nFiles = stranger:S", "", "'Files'"),
    "a metric": ("[embedmark.metrics]\np_mrr = stranger:M", "", "'p_mrr'"),
    "a step": ("[embedmark.transforms]\nrename = stranger:T", "", "'rename'"),
    "a reader": ("[embedmark.readers]\nemoji_names = stranger:R", "", "'emoji_names'"),
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
    "settings that say no columns": (
        TASKS + "mine = stranger:K",
        "from dataclasses import make_dataclass\nK = kind('mine', settings=make_dataclass('S', []))",
        "column_roles()",
    ),
    "no protocol": (TASKS + "mine = stranger:K", "K = kind('mine', protocol='1')", "no whole number"),
    "no class": (TASKS + "mine = stranger:K", "K = kind('mine', implementation='x')", "module:Class"),
    "no loader": (MODELS + "mine = stranger:L", "L = kind", "no Loader"),
    "a loader without a version": (MODELS + "mine = stranger:L", "L = loader('mine', version=None)", "whole number"),
    "no source": ("[embedmark.sources]\nours = stranger:kind", "", "no Source"),
    "no metric": ("[embedmark.metrics]\nours = stranger:kind", "", "no RankMetric"),
    "no step": ("[embedmark.transforms]\nours = stranger:kind", "", "no StepKind"),
    "no reader": ("[embedmark.readers]\nours = nowhere:read", "", "no module 'nowhere'"),
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


READERS = "[embedmark.readers]\n"
READ = """
import pyarrow as pa
from embedmark.runner.data.table import Table

def read(dataset):
    rows = {"sentence1": ["a b", "c d", "e"], "sentence2": ["a b", "d", "q r"], "score": [5.0, 2.0, 0.5]}
    return {"test": Table(pa.table(rows))}
"""


@pytest.mark.parametrize(
    ("points", "reader", "status", "told"),
    [
        ("mine = stranger:read", "mine", 0, ""),
        ("bible_verses = stranger:read", "mine", 2, "stranger 1.0 adds a reader under the name 'bible_verses'"),
        ("Emoji_Names = stranger:read", "emoji_names", 2, "stranger 1.0 adds a reader under the name 'Emoji_Names'"),
        ("mine = stranger:nothing", "mine", 1, "stranger 1.0 adds it as stranger:nothing"),
        ("mine = stranger:nothing\nyours = stranger:read", "yours", 0, ""),
        ("mine = stranger:read\nMine = stranger:pa", "mine", 2, "added more than once, by stranger 1.0"),
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
    install("stranger", READERS + points, READ)
    dataset = {"package": "stranger", "version": "1.0", "reader": reader}
    task(project, "Shipped", "sts", "cosine_spearman", dataset=dataset)
    command = ["model=tiny", "tasks=[Shipped]", f"outputs={tmp_path / 'out'}", "--config-dir", str(project)]
    assert main(command) == status
    printed = " ".join("".join(capsys.readouterr()).split())
    assert told in printed


STEPS = "[embedmark.transforms]\n"
STEP = """
from embedmark.runner.data.table import Table
from embedmark.runner.data.transforms.steps import StepKind

def shout(table: Table, *, columns: list[str], mark: str = "!") -> Table:
    for name in columns:
        table = table.put(name, [text.upper() + mark for text in table.values(name)])
    return table

def unclear(table, *, column): return table

SHOUT = StepKind(shout, "columns")
UNCLEAR = StepKind(unclear)
"""


@pytest.mark.parametrize(
    ("points", "step", "status", "told"),
    [
        ("shout = stranger:SHOUT", {"shout": ["sentence1"]}, 0, ""),
        ("shout = stranger:SHOUT", {"shout": {"columns": ["sentence1"], "mark": "?"}}, 0, ""),
        ("shout = stranger:SHOUT", {"shout": {"columns": ["sentence1"], "mrak": "?"}}, 2, "Did you mean 'mark'"),
        ("shout = stranger:SHOUT", {"shoot": ["sentence1"]}, 2, "Did you mean 'shout'"),
        ("shout = stranger:SHOUT", {"shout": {"columns": ["sentence1"], "mark": 1}}, 2, "expected text"),
        ("shout = stranger:nothing", {"shout": ["sentence1"]}, 2, "One is left out: stranger 1.0 adds it"),
        ("shout = stranger:UNCLEAR", {"shout": ["sentence1"]}, 2, "whose arguments cannot be read"),
        ("Rename = stranger:SHOUT", {"take": 3}, 2, "stranger 1.0 adds a step under the name 'Rename'"),
        ("splits = stranger:SHOUT", {"take": 3}, 2, "stranger 1.0 adds a step under the name 'splits'"),
    ],
)
def test_steps_of_packages(
    points: str,
    step: dict[str, Any],
    status: int,
    told: str,
    install: Install,
    project: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    install("stranger", STEPS + points, STEP)
    rows = {"files": str(project / "data" / "likeness")}
    own = tmp_path / "own"
    task(own, "Loud", "sts", "cosine_spearman", dataset=rows, transforms=[step])
    folders = ["--config-dir", str(project), "--config-dir", str(own)]
    for verb in ("plan", "run"):
        assert main([verb, "model=tiny", "tasks=[Loud]", f"outputs={tmp_path / 'out'}", *folders]) == status
        assert told in " ".join("".join(capsys.readouterr()).split())


SOURCES = "[embedmark.sources]\n"
SOURCE = """
from typing import Annotated
from embedmark.runner.config.roles import Decides, Executes, Schema
from embedmark.runner.config.schema.sources import Source

class Counted(Schema):
    counted: Annotated[int, Decides]
    slowly: Annotated[bool, Executes] = False

class Roleless(Schema):
    counted: int

class Hub(Schema):
    hub: Annotated[int, Decides]
    counted: Annotated[int, Decides]

def fetch(asked):
    import pyarrow as pa
    from embedmark.runner.data.sources.base import Facts, Raw
    from embedmark.runner.data.table import Table
    rows = [f"word {number}" for number in range(asked.dataset.counted)]
    scores = [float(number) for number in range(asked.dataset.counted)]
    table = Table(pa.table({"sentence1": rows, "sentence2": rows[::-1], "score": scores}))
    return Raw({name: table for name in asked.splits}, ("test",), Facts("counted", "numbers", "1"))

COUNTED = Source("counted", Counted, "stranger:fetch", 4)
ROLELESS = Source("counted", Roleless, "stranger:fetch", 4)
HUB = Source("counted", Hub, "stranger:fetch", 4)
"""


@pytest.mark.parametrize(
    ("points", "dataset", "status", "told"),
    [
        ("counted = stranger:COUNTED", {"counted": 9}, 0, ""),
        ("counted = stranger:COUNTED", {"counted": "many"}, 2, "dataset: counted: found 'many'; expected a whole num"),
        ("counted = stranger:COUNTED", {"counted": 9, "slow": True}, 2, "Did you mean 'slowly'"),
        ("counted = stranger:COUNTED", {"count": 9}, 2, "one of them hub, package, files or tasks"),
        ("counted = stranger:nothing", {"counted": 9}, 2, "stranger 1.0 adds it as stranger:nothing"),
        ("counted = stranger:ROLELESS", {"counted": 9}, 2, "field 'counted' has no role"),
        ("counted = stranger:HUB", {"counted": 9}, 2, "has the key 'hub', by which another kind is told"),
        ("counted = stranger:fetch", {"counted": 9}, 2, "which is no Source object"),
        ("hub = stranger:COUNTED", {"files": "FOLDER"}, 2, "stranger 1.0 adds a source under the name 'hub'"),
        ("tasks = stranger:COUNTED", {"files": "FOLDER"}, 2, "stranger 1.0 adds a source under the name 'tasks'"),
    ],
)
def test_sources_of_packages(
    points: str,
    dataset: dict[str, Any],
    status: int,
    told: str,
    install: Install,
    project: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    install("stranger", SOURCES + points, SOURCE)
    own, out = tmp_path / "own", tmp_path / "out"
    folder = str(project / "data" / "likeness")
    given = {key: folder if value == "FOLDER" else value for key, value in dataset.items()}
    task(own, "Numbers", "sts", "cosine_spearman", dataset=given)
    folders = ["--config-dir", str(project), "--config-dir", str(own)]
    for verb in ("plan", "run"):
        assert main([verb, "model=tiny", "tasks=[Numbers]", f"outputs={out}", *folders]) == status
        assert told in " ".join("".join(capsys.readouterr()).split())
    if status == 0:
        (path,) = out.glob("jobs/*/identity.json")
        found = json.loads(path.read_text())["task"]
        assert (found["dataset"], found["reading"]) == ({"counted": 9}, 4)
        assert main(["show", "Numbers", *folders]) == 0
        assert "counted: 9" in capsys.readouterr().out


METRICS = "[embedmark.metrics]\n"
METRIC = """
from embedmark.tasks.retrieval.extras import RankMetric

def found(outcome):
    import numpy as np
    from embedmark.tasks.retrieval.rank_extras import Kept
    hits = [float(value > 0) for value in outcome.per_query("recall_at_10").values()]
    return {"found": sum(hits) / len(hits)}, {"found": Kept(np.array(hits), outcome.ranking.query_ids, "")}

def taken(outcome):
    return {"ndcg_at_10": 1.0}, {}

FOUND = RankMetric("found", "stranger:found")
TAKEN = RankMetric("taken", "stranger:taken", lambda ks, common: ["ndcg_at_10"])
CAPPED = RankMetric("p_mrr", "stranger:found")
"""


@pytest.mark.parametrize(
    ("points", "extra", "main_metric", "status", "told"),
    [
        ("found = stranger:FOUND", "found", "found", (0, 0), ""),
        ("found = stranger:FOUND", "found", "ndcg_at_10", (0, 0), ""),
        ("found = stranger:FOUND", "fuond", "ndcg_at_10", (2, 2), "Did you mean 'found'"),
        ("found = stranger:FOUND", "found", "fuond", (2, 2), "Did you mean 'found'"),
        ("found = stranger:nothing", "found", "found", (2, 2), "One is left out: stranger 1.0 adds it"),
        ("mine = stranger:CAPPED", "capped_recall", "ndcg_at_10", (2, 2), "a metric under the name 'p_mrr'"),
        ("taken = stranger:TAKEN", "taken", "ndcg_at_10", (0, 1), ""),
    ],
)
def test_metrics_of_packages(
    points: str,
    extra: str,
    main_metric: str,
    status: tuple[int, int],
    told: str,
    install: Install,
    project: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    install("stranger", METRICS + points, METRIC)
    own, out = tmp_path / "own", tmp_path / "out"
    rows = {"files": str(project / "data" / "search")}
    task(own, "Found", "retrieval", main_metric, dataset=rows, settings={"extra_metrics": [extra]})
    folders = ["--config-dir", str(project), "--config-dir", str(own)]
    for verb, expected in zip(("plan", "run"), status, strict=True):
        assert main([verb, "model=tiny", "tasks=[Found]", f"outputs={out}", *folders]) == expected
        assert told in " ".join("".join(capsys.readouterr()).split())
    if status == (0, 0):
        (path,) = out.glob("jobs/*/result.json")
        assert 0 <= json.loads(path.read_text())["scores"]["found"] <= 1


def identities(command: list[str], out: Path) -> dict[str, dict[str, Any]]:
    """Fingerprint → identity of what a command plans."""
    assert main(["run", *command, f"outputs={out}"]) == 0
    return {
        path.parent.name.rpartition("--")[2]: json.loads(path.read_text()) for path in out.glob("jobs/*/identity.json")
    }


def test_another_version_of_a_package_is_another_job(install: Install, project: Path, tmp_path: Path) -> None:
    dataset = {"package": "stranger", "reader": "mine", "version": "1.0"}
    folder = ["--config-dir", str(project)]
    text = READ + STEP + SOURCE + METRIC + "L = loader('mine_too')\nK = kind('mine_as_well')"
    points = f"{READERS}mine = stranger:read\n{MODELS}mine_too = stranger:L\n{TASKS}mine_as_well = stranger:K\n"
    points += f"{STEPS}shout = stranger:SHOUT\n{SOURCES}counted = stranger:COUNTED\n{METRICS}found = stranger:FOUND\n"
    searched = {"files": str(project / "data" / "search")}
    task(project, "Found", "retrieval", "found", dataset=searched, settings={"extra_metrics": ["found"]})
    task(project, "Numbers", "sts", "cosine_spearman", dataset={"counted": 9})
    rows = {"files": str(project / "data" / "likeness")}
    task(project, "Loud", "sts", "cosine_spearman", dataset=rows, transforms=[{"shout": ["sentence1"]}])
    task(project, "Typed", "mine_as_well", "cosine_spearman", dataset=rows)
    cases = {
        "built in": ["tasks=[Likeness]"],
        "a type": ["tasks=[Typed]"],
        "a reader": ["tasks=[Read]"],
        "a step": ["tasks=[Loud]"],
        "a source": ["tasks=[Numbers]"],
        "a metric": ["tasks=[Found]"],
        "a loader": ["tasks=[Likeness]", "model.loader=mine_too"],
    }
    found: dict[str, list[dict[str, dict[str, Any]]]] = {case: [] for case in cases}
    for version in ("1.0", "1.1"):
        install("stranger", points, text, version)
        task(project, "Read", "sts", "cosine_spearman", dataset={**dataset, "version": version})
        for case, command in cases.items():
            found[case].append(identities(["model=tiny", *command, *folder], tmp_path / case / version))
    # What is built in has the fingerprint that it has without the package.
    built_in = found.pop("built in")
    assert built_in[0] == built_in[1]
    for case, (first, second) in found.items():
        assert not first.keys() & second.keys()
        part = "model" if case == "a loader" else "task"
        seen = [identity[part]["plug_ins"] for both in (first, second) for identity in both.values()]
        assert seen == [{"stranger": "1.0"}, {"stranger": "1.1"}]

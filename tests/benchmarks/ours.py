"""Our scores of tasks on given vectors, through the runner's own plan, data and task types."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from encoders import Vectors, texts_hash

from runner.config.catalogue import SHIPPED, Catalogue
from runner.config.identity import Pin
from runner.config.schema import Settings
from runner.execute.jobs import Prepared, prepare
from runner.pins import default_pins
from runner.plan import Job, Pins, make_plan
from tasks.base import Embeddings, Scores

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIGS = REPOSITORY / "tests" / "configs"


def catalogue(folder: Path | None = None) -> Catalogue:
    """The shipped configs and those of the tests, or of another folder."""
    return Catalogue((folder or CONFIGS, SHIPPED))


Given = dict[tuple[str, str], dict[str, Any]]
"""(split, side) → what an encoder was given: n_texts, texts, n_distinct, distinct; see reference/recorder.py."""


def jobs(
    task: str, subsets: Sequence[str], known: Catalogue | None = None, settings: Mapping[str, Any] | None = None
) -> tuple[Job, ...]:
    """The jobs of a task cut to some of its subsets, in the order of its own file. settings: changes to the task's."""
    known = known or catalogue()
    config = known.task(task)
    config = config.model_copy(
        update={
            "subsets": {name: languages for name, languages in config.subsets.items() if name in subsets},
            "settings": {**config.settings, **(settings or {})},
        }
    )
    pins = Pins(lambda _: Pin("none"), default_pins().dataset)
    return make_plan(Settings(model=known.model("minilm"), task=config), known, pins).jobs


@dataclass(frozen=True)
class Scored:
    """What came of one job, and what an encoder would have been given."""

    job: Job
    scores: Scores
    given: Given


def score(job: Job, vectors: Vectors, scratch: Path) -> Scored:
    """Load, ask for texts, look their vectors up, evaluate. scratch: a folder for the content hashes of the data."""
    prepared = prepare(job, scratch)
    embeddings = Embeddings({text_set.name: vectors(text_set.texts) for text_set in prepared.texts})
    return Scored(job, prepared.task.evaluate(embeddings, prepared.data), _given(prepared))


def _given(prepared: Prepared) -> Given:
    texts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for text_set in prepared.texts:
        texts[text_set.split, text_set.side or ""] += text_set.texts
    return {
        place: {
            "n_texts": len(found),
            "texts": texts_hash(found),
            "n_distinct": len(set(found)),
            "distinct": texts_hash(set(found)),
        }
        for place, found in texts.items()
    }


def end_to_end(
    subsets: Sequence[tuple[str, str]],
    outputs: Path,
    folder: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Run (task, subset) pairs with MiniLM by the command line: the records by task, subset and split.

    folder: where the configs of tasks are that are not shipped, if not in tests/configs. env: of the process.
    """
    by_task: dict[str, set[str]] = defaultdict(set)
    for task, subset in subsets:
        by_task[task].add(subset)
    wanted = ",".join(f"{{name: '{task}', subsets: [{','.join(sorted(names))}]}}" for task, names in by_task.items())
    command = [sys.executable, "-m", "runner", "model=minilm", f"tasks=[{wanted}]", "benchmark=null"]
    folders = [f"outputs={outputs}", "--config-dir", str(folder or CONFIGS)]
    subprocess.run([*command, *folders], check=True, cwd=outputs.parent, env=env)
    records = [json.loads(path.read_text(encoding="utf-8")) for path in outputs.glob("jobs/*/result.json")]
    return {(found["job"]["task"], found["job"]["subset"], found["job"]["split"]): found for found in records}


def recorded_scores(record: Mapping[str, Any]) -> Scores:
    """The scores that a record holds."""
    values = {name: math.nan if value is None else value for name, value in record["scores"].items()}
    return Scores(record["main_metric"], values, record["experiments"])


def differences(run: Mapping[str, Any], scores: Scores) -> dict[str, float]:
    """Metric → |reference - ours|, experiments included. A metric that only one of them has is infinitely far off.

    run: one entry of `runs` as reference/run.py writes it.
    """
    ours = {**scores.values, "main_score": scores.main_score}
    found = {name: _distance(value, ours.get(name)) for name, value in run["metrics"].items()}
    experiments = run.get("details", {}).get("scores_per_experiment", [])
    for number, (theirs, mine) in enumerate(_zipped(experiments, scores.experiments)):
        found |= {f"{name}[{number}]": _distance(value, mine.get(name)) for name, value in theirs.items()}
    return found


def _zipped(
    theirs: Sequence[Mapping[str, Any]], mine: Sequence[Mapping[str, float]]
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, float]]]:
    if theirs:
        yield from zip(theirs, mine, strict=True)


def _distance(theirs: float | None, mine: float | None) -> float:
    undefined = [value is None or math.isnan(value) for value in (theirs, mine)]
    if all(undefined):
        return 0.0
    if any(undefined):
        return math.inf
    assert theirs is not None
    assert mine is not None
    return abs(theirs - mine)

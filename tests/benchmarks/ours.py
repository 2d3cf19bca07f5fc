"""Our scores of tasks on given vectors, through the runner's own plan, data and task types."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from encoders import Vectors, image_text, texts_hash

from embedmark.runner.config.catalogue import SHIPPED, Catalogue
from embedmark.runner.config.identity import Pin
from embedmark.runner.config.schema import Settings
from embedmark.runner.execute.jobs import Prepared, prepare
from embedmark.runner.pins import default_pins
from embedmark.runner.plan import Job, make_plan
from embedmark.runner.resolve import Pins
from embedmark.tasks.base import Composite, Embeddings, Item, Scores, TaskContext

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
    pins = Pins(lambda *_: Pin("none"), default_pins().dataset)
    model = known.model("clip_vit_base_patch32" if "image" in config.about.modalities else "minilm")
    return make_plan(Settings(model=model, task=config), known, pins).jobs


@dataclass(frozen=True)
class Scored:
    """What came of one job, and what an encoder would have been given, and told of the task."""

    job: Job
    scores: Scores
    given: Given
    told: Mapping[str, Any]


def score(job: Job, vectors: Vectors, scratch: Path) -> Scored:
    """Load, ask for texts, look their vectors up, evaluate. scratch: a folder for the content hashes of the data."""
    prepared = prepare(job, scratch)
    texts = {item_set.name: [_text(item) for item in item_set.items] for item_set in prepared.item_sets}
    embeddings = Embeddings({name: vectors(found) for name, found in texts.items()})
    return Scored(job, prepared.task.evaluate(embeddings, prepared.data), _given(prepared), _told(prepared.context))


def _given(prepared: Prepared) -> Given:
    texts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for item_set in prepared.item_sets:
        split = prepared.job.task.settings.train_split if item_set.name == "train" else prepared.job.split
        texts[split, item_set.side or ""] += map(_text, item_set.items)
    return {
        place: {
            "n_texts": len(found),
            "texts": texts_hash(found),
            "n_distinct": len(set(found)),
            "distinct": texts_hash(set(found)),
        }
        for place, found in texts.items()
    }


def _text(item: Item) -> str:
    """An item's text, one that stands for its image, or both, as reference/recorder.py has them."""
    if isinstance(item, Composite):
        return " + ".join(map(_text, item.parts))
    if isinstance(item, str):
        return item
    from embedmark.models.torch.images import decoded

    colours = decoded(item, rgb=True)
    return image_text(colours.size, colours.tobytes())


def _told(context: TaskContext) -> dict[str, Any]:
    return {
        "task": context.name,
        "type": context.type,
        "subset": context.subset,
        "languages": list(context.languages),
        "prompt": dict(context.prompt),
        "instruction": context.instruction,
    }


def unlike(run: Mapping[str, Any], scored: Scored) -> dict[str, Any]:
    """What an encoder is given or told otherwise than by the reference, as (theirs, ours); texts whatever their order.

    Of a parallel table the reference calls each language a subset, and ours the pair that is scored.
    """
    ours = {place: given["distinct"] for place, given in scored.given.items()}
    theirs = {(call["split"], call["side"]): call["distinct"] for call in run["given"]}
    found: dict[str, Any] = {} if ours == theirs else {"texts": (theirs, ours)}
    told = dict(scored.told)
    if getattr(scored.job.task.settings, "parallel_subsets", False):
        del told["subset"], told["languages"]
    for call in run["given"]:
        for said in call["told"]:
            found |= {name: (said[name], value) for name, value in told.items() if said[name] != value}
    return found


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
    """Metric → |reference - ours|, repetitions included. What only one of them has is infinitely far off, unless NaN.

    run: one entry of `runs` as reference/run.py writes it.
    """
    details = run.get("details", {})
    found = _far({**run["metrics"], **_nested(details)}, {**scores.values, "main_score": scores.main_score})
    repetitions = _repetitions(details)
    if repetitions:
        for number, (theirs, mine) in enumerate(zip(repetitions, scores.experiments, strict=True)):
            plain = {metric: value for metric, value in mine.items() if metric != "level"}
            found |= {f"{metric}[{number}]": far for metric, far in _far(theirs, plain).items()}
    return found


def _far(theirs: Mapping[str, float | None], mine: Mapping[str, float]) -> dict[str, float]:
    return {name: _distance(theirs.get(name), mine.get(name)) for name in dict.fromkeys([*theirs, *mine])}


def _nested(details: Mapping[str, Any]) -> dict[str, float]:
    """Metrics inside of others, under names with a slash: {"og": {"map": 1.0}} is og/map."""
    return {
        f"{name}/{inner}": value
        for name, values in details.items()
        if isinstance(values, Mapping)
        for inner, value in values.items()
        if not isinstance(value, list)
    }


def _repetitions(details: Mapping[str, Any]) -> list[dict[str, float | None]]:
    """The metrics of each repetition, out of the three shapes in which the reference reports them."""
    if "scores_per_experiment" in details:
        return list(details["scores_per_experiment"])
    columns = {
        metric: [value for level in values.values() for value in level] if isinstance(values, Mapping) else values
        for name, metric in (("v_measures", "v_measure"), ("ami_scores", "ami"))
        if (values := details.get(name)) is not None
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _distance(theirs: float | None, mine: float | None) -> float:
    undefined = [value is None or math.isnan(value) for value in (theirs, mine)]
    if all(undefined):
        return 0.0
    if any(undefined):
        return math.inf
    assert theirs is not None
    assert mine is not None
    return abs(theirs - mine)

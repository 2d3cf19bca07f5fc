"""Scores of the reference implementation on a hub, as JSON. Runs in the reference's environment.

    HF_ENDPOINT=... HF_HOME=... .venv-reference/bin/python tests/benchmarks/reference/run.py --encoder random OUT.json

Encoders: `random` and `coarse` (see encoders.py), `minilm` (the model itself, each text encoded once), or the path of
an .npz file of vectors, looked up by text.
Every subset of every split is scored by a task object of its own; tasks whose subsets share a generator are scored
once more in one run (`"together": true`). The sums are the task classes' own, before any rounding of result files.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import logging
import math
import os
import platform
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ["TQDM_DISABLE"] = "1"

import mteb
from encoders import StoredVectors, Vectors, coarse_vectors, random_vectors
from hub_tasks import HUB_TASKS, LAB_TASKS
from lab_tasks import LAB
from mock_tasks import IMAGE_MOCKS, MOCKS, export
from mteb.abstasks import AbsTaskClustering, AbsTaskMultilabelClassification, AbsTaskRetrieval
from recorder import Recorder

PACKAGES = (
    "mteb",
    "numpy",
    "scipy",
    "scikit-learn",
    "torch",
    "datasets",
    "sentence-transformers",
    "pytrec-eval-terrier",
)

SHARED_GENERATOR = (AbsTaskClustering, AbsTaskMultilabelClassification)
"""Types whose subsets and splits draw from one generator, so that their order matters."""


def main() -> None:
    """Score the tasks asked for and write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--encoder", default="random", metavar="random|coarse|minilm|FILE.npz")
    parser.add_argument("--tasks", nargs="*", default=[*HUB_TASKS, *LAB_TASKS], metavar="NAME[:SUBSET,...]")
    parser.add_argument("--mocks", type=Path, help="score mteb.mocks, and write their data and configs to this folder")
    parser.add_argument("--texts", type=Path, help="also write all texts that were encoded, as a JSON list")
    parser.add_argument("--brief", action="store_true", help="main scores and metrics only")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    encoder = Recorder(_vectors(arguments.encoder))
    names = [*MOCKS, *IMAGE_MOCKS] if arguments.mocks else arguments.tasks
    runs = [run for name in names for run in _runs(name, encoder, arguments.mocks)]
    if arguments.brief:
        runs = [{key: run[key] for key in run if key not in ("details", "given")} for run in runs]
    versions = {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in PACKAGES}}
    facts = {"encoder": Path(arguments.encoder).stem, "versions": versions, "runs": runs}
    arguments.out.write_text(_one_run_a_line(facts), encoding="utf-8")
    if arguments.texts:
        arguments.texts.write_text(json.dumps(sorted(encoder.seen)), encoding="utf-8")


def _vectors(name: str) -> Vectors:
    if name == "minilm":
        from encode_minilm import MiniLM

        return MiniLM()
    named: dict[str, Vectors] = {"random": random_vectors, "coarse": coarse_vectors}
    return named.get(name) or StoredVectors.read(Path(name))


def _runs(name: str, encoder: Recorder, mocks: Path | None) -> Iterator[dict[str, Any]]:
    loaded = _task(name)
    loaded.load_data()
    if isinstance(loaded, AbsTaskRetrieval):
        loaded.convert_v1_dataset_format_to_v2(num_proc=None)
    if mocks:
        export(loaded, mocks)
    subsets, splits = loaded.hf_subsets, loaded.eval_splits
    for split in splits:
        for subset in subsets:
            yield _scored(_fresh(loaded, [subset]), split, subset, encoder, together=False)
    if isinstance(loaded, SHARED_GENERATOR) and len(subsets) * len(splits) > 1:
        task = _fresh(loaded, subsets)
        for split in splits:
            for subset in task.hf_subsets:
                yield _scored(task, split, subset, encoder, together=True)


def _task(wanted: str) -> Any:
    """A new task, cut to the subsets asked for (NAME:SUBSET,SUBSET) or to those that the shared hub has."""
    name, _, given = wanted.partition(":")
    ours = {**LAB, **MOCKS, **IMAGE_MOCKS}
    task = ours[name]() if name in ours else mteb.get_task(name)
    subsets = given.split(",") if given else {**HUB_TASKS, **LAB_TASKS}.get(name, task.hf_subsets)
    task.hf_subsets = [subset for subset in task.hf_subsets if subset in subsets]
    return task


def _fresh(loaded: Any, subsets: Sequence[str]) -> Any:
    """A new task object, its generators at their start, over data that is loaded already."""
    task = type(loaded)()
    task.dataset, task.data_loaded = loaded.dataset, True
    task.hf_subsets = [subset for subset in loaded.hf_subsets if subset in subsets]
    return task


def _scored(task: Any, split: str, subset: str, encoder: Recorder, *, together: bool) -> dict[str, Any]:
    print(task.metadata.name, split, subset, "together" if together else "", file=sys.stderr, flush=True)
    scores = task.evaluate(encoder, split, subsets_to_run=[subset], encode_kwargs={"show_progress_bar": False})[subset]
    plain = json.loads(json.dumps(scores, default=float))
    metrics = {name: _finite(value) for name, value in plain.items() if isinstance(value, float | int)}
    return {
        "task": task.metadata.name,
        "type": task.metadata.type,
        "split": split,
        "subset": subset,
        "together": together,
        "main_metric": task.metadata.main_score,
        "metrics": metrics,
        "details": {name: value for name, value in plain.items() if isinstance(value, list | dict)},
        "given": encoder.given(),
    }


def _finite(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _one_run_a_line(facts: dict[str, Any]) -> str:
    runs = ",\n".join(json.dumps(run, sort_keys=True) for run in facts.pop("runs"))
    return json.dumps(facts)[:-1] + ', "runs": [\n' + runs + "\n]}\n"


if __name__ == "__main__":
    main()

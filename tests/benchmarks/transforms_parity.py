"""Our transforms beside the reference's own preparation of the same rows, task by task.

    python tests/benchmarks/transforms_parity.py [TASK ...] [--reference .venv-reference/bin/python]

For each task with transforms it makes synthetic splits of the publisher's layout, derived from the steps, has the
reference's `dataset_transform` prepare them (reference_transforms.py, in the reference's own environment) and compares
what a task type reads: columns, their values and their order; for retrieval texts and judgments. Exit status 1 when any
differs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from synthetic_rows import columns_of, make_split

from embedmark.runner.common.errors import UserError
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import TaskConfig
from embedmark.runner.data.table import RetrievalTables, Table
from embedmark.runner.data.transforms.apply import apply, needed
from embedmark.runner.data.transforms.parsing import Step, parse

ROOT = Path(__file__).resolve().parents[2]
READ = {
    "classification": ("text", "label"),
    "multilabel_classification": ("text", "label"),
    "clustering": ("sentences", "labels"),
    "clustering_legacy": ("sentences", "labels"),
    "pair_classification": ("sentence1", "sentence2", "labels"),
    "sts": ("sentence1", "sentence2", "score"),
    "bitext_mining": ("sentence1", "sentence2"),
}
TRAINED = {"classification", "multilabel_classification", "regression"}
SET_ORDERED = {"DKHateClassification", "ScalaClassification"}
"""The reference numbers the labels of these in the order of a Python set: compared up to names."""


def main() -> int:
    """Compare; exit status 1 when any task differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*")
    parser.add_argument("--reference", default=str(ROOT / ".venv-reference/bin/python"))
    options = parser.parse_args()
    catalogue = Catalogue()
    elsewhere = yaml.safe_load((ROOT / "tools" / "tables" / "layouts.yaml").read_text())  # see layouts_parity.py
    names = options.tasks or [name for name in catalogue.tasks if name not in elsewhere]
    # Made-up rows are texts and numbers, so that tasks of images have none.
    tasks = [task for task in map(catalogue.task, names) if "image" not in task.about.modalities]
    cases = [case for task in tasks if task.transforms and hasattr(task.dataset, "hub") for case in _cases(task)]
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "given.json", Path(folder) / "made.json"
        given.write_text(json.dumps(cases))
        script = Path(__file__).with_name("reference_transforms.py")
        subprocess.run(
            [options.reference, str(script), str(given), str(made)],
            check=True,
            env={**os.environ, "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"},
        )
        references = json.loads(made.read_text())
    faults = [fault for case, found in zip(cases, references, strict=True) if (fault := _compare(case, found))]
    print("\n".join(faults))
    print(f"{len(cases)} cases of {len({case['task'] for case in cases})} tasks, {len(faults)} differ")
    return 1 if faults else 0


def _cases(task: TaskConfig) -> list[dict[str, Any]]:
    """What to prepare: one case for each subset that a step treats by itself, or the first."""
    steps = parse(task.transforms)
    special = [subset for step in steps for subset in step.subsets or ()]
    subsets = list(dict.fromkeys([*special, *(subset for subset in task.subsets if subset not in special)]))[
        : max(1, len(set(special)) + 1)
    ]
    return [_case(task, steps, subset) for subset in subsets]


def _case(task: TaskConfig, steps: Sequence[Step], subset: str) -> dict[str, Any]:
    wanted = list(dict.fromkeys([*task.splits, *(("train",) if task.type in TRAINED else ())]))
    if not any(step.name in ("train_test_split", "to_retrieval") for step in steps) and "train" not in task.splits:
        wanted = [split for split in wanted if split != "train" or task.type in TRAINED]
    if task.settings.get("train_split") in wanted:
        wanted = list(task.splits)
    loaded = needed(steps, subset, wanted)
    layout = columns_of(task, steps, _read(task))
    rng = random.Random(f"{task.name} {subset}")
    return {
        "task": task.name,
        "subset": subset,
        "wanted": wanted,
        "splits": {split: make_split(layout, rng, split) for split in loaded},
    }


def _compare(case: Mapping[str, Any], found: Mapping[str, Any]) -> str | None:
    where = f"{case['task']} [{case['subset']}]"
    if "error" in found:
        return f"{where}: the reference failed: {found['error']}"
    task = Catalogue().task(case["task"])
    loaded = {split: _table(content) for split, content in case["splits"].items()}
    try:
        ours = apply(parse(task.transforms), loaded, case["subset"])
    except UserError as error:
        return f"{where}: ours failed: {error}"
    for split in case["wanted"]:
        if split not in found["splits"]:
            return f"{where}: the reference has no split {split!r}"
        fault = _difference(task, ours[split], found["splits"][split])
        if fault:
            return f"{where} {split}: {fault}"
    return None


def _table(content: Mapping[str, Any]) -> Any:
    if "queries" in content:
        return RetrievalTables(**{part: Table.of(columns) for part, columns in content.items()})
    table = Table.of(content["columns"])
    for name, classes in content["classes"].items():
        table = table.put(name, table.column(name), tuple(classes))
    return table


def _difference(task: TaskConfig, ours: Any, reference: Mapping[str, Any]) -> str | None:
    if isinstance(ours, RetrievalTables):
        return _retrieval_difference(ours, reference)
    for name in _read(task):
        if name not in reference["columns"]:
            return f"the reference has no column {name!r}, only {sorted(reference['columns'])}"
        mine, theirs = _flat(ours.values(name)), _flat(reference["columns"][name])
        if task.name in SET_ORDERED and name == "label":
            mine, theirs = _by_first_use(mine), _by_first_use(theirs)
        if mine != theirs:
            place = next((row for row, pair in enumerate(zip(mine, theirs, strict=False)) if pair[0] != pair[1]), None)
            at = (
                ""
                if place is None
                else f", first at row {place}: {str(mine[place])[:60]!r}, {str(theirs[place])[:60]!r}"
            )
            return f"{name}: {len(mine)} rows, reference {len(theirs)}{at}"
    return None


def _read(task: TaskConfig) -> tuple[str, ...]:
    """The columns that the task type reads, by default or by the task's settings."""
    own = tuple(task.settings[key] for key in ("input_column", "label_column") if key in task.settings)
    return own or READ.get(task.type, ())


def _flat(values: Sequence[Any]) -> Sequence[Any]:
    """One row of lists, the older layout of pairs, is read as its lists."""
    return values[0] if len(values) == 1 and isinstance(values[0], list) else values


def _by_first_use(values: Sequence[Any]) -> list[int]:
    places: dict[Any, int] = {}
    return [places.setdefault(value, len(places)) for value in values]


def _retrieval_difference(ours: RetrievalTables, reference: Mapping[str, Any]) -> str | None:
    rows = ours.rows()
    mine = {
        "corpus": dict(zip(rows.corpus["id"], rows.corpus["text"], strict=True)),
        "queries": dict(zip(rows.queries["id"], rows.queries["text"], strict=True)),
        "qrels": {query: dict(found) for query, found in rows.qrels.items()},
    }
    if "instruction" in rows.queries:
        return "the instruction is still there"
    for part, content in mine.items():
        if content != reference[part]:
            return f"{part}: {len(content)} entries, reference {len(reference[part])}"
    return None


if __name__ == "__main__":
    sys.exit(main())

"""Our reading of tasks with layouts of their own beside the reference's `load_data`, on one loopback hub.

    python tests/benchmarks/layouts_parity.py [TASK ...] [--reference .venv-reference/bin/python]

Every task of tools/tables/layouts.yaml that is not awaiting anything gets a small dataset in its publisher's layout
(layout_rows.py). Both sides load it from the hub; corpus, queries, judgments, candidates and instructions, or the
columns of plain tables, are compared in order. Exit status 1 when any differs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from layout_rows import Repository, judgments, repository
from resolved import load

from embedmark.runner.common.errors import UserError
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import HubDataset, TaskConfig
from embedmark.runner.hub.files import Hub
from embedmark.tasks.base import RetrievalRows

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests"))
from loopback import serving  # noqa: E402 - it lies beside the tests

COMMIT = "c" * 40
MOST_SUBSETS = 4
TRAINED = {"classification", "multilabel_classification"}


def main() -> int:
    """Compare; exit status 1 when any task differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*")
    parser.add_argument("--reference", default=str(ROOT / ".venv-reference/bin/python"))
    options = parser.parse_args()
    catalogue = Catalogue()
    table = yaml.safe_load((ROOT / "tools" / "tables" / "layouts.yaml").read_text())
    names = options.tasks or [name for name in table if not name.startswith(".")]
    tasks = [task for task in map(catalogue.task, names) if not task.awaits]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "hub"
        for task in tasks:
            publish(root, task)
        with serving(root) as endpoint:
            cases = [_case(task) for task in tasks]
            references = _reference(options.reference, cases, Path(folder), endpoint)
            hub = Hub(endpoint, Path(folder) / "ours", offline=False)
            faults = [
                fault
                for task, case, found in zip(tasks, cases, references, strict=True)
                for fault in _compare(task, case, found, hub)
            ]
    print("\n".join(faults))
    print(f"{sum(len(case['subsets']) for case in cases)} subsets of {len(tasks)} tasks, {len(faults)} differ")
    return 1 if faults else 0


def subsets_of(task: TaskConfig) -> list[str]:
    """The first subsets, or where pairs have a direction, some of each."""
    if task.name == "BelebeleRetrieval":
        return ["acm_Arab-acm_Arab", "acm_Arab-eng_Latn", "eng_Latn-acm_Arab", "arb_Arab-arb_Latn"]
    if task.name == "BibleNLPBitextMining":
        return ["eng_Latn-aai_Latn", "aai_Latn-eng_Latn"]
    return list(task.subsets)[:MOST_SUBSETS]


def publish(root: Path, task: TaskConfig) -> None:
    """Write a task's dataset into a hub's folder."""
    assert isinstance(task.dataset, HubDataset)
    revision = task.dataset.revision if task.dataset.revision not in (None, "main") else COMMIT
    folder = root / "datasets" / task.dataset.hub / str(revision)
    if (folder / "README.md").exists():
        return
    every = task.name not in ("BelebeleRetrieval", "BibleNLPBitextMining")
    content: Repository = repository(task, task.subsets if every else subsets_of(task))
    if "LEMB" in task.name:  # one repository for several tasks
        for name in ("narrativeqa", "qmsum", "summ_screen_fd", "2wikimqa", "needle"):
            content |= {(name, part): rows for (_, part), rows in repository(_other_config(task, name), []).items()}
    write_repository(folder, content)
    for place in task.dataset.layout.values():
        if place.hub is not None:  # judgments, which lie in a dataset of their own
            write_repository(root / "datasets" / place.hub / str(place.revision), {("default", "test"): judgments()})


def write_repository(folder: Path, content: Repository) -> None:
    """Write a dataset's tables, and the header that says which file is which configuration's split."""
    folder.mkdir(parents=True)
    _fill_columns(content)
    configs: dict[str, list[dict[str, str]]] = {}
    for number, (place, rows) in enumerate(content.items()):
        path = place if isinstance(place, str) else f"data/{number}.jsonl"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        if not isinstance(place, str):
            configs.setdefault(place[0], []).append({"split": place[1], "path": path})
    header = {"configs": [{"config_name": name, "data_files": files} for name, files in configs.items()]}
    (folder / "README.md").write_text(f"---\n{yaml.safe_dump(header) if configs else 'license: mit'}\n---\n")


def _fill_columns(content: Repository) -> None:
    """`datasets` wants the same columns in all splits of a configuration."""
    empty: dict[Any, dict[str, Any]] = {}
    for place, rows in content.items():
        known = empty.setdefault(place if isinstance(place, str) else place[0], {})
        known.update({name: type(value)() for row in rows for name, value in row.items() if value is not None})
    for place, rows in content.items():
        known = empty[place if isinstance(place, str) else place[0]]
        content[place] = [{**known, **row} for row in rows]


def _other_config(task: TaskConfig, name: str) -> TaskConfig:
    dataset = task.dataset.model_copy(update={"config": name})
    named = "LEMBNeedleRetrieval" if name == "needle" else "LEMBOther"
    return task.model_copy(update={"dataset": dataset, "name": named})


def _case(task: TaskConfig) -> dict[str, Any]:
    splits = list(dict.fromkeys([*task.splits, *(("train",) if task.type in TRAINED else ())]))
    return {"task": task.name, "subsets": subsets_of(task), "splits": splits}


def _reference(python: str, cases: Sequence[Mapping[str, Any]], folder: Path, endpoint: str) -> list[dict[str, Any]]:
    given, made = folder / "given.json", folder / "made.json"
    given.write_text(json.dumps(cases))
    script = Path(__file__).with_name("reference_layouts.py")
    environment = {
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(folder / "theirs"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    }
    subprocess.run([python, str(script), str(given), str(made)], check=True, env={**os.environ, **environment})
    found: list[dict[str, Any]] = json.loads(made.read_text())
    return found


def _compare(task: TaskConfig, case: Mapping[str, Any], found: Mapping[str, Any], hub: Hub) -> list[str]:
    if "error" in found:
        return [f"{task.name}: the reference failed: {found['error']}"]
    faults = []
    for subset in case["subsets"]:
        try:
            ours = load(task, subset, case["splits"], hub=hub).splits
        except UserError as error:
            faults.append(f"{task.name} [{subset}]: ours failed: {error}")
            continue
        for split in case["splits"]:
            rows = ours[split]
            theirs = found["splits"][subset][split]
            mine = json.loads(json.dumps(_retrieval(rows) if isinstance(rows, RetrievalRows) else _plain(rows, theirs)))
            faults += [
                f"{task.name} [{subset}] {split}: {part}: ours {mine.get(part)!s:.300}, reference {content!s:.300}"
                for part, content in theirs.items()
                if mine.get(part) != content
            ]
    return faults


def _plain(rows: Any, theirs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(rows[name]) for name in theirs}


def _retrieval(rows: RetrievalRows) -> dict[str, Any]:
    titles = list(rows.corpus["title"]) if "title" in rows.corpus else [""] * rows.corpus.n_rows
    told = list(rows.queries["instruction"]) if "instruction" in rows.queries else [None] * rows.queries.n_rows
    return {
        "corpus": [list(row) for row in zip(rows.corpus["id"], titles, rows.corpus["text"], strict=True)],
        "queries": [list(row) for row in zip(rows.queries["id"], rows.queries["text"], told, strict=True)],
        "qrels": {query: dict(judged) for query, judged in rows.qrels.items() if query in set(rows.queries["id"])},
        "top_ranked": None if rows.top_ranked is None else {key: list(found) for key, found in rows.top_ranked.items()},
        "changed": None if rows.changed is None else {key: list(found) for key, found in rows.changed.items()},
    }


if __name__ == "__main__":
    sys.exit(main())

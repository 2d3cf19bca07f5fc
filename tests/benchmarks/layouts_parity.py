"""Our reading of tasks with layouts of their own beside the reference's `load_data`, on one loopback hub.

    python tests/benchmarks/layouts_parity.py [TASK ...] [--reference .venv-reference/bin/python]

Every task of tools/tables/layouts.yaml and images_*.yaml that is not awaiting anything, and every task of images that
is read as any other, gets a small dataset in its publisher's layout (layout_rows.py, layout_rows_any.py). Both sides
load it from the hub; corpus, queries, judgments, candidates and instructions, or the columns of plain tables, are
compared in order, pictures by their pixels. Exit status 1 when any differs.
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

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from layout_pictures import joined, seen, write_tar
from layout_rows import Repository, is_usual, judgments, repository
from loopback import serving
from resolved import load, resolved_task

from embedmark.runner.common.errors import UserError
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import HubDataset, TaskConfig
from embedmark.runner.hub.files import Hub
from embedmark.tasks.base import RetrievalRows, Rows, TaskContext, TaskData
from embedmark.tasks.types import task_types

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "configs"
COMMIT = "c" * 40
MOST_SUBSETS = 4
TRAINED = {"classification", "multilabel_classification"}


def main() -> int:
    """Compare; exit status 1 when any task differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*")
    parser.add_argument("--config-dir", type=Path, action="append", default=[], help="more tasks, as for the runner")
    parser.add_argument("--reference", default=str(ROOT / ".venv-reference/bin/python"))
    options = parser.parse_args()
    catalogue = Catalogue((*options.config_dir, CONFIGS))
    tasks = [task for task in map(catalogue.task, options.tasks or _names(catalogue)) if not task.awaits]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "hub"
        publish(root, tasks)
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


def _names(catalogue: Catalogue) -> list[str]:
    """The tasks of the tables of layouts, and all of images."""
    files = [ROOT / "tools" / "tables" / "layouts.yaml", *sorted((ROOT / "tools" / "tables").glob("images_*.yaml"))]
    tabled = [name for path in files for name in yaml.safe_load(path.read_text()) if not name.startswith(".")]
    return list(dict.fromkeys([*tabled, *(name for name in catalogue.tasks if _of_images(catalogue.task(name)))]))


def _of_images(task: TaskConfig) -> bool:
    return "image" in task.about.modalities and isinstance(task.dataset, HubDataset)


def subsets_of(task: TaskConfig) -> list[str]:
    """The first subsets, or where pairs have a direction, some of each."""
    if task.name == "BelebeleRetrieval":
        return ["acm_Arab-acm_Arab", "acm_Arab-eng_Latn", "eng_Latn-acm_Arab", "arb_Arab-arb_Latn"]
    if task.name == "BibleNLPBitextMining":
        return ["eng_Latn-aai_Latn", "aai_Latn-eng_Latn"]
    return list(task.subsets)[:MOST_SUBSETS]


def publish(root: Path, tasks: Sequence[TaskConfig]) -> None:
    """Write the datasets of tasks into a hub's folder; several tasks may read one."""
    content: dict[Path, Repository] = {}
    for task in sorted(tasks, key=is_usual):  # where a layout of one's own says what is there, it says it for all
        assert isinstance(task.dataset, HubDataset)
        revision = task.dataset.revision if task.dataset.revision not in (None, "main") else COMMIT
        folder = root / "datasets" / task.dataset.hub / str(revision)
        if folder in content and "image" not in task.about.modalities:
            continue
        content[folder] = joined(content.get(folder, {}), _content(task))
        for place in task.dataset.layout.values():
            if place.hub is not None:  # judgments, which lie in a dataset of their own
                content[root / "datasets" / place.hub / str(place.revision)] = {("default", "test"): judgments()}
    for folder, found in content.items():
        write_repository(folder, found)


def _content(task: TaskConfig) -> Repository:
    every = task.name not in ("BelebeleRetrieval", "BibleNLPBitextMining")
    content: Repository = repository(task, task.subsets if every else subsets_of(task))
    if "LEMB" in task.name:  # one repository for several tasks
        for name in ("narrativeqa", "qmsum", "summ_screen_fd", "2wikimqa", "needle"):
            content |= {(name, part): rows for (_, part), rows in repository(_other_config(task, name), []).items()}
    return content


def write_repository(folder: Path, content: Repository) -> None:
    """Write a dataset's tables, and the header that says which file is which configuration's split."""
    folder.mkdir(parents=True)
    _fill_columns(content)
    configs: dict[str, list[dict[str, str]]] = {}
    for number, (place, rows) in enumerate(content.items()):
        kind = "jsonl" if isinstance(rows, list) else "tar" if "/wds_" in folder.as_posix() else "parquet"
        path = place if isinstance(place, str) else f"data/{number}.{kind}"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        if isinstance(rows, list):
            (folder / path).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        elif kind == "tar":
            write_tar(rows, folder / path)
        else:
            rows.to_parquet(folder / path)
        if not isinstance(place, str):
            configs.setdefault(place[0], []).append({"split": place[1], "path": path})
    header = {"configs": [{"config_name": name, "data_files": files} for name, files in configs.items()]}
    (folder / "README.md").write_text(f"---\n{yaml.safe_dump(header) if configs else 'license: mit'}\n---\n")


def _fill_columns(content: Repository) -> None:
    """`datasets` wants the same columns in all splits of a configuration."""
    empty: dict[Any, dict[str, Any]] = {}
    texts = {place: rows for place, rows in content.items() if isinstance(rows, list)}
    for place, rows in texts.items():
        known = empty.setdefault(place if isinstance(place, str) else place[0], {})
        known.update({name: type(value)() for row in rows for name, value in row.items() if value is not None})
    for place, rows in texts.items():
        known = empty[place if isinstance(place, str) else place[0]]
        content[place] = [{**known, **row} for row in rows]


def _other_config(task: TaskConfig, name: str) -> TaskConfig:
    dataset = task.dataset.model_copy(update={"config": name})
    named = "LEMBNeedleRetrieval" if name == "needle" else "LEMBOther"
    return task.model_copy(update={"dataset": dataset, "name": named})


def _case(task: TaskConfig) -> dict[str, Any]:
    splits = list(dict.fromkeys([*task.splits, *(("train",) if task.type in TRAINED else ())]))
    case = {"task": task.name, "subsets": subsets_of(task), "splits": splits}
    if "image" not in task.about.modalities:
        return case
    kind = task_types()[task.type]
    if kind.retrieval_layout:
        return {**case, "sides": (task.about.category or "").split("2")}
    return {**case, "columns": [name for name, _ in resolved_task(task).columns]}


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
            retrieval = isinstance(rows, RetrievalRows)
            mine = _retrieval(rows, case.get("sides")) if retrieval else _plain(rows, theirs)
            if "columns" in theirs:
                mine["columns"] = case["columns"]
            if "candidates" in theirs:
                mine["candidates"] = _candidates(task, split, ours)
            mine = json.loads(json.dumps(mine))
            faults += [
                f"{task.name} [{subset}] {split}: {part}: ours {mine.get(part)!s:.300}, reference {content!s:.300}"
                for part, content in theirs.items()
                if mine.get(part) != content
            ]
    return faults


def _plain(rows: Any, theirs: Mapping[str, Any]) -> dict[str, Any]:
    classes = {name: list(rows.classes[name]) for name in theirs.get("classes", {}) if name in rows.classes}
    found = {name: seen(list(rows[name])) for name in theirs if name not in ("classes", "candidates", "columns")}
    return {**found, "classes": classes} if "classes" in theirs else found


def _candidates(task: TaskConfig, split: str, splits: Mapping[str, Rows | RetrievalRows]) -> list[Any]:
    """The candidate texts of a zero-shot classification."""
    resolved = resolved_task(task)
    bound = resolved.type.bind(resolved.settings, TaskContext(task.name, task.type, split=split), task.main_metric)
    return list(bound.items(TaskData(splits))[0].items)


def _retrieval(rows: RetrievalRows, sides: Sequence[str] | None) -> dict[str, Any]:
    asked, told = sides or ("t", "t")
    known = set(rows.queries["id"])
    return {
        "corpus": _items(rows.corpus, told, "title", ""),
        "queries": _items(rows.queries, asked, "instruction", None),
        "qrels": {query: dict(judged) for query, judged in rows.qrels.items() if query in known},
        "top_ranked": None
        if rows.top_ranked is None
        else {key: list(found) for key, found in rows.top_ranked.items() if key in known},
        "changed": None if rows.changed is None else {key: list(found) for key, found in rows.changed.items()},
    }


def _items(rows: Rows, side: str, beside: str, missing: str | None) -> list[Any]:
    """Each item's id and parts, those of its side alone; `beside` is the column that goes with its text."""
    parts = [rows["id"]]
    if "t" in side:
        others = rows[beside] if beside in rows else [missing] * rows.n_rows
        parts += [[missing if other is None else other for other in others], rows["text"]]
    if "i" in side:
        parts.append([seen(value) for value in rows["image"]])
    return [list(row) for row in zip(*parts, strict=True)]


if __name__ == "__main__":
    sys.exit(main())

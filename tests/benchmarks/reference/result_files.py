"""Result files of the reference, and a comparison of files that are to be like them. Runs in its environment.

    .venv-reference/bin/python tests/benchmarks/reference/result_files.py write FOLDER
    .venv-reference/bin/python tests/benchmarks/reference/result_files.py compare THEIRS OURS

`write` runs every text task of mteb.mocks with vectors out of hashes (encoders.py), and writes what `export` of
mock_tasks.py writes beside FOLDER/results/<Task>.json. `compare` loads both folders with mteb's own loader and prints
one JSON object: task → what differs. The sums of time, the date, the phases and the versions are not compared.
"""

from __future__ import annotations

import json
import logging
import math
import os
import sys
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ["TQDM_DISABLE"] = "1"

from encoders import random_vectors
from mock_tasks import MOCKS, export
from mteb.abstasks import AbsTaskRetrieval
from mteb.cache import ResultCache
from mteb.results import TaskResult
from recorder import Recorder

NOT_COMPARED = {"mteb_version", "embedmark"}


def main() -> None:
    """Do what the first argument says."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    what, *folders = sys.argv[1:]
    if what == "write":
        write(Path(folders[0]))
    else:
        print(json.dumps(compare(Path(folders[0]), Path(folders[1]))))


def write(folder: Path) -> None:
    """Run the mock tasks, each whole, and write their result files."""
    (folder / "results").mkdir(parents=True)
    for name, kind in MOCKS.items():
        task = kind()
        task.load_data()
        if isinstance(task, AbsTaskRetrieval):
            task.convert_v1_dataset_format_to_v2(num_proc=None)
        export(task, folder)
        encoder = Recorder(random_vectors)
        scores = {
            split: task.evaluate(
                encoder, split, subsets_to_run=list(task.hf_subsets), encode_kwargs={"show_progress_bar": False}
            )
            for split in task.eval_splits
        }
        made = TaskResult.from_task_results(task, json.loads(json.dumps(scores, default=float)), evaluation_time=1.0)
        made.to_disk(folder / "results" / f"{name}.json")


def compare(theirs: Path, ours: Path) -> dict[str, list[str]]:
    """Task → what differs, as mteb reads the two files; a file that only one side has differs."""
    cache = ResultCache(ours)
    paths = [path for path in cache.get_cache_paths(include_remote=False) if path.name != "model_meta.json"]
    mine = {path.stem: TaskResult.from_disk(path) for path in paths}
    reference = {path.stem: TaskResult.from_disk(path) for path in theirs.glob("*.json")}
    found = {name: ["there is no such file"] for name in mine.keys() ^ reference.keys()}
    for name in mine.keys() & reference.keys():
        a, b = reference[name].to_dict()["scores"], mine[name].to_dict()["scores"]
        found[name] = list(_differences(name, _by_subset(a), _by_subset(b)))
        reference[name].merge(mine[name], criteria=[])
    return found


def _by_subset(scores: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    return {
        f"{split}/{row['hf_subset']}": {key: value for key, value in row.items() if key not in NOT_COMPARED}
        for split, rows in scores.items()
        for row in rows
    }


def _differences(where: str, a: Any, b: Any) -> Any:
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(a.keys() | b.keys()):
            if key not in a or key not in b:
                yield f"{where}: {key} is only in {'ours' if key in b else 'theirs'}"
            else:
                yield from _differences(f"{where}/{key}", a[key], b[key])
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for place, (one, other) in enumerate(zip(a, b, strict=True)):
            yield from _differences(f"{where}[{place}]", one, other)
    elif a != b and not (_is_nan(a) and _is_nan(b)):
        yield f"{where}: {a!r} and {b!r}"


def _is_nan(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


if __name__ == "__main__":
    main()

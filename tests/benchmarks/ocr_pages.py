"""What a model that reads pages is worth beside one that is given their texts, and how well it reads.

    python tests/benchmarks/ocr_pages.py [--pages 100] [--tasks quickstart xquad stsb]

Each task is run twice by the runner: on its texts with all-MiniLM-L6-v2, which is the ceiling, and on pages that are
drawn of the same texts, with ocr_minilm. Prints both scores, and the character error rate: Levenshtein's distance of
what is read and what was drawn, line breaks aside, summed over pages, by the characters drawn. The tasks of `xquad`
and `stsb` (English alone) are on the loopback hub; those of `quickstart` come with packages. A page takes a second.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from loopback import serving, shared_folder

from embedmark.models.torch.images import decoded
from embedmark.models.torch.ocr import recognizer
from embedmark.tasks.base import Image

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIGS = REPOSITORY / "configs/task"
DRAW = {"pillow": "13.0.0"}
RAPIDOCR = "1.4.4"

Pair = tuple[dict[str, Any], dict[str, Any]]
"""The configs of a task of texts and of the same task with pages."""


def main() -> None:
    """Run the tasks and print a row each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=100, help="of the hub's tasks (default: %(default)s)")
    parser.add_argument("--tasks", nargs="+", default=["quickstart", "xquad", "stsb"])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        environment = {}
        if {"xquad", "stsb"} & set(arguments.tasks):
            endpoint = stack.enter_context(serving(shared_folder() / "hub/root"))
            environment = {"HF_ENDPOINT": endpoint, "HF_HOME": f"{scratch}/hf"}
        print("task | of texts | of pages | character error rate | pages")
        for texts, pages in pairs(arguments.tasks, arguments.pages):
            ceiling = run(texts, "minilm", Path(scratch), environment)
            read = run(pages, "ocr_minilm", Path(scratch), environment)
            rate, count = error_rate(pages, environment)
            print(f"{pages['name']} | {ceiling:.4f} | {read:.4f} | {rate:.4f} | {count}", flush=True)


def pairs(names: list[str], pages: int) -> Iterator[Pair]:
    """The tasks asked for."""
    if "quickstart" in names:
        for file in ("bible_pages_retrieval", "bible_verses_visual_sts"):
            drawn = yaml.safe_load((CONFIGS / f"quickstart/{file}.yaml").read_text(encoding="utf-8"))
            yield as_texts(drawn), drawn
    if "xquad" in names:
        known = yaml.safe_load((CONFIGS / "retrieval/xquad.yaml").read_text(encoding="utf-8"))
        known |= {"subsets": {"en": ["eng-Latn"]}, "transforms": [{"take": pages, "part": "corpus"}]}
        known["transforms"].append({"render": {"column": "text", **DRAW}, "part": "corpus"})
        drawn = {**known, "name": "XQuADPages", "settings": {"document_modality": "image"}}
        yield as_texts(drawn), drawn
    if "stsb" in names:
        known = yaml.safe_load((CONFIGS / "sts/stsbenchmark.yaml").read_text(encoding="utf-8"))
        steps: list[dict[str, Any]] = [{"subsample": {"n": pages // 2, "seed": 42}}]
        steps += [{"render": {"column": f"sentence{n}", "into": f"image{n}", **DRAW}} for n in (1, 2)]
        settings = {"modality": "image", "columns": ["image1", "image2"]}
        drawn = {**known, "name": "STSBenchmarkPages", "settings": settings, "transforms": steps}
        yield as_texts(drawn), drawn


def as_texts(drawn: Mapping[str, Any]) -> dict[str, Any]:
    """The same task on the texts that are drawn."""
    drawings = [step["render"] for step in drawn["transforms"] if "render" in step]
    kept = [step for step in drawn["transforms"] if not {"render", "select_columns"} & step.keys()]
    settings = {key: value for key, value in drawn["settings"].items() if "modality" not in key}
    if "columns" in settings:
        settings["columns"] = [drawing["column"] for drawing in drawings]
    return {**drawn, "name": f"{drawn['name']}Texts", "transforms": kept, "settings": settings, "about": {}}


def run(task: Mapping[str, Any], model: str, scratch: Path, environment: Mapping[str, str]) -> float:
    """The main score of a task."""
    configs = scratch / "configs"
    (configs / "task").mkdir(parents=True, exist_ok=True)
    (configs / f"task/{task['name']}.yaml").write_text(yaml.safe_dump(task), encoding="utf-8")
    outputs = scratch / f"outputs-{task['name']}"
    command = [sys.executable, "-m", "runner", "--config-dir", str(configs), f"model={model}", f"task={task['name']}"]

    subprocess.run(
        [*command, f"outputs={outputs}"], cwd=REPOSITORY, env={**os.environ, **environment}, check=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    (record,) = outputs.glob("jobs/*/result.json")
    return float(json.loads(record.read_text(encoding="utf-8"))["main_score"])


def error_rate(task: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[float, int]:
    """The character error rate over the task's distinct pages, and how many there are."""
    drawn = dict(drawings(task, environment))
    read = recognizer(RAPIDOCR)
    errors = characters = 0
    for content, text in drawn.items():
        pixels = np.asarray(decoded(Image(content), rgb=True))[:, :, ::-1]
        said = " ".join(text.split())
        errors += distance(read(np.ascontiguousarray(pixels)), said)
        characters += len(said)
    return errors / characters, len(drawn)


def drawings(task: Mapping[str, Any], environment: Mapping[str, str]) -> Iterator[tuple[bytes, str]]:
    """Each page with its text."""
    os.environ |= environment  # before anything asks where the hub is
    from resolved import load

    from embedmark.runner.config.schema import TaskConfig
    from embedmark.tasks.base import RetrievalRows

    kept = [step for step in task["transforms"] if "select_columns" not in step]
    config = TaskConfig.model_validate({**task, "transforms": kept})
    (split,), subset = config.splits, next(iter(config.subsets))
    found = load(config, subset, (split,)).splits[split]
    rows = found.corpus if isinstance(found, RetrievalRows) else found
    for step in kept:
        if "render" in step:
            yield from zip(rows[step["render"].get("into", "image")], rows[step["render"]["column"]], strict=True)


def distance(one: str, other: str) -> int:
    """How many letters have to be put in, left out or exchanged (Levenshtein 1966)."""
    row = np.arange(len(other) + 1)
    letters = np.array([ord(letter) for letter in other], dtype=np.int64)
    for number, letter in enumerate(one, start=1):
        exchanged = np.minimum(row[:-1] + (letters != ord(letter)), row[1:] + 1)
        row = np.concatenate([[number], exchanged])
        row = np.minimum.accumulate(row - np.arange(len(row))) + np.arange(len(row))
    return int(row[-1])


if __name__ == "__main__":
    main()

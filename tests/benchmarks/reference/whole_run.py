"""A whole run of the reference implementation, as its users start one. Runs in the reference's environment.

    HF_ENDPOINT=... HF_HOME=... .venv-reference/bin/python tests/benchmarks/reference/whole_run.py RESULTS STS16 ...

Tasks are TASK[:SUBSET,...]. Prints one JSON object: seconds from the model's loading to the last score, and the main
score of each task, split and subset. RESULTS: a folder for the reference's own result files. MODEL_FOLDER in the
environment names a checkpoint to load instead of all-MiniLM-L6-v2.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ["TQDM_DISABLE"] = "1"

import mteb
from lab_tasks import LAB
from mteb.abstasks import AbsTask
from mteb.cache import ResultCache
from mteb.models.sentence_transformer_wrapper import SentenceTransformerEncoderWrapper

MODEL = "sentence-transformers/all-MiniLM-L6-v2"


def main() -> None:
    """Load, evaluate, print."""
    results, *names = sys.argv[1:]
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    started = time.perf_counter()
    folder = os.environ.get("MODEL_FOLDER")
    model = SentenceTransformerEncoderWrapper(folder) if folder else mteb.get_model(MODEL)
    found = mteb.evaluate(model, [_task(name) for name in names], cache=ResultCache(results), co2_tracker=False)
    seconds = time.perf_counter() - started
    scores = {
        f"{result.task_name}/{entry['hf_subset']}/{split}": entry["main_score"]
        for result in found.task_results
        for split, entries in result.scores.items()
        for entry in entries
    }
    print(json.dumps({"seconds": seconds, "scores": scores}))


def _task(name: str) -> AbsTask:
    task, _, subsets = name.partition(":")
    wanted = subsets.split(",")
    if task in LAB:
        made = LAB[task]()
        made.hf_subsets = wanted
        return made
    return mteb.get_task(task, hf_subsets=wanted)


if __name__ == "__main__":
    main()

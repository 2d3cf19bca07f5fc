"""Scores equal the reference implementation's: every metric of every task that the hub has data for.

The facts were made by tests/benchmarks/reference/run.py in the reference's own environment, on the same hub and with
the same vectors. `python tests/benchmarks/parity.py` makes the same comparison live.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import ours
import pytest
from encoders import MINILM32, StoredVectors, Vectors, random_vectors
from hub_tasks import HUB_TASKS, LAB_TASKS

from embedmark.runner.common.errors import DataError, UserError

pytestmark = [pytest.mark.hub, pytest.mark.usefixtures("hub")]

FACTS = Path(__file__).parent / "facts"
TOLERANCE = 1e-6
END_TO_END_TOLERANCE = 1e-4
LEARNED = {"Classification", "Clustering"}
LEARNED_MEAN, LEARNED_EXPERIMENT = 1e-3, 2e-2
"""How far these may be off on another processor than the facts': logistic regression and k-means go in float32 steps
whose last digits a CPU's instructions decide, and now and then a row falls on the other side. On one machine, and with
one BLAS, `parity.py` finds no difference at all."""
ALONE = [*HUB_TASKS, *LAB_TASKS]


@cache
def facts(name: str) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = json.loads((FACTS / name).read_text(encoding="utf-8"))["runs"]
    return runs


@cache
def minilm32() -> StoredVectors:
    return StoredVectors.read(MINILM32)


def compare(facts_file: str, vectors: Vectors, task: str, scratch: Path, *, together: bool = False) -> None:
    """Score every (subset, split) that the facts know and hold all metrics against them."""
    runs = [run for run in facts(facts_file) if run["task"] == task and run["together"] is together]
    assert runs, f"{facts_file} has nothing on {task}"
    settings = {"draws": "mteb"} if together else {}
    jobs = ours.jobs(task, [run["subset"] for run in runs], settings=settings)
    planned = {(job.subset, job.split): job for job in jobs}
    assert set(planned) == {(run["subset"], run["split"]) for run in runs}
    found = {}
    for run in runs:
        place = run["subset"], run["split"]
        scored = ours.score(planned[place], vectors, scratch)
        assert not ours.unlike(run, scored), f"{place}: an encoder is not given what the reference gives it"
        found |= {(*place, metric): far for metric, far in ours.differences(run, scored.scores).items()}
    learned = runs[0]["type"] in LEARNED and statistics.median(found.values()) <= TOLERANCE
    far = {name: value for name, value in found.items() if not value <= allowed(name[-1], learned=learned)}
    assert not far


def allowed(metric: str, *, learned: bool) -> float:
    if not learned:
        return TOLERANCE
    return LEARNED_EXPERIMENT if metric.endswith("]") else LEARNED_MEAN


@pytest.mark.slow
@pytest.mark.parametrize("task", ALONE)
def test_equal_vectors_give_equal_scores(task: str, tmp_path: Path) -> None:
    compare("reference_equal_vectors.json", minilm32(), task, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["SIB200ClusteringS2S", "KMHaSSmall"])
def test_draws_of_mteb_replay_the_generator_that_jobs_share(task: str, tmp_path: Path) -> None:
    compare("reference_equal_vectors.json", minilm32(), task, tmp_path, together=True)


@pytest.mark.slow
@pytest.mark.parametrize("task", ALONE)
def test_vectors_without_meaning_give_equal_scores(task: str, tmp_path: Path) -> None:
    compare("reference_random.json", random_vectors, task, tmp_path)


END_TO_END = {
    "SIB200Classification": ["swe_Latn"],
    "SIB200ClusteringS2S": ["swe_Latn"],
    "NusaX-senti": ["ind"],
    "STSBenchmark": ["default"],
    "Tatoeba": ["tel-eng"],
    "TRECQAReranking": ["default"],
    "MasakhaNEWSHeadlineClustering": ["swa"],
}


@pytest.mark.slow
def test_minilm_end_to_end(hub_env: Mapping[str, str], tmp_path: Path) -> None:
    """The command line with the model itself, on 6,500 texts; `parity.py --encoder minilm` does all 60,000."""
    subsets = [(task, subset) for task, names in END_TO_END.items() for subset in names]
    records = ours.end_to_end(subsets, tmp_path / "outputs", env=hub_env)
    runs = [run for run in facts("reference_minilm.json") if (run["task"], run["subset"]) in subsets]
    runs = [run for run in runs if not run["together"]]
    assert {(run["task"], run["subset"], run["split"]) for run in runs} == set(records)
    far = {}
    for run in runs:
        place = run["task"], run["subset"], run["split"]
        far[place] = abs(run["metrics"]["main_score"] - records[place]["main_score"])
    assert max(far.values()) <= END_TO_END_TOLERANCE, far


@pytest.mark.reference
@pytest.mark.parametrize("which", ["--mocks", "--variants"])
def test_small_tasks_of_every_type_and_variant_live(which: str) -> None:
    """The reference's own mock tasks, and tasks of the catalogue on data made for the purpose."""
    script = ours.REPOSITORY / "tests" / "benchmarks" / "parity.py"
    command = [sys.executable, str(script), which, "--encoder", "random"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_sentences_that_are_missing_are_refused(tmp_path: Path) -> None:
    (job,) = ours.jobs("MasakhaNEWSHeadlineClustering", ["eng"])
    with pytest.raises((UserError, DataError), match="sentences"):
        ours.score(job, random_vectors, tmp_path)


def test_the_recorded_vectors_are_what_the_facts_were_made_with() -> None:
    keys, vectors = np.load(MINILM32)["keys"], np.load(MINILM32)["vectors"]
    assert vectors.dtype == np.float16
    assert vectors.shape == (len(keys), 32)

"""How long a run takes that has nothing to encode, beside the import of the library that it does without.

    python tests/benchmarks/warm_start.py [--tasks own] [--runs 5]

Nine small tasks with all-MiniLM-L6-v2, once with an empty store. A round is then `python -c "import
sentence_transformers"` and the same tasks with all embeddings in the store and no records, each a process of its own
from start to end. Prints medians, ranges and their ratio. The tasks are of the loopback hub, or of nine files of a few
dozen rows (`own`).
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from loopback import serving
from small_project import TASKS, reranking_task, small_project, task
from verbs import say, timed
from whole_run import hub_root, sides

OF_THE_HUB = (
    "SIB200Classification:swe_Latn", "SIB200ClusteringS2S:swe_Latn", "AmazonCounterfactualClassification:de",
    "NusaX-senti:ind", "STS16:default", "Tatoeba:tel-eng", "XQuADRetrieval:en", "TRECQAReranking:default",
    "MasakhaNEWSHeadlineClustering:swa",
)  # fmt: skip


def main() -> None:
    """Run the rounds and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", choices=("hub", "own"), default="hub")
    parser.add_argument("--runs", type=int, default=5, help="rounds (default: %(default)s)")
    arguments = parser.parse_args()
    seconds: dict[str, list[float]] = {"import sentence_transformers": [], "nine tasks, warm": []}
    with tempfile.TemporaryDirectory() as scratch, KINDS[arguments.tasks](Path(scratch)) as measure:
        measure()
        sides = (partial(_python, "-c", "import sentence_transformers"), partial(_again, Path(scratch), measure))
        for _ in range(arguments.runs):
            for found, run in zip(seconds.values(), sides, strict=True):
                found.append(timed(run))
    for name, found in seconds.items():
        say(name, found)
    imported, warm = map(statistics.median, seconds.values())
    print(f"{'ratio':45} {warm / imported:6.2f}")


@contextmanager
def _hub(scratch: Path) -> Iterator[Callable[[], object]]:
    with serving(hub_root(scratch)) as endpoint:
        yield sides(OF_THE_HUB, scratch, endpoint)["cold"]


@contextmanager
def _own(scratch: Path) -> Iterator[Callable[[], object]]:
    folder = small_project(scratch / "project")
    reranking_task(folder)
    for name, like in (("More", "likeness"), ("Others", "pairs")):
        task(folder, name, "sts", "cosine_spearman", dataset={"files": str(folder / "data" / like)})
    wanted = ",".join((*TASKS, "Order", "More", "Others"))
    words = ("model=minilm", f"tasks=[{wanted}]", f"outputs={scratch / 'outputs'}", "--config-dir", str(folder))
    yield partial(_python, "-m", "runner", *words)


KINDS = {"hub": _hub, "own": _own}


def _again(scratch: Path, measure: Callable[[], object]) -> None:
    shutil.rmtree(scratch / "outputs" / "jobs")
    measure()


def _python(*words: str) -> None:
    subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL, check=True)


if __name__ == "__main__":
    main()

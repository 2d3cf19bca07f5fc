"""What it costs to encode jobs group by group, so that scores appear early, instead of all texts in one pass.

    python tests/benchmarks/groups.py [--runs 5] [--batches 64] [--batch-tokens 1024] [--texts N] [--tasks TASK ...]

MiniLM on tasks of the quickstart benchmark, data and model loaded before. A round is two encodings, in turns, each with
an empty store in memory: everything in one pass, and group by group. Prints the processor time of both, and the ratio
of each pair, and how soon the first group's vectors are there as a share of the whole time. `--texts` takes only the
first of each column.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import ours

from embedmark.models.base import Encoder
from embedmark.runner.config.schema import Execution
from embedmark.runner.encode.engine import Encoding, Request
from embedmark.runner.encode.store import MemoryStore
from embedmark.runner.execute.grouping import BATCHES, grouped
from embedmark.runner.execute.jobs import prepare, requests
from embedmark.runner.execute.model import open_model

TASKS = ["EmojiNamesBitextMining", "EmojiNamesRetrieval", "EmojiNameLanguageClassification", "BibleNextVersePairs"]

Wanted = Sequence[tuple[Request, ...]]
"""The requests of each job."""


def main() -> None:
    """Run the pairs and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="pairs (default: %(default)s)")
    parser.add_argument("--batches", type=int, default=BATCHES, help="of a group (default: %(default)s)")
    parser.add_argument("--batch-tokens", type=int, help="padded tokens of a batch (default: the model's)")
    parser.add_argument("--texts", type=int, help="of each column (default: all)")
    parser.add_argument("--tasks", nargs="+", default=TASKS, metavar="TASK")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        encoder, wanted = _loaded(arguments.tasks, Path(scratch), arguments.texts)
    ratios = []
    for number in range(arguments.runs):
        pair: dict[str, Callable[[], Any]] = {"one": lambda: _one_pass(encoder, wanted, arguments.batch_tokens)}
        pair["several"] = lambda: _groups(encoder, wanted, arguments.batches, arguments.batch_tokens)
        # Whichever is second has the warmer processor, so they take turns.
        measured = {name: pair[name]() for name in (pair if number % 2 else reversed(pair))}
        one, (several, first, groups) = measured["one"], measured["several"]
        ratios.append(several / one)
        print(
            f"pair {number + 1}: one pass {one:.2f} s, {groups} groups {several:.2f} s, ratio {ratios[-1]:.3f}; first "
            f"jobs' vectors after {first:.0%}",
            flush=True,
        )
    print(f"{len(wanted)} jobs; median ratio {statistics.median(ratios):.3f} ({min(ratios):.3f}–{max(ratios):.3f})")


def _loaded(tasks: Sequence[str], scratch: Path, texts: int | None) -> tuple[Encoder, Wanted]:
    known = ours.catalogue()
    jobs = [job for task in tasks for job in ours.jobs(task, list(known.task(task).subsets), known)]
    model = open_model(jobs[0].model, Execution(store=False), scratch)
    assert model.encoder is not None
    wanted = [requests(prepare(job, scratch), model.encoder) for job in jobs]
    return model.encoder, [tuple(replace(request, items=request.items[:texts]) for request in job) for job in wanted]


def _one_pass(encoder: Encoder, wanted: Wanted, batch_tokens: int | None) -> float:
    started = time.process_time()
    everything = [request for job in wanted for request in job]
    with Encoding(encoder, everything, MemoryStore(), batch_tokens=batch_tokens) as encoding:
        encoding.run()
    return time.process_time() - started


def _groups(encoder: Encoder, wanted: Wanted, batches: int, batch_tokens: int | None) -> tuple[float, float, int]:
    started = time.process_time()
    first = 0.0
    everything = [request for job in wanted for request in job]
    with Encoding(encoder, everything, MemoryStore(), batch_tokens=batch_tokens) as encoding:
        groups = grouped(
            wanted,
            size=encoding.size,
            kind=lambda job: frozenset(request.variant for request in job),
            alone=lambda _: False,
            least=batches * encoding.budget,
        )
        for group in groups:
            encoding.run([request for job in group for request in job])
            first = first or time.process_time() - started
    whole = time.process_time() - started
    return whole, first / whole, len(groups)


if __name__ == "__main__":
    main()

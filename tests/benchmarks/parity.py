"""Compare every score with the reference implementation's, both run now, on one hub.

    python tests/benchmarks/parity.py                                  stored vectors, all tasks
    python tests/benchmarks/parity.py --encoder random --tasks STS16   vectors out of a hash of the text
    python tests/benchmarks/parity.py --encoder minilm --tasks STS16   the model itself, end to end
    python tests/benchmarks/parity.py --encoder random --mocks         the reference's own mock tasks, without a hub;
                                                                       those of images by what their pixels are
    python tests/benchmarks/parity.py --encoder random --variants      one task of each variant of a type, small data
    python tests/benchmarks/parity.py --encoder random --hub ROOT --tasks STS12 STS17:en-en,es-es     another hub

Prints task × subset × split: the reference's main score, ours, how far they are apart, the metric that is furthest
apart, and whether an encoder is given the same: texts, in any order, with their split and side, and the task's name,
type, subset, languages and prompts. Exit status 1 when anything is further apart than --tolerance: any metric on given
vectors, main scores end to end.

The reference runs in .venv-reference (`make reference`), on a hub that serves --hub (by default ../shared/hub/root).
Tasks whose subsets draw from one generator there are compared twice: each subset alone with `draws: job`, and all in
one run with `draws: mteb`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from encoders import MINILM32, StoredVectors, Vectors, coarse_vectors, random_vectors
from hub_tasks import HUB_TASKS, LAB_TASKS
from loopback import serving, shared_folder

from embedmark.runner.common.errors import DataError

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]

ON_VECTORS = 1e-6
"""How far any metric may be off, given the same vectors."""

END_TO_END = 1e-4
"""How far a main score may be off: a model's vectors depend a little on what was batched with what."""


@dataclass(frozen=True)
class Row:
    """One comparison. far: metric → distance; given: whether the encoder is given the same, None end to end."""

    task: str
    subset: str
    split: str
    together: bool
    reference: float
    ours: float
    far: dict[str, float]
    given: bool | None

    @property
    def furthest(self) -> tuple[str, float]:
        """The metric that is furthest apart."""
        return max(self.far.items(), key=lambda item: item[1])

    def passes(self, tolerance: float) -> bool:
        """Whether every metric (end to end: the main score) is close enough, and the encoder is given the same."""
        if self.given is None:
            return self.far["main_score"] <= tolerance
        return self.furthest[1] <= tolerance and self.given


def main() -> int:
    """Run both, print the table, return the exit status."""
    arguments = _arguments()
    if not (REPOSITORY / ".venv-reference").is_dir():
        raise SystemExit("no .venv-reference; make it with `make reference`")
    tolerance = arguments.tolerance
    if tolerance is None:
        tolerance = END_TO_END if arguments.encoder == "minilm" else ON_VECTORS
    with tempfile.TemporaryDirectory() as scratch, _hub(arguments, Path(scratch)) as endpoint:
        os.environ.update(HF_ENDPOINT=endpoint, HF_HOME=f"{scratch}/ours", HF_HUB_DISABLE_PROGRESS_BARS="1")
        mocks = Path(scratch, "mocks") if arguments.mocks else None
        runs = _reference(arguments.encoder, arguments.tasks, mocks, Path(scratch))
        if arguments.encoder == "minilm":
            rows = list(_end_to_end(runs, Path(scratch), mocks))
        else:
            rows = list(_on_vectors(runs, _vectors(arguments.encoder), Path(scratch), mocks))
    _print(rows, tolerance)
    return 0 if all(row.passes(tolerance) for row in rows) else 1


def _hub(arguments: argparse.Namespace, scratch: Path) -> AbstractContextManager[str]:
    """The endpoint of what is compared on. For --variants it is made, and `arguments.tasks` is set."""
    if arguments.mocks:
        return nullcontext("http://127.0.0.1:9")
    if arguments.variants:
        import variant_rows

        variant_rows.publish(scratch / "hub")
        arguments.hub, arguments.tasks = scratch / "hub", variant_rows.tasks()
    return serving(arguments.hub)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--encoder",
        default="minilm32",
        metavar="minilm32|random|coarse|minilm|FILE.npz",
        help="minilm32: 32 dimensions of MiniLM, stored; random, coarse: from a hash of the text, coarse with many "
        "ties; minilm: the model; FILE.npz: vectors of your own, written by StoredVectors.write (default: %(default)s)",
    )
    known = [*HUB_TASKS, *LAB_TASKS]
    parser.add_argument(
        "--tasks",
        nargs="+",
        default=known,
        metavar="TASK[:SUBSET,...]",
        help="any task that both know and the hub has; by default all of the shared hub, with the subsets that it has: "
        + ", ".join(known),
    )
    parser.add_argument("--mocks", action="store_true", help="the tasks of mteb.mocks, instead of --tasks")
    parser.add_argument(
        "--variants", action="store_true", help="the tasks of variant_rows.py on its own hub, instead of --tasks"
    )
    parser.add_argument(
        "--hub", type=Path, default=shared_folder() / "hub" / "root", help="root to serve (default: %(default)s)"
    )
    parser.add_argument(
        "--tolerance",
        type=float,
        help=f"of every metric ({ON_VECTORS}), or of main scores with minilm ({END_TO_END})",
    )
    return parser.parse_args()


def _reference(encoder: str, tasks: list[str], mocks: Path | None, scratch: Path) -> list[dict[str, Any]]:
    """The reference's runs; see reference/run.py. mocks: score the mock tasks, and write them to this folder."""
    print("the reference is running ...", file=sys.stderr)
    out = scratch / "reference.json"
    which = ["--mocks", str(mocks)] if mocks else ["--tasks", *tasks]
    done = subprocess.run(
        [
            str(REPOSITORY / ".venv-reference" / "bin" / "python"),
            str(HERE / "reference" / "run.py"),
            str(out),
            "--encoder",
            str(MINILM32) if encoder == "minilm32" else encoder,
            *which,
        ],
        env={**os.environ, "HF_HOME": str(scratch / "reference")},
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"the reference failed (exit status {done.returncode}); its own message is above")
    runs: list[dict[str, Any]] = json.loads(out.read_text(encoding="utf-8"))["runs"]
    return runs


def _vectors(name: str) -> Vectors:
    named: dict[str, Vectors] = {"random": random_vectors, "coarse": coarse_vectors}
    return named.get(name) or StoredVectors.read(MINILM32 if name == "minilm32" else Path(name))


def _on_vectors(runs: list[dict[str, Any]], vectors: Vectors, scratch: Path, mocks: Path | None) -> Iterator[Row]:
    """Ours on the same vectors."""
    import ours

    catalogue = ours.catalogue(mocks)
    for together in (False, True):
        for task in dict.fromkeys(run["task"] for run in runs if run["together"] is together):
            asked = [run for run in runs if run["task"] == task and run["together"] is together]
            settings = {"draws": "mteb"} if together else {}
            jobs = ours.jobs(task, [run["subset"] for run in asked], catalogue, settings)
            planned = {(job.subset, job.split): job for job in jobs}
            for run in asked:
                print("ours:", task, run["subset"], run["split"], file=sys.stderr)
                try:
                    scored = ours.score(planned[run["subset"], run["split"]], vectors, scratch)
                except DataError as error:
                    yield _refused(run, str(error))
                    continue
                unlike = ours.unlike(run, scored)
                for what, (theirs, mine) in unlike.items():
                    print(
                        f"  an encoder is given otherwise, {what}: {theirs!r:.200} and {mine!r:.200}", file=sys.stderr
                    )
                yield _row(run, scored.scores.main_score, ours.differences(run, scored.scores), not unlike)


def _refused(run: dict[str, Any], why: str) -> Row:
    """Of data with one gold score, which ours refuses, the reference has no score either: all are NaN."""
    print(f"  refused: {why}", file=sys.stderr)
    alike = "one and the same score" in why and all(value is None for value in run["metrics"].values())
    place = run["task"], run["subset"], run["split"], run["together"]
    return Row(*place, math.nan, math.nan, {"main_score": 0.0 if alike else math.inf}, True)


def _end_to_end(runs: list[dict[str, Any]], scratch: Path, mocks: Path | None) -> Iterator[Row]:
    """Ours by the command line, with the model itself."""
    import ours

    alone = [run for run in runs if not run["together"]]
    records = ours.end_to_end([(run["task"], run["subset"]) for run in alone], scratch / "outputs", mocks)
    for run in alone:
        record = records[run["task"], run["subset"], run["split"]]
        scores = ours.recorded_scores(record)
        yield _row(run, scores.main_score, ours.differences(run, scores), None)


def _row(run: dict[str, Any], score: float, far: dict[str, float], given: bool | None) -> Row:
    place = run["task"], run["subset"], run["split"], run["together"]
    told = run["metrics"]["main_score"]
    return Row(*place, math.nan if told is None else told, score, far, given)


def _print(rows: list[Row], tolerance: float) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 160)
    table = Table(
        "task", "subset", "split", "draws", "reference", "ours", "|Δ main|", "furthest metric", "|Δ|", "given"
    )
    for row in rows:
        metric, far = row.furthest
        cells = [f"{row.reference:.6f}", f"{row.ours:.6f}", f"{row.far['main_score']:.1e}", metric, f"{far:.1e}"]
        given = {True: "same", False: "differ", None: ""}[row.given]
        draws = "mteb" if row.together else "job"
        style = None if row.passes(tolerance) else "red"
        table.add_row(row.task, row.subset, row.split, draws, *cells, given, style=style)
    failed = sum(not row.passes(tolerance) for row in rows)
    console.print(table)
    metrics = sum(len(row.far) for row in rows)
    console.print(f"{len(rows)} comparisons, {metrics} metrics, {failed} comparisons beyond {tolerance:g}")


if __name__ == "__main__":
    raise SystemExit(main())

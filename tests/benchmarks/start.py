"""How long the command takes before it does anything, beside the import of what it rests on.

    python tests/benchmarks/start.py [--runs 5] [--tasks 2000] [--models 1000]

In turns, each a process of its own: the yardstick (`import hydra, omegaconf, pydantic, rich, yaml`), `list tasks`, a
plan of e5 on mteb_eng_v2, and a run of the quickstart benchmark with nothing to do; then the same with a config folder
of that many tasks and models of one's own. Prints medians, ranges and ratios. The index of files is warm, as it is for
whoever starts the command a second time; Python may keep what it compiles.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
YARDSTICK = [sys.executable, "-c", "import hydra, omegaconf, pydantic, rich, yaml"]
RUNNER = [sys.executable, "-m", "runner"]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="rounds (default: %(default)s)")
    parser.add_argument("--tasks", type=int, default=2000, help="tasks of one's own (default: %(default)s)")
    parser.add_argument("--models", type=int, default=1000, help="models of one's own (default: %(default)s)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        outputs, own = Path(scratch, "outputs"), Path(scratch, "own")
        _make(own, arguments.tasks, arguments.models)
        many = ["--config-dir", str(own)]
        commands = {
            "yardstick": YARDSTICK,
            "list tasks": [*RUNNER, "list", "tasks"],
            "plan": [*RUNNER, "plan", "model=e5", "benchmark=mteb_eng_v2"],
            "nothing to do": [*RUNNER, "run", f"outputs={outputs}"],
            "list tasks, many": [*RUNNER, "list", "tasks", *many],
            "plan, many": [*RUNNER, "plan", "model=e5", "benchmark=mteb_eng_v2", *many],
            "nothing to do, many": [*RUNNER, "run", f"outputs={outputs}", *many],
        }
        environment = {**os.environ, "EMBEDMARK_CACHE": str(Path(scratch, "cache"))}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        time.sleep(3)  # files that have just been written are not kept in the index
        for command in (*commands.values(), *commands.values()):
            _seconds(command, environment)
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(arguments.runs):
            for name, command in commands.items():
                seconds[name].append(_seconds(command, environment))
    yardstick = statistics.median(seconds["yardstick"])
    for name, found in seconds.items():
        median = statistics.median(found)
        print(f"{name:20} {median:6.2f} s ({min(found):.2f}-{max(found):.2f})  {median / yardstick:5.2f}x")


def _seconds(command: list[str], environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def _make(folder: Path, tasks: int, models: int) -> None:
    for kind, count, text in (
        (
            "task",
            tasks,
            "name: {name}\ntype: sts\ndataset: {{files: /data}}\nmain_metric: pearson\nlanguages: [eng-Latn]\n",
        ),
        ("model", models, "name: own/{name}\nrevision: main\n"),
    ):
        (folder / kind).mkdir(parents=True)
        for number in range(count):
            path = folder / kind / f"own_{number}.yaml"
            path.write_text(text.format(name=f"Own{number}"), encoding="utf-8")


if __name__ == "__main__":
    main()

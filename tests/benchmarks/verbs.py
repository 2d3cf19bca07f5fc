"""How long verbs that do not encode take, with a catalogue of 2,000 tasks and 600 models; and how long planning takes.

    python tests/benchmarks/verbs.py [--runs 5]

The shipped catalogue is filled up with copies under other names in a folder of its own. Each verb is a process from
start to end. Planning is timed in one process: ten models on MTEB(Multilingual, v2) without FloresBitextMining (whose
41,412 pairs of languages are jobs of their own), then one model on all of it.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from embedmark.runner.config.catalogue import SHIPPED, Catalogue
from embedmark.runner.config.identity import Pin
from embedmark.runner.config.schema import Settings
from embedmark.runner.plan import make_plan
from embedmark.runner.resolve import Pins

TASKS, MODELS = 2_000, 600
VERBS = (
    "--help",
    "list tasks",
    "list models",
    "show STSBenchmark",
    "plan model=e5 benchmark=mteb_eng_v2",
    "report",
    "why 0 1",
)


def main() -> None:
    """Time everything and print medians and ranges."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        filled = Path(folder)
        fill(filled, "task", TASKS)
        fill(filled, "model", MODELS)
        for verb in VERBS:
            words = verb.split()
            takes_folder = words[0] not in ("--help", "why")
            command = [sys.executable, "-m", "runner", *words, *(["--config-dir", folder] if takes_folder else [])]
            if words[0] in ("report", "why"):
                command += ["--outputs", folder]
            start = partial(subprocess.run, command, capture_output=True, check=False)
            say(verb, [timed(start) for _ in range(runs)])
    for what, n_models, flores in (("10 models", 10, False), ("1 model with Flores", 1, True)):
        plan = partial(planned, n_models, flores=flores)
        say(f"planning {what}, {plan():,} jobs", [timed(plan) for _ in range(runs)])


def fill(folder: Path, kind: str, wanted: int) -> None:
    """Copies of shipped files under other names, until there are as many as wanted."""
    shipped = sorted(path for path in (SHIPPED / kind).rglob("*.yaml") if "\nname:" in f"\n{path.read_text('utf-8')}")
    for number in range(wanted - len(shipped)):
        source = shipped[number]
        text = source.read_text(encoding="utf-8")
        name = next(line for line in text.splitlines() if line.startswith("name:"))
        target = folder / kind / f"copy_{number}.yaml"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.replace(name, f"name: Copy{number}", 1), encoding="utf-8")


def planned(n_models: int, *, flores: bool) -> int:
    """Plan models on the multilingual benchmark from nothing but the folder of configs; returns how many jobs."""
    catalogue = Catalogue()
    pins = Pins(lambda *_: Pin("x"), lambda _: Pin("x"))
    listed = catalogue.benchmark("mteb_multilingual_v2").tasks
    tasks = tuple(task for task in listed if flores or task.name != "FloresBitextMining")
    plannable = sorted(name for name, entry in catalogue.models.items() if not entry.alias)[:n_models]
    settings = (Settings(model=catalogue.model(name), tasks=tasks) for name in plannable)
    return sum(len(make_plan(one, catalogue, pins).jobs) for one in settings)


def timed(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def say(what: str, seconds: list[float]) -> None:
    """One line: median and range."""
    print(f"{what:45} {statistics.median(seconds):6.2f} s ({min(seconds):.2f}–{max(seconds):.2f})", flush=True)


if __name__ == "__main__":
    main()

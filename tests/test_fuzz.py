"""Whatever stands in a file or on a command line, a verb ends with a status and words, and never with a traceback."""

from __future__ import annotations

import importlib
import os
import pkgutil
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from fuzzing import Case, check, mutated_line, mutated_text, mutated_values

import embedmark.runner.cli
from embedmark.runner.cli.main import main
from embedmark.runner.common.errors import UserError
from embedmark.runner.config.catalogue import Catalogue

CONFIGS = Path(__file__).parents[1] / "configs"
SHIPPED = [
    "config.yaml",
    "model/minilm.yaml",
    "model/bm25.yaml",
    "model/baseline_bm25s.yaml",
    "model/e5_base_v2.yaml",
    "model/e5.yaml",
    "model/voyage_3_5.yaml",
    "task/sts/stsbenchmark.yaml",
    "task/classification/banking77.yaml",
    "task/retrieval/scifact.yaml",
]
LINES = [
    ["plan", "model=bm25", "task=sts/stsbenchmark"],
    ["plan", "model=e5", "tasks=[STSBenchmark,Banking77Classification]", "--json"],
    ["plan", "model=minilm", "benchmark=few", "model.max_tokens=64", "execution.device=cpu"],
    ["plan", "model=voyage_3_5", "model.parameters={dimensions: 512}", "outputs=there", "-m"],
    ["run", "model=bm25", "benchmark=few", "rerun=true", "task.settings.seed=1", "model.prompts={query: 'q: '}"],
    ["model=minilm", "benchmark=few", "execution.threads=2", "--config-dir", "mine"],
    ["-m", "model=minilm,bm25", "benchmark=few"],
]
CHEAP = [
    ["list", "models", "mini"],
    ["list", "tasks", "--json"],
    ["list", "benchmarks", "--config-dir", "mine"],
    ["show", "STSBenchmark"],
    ["show", "e5", "--config-dir", "mine"],
    ["report", "--benchmark", "few", "--format", "md", "--outputs", "outputs"],
    ["report", "--model", "minilm"],
    ["why", "0123", "4567", "--outputs", "outputs"],
    ["model", "new", "./mine", "--out", "drafted", "--force"],
    ["completion", "bash"],
    ["__complete", "embedmark plan model=e5"],
    ["__complete", "embedmark run model.max"],
    ["forget", "0123"],
    ["--help"],
    ["--version"],
]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, and a small catalogue in the place of the shipped one; nothing in it can be run."""
    shipped = tmp_path / "shipped"
    for name in SHIPPED:
        (shipped / name).parent.mkdir(parents=True, exist_ok=True)
        text = (CONFIGS / name).read_text(encoding="utf-8")
        (shipped / name).write_text(text + ("awaits: nobody runs it\n" if name.startswith("task/") else ""))
    if (CONFIGS / "execution").is_dir():
        shutil.copytree(CONFIGS / "execution", shipped / "execution")
    (shipped / "benchmark").mkdir()
    for name in ("quickstart", "few"):
        text = f"name: {name}\naliases: [several]\ntasks: [STSBenchmark, {{name: SciFact, splits: [test]}}]\n"
        (shipped / "benchmark" / f"{name}.yaml").write_text(text)
    # A verb that is imported later would keep the small catalogue.
    for found in pkgutil.iter_modules(embedmark.runner.cli.__path__, "embedmark.runner.cli."):
        importlib.import_module(found.name)
    ours = [module for name, module in sys.modules.items() if name.startswith("embedmark.runner.")]
    for module in ours:
        if getattr(module, "SHIPPED", None) == CONFIGS:
            monkeypatch.setattr(module, "SHIPPED", shipped)
    monkeypatch.setattr(Catalogue.__init__, "__defaults__", ((shipped,),))
    work = tmp_path / "work"
    for kind in ("model", "task", "benchmark"):
        (work / "mine" / kind).mkdir(parents=True)
    monkeypatch.chdir(work)
    faults = tmp_path / "faults"
    faults.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(faults))
    return work


def _files(n: int, seed: int) -> Iterator[Case]:
    """Mutated files of each kind, shown; every thirtieth is planned with."""
    rng = random.Random(seed)
    texts = [(name, (CONFIGS / name).read_text(encoding="utf-8")) for name in SHIPPED[1:]]
    texts.append(("benchmark/x.yaml", "name: Few\naliases: [several]\nlanguages: [eng-Latn]\ntasks:\n- STSBenchmark\n"))
    for number in range(n):
        name, text = rng.choice(texts)
        kind = name.partition("/")[0]
        content = (mutated_text if rng.random() < 0.6 else mutated_values)(text, rng)
        others = {"model": ["benchmark=few"], "task": ["model=bm25"], "benchmark": ["model=bm25"]}
        planned = ["plan", f"{kind}=odd", *others[kind]]
        line = planned if number % 30 == 0 else ["show", "odd"]
        yield Case((*line, "--config-dir", "mine"), f"{kind}/odd.yaml", content)


def _lines(n: int, seed: int, lines: Sequence[Sequence[str]]) -> Iterator[Case]:
    rng = random.Random(seed)
    for _ in range(n):
        yield Case(tuple(mutated_line(lines, rng)))


def _run(cases: Iterator[Case], place: Path) -> Counter[int]:
    statuses: Counter[int] = Counter()
    for case in cases:
        file = place / "mine" / case.file
        if case.file:
            file.write_bytes(case.content)
        statuses[check(case, main)] += 1
        if case.file:
            file.unlink()
    return statuses


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_no_input_ends_in_a_traceback(place: Path) -> None:
    seed = int(os.environ.get("EMBEDMARK_FUZZ_SEED", "20261"))
    print()
    total: Counter[int] = Counter()
    for name, cases in {
        "files": _files(6500, seed),
        "command lines of cheap verbs": _lines(2900, seed, CHEAP),
        "command lines of plans and runs": _lines(700, seed, LINES),
    }.items():
        started = time.monotonic()
        statuses = _run(cases, place)
        print(f"{name}: {dict(statuses)} in {time.monotonic() - started:.0f} s")
        total += statuses
    assert total.total() >= 10_000
    assert total[0] > 1000, "most inputs are refused at once; they say little about what comes after"
    assert total[2] > 2000


def test_a_few_inputs_end_in_no_traceback(place: Path) -> None:
    """As many as the quick suite has time for."""
    _run(_files(40, 1), place)
    _run(_lines(30, 1, CHEAP), place)


def _raises(*_: object, **__: object) -> int:
    raise IndexError("list index out of range")


def _prints(*_: object, **__: object) -> int:
    print("Traceback (most recent call last):")
    return 0


def _leaves(*_: object, **__: object) -> int:
    raise UserError("x" * 500 + "\n" + "y" * 5000)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (_raises, "a fault of embedmark"),
        (_prints, "a traceback"),
        (lambda *_: 3, "status 3"),
        (lambda *_: 2, "without a word"),
        (lambda *_: print("a\x1b[31m") or 0, "obeyed by a terminal"),
        (lambda *_: print("x" * 5000, file=sys.stderr) or 0, "5000 characters"),
    ],
)
def test_the_fuzz_notices_faults(fault: object, said: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import embedmark.runner.cli.showing

    monkeypatch.setattr(embedmark.runner.cli.showing, "show", fault)
    with pytest.raises(AssertionError, match=said):
        check(Case(("show", "minilm")), main)


def test_the_fuzz_notices_a_hang() -> None:
    """In a process of its own: the bell is a signal, and this process has the threads of many tests."""
    code = (
        f"import sys, time; sys.path.insert(0, {str(Path(__file__).parent)!r}); import fuzzing; fuzzing.SECONDS = 0.5;"
        "fuzzing.check(fuzzing.Case(('show',)), lambda _: time.sleep(60))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert "AssertionError: Hang: no end within 0.5 s came out of Case(line=('show',)" in done.stderr, done


def test_what_leaves_main_is_noticed() -> None:
    with pytest.raises(AssertionError, match="IndexError: list index out of range came out"):
        check(Case(("show", "minilm")), _raises)

"""How often verify says of a clean record that it differs: `python tests/benchmarks/clean_reruns.py --runs 100`.

Each run measures MiniLM on one subset of EmojiNamesRetrieval with another batch size and number of threads, and is
then verified with the defaults. With --kernels each record is made in a process of its own with the oldest kernels that
PyTorch and oneDNN have (ATEN_CPU_CAPABILITY=default, ONEDNN_MAX_CPU_ISA=SSE41), and verified with this processor's.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from embedmark.runner.cli.main import main
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.results.inspection import as_job_folder, inspect
from embedmark.runner.verify.check import check

LINE = (
    "run", "model=minilm", "tasks=[{name: EmojiNamesRetrieval, subsets: [it-en]}]", "execution.store=false",
    "rerun=true",
)  # fmt: skip
BATCHES = (64, 200, 512, 1000, 2048, 4096, 10_000, 30_000)


OLD_KERNELS = {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41"}


def measure(outputs: Path, batch: int, threads: int, *, kernels: bool) -> Path:
    """Make a record anew."""
    words = [*LINE, f"outputs={outputs}", f"execution.batch_tokens={batch}", f"execution.threads={threads}"]
    if kernels:
        command = [sys.executable, "-m", "embedmark.runner", *words]
        subprocess.run(command, env={**os.environ, **OLD_KERNELS}, check=True, capture_output=True)
        (path,) = (outputs / "jobs").glob("*--*")
        return path
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        assert main(words) == 0
    (path,) = (outputs / "jobs").glob("*--*")
    return path


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--kernels", action="store_true")
    options = parser.parse_args()
    found: Counter[str] = Counter()
    catalogue = Catalogue(quiet=True)
    settings = itertools.cycle(itertools.product(BATCHES, (1, 2)))
    with tempfile.TemporaryDirectory() as folder:
        for batch, threads in itertools.islice(settings, options.runs):
            job = as_job_folder(measure(Path(folder), batch, threads, kernels=options.kernels))
            assert job is not None
            verdict = check(inspect(job), catalogue)
            found[verdict.outcome] += 1
            if verdict.outcome != "match":
                print(f"batch {batch}, {threads} threads: {verdict.outcome} {verdict.reason}")
    print(f"{options.runs} runs{', old kernels' if options.kernels else ''}: {dict(found)}")

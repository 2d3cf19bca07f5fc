"""Compare the result files that `export --to mteb` writes with those that mteb writes, value by value.

    python tests/benchmarks/export_parity.py

Both run the text tasks of mteb.mocks, of all text types, on vectors that hashes of the texts decide; mteb's own loader
reads both. The reference runs in .venv-reference (`make reference`). Exit status 1 when anything differs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]

MODEL = """
import sys
sys.path.insert(0, {here!r})
import numpy as np
from encoders import random_vectors
from embedmark.models.base import Variant

class Hashed:
    similarity = "cosine"
    batch_tokens = 65536
    facts = {{}}

    def __init__(self, spec):
        pass

    def variant(self, context):
        return Variant()

    def lengths(self, texts, variant):
        return np.array([len(text) for text in texts], dtype=np.int64)

    def encode(self, texts, variant):
        return random_vectors(texts)
"""


def main() -> int:
    """Run both, print what differs, return the exit status."""
    with tempfile.TemporaryDirectory() as scratch:
        found = differences(Path(scratch))
    for task, lines in sorted(found.items()):
        print(f"{task}: {'equal' if not lines else ''}")
        for line in lines:
            print(f"  {line}")
    print(f"{len(found)} tasks, {sum(bool(lines) for lines in found.values())} differ")
    return 1 if any(found.values()) else 0


def differences(scratch: Path) -> dict[str, list[str]]:
    """Task → what differs between the two files, as mteb's loader reads them."""
    python = REPOSITORY / ".venv-reference" / "bin" / "python"
    script = HERE / "reference" / "result_files.py"
    mocks = scratch / "mocks"
    offline = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9"}
    subprocess.run([str(python), str(script), "write", str(mocks)], env=offline, check=True)
    _ours(mocks, scratch)
    compared = subprocess.run(
        [str(python), str(script), "compare", str(mocks / "results"), str(scratch / "ours")],
        env=offline, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    found: dict[str, list[str]] = json.loads(compared.stdout)
    return found


def _ours(mocks: Path, scratch: Path) -> None:
    """Measure the same tasks on the same vectors, and export them."""
    from embedmark.runner.config.catalogue import SHIPPED, Catalogue
    from embedmark.runner.export import mteb
    from embedmark.runner.export.chosen import choose

    code = scratch / "code"
    code.mkdir()
    (code / "hashed.py").write_text(MODEL.format(here=str(HERE)), encoding="utf-8")
    (mocks / "model").mkdir()
    model = {
        "name": "mock/hashed", "loader": "hashed:Hashed", "source": {"path": str(code)}, "trust_remote_code": True,
    }  # fmt: skip
    (mocks / "model" / "hashed.yaml").write_text(json.dumps(model), encoding="utf-8")
    tasks = [path.stem for path in (mocks / "task" / "mocks").glob("*.yaml")]
    (mocks / "benchmark").mkdir()
    benchmark = {"name": "Mocks", "tasks": sorted(tasks)}
    (mocks / "benchmark" / "mocks.yaml").write_text(json.dumps(benchmark), encoding="utf-8")
    command = [
        sys.executable, "-m", "runner", "--config-dir", str(mocks), "model=hashed", "benchmark=mocks", "draws=mteb",
        f"outputs={scratch / 'outputs'}",
    ]  # fmt: skip
    subprocess.run(command, check=True, cwd=REPOSITORY, stdout=subprocess.DEVNULL)
    catalogue = Catalogue((mocks, SHIPPED))
    made, _ = mteb.files(choose(scratch / "outputs", [], catalogue), catalogue, is_known=lambda _: True)
    for name, text in made.items():
        path = scratch / "ours" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())

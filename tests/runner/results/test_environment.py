"""What a record says of the process that made it."""

from __future__ import annotations

import subprocess
import sys

from embedmark.runner.results.environment import peak_memory


def test_peak_memory_leaves_out_what_the_parent_had() -> None:
    held = bytearray(600 << 20)
    held[:: 1 << 12] = b"x" * len(held[:: 1 << 12])
    code = "from embedmark.runner.results.environment import peak_memory; print(peak_memory())"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(child.stdout) < 300 << 20 < (peak_memory() or 0)

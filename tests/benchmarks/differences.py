"""How far apart the numbers are that tests hold to be close: a plugin of pytest that writes them down.

    export PYTHONPATH=$PWD:tests/benchmarks EMBEDMARK_DIFFERENCES=/tmp/avx2.jsonl
    ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 python -m pytest -p differences tests/models tests/runner/encode
    python tests/benchmarks/differences.py /tmp/*.jsonl

A line a comparison: the test, the bound that it allows, and the largest difference. The second command prints, for each
file, the comparisons that used the largest share of what they are allowed.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

_Scalar: Any = type(pytest.approx(1.0))
_FILE = os.environ.get("EMBEDMARK_DIFFERENCES", "differences.jsonl")
_current = {"test": ""}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Know which test is running."""
    _current["test"] = item.nodeid
    return (yield)


def _write(difference: float, bound: float) -> None:
    with Path(_FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps({**_current, "difference": difference, "bound": bound}) + "\n")


def _noted(assert_allclose: Callable[..., None]) -> Callable[..., None]:
    def noted(actual: Any, desired: Any, rtol: float = 1e-7, atol: float = 0, **more: Any) -> None:
        found, expected = np.asarray(actual, dtype=np.float64), np.asarray(desired, dtype=np.float64)
        if found.size and found.shape == expected.shape:
            _write(float(np.nanmax(np.abs(found - expected))), float(atol + rtol * np.nanmax(np.abs(expected))))
        assert_allclose(actual, desired, rtol=rtol, atol=atol, **more)

    return noted


def _equal(self: Any, actual: Any) -> bool:
    if isinstance(actual, float) and isinstance(self.expected, float):
        _write(abs(actual - self.expected), self.tolerance)
    equal: bool = _original(self, actual)
    return equal


_original = _Scalar.__eq__
np.testing.assert_allclose = _noted(np.testing.assert_allclose)
_Scalar.__eq__ = _equal


def _main(paths: list[str]) -> None:
    for path in paths:
        lines = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]
        worst: dict[tuple[str, float], float] = {}
        for line in lines:
            key = line["test"], line["bound"]
            worst[key] = max(worst.get(key, 0.0), line["difference"])
        print(path)
        for (test, bound), difference in sorted(worst.items(), key=lambda one: -one[1] / (one[0][1] or 1))[:25]:
            print(f"  {difference:.2e} of {bound:.2e}  {test}")


if __name__ == "__main__":
    _main(sys.argv[1:])

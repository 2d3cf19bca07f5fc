"""The known name that a wrong one resembles."""

from __future__ import annotations

import pytest

from embedmark.runner.common.names import nearest


@pytest.mark.parametrize(
    ("wrong", "known", "told"),
    [
        ("normalise", ["normalize", "prompts"], " Did you mean 'normalize'?"),
        ("BM26", ["bm25", "dense"], " Did you mean 'bm25'?"),
        ("ab", ["ac", "xyz", "ad"], ""),
        ("tiny-1", ["tiny-3", "tiny-2"], " Did you mean 'tiny-3' or 'tiny-2'?"),
        ("x" * 121, ["x" * 120], ""),
        ("", ["a"], ""),
        ("a", [], ""),
    ],
)
def test_it_is_named_or_nothing_is(wrong: str, known: list[str], told: str) -> None:
    assert nearest(wrong, known) == told

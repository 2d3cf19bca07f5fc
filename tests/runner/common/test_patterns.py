"""Patterns of configs: matched as Python's own engine matches them, and never for longer than linear time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest

from embedmark.runner.common.errors import PatternError
from embedmark.runner.common.patterns import compiled, match_groups
from embedmark.runner.config.catalogue import Catalogue


def _shipped() -> Iterator[tuple[str, Any]]:
    catalogue = Catalogue()
    for name, entry in catalogue.tasks.items():
        if "pattern:" in entry.path.read_text(encoding="utf-8") and not entry.alias:
            task = catalogue.task(name)
            given = [getattr(task.dataset, "pattern", None)]
            for step in task.transforms:
                given += [value.get("pattern") for value in step.values() if isinstance(value, dict)]
            yield from ((pattern, task) for pattern in given if pattern)


def test_every_shipped_pattern_matches_as_pythons_engine_does() -> None:
    found = list(_shipped())
    assert len({pattern for pattern, _ in found}) >= 7
    for pattern, task in found:
        # An alias of a task with thousands of subsets adds nothing to its first ones.
        for text in chain.from_iterable((name, f"{name}/{split}") for name in task.subsets for split in task.splits):
            match = re.fullmatch(pattern, text)
            assert match_groups(pattern, text) == (match and match.groupdict()), (pattern, text)


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+b", "(a|aa)+b", "(a|a)*b", "([a-z]+)*b", "(.*a){12}b", "(a?){30}a{30}b", "(?P<x>(a*)*)b", "(a*)*$b"],
)
def test_patterns_that_would_never_end_end(pattern: str) -> None:
    assert match_groups(pattern, "a" * 20_000 + "!") is None


@pytest.mark.parametrize(
    "pattern",
    [
        "(?=a)b",
        "(?!a)b",
        "(?<=a)b",
        "(?<!a)b",
        r"(a)\1",
        "(?P<x>a)(?P=x)",
        "[",
        "(",
        "a{2000}",
        "*a",
        "\ud800",
    ],
)
def test_patterns_that_cannot_be_used_are_refused_in_words(pattern: str) -> None:
    with pytest.raises(PatternError, match="no regular expression that can be used") as refused:
        compiled(pattern)
    assert len(str(refused.value)) < 400

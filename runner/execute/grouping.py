"""Which jobs are encoded together.

Texts are sorted by length within a group, so that batches have little padding; a score appears when its group is done.
Sorting more texts than fill some dozens of batches gains nothing, and texts that the model treats differently never
share a batch: a group is of jobs whose variants are the same, and just large enough for the sorting to pay.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

BATCHES = 64
"""Batches that a group fills at least, where there are enough jobs: measured by tests/benchmarks/groups.py."""

T = TypeVar("T")


def grouped(
    jobs: Sequence[T], size: Callable[[T], int], kind: Callable[[T], Hashable], alone: Callable[[T], bool], least: int
) -> list[list[T]]:
    """Jobs in groups of one kind and of `least` in size, small jobs and small groups first.

    alone: jobs that share a group with no other, and come last, in the order given.
    """
    sizes = {index: size(job) for index, job in enumerate(jobs)}
    kinds: dict[Hashable, list[int]] = {}
    for index, job in enumerate(jobs):
        if not alone(job):
            kinds.setdefault(kind(job), []).append(index)
    groups: list[list[int]] = []
    for of_kind in kinds.values():
        open_group: list[int] = []
        for index in sorted(of_kind, key=sizes.__getitem__):
            if open_group and sizes[index] >= least:  # large enough by itself: the small ones need not wait for it
                groups.append(open_group)
                open_group = []
            open_group.append(index)
            if sum(sizes[member] for member in open_group) >= least:
                groups.append(open_group)
                open_group = []
        if open_group:
            groups.append(open_group)
    groups.sort(key=lambda group: sum(sizes[index] for index in group))
    return [[jobs[index] for index in group] for group in groups] + [[job] for job in jobs if alone(job)]

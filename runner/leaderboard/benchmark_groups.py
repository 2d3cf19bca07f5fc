"""Under which heading each benchmark is listed on the front page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from embedmark.runner.config.catalogue import SHIPPED, Catalogue
from embedmark.runner.config.schema import BenchmarkConfig

Group: TypeAlias = Literal["general", "language", "region", "domain", "image", "mine"]

GROUPS: tuple[Group, ...] = ("general", "language", "region", "domain", "image", "mine")
"""In the order in which the front page has them."""


def benchmark_group(benchmark: BenchmarkConfig, catalogue: Catalogue) -> Group:
    """Find a benchmark's heading.

    Args:
        benchmark: A benchmark of the catalogue.
        catalogue: Where its file is found.

    Returns:
        What its file says; "mine" for one in a folder of the user's own, "general" where the file says nothing.
    """
    if not catalogue.find("benchmark", benchmark.name).path.is_relative_to(SHIPPED):
        return "mine"
    return benchmark.group or "general"


def in_groups(benchmarks: Iterable[BenchmarkConfig], catalogue: Catalogue) -> dict[Group, list[BenchmarkConfig]]:
    """Sort benchmarks under their headings.

    Args:
        benchmarks: Those to list.
        catalogue: Where their files are found.

    Returns:
        Heading → its benchmarks by title, those that another took the place of last. Empty headings are left out.
    """
    found: dict[Group, list[BenchmarkConfig]] = {group: [] for group in GROUPS}
    for benchmark in sorted(benchmarks, key=_order):
        found[benchmark_group(benchmark, catalogue)].append(benchmark)
    return {group: some for group, some in found.items() if some}


def _order(benchmark: BenchmarkConfig) -> tuple[bool, str, str]:
    return benchmark.superseded_by is not None, (benchmark.title or benchmark.name).casefold(), benchmark.name

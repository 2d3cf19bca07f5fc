"""Each benchmark has its place on the front page, and what says so decides no score."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
import yaml

from embedmark.runner.common.errors import UserError
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.roles import role_of
from embedmark.runner.config.schema import BenchmarkConfig
from embedmark.runner.leaderboard.benchmark_groups import GROUPS, Group, benchmark_group, in_groups

CATALOGUE = Catalogue(quiet=True)
SHIPPED_ONES = [CATALOGUE.benchmark(name) for name in CATALOGUE.benchmarks]


def written(folder: Path, **values: object) -> Catalogue:
    (folder / "benchmark").mkdir()
    page = {"name": "Support", "tasks": ["STSBenchmark"], **values}
    (folder / "benchmark" / "support.yaml").write_text(yaml.safe_dump(page), encoding="utf-8")
    return Catalogue.of([folder])


def test_every_benchmark_that_ships_says_its_group_and_what_is_in_it() -> None:
    assert len(SHIPPED_ONES) == 67
    for benchmark in SHIPPED_ONES:
        assert benchmark.group is not None, benchmark.name
        assert benchmark.description is not None, benchmark.name
        assert len(benchmark.description) <= 100, benchmark.name
        if told := re.match(r"(\d+) tasks", benchmark.description):
            assert int(told[1]) == len(benchmark.tasks), benchmark.name


def test_older_versions_name_one_that_there_is_and_stand_beside_it() -> None:
    older = {benchmark.name: benchmark for benchmark in SHIPPED_ONES if benchmark.superseded_by}
    assert "MTEB(eng, v1)" in older
    for benchmark in older.values():
        assert benchmark.superseded_by is not None
        assert CATALOGUE.benchmark(benchmark.superseded_by).group == benchmark.group


def test_groups_are_those_of_the_schema_and_ones_own() -> None:
    assert set(GROUPS) == set(get_args(Group))
    stated = next(iter(get_args(BenchmarkConfig.model_fields["group"].annotation)))
    assert {*get_args(stated), "mine"} == set(GROUPS)


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("MTEB(Multilingual, v2)", "general"),
        ("MTEB(eng, v1)", "general"),
        ("JMTEB(v2)", "language"),
        ("MTEB(Europe, v1)", "region"),
        ("MTEB(Law, v1)", "domain"),
    ],
)
def test_where_some_stand(name: str, group: Group) -> None:
    assert benchmark_group(CATALOGUE.benchmark(name), CATALOGUE) == group


def test_each_is_listed_once_and_older_ones_last() -> None:
    found = in_groups(SHIPPED_ONES, CATALOGUE)
    assert sorted(one.name for some in found.values() for one in some) == sorted(one.name for one in SHIPPED_ONES)
    assert list(found) == [group for group in GROUPS if group in found]
    for some in found.values():
        older = [one.superseded_by is not None for one in some]
        assert older == sorted(older)
    assert "mine" not in found


def test_ones_own_are_under_mine_whatever_they_say(tmp_path: Path) -> None:
    catalogue = written(tmp_path, group="domain", title="Tickets")
    assert benchmark_group(catalogue.benchmark("support"), catalogue) == "mine"
    listed = in_groups([catalogue.benchmark(name) for name in catalogue.benchmarks], catalogue)
    assert [one.name for one in listed["mine"]] == ["Support"]


def test_a_group_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"(?s)support\.yaml.*group.*'sport'.*general") as refused:
        written(tmp_path, group="sport").benchmark("support")
    assert "image" in str(refused.value)


@pytest.mark.parametrize("field", ["title", "group", "description", "superseded_by"])
def test_none_of_it_decides_a_score(field: str) -> None:
    assert role_of(BenchmarkConfig, field) == "describes"

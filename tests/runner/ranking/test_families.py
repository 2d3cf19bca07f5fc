"""Families of tasks: which tasks of real benchmarks are one family, and what a task's file can say about it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from embedmark.runner.common.errors import UserError
from embedmark.runner.config.catalogue import SHIPPED, Catalogue
from embedmark.runner.ranking.families import Families, families, families_of_keys, stem

ENGLISH = {
    "ArXivHierarchicalClustering": {"ArXivHierarchicalClusteringP2P", "ArXivHierarchicalClusteringS2S"},
    "CQADupstack": {"CQADupstackGamingRetrieval", "CQADupstackUnixRetrieval"},
    "Massive": {"MassiveIntentClassification", "MassiveScenarioClassification"},
    "MedrxivClustering": {"MedrxivClusteringP2P.v2", "MedrxivClusteringS2S.v2"},
    "StackExchangeClustering": {"StackExchangeClustering.v2", "StackExchangeClusteringP2P.v2"},
}
MULTILINGUAL = {
    "ArXivHierarchicalClustering": {"ArXivHierarchicalClusteringP2P", "ArXivHierarchicalClusteringS2S"},
    "Core17InstructionRetrieval": {
        "Core17InstructionRetrieval", "News21InstructionRetrieval", "Robust04InstructionRetrieval",
    },
    "SiswatiNewsClassification": {"IsiZuluNewsClassification", "SiswatiNewsClassification"},
}  # fmt: skip


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue(quiet=True)


def tasks_of(benchmark: str, catalogue: Catalogue) -> list[str]:
    return list(dict.fromkeys(task.name for task in catalogue.benchmark(benchmark).tasks))


def several(tasks: Sequence[str], found: Families) -> dict[str, set[str]]:
    """The families of more than one task."""
    by_name: dict[str, set[str]] = {}
    for task, number in zip(tasks, found.of, strict=True):
        by_name.setdefault(found.names[number], set()).add(task)
    return {name: members for name, members in by_name.items() if len(members) > 1}


@pytest.mark.parametrize(
    ("benchmark", "counts", "expected"),
    [("MTEB(eng, v2)", (41, 36), ENGLISH), ("MTEB(Multilingual, v2)", (131, 127), MULTILINGUAL)],
)
def test_benchmarks(
    benchmark: str, counts: tuple[int, int], expected: dict[str, set[str]], catalogue: Catalogue
) -> None:
    tasks = tasks_of(benchmark, catalogue)
    found = families(tasks, catalogue)
    assert (len(tasks), len(found.names)) == counts
    assert several(tasks, found) == expected
    assert found.sizes.sum() == len(tasks)


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("HUMESTSBenchmark", "STSBenchmark", "adapted from it"),
        ("TRECCOVID-PL", "TRECCOVID-NL", "adapted from the same"),
        ("CQADupstackRetrieval", "CQADupstackGamingRetrieval", "a mean over it"),
        ("SIB200Classification", "SIB200ClusteringS2S", "rows of one dataset"),
        ("BibleBookClustering", "BibleOpeningRetrieval", "texts of one package"),
        ("BrightBiologyRetrieval", "BrightBiologyLongRetrieval", "one configuration of one dataset"),
    ],
)
def test_tasks_of_one_family(one: str, other: str, why: str, catalogue: Catalogue) -> None:
    assert len(families([one, other], catalogue).names) == 1


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("BrightBiologyRetrieval", "BrightEconomicsRetrieval", "other configurations of one dataset"),
        ("OBLIQBenchMathRetrieval", "OBLIQBenchTwitterRetrieval", "other subsets of one dataset"),
        ("KLUE-NLI", "KLUE-STS", "one reference, of a whole collection"),
        ("RedditClustering", "StackExchangeClustering", "one article, of two sites"),
        ("STS12", "STS13", "nothing but alike"),
    ],
)
def test_tasks_of_two_families(one: str, other: str, why: str, catalogue: Catalogue) -> None:
    assert len(families([one, other], catalogue).names) == 2


def test_stems() -> None:
    assert stem("StackExchangeClusteringP2P.v2") == stem("StackExchangeClustering") == "stackexchangeclustering"
    assert stem("MSMARCO-PLHardNegatives") == stem("MSMARCO-VN") == "msmarco"
    assert stem("NFCorpus-NL.v2") == stem("NFCorpus")
    assert stem("SICK-E") != stem("SICK-R")


def a_catalogue(folder: Path, *, families_of: dict[str, str | None]) -> Catalogue:
    """Tasks of one's own, all of one reference, some with `about: family:`."""
    (folder / "task").mkdir(parents=True)
    for name, family in families_of.items():
        about = {"reference": "https://example.org/one"} | ({"family": family} if family else {})
        values = {
            "name": name, "type": "sts", "dataset": {"files": f"/{name}"}, "languages": ["eng-Latn"],
            "main_metric": "cosine_spearman", "about": about,
        }  # fmt: skip
        (folder / "task" / f"{name}.yaml").write_text(yaml.safe_dump(values))
    return Catalogue((folder, SHIPPED), quiet=True)


def test_a_file_says_its_family(tmp_path: Path) -> None:
    told = {"A": None, "B": None, "Alone": "Alone", "Sts": "STS12", "X": "pets", "Y": "pets"}
    catalogue = a_catalogue(tmp_path, families_of=told)
    tasks = [*told, "STS12"]
    found = families(tasks, catalogue)
    numbers = dict(zip(tasks, found.of.tolist(), strict=True))
    assert numbers["A"] == numbers["B"]
    assert numbers["Sts"] == numbers["STS12"]
    assert numbers["X"] == numbers["Y"]
    assert len(found.names) == 4
    assert found.names[numbers["X"]] == "pets"


def test_a_family_of_small_letters_that_share_nothing(tmp_path: Path) -> None:
    for name in ("abc", "xyz"):
        (tmp_path / "task").mkdir(exist_ok=True)
        task = yaml.safe_load((SHIPPED / "task" / "sts" / "sts12.yaml").read_text())
        (tmp_path / "task" / f"{name}.yaml").write_text(yaml.safe_dump({**task, "name": name}))
    assert families(["abc", "xyz"], Catalogue.of((tmp_path,), quiet=True)).names == ("abc",)


def test_a_task_that_is_not_there(catalogue: Catalogue) -> None:
    with pytest.raises(UserError, match="no task 'STS112'"):
        families(["STS112"], catalogue)


SAMPLE = ["STS12", "MedrxivClusteringP2P", "MedrxivClusteringS2S.v2", "SciFact", "SciFact-PL", "SICK-R", "SICK-R-PL"]


@given(order=st.permutations(SAMPLE), n=st.integers(1, len(SAMPLE)))
def test_what_is_of_one_family_depends_on_no_order(order: list[str], n: int) -> None:
    found = families(order[:n], CATALOGUE)
    together = {frozenset(np.array(order[:n])[found.of == number]) for number in range(len(found.names))}
    sets = [set(SAMPLE[:1]), set(SAMPLE[1:3]), set(SAMPLE[3:5]), set(SAMPLE[5:])]
    assert together == {frozenset(one & set(order[:n])) for one in sets} - {frozenset()}


CATALOGUE = Catalogue(quiet=True)


@pytest.mark.parametrize(
    ("keys", "families"),
    [([[], [], []], 3), ([[0], [0], []], 2), ([[0], [0, 1], [1]], 1), ([[0], [1], [0, 1]], 1), ([[1], [2], [1]], 2)],
)
def test_families_are_joined_by_what_tasks_share(keys: list[list[int]], families: int) -> None:
    assert len({*families_of_keys(keys).tolist()}) == families

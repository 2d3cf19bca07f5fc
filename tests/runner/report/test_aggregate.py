"""Task scores and means: exact where all is there, absent and explained where something is not."""

from __future__ import annotations

import math
import random
from datetime import timedelta
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_records import NOON, failure, identity, record

from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import BenchmarkConfig
from embedmark.runner.pins import default_pins
from embedmark.runner.report.aggregate import Aggregate, aggregate
from embedmark.runner.report.rows import WantedTask, rows_of_benchmark, rows_on_record, wanted_tasks
from embedmark.runner.results.collect import Collected, Kept
from embedmark.runner.results.record import Failure, Record

A, B = "org/a", "org/b"


def kept(values: Any, facts: Record | Failure) -> Kept:
    return Kept(facts, Path(facts.job.name), values)


def scored(score: float, task: str, type: str = "STS", later: int = 0, **where: str) -> Kept:
    values = identity(task, **where)
    return kept(values, record(values, score, type, finished_at=NOON + timedelta(seconds=later)))


def failed(task: str, type: str = "STS", **where: str) -> Kept:
    values = identity(task, **where)
    return kept(values, failure(values, type=type))


def collected(*items: Kept) -> Collected:
    records = tuple(item for item in items if isinstance(item.facts, Record))
    return Collected(records, tuple(item for item in items if item not in records), ())


def on_record(*items: Kept) -> Aggregate:
    """The report of every task on record."""
    found = collected(*items)
    return aggregate(found, rows_on_record(found.records))


def cells(report: Aggregate, model: int = 0) -> dict[str, tuple[str, float | None]]:
    return {task: (cell.status, cell.score) for task, cell in report.columns[model].cells.items()}


def test_means_by_hand() -> None:
    report = on_record(
        scored(0.5, "Sts1", subset="en"),
        scored(0.25, "Sts1", subset="de"),
        scored(0.75, "Sts1", subset="en", split="validation"),
        scored(0.25, "Topic1", "Classification"),
        scored(0.75, "Topic2", "Classification"),
    )
    (column,) = report.columns
    assert cells(report) == {"Topic1": ("done", 0.25), "Topic2": ("done", 0.75), "Sts1": ("done", 0.5)}
    assert column.type_means == {"Classification": 0.5, "STS": 0.5}
    assert column.mean_task == 0.5
    assert column.mean_type == 0.5


def test_mean_over_types_weighs_types_and_not_tasks() -> None:
    report = on_record(
        scored(0.0, "A", "Classification"), scored(0.3, "B", "Classification"), scored(0.9, "C", "Retrieval")
    )
    assert report.columns[0].mean_task == pytest.approx(0.4)
    assert report.columns[0].mean_type == pytest.approx((0.15 + 0.9) / 2)


def test_rows_by_type_then_name_and_columns_by_mean() -> None:
    report = on_record(
        *(scored(0.25, task, kind, model="org/low") for task, kind in [("b", "STS"), ("A", "STS"), ("z", "Bitext")]),
        *(scored(0.75, task, kind, model="org/high") for task, kind in [("b", "STS"), ("A", "STS"), ("z", "Bitext")]),
        scored(1.0, "b", model="org/partial"),
    )
    assert [task.name for task in report.tasks] == ["z", "A", "b"]
    assert [column.label for column in report.columns] == ["org/high", "org/low", "org/partial"]


def test_a_model_that_lacks_a_task_has_no_mean_and_says_which() -> None:
    report = on_record(
        scored(0.5, "One", model=A),
        scored(0.5, "Two", model=A),
        scored(0.5, "Two", model=A, subset="de"),
        scored(0.5, "Three", "Retrieval", model=A),
        scored(0.5, "Two", model=B),
        failed("Three", "Retrieval", model=B),
    )
    lacking = report.columns[1]
    assert cells(report, 1) == {"One": ("missing", None), "Two": ("incomplete", None), "Three": ("failed", None)}
    assert lacking.mean_task is None
    assert lacking.mean_type is None
    assert lacking.lacking == ("Three (failed; 0 of 1 done)", "One (missing)", "Two (1 of 2 done)")
    assert report.columns[0].mean_task == 0.5


def test_an_undefined_score_is_no_score() -> None:
    report = on_record(scored(math.nan, "One", subset="a"), scored(0.5, "One", subset="b"))
    assert cells(report) == {"One": ("undefined", None)}
    assert report.columns[0].mean_task is None


def test_a_failure_after_success_does_not_count() -> None:
    report = on_record(scored(0.5, "One"), failed("One"))
    assert cells(report) == {"One": ("done", 0.5)}


def test_variants_of_a_model_are_models_of_their_own() -> None:
    report = on_record(scored(0.5, "One", prompt="a"), scored(0.75, "One", prompt="b"))
    assert [column.label for column in report.columns] == [
        "org/model (prompts.query=b)",
        "org/model (prompts.query=a)",
    ]
    assert [column.mean_task for column in report.columns] == [0.75, 0.5]


@pytest.mark.parametrize("reverse", [False, True])
def test_the_newest_of_several_records_counts(reverse: bool) -> None:
    items = [scored(0.5, "One", later=1), scored(0.25, "One", later=2), scored(0.75, "One", later=0)]
    report = on_record(*(reversed(items) if reverse else items))
    assert cells(report) == {"One": ("done", 0.25)}


def wanted(name: str, *subsets: str) -> WantedTask:
    slots = tuple(("test", subset) for subset in subsets or ("default",))
    identities = {
        (split, subset): {key: value for key, value in identity(name, subset).items() if key != "model"}
        for split, subset in slots
    }
    return WantedTask(name, "STS", slots, identities=identities)


def of_benchmark(items: Collected, *tasks: WantedTask) -> Aggregate:
    return aggregate(items, rows_of_benchmark(tasks, items.records), "bench")


def test_a_benchmark_asks_for_its_own_subsets_and_all_its_tasks() -> None:
    items = collected(scored(0.5, "One", subset="en"), scored(0.0, "One", subset="de"), scored(0.0, "Stray", model=B))
    report = of_benchmark(items, wanted("One", "en"), wanted("Other"))
    assert [column.model for column in report.columns] == ["org/model"]
    assert cells(report) == {"One": ("done", 0.5), "Other": ("missing", None)}


def group(*names: str) -> WantedTask:
    return WantedTask("Group", "Retrieval", members=tuple(wanted(name) for name in names))


def test_an_aggregate_task_is_the_mean_of_its_members() -> None:
    items = collected(scored(0.25, "A", "Retrieval"), scored(0.75, "B", "Retrieval"))
    assert cells(of_benchmark(items, group("A", "B"))) == {"Group": ("done", 0.5)}
    lacking = of_benchmark(items, group("A", "B", "C"))
    assert cells(lacking) == {"Group": ("incomplete", None)}
    assert lacking.columns[0].lacking == ("Group (incomplete; 2 of 3 tasks done)",)


def test_rows_of_a_shipped_benchmark() -> None:
    catalogue = Catalogue()
    rows = {row.name: row for row in wanted_tasks(catalogue.benchmark("MTEB(eng, v1)"), catalogue, default_pins())}
    group = rows["CQADupstackRetrieval"]
    assert len(group.members) == 12
    assert all(member.slots == (("test", "default"),) for member in group.members)
    visual = {
        row.name: row for row in wanted_tasks(catalogue.benchmark("MIEB(Multilingual)"), catalogue, default_pins())
    }
    (member,) = visual["VisualSTS-b-Eng"].members
    assert (visual["VisualSTS-b-Eng"].type, member.slots) == ("VisualSTS(eng)", (("test", "en"),))
    assert len(visual["VisualSTS-b-Multilingual"].members[0].slots) == 9
    cut = BenchmarkConfig.model_validate({"name": "cut", "tasks": [{"name": "STS17", "subsets": ["en-en"]}]})
    (row,) = wanted_tasks(cut, catalogue, default_pins())
    assert row.slots == (("test", "en-en"),)
    assert row.identities["test", "en-en"]["job"]["subset"] == "en-en"


@given(st.data())
def test_order_does_not_matter_and_means_are_means(data: st.DataObject) -> None:
    score = st.floats(0, 1)
    table = {(m, t): data.draw(score) for m in (A, B) for t in ("One", "Two", "Three")}
    items = [
        scored(value, task, "STS" if task == "One" else "Retrieval", model=m) for (m, task), value in table.items()
    ]
    report = on_record(*items)
    random.Random(data.draw(st.integers())).shuffle(items)
    assert on_record(*items).columns == report.columns
    for column in report.columns:
        one, two, three = (table[column.model, task] for task in ("One", "Two", "Three"))
        assert column.mean_task == pytest.approx(fmean([one, two, three]))
        assert column.mean_type == pytest.approx(fmean([one, (two + three) / 2]))

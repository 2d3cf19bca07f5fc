"""Which jobs a plan holds, that their order never matters to their names, and what is not pinned."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedmark.runner.common.errors import UserError
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.compose import settings_from
from embedmark.runner.config.identity import Pin
from embedmark.runner.config.schema import BenchmarkTask, Execution, Settings
from embedmark.runner.pins import default_pins
from embedmark.runner.plan import Job, make_plan
from embedmark.runner.resolve import Pins

CATALOGUE = Catalogue()
NAMES = ["STSBenchmark", "Banking77Classification", "NusaX-senti", "XQuADRetrieval", "SIB200ClusteringS2S", "Tatoeba"]


def never(config: Any, *_: Any) -> Pin:
    raise AssertionError(f"{config.name} is pinned; nothing has to be looked up")


def planned(tasks: Sequence[BenchmarkTask], **settings: Any) -> tuple[Job, ...]:
    asked = Settings(model=CATALOGUE.model("e5"), tasks=tuple(tasks), **settings)
    return make_plan(asked, CATALOGUE, Pins(never, never)).jobs


def fingerprints(jobs: Sequence[Job]) -> dict[tuple[str, str, str], str]:
    return {(job.task.name, job.subset, job.split): job.fingerprint for job in jobs}


@given(
    st.permutations(NAMES),
    st.permutations(["en", "de", "es"]),
    st.integers(1, 10_000),
    st.sampled_from(["cpu", "cuda", "auto"]),
    st.integers(1, 64),
)
def test_order_and_machine_never_change_a_fingerprint(
    names: list[str], subsets: list[str], batch_tokens: int, device: str, threads: int
) -> None:
    def tasks(order: Sequence[str], parts: Sequence[str]) -> list[BenchmarkTask]:
        cut = {"XQuADRetrieval": tuple(parts), "Tatoeba": ("deu-eng",), "SIB200ClusteringS2S": ("eng_Latn",)}
        return [BenchmarkTask(name=name, subsets=cut.get(name)) for name in order]

    execution = Execution(batch_tokens=batch_tokens, device=device, threads=threads)
    there = planned(tasks(names, subsets), execution=execution, outputs="elsewhere")
    assert fingerprints(there) == fingerprints(planned(tasks(NAMES, ["en", "de", "es"])))


def test_a_subset_does_not_know_the_others_unless_draws_are_replayed() -> None:
    def one(*subsets: str, **settings: Any) -> dict[tuple[str, str, str], str]:
        task = CATALOGUE.task("SIB200ClusteringS2S").model_copy(update={"settings": settings})
        cut = task.model_copy(update={"subsets": {name: task.subsets[name] for name in subsets}})
        asked = Settings(model=CATALOGUE.model("e5"), task=cut)
        return fingerprints(make_plan(asked, CATALOGUE, Pins(never, never)).jobs)

    key = ("SIB200ClusteringS2S", "fra_Latn", "test")
    assert one("eng_Latn", "fra_Latn")[key] == one("fra_Latn")[key]
    assert one("eng_Latn", "fra_Latn", draws="mteb")[key] != one("fra_Latn", draws="mteb")[key]


def test_a_task_asked_for_twice_is_one_job() -> None:
    assert len(planned([BenchmarkTask(name="STSBenchmark")] * 2)) == 1


def test_an_aggregate_plans_its_parts() -> None:
    jobs = planned([BenchmarkTask(name="CQADupstackRetrieval")])
    assert len(jobs) == 12
    assert all(job.task.name.startswith("CQADupstack") for job in jobs)


@pytest.mark.parametrize("other", ["tasks=[SICK-R]", "benchmark=quickstart"])
def test_a_task_beside_others_takes_their_place_and_says_so(other: str, caplog: pytest.LogCaptureFixture) -> None:
    assert [job.name for job in _jobs("task=sts/stsbenchmark", other)] == ["STSBenchmark"]
    assert [f"beside {other.partition('=')[0]}" in line for line in caplog.messages] == [True]


def _jobs(*overrides: str) -> list[Job]:
    settings, catalogue = settings_from(list(overrides))
    return list(make_plan(settings, catalogue, default_pins()).jobs)


def test_an_aggregate_is_what_the_command_line_makes_of_it() -> None:
    changes = ["task.dataset.tasks=[STSBenchmark,SICK-R]", "task.splits=[validation]"]
    assert [job.name for job in _jobs("task=cqadupstackretrieval", *changes)] == [
        "STSBenchmark [validation]",
        "SICK-R [validation]",
    ]


def test_an_aggregate_may_count_some_subsets_of_its_tasks() -> None:
    changes = ["task.dataset.tasks=[STS17]", "task.dataset.subsets=[en-en,fr-en]", "task.splits=[test]"]
    assert [job.name for job in _jobs("task=cqadupstackretrieval", *changes)] == ["STS17/en-en", "STS17/fr-en"]
    with pytest.raises(UserError, match="'en-en'"):
        _jobs("task=cqadupstackretrieval", "task.dataset.tasks=[STS17]", "task.dataset.subsets=[en-enn]")


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["tasks=[{name: XQuADRetrieval, subsets: [dee]}]"], "'de'"),
        (["tasks=[STSBenchmrk]"], "'STSBenchmark'"),
        (["tasks=[ArguAnna]", "benchmark=mteb_eng_v2"], "'ArguAna'"),
        (["benchmark=null"], "nothing to run"),
        (["tasks=[{name: STSBenchmark, subsets: []}]"], "`subsets` is empty"),
        (["tasks=[{name: STSBenchmark, splits: []}]"], "`splits` is empty"),
        (["tasks=[{name: CQADupstackRetrieval, subsets: [default]}]"], "found subsets default"),
        (["task=cqadupstackretrieval", "task.dataset.tasks=[]"], "dataset.tasks"),
        (["task=cqadupstackretrieval", "task.dataset.tasks=[CQADupstackRetrieval]"], "is a circle"),
        (["tasks=[STSBenchmark]", "model.loader=sentence_transformers"], "'sentence_transformer'"),
    ],
)
def test_mistakes_are_told_before_anything_is_loaded(overrides: list[str], told: str) -> None:
    with pytest.raises(UserError) as caught:
        _jobs(*overrides)
    assert told in str(caught.value)


def test_a_task_that_no_file_says_is_checked_too() -> None:
    task = CATALOGUE.task("STSBenchmark").model_copy(update={"main_metric": "cosine_sperman"})
    with pytest.raises(UserError, match="Did you mean 'cosine_spearman'"):
        make_plan(Settings(model=CATALOGUE.model("e5"), task=task), CATALOGUE, Pins(never, never))


@pytest.mark.hub
def test_what_is_not_pinned_is_resolved_with_a_warning(hub: str, caplog: pytest.LogCaptureFixture) -> None:
    task = CATALOGUE.task("STSBenchmark")
    commit = task.dataset.revision  # type: ignore[union-attr]
    plans = []
    for revision in (commit, None, "main"):
        loose = task.model_copy(update={"dataset": task.dataset.model_copy(update={"revision": revision})})
        plans.append(make_plan(Settings(model=CATALOGUE.model("e5"), task=loose), CATALOGUE, default_pins()))
    assert len({plan.jobs[0].fingerprint for plan in plans}) == 1
    assert plans[1].jobs[0].task.config.dataset.revision == commit  # type: ignore[union-attr]
    assert [commit in line for line in caplog.messages] == [True, True]


@pytest.mark.parametrize("task", ["MassiveIntentClassification", "NTREXBitextMining"])
def test_a_job_costs_the_plan_little_however_many_there_are(task: str) -> None:
    """Counted in calls of our functions, which no other work on the machine changes: about 70 a job."""
    benchmark = CATALOGUE.benchmark("mteb_multilingual_v2")
    tasks = tuple(asked for asked in benchmark.tasks if asked.name == task)
    settings = Settings(model=CATALOGUE.model("e5"), tasks=tasks)
    pins = Pins(lambda *_: Pin("x"), lambda _: Pin("x"))
    calls = 0

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal calls
        calls += event == "call" and frame.f_globals.get("__name__", "").startswith("embedmark.")

    sys.setprofile(count)
    try:
        jobs = len(make_plan(settings, CATALOGUE, pins).jobs)
    finally:
        sys.setprofile(None)
    assert jobs > 100
    assert calls < 150 * jobs

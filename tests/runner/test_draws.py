"""`draws` on the command line: which jobs replay the reference's draws, and in which order of subsets and splits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from small_project import small_project, table, task

import embedmark.runner.execute.jobs
from embedmark.runner.cli.main import main
from embedmark.runner.config.catalogue import Catalogue

Planned = Callable[..., dict[tuple[str, str, str], str]]

E5 = ["model=e5"]


@pytest.fixture
def planned(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Planned:
    """(task, subset, split) → fingerprint of the jobs that a command line plans, in their order."""

    def plan(*overrides: str) -> dict[tuple[str, str, str], str]:
        assert main(["plan", "--json", *E5, f"outputs={tmp_path}", *overrides]) == 0
        jobs = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return {(job["task"], job["subset"], job["split"]): job["fingerprint"] for job in jobs}

    return plan


@pytest.mark.parametrize(
    ("task", "first"),
    [
        ("MLSUMClusteringP2P.v2", ["de", "fr", "ru", "es"]),
        ("MLSUMClusteringS2S.v2", ["de", "fr", "ru", "es"]),
        ("ClusTREC-Covid", ["title and abstract", "title"]),
        ("MultiEURLEXMultilabelClassification", ["en", "de", "fr"]),
        ("MultiEURLEXMultilabelClassification.v2", ["en", "de", "fr"]),
        ("EmotionAnalysisPlus", ["afr", "amh", "arq"]),
        ("EmotionAnalysisPlus.v2", ["afr", "amh", "arq"]),
        ("SIB200ClusteringS2S", ["ace_Latn", "acm_Arab", "acq_Arab"]),
        ("MasakhaNEWSClusteringP2P", ["amh", "eng", "fra"]),
        ("BlurbsClusteringP2P.v2", ["default"]),
    ],
)
def test_subsets_stand_in_the_order_of_the_reference(planned: Planned, task: str, first: list[str]) -> None:
    subsets = list(dict.fromkeys(subset for _, subset, _ in planned(f"tasks=[{task}]", "draws=mteb")))
    assert subsets[: len(first)] == first


CLUSTERING = "MLSUMClusteringS2S.v2"
CUT = "tasks=[{{name: {}, subsets: [{}], splits: [{}]}}]"


@pytest.mark.parametrize(
    ("overrides", "same_as"),
    [
        (["tasks=[STSBenchmark]", "draws=mteb"], ["tasks=[STSBenchmark]"]),
        (["tasks=[Banking77Classification]", "draws=mteb"], ["tasks=[Banking77Classification]"]),
        ([f"tasks=[{CLUSTERING}]", "draws=null"], [f"tasks=[{CLUSTERING}]"]),
        ([f"tasks=[{CLUSTERING}]", "draws=job"], [f"tasks=[{CLUSTERING}]"]),
        (
            [f"task={CLUSTERING}", "draws=mteb"],
            [f"task={CLUSTERING}", "+task.settings.draws=mteb"],
        ),
        ([f"tasks=[{CLUSTERING}]", "draws=mteb"], [f"task={CLUSTERING}", "draws=mteb"]),
        ([f"task={CLUSTERING}", "+task.settings.draws=mteb", "draws=job"], [f"task={CLUSTERING}"]),
        ([f"task={CLUSTERING}", "+task.settings.draws=mteb", "draws=null"], [f"task={CLUSTERING}", "draws=mteb"]),
        # The reference goes by the task's own order of subsets, by the order asked for of splits.
        (
            [CUT.format(CLUSTERING, "es, de, fr", "test"), "draws=mteb"],
            [CUT.format(CLUSTERING, "de, fr, es", "test"), "draws=mteb"],
        ),
        (
            [CUT.format(CLUSTERING, "de, de", "'test', 'test'"), "draws=mteb"],
            [CUT.format(CLUSTERING, "de", "test"), "draws=mteb"],
        ),
        # The first subset and split of a run has nothing to replay.
        (
            [CUT.format(CLUSTERING, "de", "validation"), "draws=mteb"],
            [CUT.format(CLUSTERING, "de", "validation"), "draws=mteb", "execution.threads=1", "rerun=true"],
        ),
    ],
)
def test_ways_to_say_the_same(planned: Planned, overrides: list[str], same_as: list[str]) -> None:
    assert planned(*overrides) == planned(*same_as)


@pytest.mark.parametrize(
    ("overrides", "other"),
    [
        ([f"tasks=[{CLUSTERING}]", "draws=mteb"], [f"tasks=[{CLUSTERING}]"]),
        ([f"tasks=[{CLUSTERING}]", "draws=mteb"], [CUT.format(CLUSTERING, "es", "test"), "draws=mteb"]),
        (
            [CUT.format(CLUSTERING, "es", "test, validation"), "draws=mteb"],
            [CUT.format(CLUSTERING, "es", "validation, test"), "draws=mteb"],
        ),
    ],
)
def test_what_is_replayed_decides_a_score(planned: Planned, overrides: list[str], other: list[str]) -> None:
    key = (CLUSTERING, "es", "test")
    assert planned(*overrides)[key] != planned(*other)[key]


def test_a_benchmark_replays_the_subsets_that_it_has_and_no_others(planned: Planned) -> None:
    with_draws, without = (planned("benchmark=mteb_europe_v1", f"draws={draws}") for draws in ("mteb", "job"))
    assert with_draws.keys() == without.keys()
    moved = {place for place in with_draws if with_draws[place] != without[place]}
    catalogue = Catalogue()
    assert {catalogue.task(task).type for task, *_ in moved} == {"clustering", "multilabel_classification"}
    name = "SIB200ClusteringS2S"
    listed = {place: found for place, found in with_draws.items() if place[0] == name}
    assert 1 < len(listed) < len(catalogue.task(name).subsets)
    subsets = ", ".join(f"'{subset}'" for _, subset, _ in reversed(listed))
    assert planned(f"tasks=[{{name: {name}, subsets: [{subsets}]}}]", "draws=mteb") == listed


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("MTEB", "did you mean 'mteb'?"),
        ("jobs", "did you mean 'job'?"),
        ("mtebb", "did you mean 'mteb'?"),
        ("none", "expected one of job, mteb"),
        ("5", "expected one of job, mteb"),
        ("true", "expected one of job, mteb"),
        ("", "expected one of job, mteb"),
        ("[mteb]", "expected one of job, mteb"),
        ("{a: mteb}", "expected one of job, mteb"),
        ("1e3", "expected one of job, mteb"),
    ],
)
def test_other_values_are_refused(value: str, told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["plan", *E5, f"outputs={tmp_path}", "tasks=[STSBenchmark]", f"draws={value}"]) == 2
    assert told in capsys.readouterr().err


def test_the_record_says_whose_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = small_project(tmp_path / "project")
    rows = [{"sentences": f"a b {i % 7} c", "labels": i % 4} for i in range(60)]
    for subset, n in (("zz", 60), ("aa", 40)):
        table(project, f"parts/{subset}", test=rows[:n])
    subsets = {"zz": ["eng-Latn"], "aa": ["eng-Latn"]}
    settings = {"max_fraction_of_documents_to_embed": 0.5, "n_clusterings": 2}
    task(project, "Parts", "clustering", "v_measure", languages=[], subsets=subsets, settings=settings)
    command = ["--config-dir", str(project), "model=tiny", "tasks=[Parts,Likeness]", f"outputs={tmp_path / 'out'}"]
    assert main([*command, "draws=mteb"]) == 0
    capsys.readouterr()
    found: dict[tuple[str, str], Any] = {}
    for path in (tmp_path / "out").glob("jobs/*/identity.json"):
        identity = json.loads(path.read_text(encoding="utf-8"))
        found[identity["task"]["name"], identity["job"]["subset"]] = identity
    assert found["Parts", "aa"]["task"]["settings"]["draws"] == "mteb"
    assert found["Parts", "aa"]["job"]["draws_after"] == [["test", "zz"]]
    assert "draws_after" not in found["Parts", "zz"]["job"]
    assert "draws" not in found["Likeness", "default"]["task"].get("settings", {})

    for overrides, told in (
        (["draws=job"], "2 jobs were done with draws mteb (now job); `report` tells them apart"),
        (["draws=mteb", "tasks=[{name: Parts, subsets: [aa]}]"], "1 job was done with draws after other subsets;"),
    ):
        assert main(["plan", *command, *overrides]) == 0
        assert told in capsys.readouterr().out
    assert main(["report", "--outputs", str(tmp_path / "out"), "--config-dir", str(project)]) == 0
    assert "Parts" in capsys.readouterr().out


def test_a_subset_that_many_replay_is_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = small_project(tmp_path / "project")
    subsets = {name: ["eng-Latn"] for name in ("cc", "bb", "aa")}
    for subset in subsets:
        table(project, f"counted/{subset}", test=[{"sentences": f"a b {i % 7} c", "labels": i % 4} for i in range(60)])
    settings = {"max_fraction_of_documents_to_embed": 0.5, "n_clusterings": 2}
    task(project, "Counted", "clustering", "v_measure", languages=[], subsets=subsets, settings=settings)
    loaded = Mock(side_effect=embedmark.runner.execute.jobs.load)
    monkeypatch.setattr(embedmark.runner.execute.jobs, "load", loaded)
    outputs = f"outputs={tmp_path / 'out'}"
    assert main(["--config-dir", str(project), "model=tiny", "tasks=[Counted]", outputs, "draws=mteb"]) == 0
    assert loaded.call_count == 3 + 2, "each for its own job, and all but the last for those after it"

"""Pages of models and tasks: every score is on them, in its place, and files are the same whenever they are made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from small_boards import DATA, OTHER_DATA, small_shown

from embedmark.runner.leaderboard import task_pages as tasks_module
from embedmark.runner.leaderboard.columns import Shown
from embedmark.runner.leaderboard.left_out import left_out
from embedmark.runner.leaderboard.model_facts import ModelFact
from embedmark.runner.leaderboard.model_pages import model_pages
from embedmark.runner.leaderboard.task_pages import task_pages


@pytest.fixture
def shown(tmp_path: Path) -> Shown:
    return small_shown(tmp_path)


def rows(page: dict[str, Any]) -> list[dict[str, Any]]:
    """The scores of a model's page, with what their numbers stand for."""
    lists, scores = page["lists"], page["scores"]
    found = []
    for place in range(len(scores["task"])):
        one = {key: values[place] for key, values in scores.items()}
        for key in ("variant", "task", "type", "what", "boards", "revision", "source"):
            one[key] = None if one[key] is None else lists[key][one[key]]
        one["task"], one["slug"], one["choice"] = one["task"]
        found.append(one)
    return found


def test_every_model_has_a_page_with_its_scores_and_places(shown: Shown) -> None:
    pages = dict(model_pages(shown, {"org/x": ModelFact(size=5)}))
    assert sorted(page["name"] for page in pages.values()) == [
        "org/a",
        "org/b",
        "org/undefined",
        "org/x",
        "org/y",
        "org/z",
    ]
    found = {(row["task"], row["what"]): row for row in rows(pages["org-x"])}
    assert {key: (row["score"], row["place"], row["n"]) for key, row in found.items()} == {
        ("Topics", ""): (600_000, 2, 2),
        ("Topics", "en"): (500_000, 3, 3),
        ("Likeness", ""): (250_000, 2, 2),
    }
    data, versions, origins, files = found["Topics", ""]["source"]
    assert (data, versions) == ((DATA, OTHER_DATA), ("1.2.0", "2.1.0"))
    assert (origins, files) == (("published",), ("results/org__x/r/Topics.json",))
    assert found["Topics", ""]["revision"] == "r" * 40
    assert found["Topics", ""]["trained"] is None
    assert pages["org-x"]["findings"] == [["Topics", "looks odd"]]
    assert pages["org-x"]["facts"]["size"] == 5
    assert pages["org-x"]["file"] is None
    json.dumps(pages, allow_nan=False)


def test_ones_own_model_has_its_file_its_command_and_its_jobs(shown: Shown) -> None:
    page = dict(model_pages(shown, {}))["org-a"]
    assert page["command"] == "python -m runner model=a --config-dir DIR"
    assert "name: org/a" in page["yaml"]
    own = next(row for row in rows(page) if row["task"] == "Topics" and row["what"] == "")
    assert (own["score"], own["place"], own["source"]) == (750_000, 1, None)
    assert [page["jobs"][number]["subset"] for number in own["jobs"]] == ["en", "de"]


def test_scores_that_no_board_counts_are_named(shown: Shown) -> None:
    pages = dict(model_pages(shown, {}))
    assert pages["org-z"]["parts"] == [["Elsewhere", "elsewhere", 1]]
    assert pages["org-y"]["parts"] == []
    assert rows(pages["org-z"]) == []


def scores_of(page: dict[str, Any], more: Sequence[dict[str, Any]] = ()) -> set[tuple[str, str, str, bool, int]]:
    """All scores of a task's page and of the files beside it."""
    models, table = page["models"], page["rows"]
    found = set()
    for part in (page, *more):
        for split, subset, number, scores in part["slots"]:
            for row, score in zip(part["sets"][number], scores, strict=True):
                model = table["model"][row]
                found.add((split, subset, models["label"][model], bool(models["own"][model]), score))
    return found


def test_a_task_has_all_scores_of_all_its_subsets(shown: Shown) -> None:
    pages = dict(task_pages(shown))
    assert sorted(pages) == ["elsewhere", "likeness", "topics"]
    assert scores_of(pages["topics"]) == {
        ("test", "en", "org/x", False, 500_000),
        ("test", "de", "org/x", False, 700_000),
        ("test", "en", "org/y", False, 900_000),
        ("test", "en", "org/a", True, 750_000),
        ("test", "de", "org/a", True, 750_000),
    }
    assert ("test", "default", "org/a", False, 125_000) in scores_of(pages["likeness"])
    assert [(one["words"], len(one["models"])) for one in pages["topics"]["asked"]] == [("", 2), ("en", 3)]
    assert pages["topics"]["findings"] == [["org/x", "looks odd"]]
    assert [(one["data"], one["models"]) for one in pages["topics"]["history"]] == [(OTHER_DATA, 2), (DATA, 1)]
    assert pages["elsewhere"]["card"] is None
    json.dumps(pages, allow_nan=False)


def test_a_task_of_very_many_scores_is_split_by_language(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = dict(task_pages(shown))["topics"]
    monkeypatch.setattr(tasks_module, "LARGEST", 4)
    pages = dict(task_pages(shown))
    assert [key for key in pages if key.startswith("topics")] == ["topics", "topics.deu", "topics.eng"]
    page = pages["topics"]
    assert page["files"] == ["deu", "eng"]
    assert page["listed"] == [["test", "de", 0], ["test", "en", 1]]
    assert scores_of(page) == set()
    assert scores_of(page, [pages["topics.deu"], pages["topics.eng"]]) == scores_of(whole)


@pytest.mark.parametrize(
    ("languages", "file"),
    [
        (["deu-Latn"], "deu"),
        (["eng-Latn"], "eng"),
        (["eng-Latn", "deu-Latn"], "deu"),
        (["fra-Latn", "deu-Latn"], "deu"),
        ([], "rest"),
    ],
)
def test_the_file_of_a_subset_is_that_of_its_first_language_but_english(languages: list[str], file: str) -> None:
    assert tasks_module._file_of(languages) == file


def test_shown_and_left_out_are_all_models(shown: Shown) -> None:
    found = left_out(shown)
    assert [name for name, _ in found["models"]] == ["org/a", "org/b", "org/undefined", "org/x", "org/y", "org/z"]
    for board in (*found["boards"], {"shown": found["shown"], "out": found["nowhere"]}):
        out = [model for _, models in board["out"] for model in models]
        assert board["shown"] + len(out) == len({*out}) + board["shown"] == len(found["models"])
    reasons = {
        board["name"]: {
            found["models"][model][0]: found["reasons"][why] for why, models in board["out"] for model in models
        }
        for board in found["boards"]
    }
    assert "no whole task" in reasons["Small"]["org/y"]
    assert "no score" in reasons["Small"]["org/z"]
    nowhere = {found["models"][model][0]: found["reasons"][why] for why, models in found["nowhere"] for model in models}
    assert sorted(nowhere) == ["org/b", "org/undefined", "org/z"]
    assert "no benchmark" in nowhere["org/z"]
    assert "variants" in nowhere["org/b"]
    assert "defined" in nowhere["org/undefined"]
    assert found["unscored"] == ["Unscored"]


def test_files_are_the_same_whenever_they_are_made(tmp_path: Path) -> None:
    first, second = (small_shown(tmp_path) for _ in range(2))
    for make in (lambda shown: dict(model_pages(shown, {})), lambda shown: dict(task_pages(shown)), left_out):
        assert json.dumps(make(first)) == json.dumps(make(second))

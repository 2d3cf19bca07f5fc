from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedmark.models.base import EncodeContext
from embedmark.models.prompts import CHECKPOINT_FILE, PromptTable, check_keys, most_specific, prompt_table
from embedmark.runner.common.errors import ModelError
from embedmark.tasks.base import Side, TaskContext

TYPES = ("Retrieval", "Classification", "STS", "PairClassification")


def context(side: Side | None, name: str = "ArguAna", type_: str = "Retrieval") -> EncodeContext:
    return EncodeContext(TaskContext(name, type_), side)


BY_RANK = ["ArguAna-query", "ArguAna", "Retrieval-query", "Retrieval", "query"]


@given(st.sets(st.sampled_from([*BY_RANK, "document", "ArguAna-document", "Retrieval-document", "STS", "STS-query"])))
def test_the_most_specific_key_wins(keys: set[str]) -> None:
    expected = next((key for key in BY_RANK if key in keys), None)
    assert most_specific({key: key for key in keys}, context("query")) == expected


def test_without_a_side_only_names_count() -> None:
    table = {"query": "q", "Retrieval-query": "rq", "Retrieval": "r"}
    assert most_specific(table, context(None)) == "r"
    assert most_specific({"query": "q", "document": "d"}, context(None)) is None


def checkpoint(folder: Path, **values: object) -> Path:
    (folder / CHECKPOINT_FILE).write_text(json.dumps(values), encoding="utf-8")
    return folder


def test_the_configs_prompts_replace_the_checkpoints(tmp_path: Path) -> None:
    checkpoint(tmp_path, prompts={"query": "q: ", "STS": "s: "})
    assert prompt_table({}, tmp_path).choose(context("query")) == "q: "
    mine = prompt_table({"query": "mine: "}, tmp_path)
    assert mine.choose(context("query")) == "mine: "
    assert mine.choose(context(None, "X", "STS")) == ""


def test_a_default_prompt_serves_texts_without_side_only(tmp_path: Path) -> None:
    checkpoint(tmp_path, prompts={"query": "q: ", "general": "g: "}, default_prompt_name="general")
    table = prompt_table({}, tmp_path)
    assert table.choose(context(None)) == "g: "
    assert table.choose(context("query")) == "q: "
    assert table.choose(context("document")) == "", "the empty document prompt keeps the default away"


def test_a_folder_without_prompts_has_none(tmp_path: Path) -> None:
    assert prompt_table({}, tmp_path).choose(context("query")) == ""
    assert PromptTable({"query": "q: "}).choose(context("document")) == ""


def test_a_broken_prompt_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT_FILE).write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match=f"{CHECKPOINT_FILE} is not JSON"):
        prompt_table({}, tmp_path)
    checkpoint(tmp_path, prompts={"query": "q"}, default_prompt_name="general")
    with pytest.raises(ModelError, match="'general', not one of its prompts"):
        prompt_table({}, tmp_path)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("qurey", "query"),
        ("passage", "document"),
        ("Retrival-query", "Retrieval"),
        ("sts", "STS"),
        ("query-query", "query"),
    ],
)
def test_a_key_that_nothing_can_match_is_refused(key: str, meant: str) -> None:
    with pytest.raises(ModelError, match=rf"{key!r}.*{meant!r}"):
        check_keys([key], TYPES)


def test_a_task_is_known_by_the_names_given() -> None:
    keys = ["query", "STS", "Retrieval-document", "ArguAna", "ArguAna-query", "NFCorpus-PL"]
    check_keys(keys, TYPES)
    check_keys(keys, TYPES, ["ArguAna", "NFCorpus-PL"])
    with pytest.raises(ModelError, match=r"'ArguAnna'.*Did you mean 'ArguAna'"):
        check_keys(["ArguAnna"], TYPES, ["ArguAna"])

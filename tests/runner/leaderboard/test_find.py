"""The find box: the words that filters are called by become filters, and all others a model's name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from board_of_names import board_of, names
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from page_in_node import in_page, needs_node

pytestmark = needs_node

SUGGEST = 'import { suggest } from "./find.js";\nconst found = given.lines.map((line) => suggest(given.board, line));'
MORE = (
    'import { suggestions } from "./find.js";\nconst found = given.lines.map((line) => suggestions(given.board, line));'
)
MODELS = (
    'import { modelsCalled } from "./find.js";\nconst found = given.lines.map((one) => modelsCalled(given.board, one));'
)

BOARD = {
    "models": {
        "label": ["intfloat/multilingual-e5-small", "org/other-e5", "e5-labs/one", "Qwen/Qwen3-Embedding-8B"],
        "licence": ["mit", "apache-2.0", None, "apache-2.0"],
        "type": ["dense", "cross-encoder", None, "dense"],
        "own": [0, 0, 0, 0],
    },
    "tasks": {
        "name": ["GermanQuAD-Retrieval", "Touche2020", "STS12"],
        "domains": [["Legal", "News"], ["Legal"], []],
        "modalities": [["text"], ["text", "image"], ["text"]],
    },
    "types": ["InstructionReranking", "PairClassification", "Reranking", "Retrieval", "STS"],
    "languageFiles": [{"code": "deu", "name": "German"}, {"code": "nob", "name": "Norwegian Bokm\u00e5l"}],
}


def meant(folder: Path, line: str, script: str = SUGGEST, board: Any = BOARD) -> Any:
    return in_page(folder, script, {"board": board, "lines": [line]})[0]


@pytest.mark.parametrize(
    ("line", "patch"),
    [
        ("german retrieval open 500m", {"lang": ["deu"], "type": ["Retrieval"], "open": True, "max": 500}),
        ("open 500M Retrieval deu", {"lang": ["deu"], "type": ["Retrieval"], "open": True, "max": 500}),
        ("ger retr", {"lang": ["deu"], "type": ["Retrieval"]}),
        ("norwegian bokmal", {"lang": ["nob"]}),
        ("pair classification, sts", {"type": ["PairClassification", "STS"]}),
        ("sts STS", {"type": ["STS"]}),
        ("zero-shot", {"zs": "only"}),
        ("zero shot legal", {"zs": "only", "domain": ["Legal"]}),
        ("apache 2.0", {"licence": ["apache-2.0"]}),
        ("mit image", {"licence": ["mit"], "modality": ["image"]}),
        ("cross-encoder", {"kind": ["cross-encoder"]}),
        ("germanquad", {"task": ["GermanQuAD-Retrieval"]}),
        ("<7b", {"max": 7000}),
        (">=1.5B", {"min": 1500}),
        (">100m ≤2b", {"min": 100, "max": 2000}),
        ("open weights", {"open": True}),
    ],
)
def test_words_are_the_filters_that_they_call(tmp_path: Path, line: str, patch: dict[str, Any]) -> None:
    found = meant(tmp_path, line)
    assert found["patch"] == patch
    assert found["left"] == []
    assert len(found["words"]) == sum(len(value) if isinstance(value, list) else 1 for value in patch.values())


def test_a_line_of_filters_is_the_first_suggestion(tmp_path: Path) -> None:
    first = meant(tmp_path, "german retrieval open 500m", MORE)[0]
    assert first["words"] == ["German", "Retrieval", "open weights", "≤ 500 M"]
    assert first["patch"] == {"lang": ["deu"], "type": ["Retrieval"], "open": True, "max": 500, "find": ""}


def test_other_meanings_of_the_last_word_follow(tmp_path: Path) -> None:
    found = meant(tmp_path, "german re", MORE)
    assert [one["words"] for one in found] == [["German", "Reranking"], ["German", "Retrieval"], []]
    assert found[-1]["patch"] == {"find": "german re"}


def test_what_is_left_finds_models_by_name(tmp_path: Path) -> None:
    found = meant(tmp_path, "e5 german", MORE)
    assert found[0]["patch"] == {"lang": ["deu"], "find": "e5"}
    assert meant(tmp_path, "multilingual-e5", MORE) == [
        {"patch": {"find": "multilingual-e5"}, "words": [], "left": ["multilingual-e5"]}
    ]


def test_one_letter_and_nothing_call_no_filter(tmp_path: Path) -> None:
    assert meant(tmp_path, "g")["patch"] == {}
    assert meant(tmp_path, "  ,  ", MORE) == []


def test_models_whose_name_begins_so_come_first(tmp_path: Path) -> None:
    assert meant(tmp_path, "E5", MODELS) == [2, 0, 1]
    assert meant(tmp_path, "qwen3", MODELS) == [3]


def test_my_models_are_offered_where_there_are_any(tmp_path: Path) -> None:
    assert meant(tmp_path, "mine")["patch"] == {}
    own = {**BOARD, "models": {**BOARD["models"], "own": [0, 1, 0, 0]}}
    assert meant(tmp_path, "mine", board=own)["patch"] == {"own": True}


@settings(
    max_examples=8, deadline=None, phases=(Phase.generate,), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(names, min_size=24, max_size=60, unique=True))
def test_no_name_breaks_the_box_and_every_word_is_used_once(tmp_path: Path, drawn: Sequence[str]) -> None:
    board = {**board_of(drawn), "languageFiles": [{"code": name, "name": name} for name in drawn[:5]]}
    found = in_page(tmp_path, SUGGEST, {"board": board, "lines": list(drawn)})
    known = {*board["tasks"]["name"], *board["types"], *board["models"]["name"], *drawn[:5], "text", True, "only"}
    for one in found:
        for value in one["patch"].values():
            for part in value if isinstance(value, list) else [value]:
                assert part in known or isinstance(part, (int, float))

"""Names as views write them: the same in every view, and in the rows that stand before any script has run."""

from __future__ import annotations

from pathlib import Path

from page_in_node import in_page, needs_node

from embedmark.runner.leaderboard.pages import OF_ONE, VIEWS
from embedmark.runner.leaderboard.static_rows import short_name


@needs_node
def test_a_slash_in_what_tells_variants_apart_is_no_organisation(tmp_path: Path) -> None:
    labels = ["org/x", "x", "org/x (dtype=fp16/bf16)", "x (revision=a/b)", "a/b/c", "x (y) (z/w)", ""]
    script = 'import { shortName } from "./modelwords.js";\nconst found = given.map(shortName);'
    found = in_page(tmp_path, script, labels)
    assert found == [short_name(label) for label in labels]
    assert found[3] == "x (revision=a/b)"


@needs_node
def test_types_are_words_and_abbreviations_stay(tmp_path: Path) -> None:
    types = ["PairClassification", "STS", "VisualSTS(eng)", "Any2AnyRetrieval", "MultilabelClassification"]
    script = 'import { typeWords } from "./modelwords.js";\nconst found = given.map(typeWords);'
    assert in_page(tmp_path, script, types) == [
        "Pair classification", "STS", "VisualSTS(eng)", "Any2Any retrieval", "Multilabel classification",
    ]  # fmt: skip


@needs_node
def test_addresses_know_the_views_that_pages_name_in_their_order(tmp_path: Path) -> None:
    found = in_page(tmp_path, 'import { VIEWS } from "./address.js";\nconst found = VIEWS;', None)
    assert found == [view for view, _ in VIEWS]
    assert {*found} > OF_ONE

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedmark.models.base import Variant
from embedmark.runner.common.errors import DataError
from embedmark.runner.encode.keys import deduplicate

VARIANTS = st.sampled_from([Variant(), Variant("a"), Variant("", (("task", "x"),)), Variant("", (("task", 1),))])
REQUESTS = st.lists(st.tuples(st.just("r"), st.lists(st.text("ab", max_size=2), max_size=6), VARIANTS), max_size=5)


@given(REQUESTS)
def test_every_text_leads_to_itself_and_each_is_there_once(requests: list[tuple[str, list[str], Variant]]) -> None:
    found = deduplicate(requests)
    pairs = [(text, variant) for _, texts, variant in requests for text in texts]
    assert len(found.keys) == len(set(pairs))
    rows = np.arange(len(found.keys))
    picked = found.pick([texts for _, texts, _ in requests], rows)
    variants = [found.variants[number] for number in found.variant_of(rows)]
    assert [(picked[row], variants[row]) for row in found.inverse] == pairs
    assert [len(text) for text in picked] == list(found.sizes)
    counts = [len(found.of_request(number)) for number in range(len(requests))]
    assert counts == [len(texts) for _, texts, _ in requests]


def test_a_prompt_is_not_the_same_as_its_text() -> None:
    keys = deduplicate([("r", ["x"], Variant("a")), ("r", ["ax"], Variant())]).keys
    assert (keys[0] != keys[1]).any()


def test_keys_stay_what_they_are() -> None:
    """Golden: a changed key would leave every stored embedding unfound."""
    keys = deduplicate([("r", ["text", "ü"], Variant("prompt: ", (("task", "x"),)))]).keys
    assert [bytes(key).hex() for key in keys] == [
        "18a3d0103dbdcbc341a69155f490de5d",
        "00bfb0e931eb2e2b58a1d7c5772f092f",
    ]


def test_what_is_no_text_is_named() -> None:
    with pytest.raises(DataError, match="STS22: row 1 is None; expected a text"):
        deduplicate([("STS22", ["a", None], Variant())])  # type: ignore[list-item]
    with pytest.raises(DataError, match="STS22: row 0 is not Unicode text"):
        deduplicate([("STS22", ["\ud800"], Variant())])

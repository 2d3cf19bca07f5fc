from __future__ import annotations

from embedmark.runner.report.variants import labels


def test_only_what_differs_is_said_of_those_that_have_it() -> None:
    models = [{"name": "m", "dtype": "float32", **more} for more in ({}, {"truncate_dim": 64}, {"truncate_dim": 128})]
    assert labels(models) == ["", "truncate_dim=64", "truncate_dim=128"]


def test_values_are_short_and_spaces_stay_visible() -> None:
    models = [
        {"revision": "a" * 40, "prompts": {"query": "q: "}},
        {"revision": "b" * 40, "prompts": {"query": "x" * 99}},
    ]
    assert labels(models) == [
        'prompts.query="q: ", revision=aaaaaaa',
        f"prompts.query={'x' * 23}…, revision=bbbbbbb",
    ]


def test_the_only_variant_needs_no_words() -> None:
    assert labels([{"name": "m"}]) == [""]


def test_those_that_would_read_the_same_are_numbered() -> None:
    assert labels([{"prompt": "x" * 50 + "a"}, {"prompt": "x" * 50 + "b"}]) == [
        f"prompt={'x' * 23}… 1",
        f"prompt={'x' * 23}… 2",
    ]

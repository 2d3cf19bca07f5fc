"""Encoders of one's own, one for each way to go wrong: what a model's file names as `own_encoders:NAME`."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import warnings
import weakref
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from embedmark.models.base import EncodeContext, Variant
from embedmark.models.spec import ModelSpec

MARKED = "marked"
"""The word in the texts of the faulty task."""


class Fine:
    """Vectors that hashes of the texts decide."""

    similarity = "cosine"
    batch_tokens = 1024

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self.facts: Any = {}

    def variant(self, context: EncodeContext) -> Variant:
        return Variant()

    def lengths(self, texts: Sequence[str], variant: Variant) -> Any:
        return np.array([len(text) for text in texts], dtype=np.int64)

    def encode(self, texts: Sequence[str], variant: Variant) -> Any:
        vectors = np.stack([self._vector(text) for text in texts])
        return self.spoil(vectors) if any(MARKED in text for text in texts) else vectors

    def spoil(self, vectors: np.ndarray) -> Any:
        return vectors

    def _vector(self, text: str) -> np.ndarray:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
        return np.random.default_rng(seed).standard_normal(16).astype(np.float32)


class Compared(Fine):
    """Compares vectors in a way that does not exist."""

    similarity = "cosin"


class UnspeakableError(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class RustPanic(BaseException):
    """As the panics of libraries in Rust reach Python."""


class AcceleratorError(RuntimeError):
    """As torch.AcceleratorError, which only a torch with an accelerator raises."""


ERRORS: dict[str, BaseException] = {
    "Runtime": RuntimeError("CUDNN_STATUS_NOT_SUPPORTED"),
    "Assertion": AssertionError(),
    "Key": KeyError("input_ids"),
    "System": OSError(5, "Input/output error", "/weights/shard-3"),
    "Broken": BrokenPipeError(32, "Broken pipe"),
    "Recursion": RecursionError("maximum recursion depth exceeded"),
    "Stop": StopIteration("no more"),
    "Exit": SystemExit("bye"),
    "Unicode": UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    "Surrogate": ValueError("a broken text: \ud800"),
    "Unspeakable": UnspeakableError(),
    "Panic": RustPanic("called `Option::unwrap()` on a `None` value"),
    "Group": ExceptionGroup("several", [ValueError("one"), TypeError("two")]),
    "Warned": UserWarning("a warning that was made an error"),
}

LOST: dict[str, BaseException] = {
    "Lost": AcceleratorError("CUDA error: device-side assert triggered"),
    "LostToo": RuntimeError("CUDA error: an illegal memory access was encountered"),
}

RETURNED = {
    "Nothing": lambda vectors: None,
    "Words": lambda vectors: "vectors",
    "Short": lambda vectors: vectors[:-1],
    "Long": lambda vectors: np.concatenate([vectors, vectors]),
    "Flat": lambda vectors: vectors.ravel(),
    "Ragged": lambda vectors: [vector[: 3 + row] for row, vector in enumerate(vectors)],
    "Whole": lambda vectors: vectors.astype(np.int64),
    "Objects": lambda vectors: np.array([[{}] * 3] * len(vectors)),
    "Complex": lambda vectors: vectors.astype(np.complex64),
    "Nan": lambda vectors: vectors * np.nan,
    "Huge": lambda vectors: vectors.astype(np.float64) * 1e300,
    "Hollow": lambda vectors: vectors[:, :0],
}

TAKEN = {
    "Tensor": lambda vectors: _torch().tensor(vectors),
    "Gradient": lambda vectors: _torch().tensor(vectors, requires_grad=True),
    "Half": lambda vectors: _torch().tensor(vectors).to(_torch().bfloat16),
    "Tensors": lambda vectors: list(_torch().tensor(vectors)),
    "Lists": lambda vectors: vectors.tolist(),
    "Arrays": lambda vectors: list(vectors),
    "Double": lambda vectors: vectors.astype(np.float64),
    "Float16": lambda vectors: vectors.astype(np.float16),
    "Turned": np.asfortranarray,
}


def _torch() -> Any:
    import torch

    return torch


def _raising(error: BaseException) -> Any:
    def spoil(self: Fine, vectors: np.ndarray) -> Any:
        raise error

    return spoil


class Loud(Fine):
    """Warns of a text."""

    def spoil(self, vectors: np.ndarray) -> Any:
        warnings.warn("this text is odd", stacklevel=1)
        return vectors


class Interrupted(Fine):
    """Ctrl-C comes while a text is encoded."""

    def spoil(self, vectors: np.ndarray) -> Any:
        raise KeyboardInterrupt


class Terminated(Fine):
    """The process is asked to end while a text is encoded."""

    def spoil(self, vectors: np.ndarray) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        return vectors


class TooFewLengths(Fine):
    """Says the lengths of all texts but one."""

    def lengths(self, texts: Sequence[str], variant: Variant) -> Any:
        lengths = super().lengths(texts, variant)
        return lengths[1:] if any(MARKED in text for text in texts) else lengths


class NoVariant(Fine):
    """Knows nothing of one task."""

    def variant(self, context: EncodeContext) -> Variant:
        if context.task.name == "Faulty":
            raise AttributeError("no such task")
        return Variant()


class Holding(Fine):
    """Has memory in use when it fails, which has to be free again when the next batch is tried."""

    held: ClassVar[list[weakref.ref[Any]]] = []

    def encode(self, texts: Sequence[str], variant: Variant) -> Any:
        assert not any(memory() is not None for memory in self.held), "memory of a failed batch is still in use"
        return super().encode(texts, variant)

    def spoil(self, vectors: np.ndarray) -> Any:
        memory = np.zeros(100)
        self.held.append(weakref.ref(memory))
        raise RuntimeError("no")


class OddFacts(Fine):
    """Says of itself what JSON cannot hold, or UTF-8."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.facts = {"dtype": np.float32, "devices": {1, 2}, "processor": "\ud800"}


class NoFacts(Fine):
    """Says of itself what no JSON object can be made of."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.facts = {("a", "b"): 1}


class NotLoaded(Fine):
    """Cannot be made, for a reason that nobody foresaw."""

    def __init__(self, spec: ModelSpec) -> None:
        raise RuntimeError("flash attention needs Ampere")


class NotLoadedExit(Fine):
    """Ends the process when it is made."""

    def __init__(self, spec: ModelSpec) -> None:
        sys.exit(3)


def __getattr__(name: str) -> Any:
    if name in RETURNED or name in TAKEN:
        function = {**RETURNED, **TAKEN}[name]
        return type(name, (Fine,), {"spoil": lambda _, vectors: function(vectors)})
    if name in ERRORS or name in LOST:
        return type(name, (Fine,), {"spoil": _raising({**ERRORS, **LOST}[name])})
    raise AttributeError(name)

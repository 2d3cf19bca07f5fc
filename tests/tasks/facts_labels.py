"""Scoring looked-up vectors, for the tests of task types on labelled texts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from embedmark.tasks.base import Embeddings, Rows, Scores, SimilarityName, TaskContext, TaskData
from embedmark.tasks.types import task_types

_FOLDER = Path(__file__).parent / "reference"
FACTS = json.loads((_FOLDER / "labels.json").read_text(encoding="utf-8"))
VECTORS: Mapping[str, Any] = dict(zip(FACTS["texts"], np.load(_FOLDER / "labels.npz")["vectors"], strict=True))


def score(
    kind: str,
    splits: Mapping[str, Mapping[str, Any]],
    settings: Mapping[str, Any] | None = None,
    *,
    split: str = "test",
    main: str = "accuracy",
    replayed_split_sizes: tuple[int, ...] = (),
    similarity: SimilarityName = "cosine",
    vectors: Mapping[str, Any] = VECTORS,
) -> Scores:
    """Score vectors looked up by text with a task of that type."""
    task_type = task_types()[kind]
    task = task_type.bind(task_type.settings(**(settings or {})), TaskContext("Labels", kind, split=split), main)
    data = TaskData({name: Rows(splits[name]) for name in task.splits() if name in splits}, replayed_split_sizes)
    found = {
        texts.name: np.array([vectors[text] for text in texts.items], dtype=np.float32) for texts in task.items(data)
    }
    return task.evaluate(Embeddings(found, similarity), data)

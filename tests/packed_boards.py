"""Data of boards as they were before they were packed."""

from __future__ import annotations

import base64
import struct
from typing import Any


def unpacked(data: Any) -> Any:
    """Open a board as page/packed.js does: scores, labels and marks."""
    if not isinstance(data, dict) or "packed" not in data:
        return data
    found = {key: value for key, value in data.items() if key != "packed"}
    if data["packed"] is not None:
        found["scores"] = _scores(data["packed"])
    names = zip(data["models"]["label"], data["models"]["name"], strict=True)
    found["models"] = {**data["models"], "label": [label or name for label, name in names]}
    found["marks"] = {
        "lint": [list(pair) for pair in sorted({(task, model) for task, model, _ in data["findings"]["at"]})],
        "revisions": [[task, model] for task, models in data["marks"]["revisions"] for model in models],
    }
    return found


def _scores(packed: dict[str, Any]) -> list[list[int | None]]:
    rest, high = base64.b64decode(packed["rest"]), base64.b64decode(packed["high"])
    waiting = zip(struct.unpack(f"<{len(high)}H", rest), high, strict=True)
    columns: list[list[int | None]] = []
    for step, runs in zip(packed["steps"], packed["runs"], strict=True):
        column: list[int | None] = []
        for number, length in enumerate(runs):
            for _ in range(length):
                lower, upper = next(waiting) if number % 2 else (0, 0)
                column.append((upper * 65536 + lower + packed["low"]) * step if number % 2 else None)
        columns.append(column)
    assert next(waiting, None) is None
    return columns

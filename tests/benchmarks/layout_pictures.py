"""Small pictures for datasets of images, and what two pictures are compared by. Read by both environments."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SIDE = 8


def picture(number: int, name: str = "") -> bytes:
    """The file of a picture that no other number or name has, in the modes and formats that publishers use."""
    from PIL import Image

    mode = ("RGB", "L", "RGBA")[number % 3]
    pixels = hashlib.sha512(f"{name} {number}".encode()).digest() * len(mode)
    image = Image.frombytes(mode, (SIDE, SIDE), pixels[: SIDE * SIDE * len(mode)])
    file = io.BytesIO()
    image.save(file, "JPEG" if number % 4 == 3 and mode == "L" else "PNG")
    return file.getvalue()


def seen(value: Any) -> Any:
    """What is compared of a value: of a picture (a file, a struct with a file, or opened) its mode, size and pixels."""
    from PIL import Image

    if isinstance(value, list | tuple):
        return [seen(one) for one in value]
    if isinstance(value, Mapping) and set(value) == {"bytes", "path"}:
        value = value["bytes"]
    if isinstance(value, bytes):
        value = Image.open(io.BytesIO(value))
    if isinstance(value, Image.Image):
        return f"{value.mode} {value.size} {hashlib.sha256(value.tobytes()).hexdigest()[:16]}"
    return value


def dataset(rows: Sequence[Mapping[str, Any]], classes: Mapping[str, Sequence[str]] | None = None) -> Any:
    """Rows as a `datasets.Dataset`: files are pictures, and the numbers of columns in `classes` are class labels."""
    import datasets

    datasets.disable_progress_bars()
    made = datasets.Dataset.from_list([dict(row) for row in rows])
    for name in made.column_names:
        held = [row.get(name) for row in rows]
        one = next((value for value in held if value is not None), None)
        if isinstance(one, bytes) or (one is None and name == "image"):
            made = made.cast_column(name, datasets.Image())
        elif isinstance(one, list) and one and isinstance(one[0], bytes):
            made = made.cast_column(name, datasets.Sequence(datasets.Image()))
    for name, names in (classes or {}).items():
        made = made.cast_column(name, datasets.ClassLabel(names=list(names)))
    return made


def write_tar(rows: Any, path: Path) -> None:
    """Write a dataset as a tar with a file a value, as WebDataset has it."""
    import datasets

    for name, feature in rows.features.items():
        if isinstance(feature, datasets.Image):
            rows = rows.cast_column(name, datasets.Image(decode=False))
    with tarfile.open(path, "w") as made:
        for number, row in enumerate(rows):
            for name, value in row.items():
                content = value["bytes"] if isinstance(value, Mapping) else str(value).encode()
                member = tarfile.TarInfo(f"{number:05d}.{name}")
                member.size = len(content)
                made.addfile(member, io.BytesIO(content))


def joined(repository: dict[Any, Any], more: Mapping[Any, Any]) -> dict[Any, Any]:
    """Two repositories in one: a table that both have keeps its rows, and gets the other's columns where these fit."""
    import datasets

    made = dict(repository)
    for place, rows in more.items():
        held = made.setdefault(place, rows)
        if isinstance(held, datasets.Dataset) and len(held) == len(rows):
            new = [name for name in rows.column_names if name not in held.column_names]
            made[place] = datasets.concatenate_datasets([held, rows.select_columns(new)], axis=1) if new else held
    return made

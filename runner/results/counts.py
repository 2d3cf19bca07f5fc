"""How many items a score was computed from."""

from __future__ import annotations

import zipfile
from pathlib import Path

from runner.results.inspection import ITEMS


def n_items(folder: Path, main_metric: str) -> int | None:
    """The rows, pairs or queries that a job evaluated, as its items.npz tells by its head; None where it does not."""
    import numpy as np

    try:
        with zipfile.ZipFile(folder / ITEMS) as archive:
            names = archive.namelist()
            name = next((name for name in ("_unit.npy", f"{main_metric}.npy") if name in names), None)
            if name is None:
                return None
            with archive.open(name) as array:
                major, _ = np.lib.format.read_magic(array)
                read = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
                shape, _, _ = read(array)
    except (OSError, ValueError, zipfile.BadZipFile):
        return None
    return int(shape[0]) if shape else None

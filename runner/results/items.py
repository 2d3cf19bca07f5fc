"""The file `items.npz` of a job: written, and read by those who compute statistics from it.

What its arrays are is said in tasks/item_arrays.py, and of every task type in docs/items.md.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embedmark.runner.common.errors import UserError
from embedmark.runner.results.inspection import ITEMS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEVEL = 2
"""Of zlib: files are up to a tenth larger than at its default, and written three to five times as fast."""


def npz(items: Mapping[str, NDArray[Any]]) -> bytes:
    """Make the content of an items.npz, compressed; the same bytes for the same arrays.

    Arrays that together take too much are left out and named (`embedmark.tasks.item_arrays.bounded`). Raises ValueError
    for an array of Python objects.
    """
    # numpy.savez takes names as keywords, among which "file" cannot be, and writes down the time of day.
    import numpy as np

    from embedmark.tasks.item_arrays import bounded

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, values in bounded(items).items():
            content = io.BytesIO()
            np.lib.format.write_array(content, values, allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy")
            archive.writestr(entry, content.getbuffer(), zipfile.ZIP_DEFLATED, _LEVEL)
    return buffer.getvalue()


def read_items(path: Path) -> dict[str, NDArray[Any]]:
    """Read the arrays of an items.npz, to be given to `embedmark.tasks.item_arrays.main_score_of`.

    Raises:
        UserError: the file cannot be read, or is no items.npz. A record may be without one (`execution.items=false`).
    """
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as kept:
            return {name: kept[name] for name in kept.files}
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: not a file of arrays, as items.npz is: {error}") from error


def n_items(folder: Path, main_metric: str) -> int | None:
    """Count the rows, pairs or queries that a job evaluated, by the head of items.npz; None where it does not tell."""
    import numpy as np

    if not (folder / ITEMS).is_file():  # a pipe would be waited for
        return None
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
    except (OSError, ValueError, RuntimeError, EOFError, zlib.error, zipfile.BadZipFile):
        return None
    return int(shape[0]) if shape else None

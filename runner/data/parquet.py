"""A table out of a Parquet file: of a small one in memory, of a large one in a file that is mapped and has no name.

Rows of images take more memory than there is. They are decoded a few at a time and laid down as Arrow has them, so that
the system holds in memory what is looked at, and takes it back when it likes. What is mapped belongs to the process
alone, is gone with it however it ends, and nobody can change it.
"""

from __future__ import annotations

import hashlib
import mmap
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO

import pyarrow as pa

from embedmark.runner.common.errors import TableError, UserError
from embedmark.runner.common.folder import opened
from embedmark.runner.config.index import FOLDER, cache_folder
from embedmark.runner.data.table import Table, shown

MAPPED = 32 * 2**20
"""Files of more bytes than this are mapped."""

_AT_ONCE = 8 * 2**20
"""About so many bytes of rows are decoded at once."""

_PART = 1 << 20


def from_parquet(content: bytes) -> Table:
    """Read the table in a Parquet file's content. Raises TableError for what is none."""
    import pyarrow.parquet

    with _explained():
        arrow = pyarrow.parquet.read_table(pa.BufferReader(content))
    refuse_repeated(arrow.column_names)
    return Table(arrow).plain()


def mapped_parquet(path: Path) -> tuple[Table, str]:
    """Read the table in a Parquet file of any size, and the SHA-256 in hex of what was read.

    Raises:
        TableError: it is no whole Parquet file.
        UserError: the file cannot be read, or there is no room for its rows.
    """
    digest = hashlib.sha256()
    with opened(path) as file:
        parts = iter(lambda: file.read(_PART), b"")
        with _scratch() as copy:
            for part in parts:
                digest.update(part)
                copy.write(part)
            content = _map(copy)
    return mapped(_pieces(content)), digest.hexdigest()


def _pieces(content: pa.Buffer) -> Iterator[Table]:
    """The rows of a Parquet file, some at a time; at least one piece, though it be empty."""
    import pyarrow.parquet

    with _explained():
        source = pyarrow.parquet.ParquetFile(pa.BufferReader(content), pre_buffer=False)
    refuse_repeated(source.schema_arrow.names)
    yield Table(source.schema_arrow.empty_table()).plain()
    batches = source.iter_batches(batch_size=rows_at_once(source.metadata), use_threads=False)
    while True:
        with _explained():
            batch = next(batches, None)
        if batch is None:
            return
        yield Table(pa.Table.from_batches([batch])).plain()


def rows_at_once(metadata: pa.parquet.FileMetaData) -> int:
    """How many rows of a Parquet file are decoded at once, so that they take little memory."""
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    size = sum(group.total_byte_size for group in groups)
    return int(min(65_536, max(1, _AT_ONCE * metadata.num_rows // max(1, size))))


def mapped(pieces: Iterator[Table]) -> Table:
    """Lay tables of one schema down one after the other, and map what there is then.

    Raises UserError when there is no room for them.
    """
    first = next(pieces)
    with _scratch() as file:
        with pa.ipc.new_file(file, first.arrow.schema) as writer:
            for piece in chain([first], pieces):
                writer.write_table(piece.arrow)
        content = _map(file)
    pa.default_memory_pool().release_unused()
    return Table(pa.ipc.open_file(content).read_all(), unreadable=first.unreadable)


@contextmanager
def _scratch() -> Iterator[IO[bytes]]:
    """A file without a name, where there is room for what can be made anew."""
    folder = cache_folder() or Path(tempfile.gettempdir())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            yield file
    except OSError as error:
        raise UserError(
            f"{folder}: large tables are laid down here while they are in use, and that failed: "
            f"{error.strerror or error}. Make room, or name another folder in {FOLDER}."
        ) from error


def _map(file: IO[bytes]) -> pa.Buffer:
    file.flush()
    return pa.py_buffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def refuse_repeated(names: list[str]) -> None:
    """Raises TableError where two columns have one name."""
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if repeated:
        raise TableError(f"two columns are called {repeated[0]!r}; give each a name of its own")


@contextmanager
def _explained() -> Iterator[None]:
    """What Arrow refuses, in words."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        raise TableError(f"is no whole Parquet file; it may be cut off. Write it anew ({shown(error)})") from error

"""Tasks whose rows are in memory: a DataFrame, a `datasets.Dataset`, a list of dicts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.files import write_atomically
from embedmark.runner.results.durable import writing

if TYPE_CHECKING:
    import pyarrow as pa

Table: TypeAlias = Any
"""Rows: a DataFrame of pandas or polars, a `datasets.Dataset`, a table of pyarrow, or a list of dicts."""


@dataclass(frozen=True)
class Rows:
    """A task whose rows are in memory. They are kept with the outputs, under the hash of what they hold.

    Args:
        rows: A table, which is the split "test"; or split → table; or, for retrieval and reranking,
            {"corpus": table, "queries": table, "qrels": table}, and "top_ranked" where there is one. The columns are
            those of docs/add-a-task.md.
        name: The name of the task.
        type: Its type, as in "sts" or "retrieval".
        main_metric: The metric that counts.
        languages: As in ["eng-Latn"].
        settings: Of its type: names of columns and more.
        more: Other keys of a task's file: `transforms`, `prompt`, `label`, ...

    Example:
        >>> rows = [{"sentence1": "a cat", "sentence2": "a dog", "score": 2.5}]
        >>> Rows(rows, name="Pets", type="sts", main_metric="cosine_spearman")
    """

    rows: Table | Mapping[str, Table] = field(repr=False)
    name: str
    type: str
    main_metric: str
    languages: Sequence[str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

    def config(self, outputs: Path) -> dict[str, Any]:
        """Write the rows below an outputs folder, where they are not yet, and give the task's config.

        Raises:
            UserError: These are no rows.
            OutputError: The folder cannot be written.
        """
        files = self._files()
        digest = hashlib.sha256()
        for name, content in sorted(files.items()):
            digest.update(f"{name}:{len(content)}:".encode() + content)
        folder = outputs / "rows" / digest.hexdigest()[:32]
        with writing(folder):
            for name, content in files.items():
                path = folder / name
                if not path.is_file() or path.stat().st_size != len(content):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    write_atomically(path, content, durable=False)
        splits = ["test"] if self._is_retrieval() or "test" in self._tables() else [next(iter(self._tables()))]
        return {
            "name": self.name,
            "type": self.type,
            "dataset": {"files": str(folder.resolve())},
            "main_metric": self.main_metric,
            "languages": list(self.languages),
            "settings": dict(self.settings),
            "splits": splits,
            **self.more,
        }

    def _tables(self) -> Mapping[str, Table]:
        if isinstance(self.rows, Mapping) and self.rows and all(not _is_column(value) for value in self.rows.values()):
            return self.rows
        return {"test": self.rows}

    def _is_retrieval(self) -> bool:
        return {"corpus", "queries"} <= set(self._tables())

    def _files(self) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for name, table in self._tables().items():
            where = f"{name}/test" if self._is_retrieval() else name
            where_said = f"task {self.name}: {name}"
            suffix, content = _written(_table(table, where_said), where_said)
            found[f"{where}.{suffix}"] = content
        return found


def _is_column(value: Any) -> bool:
    """Whether a value of a mapping is a column, as in {"text": [...]}, and no table of rows."""
    return isinstance(value, Sequence) and not (value and isinstance(value[0], Mapping))


def _table(rows: Table, where: str) -> pa.Table:
    import pyarrow as pa

    try:
        if hasattr(rows, "with_format") and hasattr(rows, "column_names"):  # a datasets.Dataset, with its indices
            return rows.with_format("arrow")[:]
        if isinstance(rows, pa.Table):
            return rows
        if hasattr(rows, "__dataframe__") and hasattr(rows, "iloc"):  # pandas: its index is no column
            return pa.Table.from_pandas(rows, preserve_index=False)
        if hasattr(rows, "__arrow_c_stream__"):
            return pa.table(rows)
        if isinstance(rows, Mapping):
            return pa.table(dict(rows))
        return pa.Table.from_pylist([dict(row) for row in rows])
    except (TypeError, ValueError, pa.ArrowException) as error:
        pictures = " Images are the bytes of their files, or an `Image` column of a datasets.Dataset."
        raise UserError(
            f"{where}: found {type(rows).__name__}, which is no table ({error}); expected a DataFrame, a "
            f"datasets.Dataset or a list of dicts.{pictures if 'PIL.' in str(error) else ''}"
        ) from error


def _written(table: pa.Table, where: str) -> tuple[str, bytes]:
    """A table as a file: JSON lines, the same bytes with every version of a library; Parquet where there are bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if any(_has_bytes(column.type) for column in table.schema):
        buffer = pa.BufferOutputStream()
        pq.write_table(table.replace_schema_metadata(None), buffer)
        return "parquet", buffer.getvalue().to_pybytes()
    lines = []
    for number, row in enumerate(table.to_pylist()):
        try:
            lines.append(json.dumps(row, ensure_ascii=False, allow_nan=False, default=str) + "\n")
        except ValueError:
            raise UserError(f"{where}: row {number}: found NaN or an infinite number; expected numbers") from None
    return "jsonl", "".join(lines).encode("utf-8", "surrogatepass")


def _has_bytes(kind: pa.DataType) -> bool:
    import pyarrow as pa

    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return True
    return any(_has_bytes(kind.field(number).type) for number in range(kind.num_fields))

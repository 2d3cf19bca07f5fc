"""The file `predictions.parquet` of a retrieval job: its rankings, and the judgments that they were scored by.

A row a hit, best first; and a row for each judged document that was not found, without rank and score. What other types
predict is in items.npz.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from embedmark.runner.common.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa

    from embedmark.tasks.retrieval.ranking import Ranking

PREDICTIONS = "predictions.parquet"

COLUMNS = ("query", "document", "rank", "score", "relevance")
"""Texts, int32 from 1, float64, float64; relevance is null where nobody judged."""


def to_parquet(ranking: Ranking, qrels: Mapping[str, Mapping[str, float]]) -> bytes:
    """Make the content of a predictions.parquet; the same bytes for the same ranking.

    Args:
        ranking: What was scored: of judged queries alone, each query's own document left out where the task says so.
        qrels: Query id → document id → relevance.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows: dict[str, list[object]] = {name: [] for name in COLUMNS}
    for place, query in enumerate(ranking.query_ids):
        judged = dict(qrels.get(query, {}))
        for rank, (document, score) in enumerate(ranking.hits(place).items(), start=1):
            _add(rows, query, document, rank, float(score), judged.pop(document, None))
        for document in sorted(judged):
            _add(rows, query, document, None, None, judged[document])
    out = io.BytesIO()
    pq.write_table(pa.table(rows, schema=_schema()), out, compression="zstd")
    return out.getvalue()


def _add(rows: dict[str, list[object]], *values: object) -> None:
    for name, value in zip(COLUMNS, values, strict=True):
        rows[name].append(value)


def _schema() -> pa.Schema:
    import pyarrow as pa

    kinds = (pa.string(), pa.string(), pa.int32(), pa.float64(), pa.float64())
    return pa.schema(list(zip(COLUMNS, kinds, strict=True)))


def read_predictions(folder: Path) -> pa.Table | None:
    """Read the predictions in a job's folder; None where none were kept.

    Raises:
        UserError: The file is not one that `to_parquet` makes.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / PREDICTIONS
    if not path.is_file():
        return None
    try:
        table = pq.read_table(path, columns=list(COLUMNS))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as predictions: {' '.join(str(error).split())[:200]}") from None
    if table.schema.remove_metadata() != _schema():
        raise UserError(f"{path}: has other columns than predictions; expected {', '.join(COLUMNS)}")
    return table

"""The rankings of a job: those that it kept, or those that its stored vectors give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from embedmark.runner.common.errors import EmbedmarkError, UserError
from embedmark.runner.config.schema import Execution
from embedmark.runner.encode.engine import Encoding
from embedmark.runner.execute.jobs import Prepared, embeddings, requests
from embedmark.runner.execute.model import closed_model
from embedmark.runner.results.predictions import read_predictions
from embedmark.tasks.retrieval.retrieval import Retrieval


@dataclass(frozen=True)
class Rankings:
    """What was found for every judged query.

    Args:
        query_ids: In the order of the data, which is that of items.npz.
        hits: Query id → documents with their scores, best first.
    """

    query_ids: Sequence[str]
    hits: dict[str, list[tuple[str, float]]]

    def found(self, query: str) -> list[tuple[str, float]]:
        """What was found for a query, best first."""
        return self.hits.get(query, [])


def rankings_of(folder: Path, prepared: Prepared, outputs: Path) -> Rankings:
    """Find the rankings of a job.

    Args:
        folder: Of the record.
        prepared: The job and its data.
        outputs: Where the vectors of its model may be.

    Raises:
        UserError: The job kept none, and not all of its vectors are stored; the message says the command.
    """
    table = read_predictions(folder)
    if table is None:
        return _of_vectors(prepared, outputs)
    hits: dict[str, list[tuple[str, float]]] = {}
    columns = [table[name].to_pylist() for name in ("query", "document", "rank", "score")]
    for query, document, rank, score in zip(*columns, strict=True):
        of_query = hits.setdefault(query, [])
        if rank is not None:
            of_query.append((document, score))
    return Rankings(list(hits), hits)


def _of_vectors(prepared: Prepared, outputs: Path) -> Rankings:
    job, task = prepared.job, prepared.task
    missing = UserError(
        f"{job.name}: it kept no rankings, and not all of its vectors are in {outputs / 'store'}; "
        f"`python -m runner model={job.model.name} tasks=[{job.task.name}] outputs={outputs} "
        "execution.predictions=true` makes them"
    )
    if not isinstance(task, Retrieval):
        raise missing
    try:
        model = closed_model(job.model, Execution(), outputs)
    except EmbedmarkError as error:
        raise missing from error
    if model is None:
        raise missing
    wanted = requests(prepared, model.treatment)
    encoding = Encoding(None, wanted, model.store, postprocess=model.postprocess)
    if not encoding.complete:
        raise missing
    ranking = task.rank(embeddings(prepared, wanted, encoding, model.similarity), prepared.data)
    found = [list(ranking.hits(place).items()) for place in range(len(ranking))]
    return Rankings(list(ranking.query_ids), dict(zip(ranking.query_ids, found, strict=True)))

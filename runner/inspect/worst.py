"""How each item of a job went, by the type of its task."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from embedmark.runner.common.errors import EmbedmarkError, UserError, message_of
from embedmark.runner.inspect import clusters, labels, pairs, queries
from embedmark.runner.inspect.items import Items, Source

KINDS: Mapping[str, Callable[[Source], Items]] = {
    "classification": labels.classes,
    "zeroshot_classification": labels.classes,
    "zeroshot_image_classification": labels.classes,
    "multilabel_classification": labels.labels,
    "regression": labels.numbers,
    "clustering": clusters.documents,
    "clustering_legacy": clusters.tables,
    "sts": pairs.pairs,
    "pair_classification": pairs.pairs,
    "bitext_mining": pairs.translations,
    "compositionality": pairs.captions,
    "summarization": pairs.summaries,
    "arrangement": pairs.arrangements,
    "retrieval": queries.queries,
    "reranking": queries.queries,
    "instruction_retrieval": queries.queries,
    "instruction_reranking": queries.queries,
}
"""Task type, as a task's file has it → what finds its items."""


def items_of(kind: str, source: Source) -> Items:
    """Find the items of a job, by its task's type.

    Raises:
        UserError: The type is not one whose items are shown, or its items.npz lacks some or does not fit.
    """
    if kind not in KINDS:
        raise UserError(f"inspect does not show items of {kind} tasks; it shows those of {', '.join(sorted(KINDS))}")
    try:
        found = KINDS[kind](source)
    except KeyError as error:
        raise UserError(
            f"its items.npz lacks {error}; run the job again with execution.items=true and rerun=true"
        ) from None
    except EmbedmarkError:
        raise
    except (IndexError, TypeError, ValueError) as error:
        raise UserError(f"its items.npz does not fit the data: {message_of(error)}; verify the record") from error
    if not len(found.units) == len(found.scores):
        raise UserError(f"its items.npz names {len(found.units)} items and scores {len(found.scores)}")
    return found

"""Compositionality: do an image and its own caption fit better than images and captions that hardly differ?

Protocol of the reference implementation (mteb 2.26): cosine similarity of each row's images and captions. The nearest
caption of image i has to be caption i, and the nearest image of caption j image j; the first one counts where several
are equally near. A row with more captions than images can have no right image for the last ones, so that its image
accuracy and accuracy are 0 whatever the model, and text accuracy is where there are more images.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Bound, Embeddings, Item, ItemSet, Modality, Rows, Scores, TaskData
from embedmark.tasks.item_arrays import UNIT, ItemArrays, cluster_column, codes, shared_items, units
from embedmark.tasks.labels.draws import Indices
from embedmark.tasks.listed import Listed, listed_items
from embedmark.tasks.pairs.settings import CompositionalitySettings
from embedmark.tasks.similarity import Vectors, normalized, row_blocks

METRICS = ("image_acc", "text_acc", "accuracy")

_NONE = -1
"""Stands in the place of an image or a text that a row does not have."""


class Compositionality(Bound[CompositionalitySettings]):
    """Each row's images and texts among themselves.

    Metrics: image_acc (of every text the right image is nearest), text_acc (of every image the right text is), accuracy
    (both). Items, a row: the three, 0 or 1; `text_of_image` and `image_of_text`, the place of what is nearest to each
    image and text of the row, -1 where it has fewer than other rows. Rows that share an image or a text are a cluster.
    """

    def items(self, data: TaskData) -> list[ItemSet]:
        """Every column of images, then every column of texts. Raises DataError where a row has none of either."""
        rows = data.rows(self.split)
        return [
            ItemSet(column, found.items, None, modality)
            for modality, columns in self._columns()
            for column, found in _listed(rows, columns, modality).items()
        ]

    def evaluate(self, embeddings: Embeddings, data: TaskData) -> Scores:
        """Which image and which text of each row is nearest. Raises DataError when a similarity is not finite."""
        rows = data.rows(self.split)
        images, texts = (_listed(rows, columns, modality) for modality, columns in self._columns())
        text_of_image = _table(rows.n_rows, images)
        image_of_text = _table(rows.n_rows, texts)
        both = zip(_by_row(embeddings, images, rows.n_rows), _by_row(embeddings, texts, rows.n_rows), strict=True)
        for row, (of_images, of_texts) in enumerate(both):
            similarity = _similarity(of_images, of_texts)
            if not np.isfinite(similarity).all():
                raise DataError(
                    f"row {row}: a cosine similarity is no number; expected vectors without NaN or inf whose products "
                    "fit into float32"
                )
            text_of_image[row, : len(of_images)] = similarity.argmax(axis=1)
            image_of_text[row, : len(of_texts)] = similarity.argmax(axis=0)
        text_right, image_right = _in_order(text_of_image), _in_order(image_of_text)
        items: dict[str, NDArray[Any]] = {
            "image_acc": image_right.astype(np.float64),
            "text_acc": text_right.astype(np.float64),
            "accuracy": (image_right & text_right).astype(np.float64),
            "text_of_image": codes(text_of_image),
            "image_of_text": codes(image_of_text),
            UNIT: units(_rows_of([*images.values(), *texts.values()], rows.n_rows)),
            **(cluster_column(rows, self.settings.cluster_column) or _shared([*images.values(), *texts.values()])),
        }
        return Scores(self.main_metric, self.values_from_items(self.main_metric, items), items=items)

    @staticmethod
    def values_from_items(_main_metric: str, items: ItemArrays) -> dict[str, float]:
        """Every metric."""
        return {metric: _share(items[metric]) for metric in METRICS}

    def _columns(self) -> tuple[tuple[Modality, tuple[str, ...]], ...]:
        return (("image", self.settings.image_columns), ("text", self.settings.text_columns))


def _listed(rows: Rows, columns: Sequence[str], modality: Modality) -> dict[str, Listed]:
    return {column: listed_items(rows, column, modality) for column in columns}


def _table(n_rows: int, columns: dict[str, Listed]) -> Indices:
    most = sum((found.counts for found in columns.values()), np.zeros(n_rows, dtype=np.intp)).max()
    return np.full((n_rows, int(most)), _NONE, dtype=np.intp)


def _by_row(embeddings: Embeddings, columns: dict[str, Listed], n_rows: int) -> Iterator[Vectors]:
    """The normalized vectors of each row, column after column."""
    starts = {column: np.concatenate([[0], np.cumsum(found.counts)]) for column, found in columns.items()}
    width = sum(int(start[-1]) * embeddings[column].shape[1] for column, start in starts.items()) // n_rows
    for block in row_blocks(n_rows, width):
        vectors = {
            column: normalized(embeddings[column][start[block.start] : start[block.stop]])
            for column, start in starts.items()
        }
        for row in range(block.start, block.stop):
            yield np.concatenate(
                [
                    vectors[column][start[row] - start[block.start] : start[row + 1] - start[block.start]]
                    for column, start in starts.items()
                ]
            )


def _similarity(images: Vectors, texts: Vectors) -> NDArray[np.float32]:
    """Cosine similarity of normalized vectors, (i, dim) and (t, dim) → (i, t).

    Summed in float64 in an order that depends on nothing but the dimension, so that equal vectors tie.
    """
    products = np.multiply(images[:, None, :], texts[None, :, :], dtype=np.float64)
    return np.asarray(products.sum(axis=-1), dtype=np.float32)


def _in_order(nearest: Indices) -> NDArray[np.bool_]:
    """Whether the nearest of the first is the first, of the second the second, and so on, in each row."""
    wanted = np.arange(nearest.shape[1])
    right: NDArray[np.bool_] = ((nearest == wanted) | (nearest == _NONE)).all(axis=1)
    return right


def _share(hits: NDArray[np.float64]) -> float:
    """The mean, divided in float32 as the reference divides it."""
    return float(np.float32(hits.sum()) / np.float32(len(hits)))


def _rows_of(columns: Sequence[Listed], n_rows: int) -> Iterator[list[Item]]:
    """All items of each row."""
    starts = [np.concatenate([[0], np.cumsum(found.counts)]) for found in columns]
    for row in range(n_rows):
        yield [
            item
            for found, start in zip(columns, starts, strict=True)
            for item in found.items[int(start[row]) : int(start[row + 1])]
        ]


def _shared(columns: Sequence[Listed]) -> dict[str, NDArray[Any]]:
    """Clusters by the column whose items repeat most, among those of one item a row."""
    single = [found.items for found in columns if (found.counts == 1).all()]
    return shared_items(*single) if single else {}

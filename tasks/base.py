"""What a task is: which texts or images it wants encoded, and how vectors become scores.

Nothing in `tasks` reads files, loads models or prints. A task is given data and vectors and returns numbers, so
that every protocol can be tested with arrays alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeAlias, TypeVar

from embedmark.runner.common.errors import DataError

if TYPE_CHECKING:  # planning imports this module, and must not wait for numpy
    import numpy as np
    from numpy.typing import NDArray

    from embedmark.tasks.retrieval.ranking import Ranking

Side = Literal["query", "document"]
"""Which side of an asymmetric task a text is on. Symmetric tasks use None."""

SimilarityName = Literal["cosine", "dot", "euclidean", "manhattan"]

Modality = Literal["text", "image"]
"""What a model may take. Audio and video are still to come: nothing gives or takes them."""

ItemModality = Literal["text", "image", "text+image"]
"""What an item is: of one modality, or composite, its parts in this order."""

_PARTS: Mapping[ItemModality, tuple[Modality, ...]] = {
    "text": ("text",),
    "image": ("image",),
    "text+image": ("text", "image"),
}


def parts_of(modality: ItemModality) -> tuple[Modality, ...]:
    """Return the modalities of an item's parts, in their order."""
    return _PARTS[modality]


def in_words(modalities: Iterable[str]) -> str:
    """Say modalities as people do: "images and texts"."""
    return " and ".join(f"{modality}s" for modality in sorted(modalities))


Role = Literal["text", "image", "images", "label", "value", "number", "list", "cluster", "id", "conversation"]
"""As what a column is read; `runner/data/checks.py` says which types fit each.

    text            texts, or lists of them
    image           images
    images          images, or lists of them
    label           a class: a text or a whole number, or a list of them
    value           a label that is a number; in a file without types True and False are 1 and 0
    number          a score or a grade
    list            lists that the task type itself looks into
    cluster         which rows belong together; only the splits that are evaluated need it
    id              an id
    conversation    a text, or a list of turns
"""

ColumnRoles: TypeAlias = "tuple[tuple[str, Role], ...]"
"""Column and role; a column may have several."""


@dataclass(frozen=True)
class TaskContext:
    """What a task is called and speaks; all that a model may look at when it chooses a prompt.

    `prompt` is the task's own instruction: one string for both sides (key ""), or one a side. `instruction` is the one
    of its type, for tasks without.
    """

    name: str
    type: str
    languages: tuple[str, ...] = ()
    subset: str = "default"
    split: str = "test"
    prompt: Mapping[str, str] = field(default_factory=dict)
    instruction: str = ""


class Rows(Mapping[str, Sequence[Any]]):
    """A table: column name → values, all of one length. Columns may be lazy sequences (Arrow).

    classes: for columns of class numbers, the name of each class, where the publisher gives them.

    Raises DataError when columns differ in length, or when a column is asked for that is not there.
    """

    def __init__(
        self, columns: Mapping[str, Sequence[Any]], classes: Mapping[str, tuple[str, ...]] | None = None
    ) -> None:
        lengths = {name: len(values) for name, values in columns.items()}
        if len(set(lengths.values())) > 1:
            raise DataError(f"columns differ in length: {lengths}")
        self._columns = dict(columns)
        self.classes = dict(classes or {})
        self.n_rows = next(iter(lengths.values()), 0)

    def __getitem__(self, name: str) -> Sequence[Any]:
        try:
            return self._columns[name]
        except KeyError:
            raise DataError(f"no column {name!r}; the columns are {sorted(self._columns)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __contains__(self, name: object) -> bool:
        return name in self._columns


Qrels = Mapping[str, Mapping[str, int]]
"""Query id → document id → relevance grade."""


@dataclass(frozen=True)
class RetrievalRows:
    """One split of a retrieval task, as its publisher laid it out.

    corpus: columns `id`, `text` and optionally `title`. queries: columns `id`, `text` and optionally `instruction`.
    top_ranked: query id → candidate document ids in the order given, for reranking; None for search in all documents.
    changed: query id (without -og and -changed) → documents that the changed instruction made irrelevant (FollowIR's
    `qrel_diff`), for p-MRR; None elsewhere.
    """

    corpus: Rows
    queries: Rows
    qrels: Qrels
    top_ranked: Mapping[str, Sequence[str]] | None = None
    changed: Mapping[str, Sequence[str]] | None = None


@dataclass(frozen=True)
class TaskData:
    """The data of one job: the splits that its task type asked for, under their names.

    `replayed_split_sizes` is filled only where `settings.draws` is "mteb": the row counts, in order, of the (split,
    subset) pairs that the reference would have scored before this one, whose draws have to be replayed. What is counted
    of each pair is the split that `settings.drawn_split(split)` names.
    """

    splits: Mapping[str, Rows | RetrievalRows]
    replayed_split_sizes: tuple[int, ...] = ()

    def rows(self, split: str) -> Rows:
        """The split as a table. Raises DataError when it is missing, empty or laid out for retrieval."""
        table = self._split(split)
        if not isinstance(table, Rows):
            raise DataError(f"split {split!r} holds a corpus and queries; this task type needs one table")
        if table.n_rows == 0:
            raise DataError(f"split {split!r} is empty")
        return table

    def retrieval(self, split: str) -> RetrievalRows:
        """The split as corpus, queries and qrels. Raises DataError when it is missing or one plain table."""
        table = self._split(split)
        if not isinstance(table, RetrievalRows):
            raise DataError(f"split {split!r} is one table; this task type needs corpus, queries and qrels")
        return table

    def _split(self, split: str) -> Rows | RetrievalRows:
        try:
            return self.splits[split]
        except KeyError:
            raise DataError(f"no split {split!r}; the splits are {sorted(self.splits)}") from None


@dataclass(frozen=True)
class Image:
    """An image as its publisher encoded it (PNG, JPEG, ...). Those with equal bytes are the same image.

    where: the column and row that it is from, for messages.
    """

    data: bytes = field(repr=False)
    where: str = field(default="", compare=False)

    def __len__(self) -> int:
        return len(self.data)


@dataclass(frozen=True)
class Composite:
    """A text and an image that are one item. What one vector becomes of them is the model's own way.

    parts: the text first, then the image.
    """

    parts: tuple[str | Image, ...]

    def __len__(self) -> int:
        return sum(map(len, self.parts))


Item: TypeAlias = str | Image | Composite
"""What becomes one vector."""


@dataclass(frozen=True)
class ItemSet:
    """Items of one modality that a task wants encoded, in row order.

    Args:
        name: the key of their vectors in `Embeddings`.
        items: texts, images or both in one; those with images may be a lazy column.
        side: of an asymmetric task, which side they are on.
        modality: what each of them is.
        background: the corpus that a contextual model is shown a sample of before it encodes these texts; None for the
            texts of the job's first set. It may be a lazy column, of which only the sample is read.
        in_blocks: the task asks for their vectors by `Embeddings.rows` alone, so that a large corpus need not be in
            memory.
    """

    name: str
    items: Sequence[Item]
    side: Side | None
    modality: ItemModality = "text"
    background: Sequence[str] | None = None
    in_blocks: bool = False


class VectorRows(Protocol):
    """float32 (n, dim) that need not be in memory: rows are read when they are asked for. An array is one, too."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, dim)"""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice | NDArray[np.int64], /) -> NDArray[np.float32]: ...


@dataclass(frozen=True)
class Embeddings:
    """What an encoder gives back: one float32 array (n_items, dim) an item set, and the model's own similarity.

    in_blocks: the vectors of item sets that said so, instead of among the arrays.
    """

    vectors: Mapping[str, NDArray[np.float32]]
    similarity: SimilarityName = "cosine"
    in_blocks: Mapping[str, VectorRows] = field(default_factory=dict)

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        return self.vectors[name]

    def rows(self, name: str) -> VectorRows:
        """The vectors of an item set, to be read in blocks."""
        return self.in_blocks[name] if name in self.in_blocks else self.vectors[name]


@dataclass(frozen=True)
class Scores:
    """What a task measured.

    values: metric → score, under the names that the reference implementation uses.
    experiments: the same metrics for every repetition, where the protocol repeats itself.
    items: array name → what is kept of every evaluated row, pair or query: all that the main metric can be computed
    from again, and which items they are (tasks/item_arrays.py).
    ties: of rankings, the share of queries that `Ranking.ties_at` counts. ranking: what was scored, of such tasks.
    """

    main_metric: str
    values: Mapping[str, float]
    experiments: Sequence[Mapping[str, float]] = ()
    items: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    ties: float | None = None
    ranking: Ranking | None = None

    @property
    def main_score(self) -> float:
        """The score that tables show. Raises DataError when the main metric was not computed."""
        try:
            return float(self.values[self.main_metric])
        except KeyError:
            raise DataError(
                f"main metric {self.main_metric!r} is not among the metrics computed: {sorted(self.values)}"
            ) from None


class Task(Protocol):
    """One task type, bound to one task's settings and one subset and split (its context)."""

    def splits(self) -> tuple[str, ...]:
        """The splits that `items` and `evaluate` read, the evaluated one among them."""
        ...

    def items(self, data: TaskData) -> Sequence[ItemSet]:
        """The texts or images to encode. Raises DataError when the data does not have what the protocol needs."""
        ...

    def evaluate(self, embeddings: Embeddings, data: TaskData) -> Scores:
        """Score vectors. Pure: equal vectors and data give equal scores, whatever ran before."""
        ...


Settings = TypeVar("Settings")


@dataclass(frozen=True)
class Bound(Generic[Settings]):
    """What most task types begin with: settings, the subset and split that they are bound to, and the main metric.

    Example:
        >>> class WordCount(Bound[WordCountSettings]):
        ...     def items(self, data): ...
        ...     def evaluate(self, embeddings, data): ...
    """

    settings: Settings
    context: TaskContext
    main_metric: str

    @property
    def split(self) -> str:
        """The evaluated split."""
        return self.context.split

    def splits(self) -> tuple[str, ...]:
        """The evaluated split alone."""
        return (self.split,)

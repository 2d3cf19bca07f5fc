"""What the settings of all task types have in common. Those of a type lie in its family, in `<family>/settings.py`.

Settings are apart from the protocols, so that planning, which needs names, defaults and checks, imports no numpy.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any, Literal, Protocol, runtime_checkable

from embedmark.tasks.base import ColumnRoles, ItemModality

Draws = Literal["job", "mteb"]
"""Whose random draws: "job" starts every job afresh; "mteb" replays the reference's generator, which the subsets of a
task share, so that a subset's score depends on the subsets before it."""

ClusterColumn = str | None
"""The column that says which rows belong together (a document's paragraphs, one sentence in several languages). Items
keep it as `_cluster`, for intervals that do not take such rows for independent ones; no score depends on it. A task
that names none has the fingerprint that it always had."""

LATER: Mapping[str, bool] = {"later": True}
"""Metadata of a field that a type did not have from the start: it enters the identity only where it differs from its
default, so that tasks from before it keep their fingerprints."""


@runtime_checkable
class TaskSettings(Protocol):
    """What the YAML of a task may decide about its protocol: a frozen dataclass a task type.

    Every field enters the fingerprint.

    Example:
        >>> @dataclass(frozen=True)
        ... class WordCountSettings:
        ...     input_column: str = "text"
        ...
        ...     def column_roles(self):
        ...         return ((self.input_column, "text"),)
        ...
        ...     def metrics(self):
        ...         return {"words"}
    """

    def column_roles(self) -> ColumnRoles:
        """Say which columns of a plain table are read, and as what.

        Returns:
            Each column with its role. They are looked for, and their types checked, before the task is handed the rows.
        """
        ...

    def metrics(self) -> Collection[str] | None:
        """Name the metrics that are computed under these settings.

        Returns:
            Their names, by which a main metric is checked before anything is loaded; None where only data can tell.
        """
        ...


class Inputs(Protocol):
    """What settings of types that read one item a row say of it."""

    @property
    def modality(self) -> ItemModality:
        """What the items are."""
        ...

    @property
    def input_column(self) -> str:
        """The column that holds them, or their texts where they are composite."""
        ...

    @property
    def image_column(self) -> str:
        """The column of their images where they are composite."""
        ...


def input_roles(settings: Inputs) -> ColumnRoles:
    """The columns of the items that settings name, and as what they are read."""
    return item_roles(settings.modality, settings.input_column, settings.image_column)


def item_roles(modality: ItemModality, column: str, image_column: str) -> ColumnRoles:
    """The columns of items, and as what they are read; image_column: of the images of composite items."""
    if modality == "text+image":
        return ((column, "text"), (image_column, "image"))
    return ((column, modality),)


def deciding(settings: Any) -> dict[str, Any]:
    """Settings as the identity of a job has them.

    Args:
        settings: an instance of a settings class.

    Returns:
        Field → value, without the defaults of fields that are `LATER`.
    """
    values = dataclasses.asdict(settings)
    fields = dataclasses.fields(settings)
    unsaid = {field.name for field in fields if field.metadata.get("later") and values[field.name] == field.default}
    return {name: value for name, value in values.items() if name not in unsaid}


def clusters(cluster_column: ClusterColumn) -> ColumnRoles:
    """The role of the column of clusters, where one is named."""
    return () if cluster_column is None else ((cluster_column, "cluster"),)


def at_least(smallest: int, settings: object, *names: str) -> None:
    """Raise ValueError, naming the first of these settings that is smaller."""
    for name in names:
        value = getattr(settings, name)
        if value < smallest:
            raise ValueError(f"{name} is {value}; it must be at least {smallest}")

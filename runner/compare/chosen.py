"""Which models a comparison is of: by name, and where a name has variants by what tells them apart."""

from __future__ import annotations

from collections.abc import Sequence

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.names import nearest
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.report.aggregate import Column
from embedmark.runner.report.names import model_on_record
from embedmark.runner.report.older import present_model

_FEWEST_DIGITS = 4


def columns_of(wanted: str, columns: Sequence[Column], catalogue: Catalogue) -> list[Column]:
    """Find the columns of a report that are meant by `NAME` or `NAME@WHAT`.

    Args:
        wanted: A label as the report prints it; or a model's name, the end of it, its config file or folder; after an
            `@` what tells a variant from others: the beginning of its revision or variant hash, or its words in the
            report.
        columns: Those of the report.
        catalogue: The models that can be named.

    Returns:
        All variants of the name that fit; none where nothing of that name is on record.
    """
    exact = [column for column in columns if column.label == wanted != column.model]
    if exact:
        return exact
    whole = _named(wanted, columns, catalogue)
    if whole or "@" not in wanted:
        return whole
    name, _, what = wanted.rpartition("@")
    return [column for column in _named(name, columns, catalogue) if _is(column, what)]


def one_column(wanted: str, columns: Sequence[Column], catalogue: Catalogue) -> Column | None:
    """Find the one column that is meant; None where nothing of that name is on record.

    Of several variants a plain name means the one that the present config gives; where no config gives one, the one
    that nothing distinguishes.

    Raises:
        UserError: Several variants fit, or none of a name that is on record.
    """
    found = columns_of(wanted, columns, catalogue)
    for fitting in (
        found,
        [column for column in found if _is_as_configured(column, catalogue)],
        [column for column in found if not column.distinction],
    ):
        if len(fitting) == 1:
            return fitting[0]
    if found:
        raise UserError(f"{wanted!r} has {len(found)} variants on record: {_choices(found)}; name one of them")
    name = wanted.rpartition("@")[0]
    others = columns_of(name, columns, catalogue) if name else []
    if others:
        raise UserError(f"no variant {wanted!r} is on record; there are {_choices(others)}")
    return None


def nothing_of(wanted: str, columns: Sequence[Column]) -> UserError:
    """Say that nothing is on record of a name."""
    labels = sorted({column.model for column in columns})
    return UserError(f"no results of {wanted!r}.{nearest(wanted, labels)} On record: {', '.join(labels) or 'nothing'}")


def _named(wanted: str, columns: Sequence[Column], catalogue: Catalogue) -> list[Column]:
    name = model_on_record(wanted, {column.model for column in columns}, catalogue)
    return [column for column in columns if column.model == name]


def _is(column: Column, what: str) -> bool:
    if what in {column.distinction, column.among_its_variants}:
        return True
    hashes = [column.revision or "", column.content or "", column.variant]
    return len(what) >= _FEWEST_DIGITS and any(known.startswith(what) for known in hashes)


def _is_as_configured(column: Column, catalogue: Catalogue) -> bool:
    """Whether the model of this name, as the present configs give it, is this variant."""
    identity = next((kept.model for cell in column.cells.values() for kept in cell.records), None)
    if identity is None or present_model(identity, catalogue) != identity:
        return False
    return catalogue.model(column.model).revision in {None, column.revision}


def _choices(columns: Sequence[Column]) -> str:
    return ", ".join(repr(f"{column.model}@{column.distinction or column.variant[:12]}") for column in columns)

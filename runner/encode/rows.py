"""Vectors of a request that stay in the store until they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from embedmark.models.postprocess import Postprocess
from embedmark.runner.common.errors import ModelError
from embedmark.runner.encode.store import Places, Store


def read_sum(store: Store, places: Sequence[Places]) -> NDArray[np.float32]:
    """Read vectors of items whose parts lie at these places, alongside, and add those of the parts: float32 (n, dim).

    Raises ModelError where the vectors of the parts differ in width.
    """
    found = store.read(places[0])
    for others in places[1:]:
        added = store.read(others)
        if added.shape != found.shape:
            raise ModelError(
                f"vectors of texts have {found.shape[1]} dimensions and those of images {added.shape[1]}; expected as "
                "many, since the two are added"
            )
        found = found + added
    return found


@dataclass(frozen=True)
class StoredRows:
    """A VectorRows. places: of the parts of each row. postprocess: applied to what is read, each row by itself."""

    store: Store
    places: Sequence[Places]
    postprocess: Postprocess

    @cached_property
    def shape(self) -> tuple[int, int]:
        """(n, dim)"""
        return len(self), self[:1].shape[1] if len(self) else 0

    def __len__(self) -> int:
        return len(self.places[0])

    def __getitem__(self, rows: slice | NDArray[np.int64], /) -> NDArray[np.float32]:
        """The vectors of those rows: float32 (n, dim)."""
        places = [of_part[rows] for of_part in self.places]
        if not len(places[0]):
            return np.zeros((0, self.shape[1]), dtype=np.float32)
        return self.postprocess(read_sum(self.store, places))

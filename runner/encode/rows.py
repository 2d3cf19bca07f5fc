"""Vectors of a request that stay in the store until they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from embedmark.models.postprocess import Postprocess
from embedmark.runner.encode.store import Places, Store


@dataclass(frozen=True)
class StoredRows:
    """A VectorRows. places: of each row. postprocess: applied to what is read; it must treat each row by itself."""

    store: Store
    places: Places
    postprocess: Postprocess

    @cached_property
    def shape(self) -> tuple[int, int]:
        """(n, dim)"""
        return len(self.places), self[:1].shape[1] if len(self.places) else 0

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, rows: slice | NDArray[np.int64], /) -> NDArray[np.float32]:
        """The vectors of those rows: float32 (n, dim)."""
        places = self.places[rows]
        if not len(places):
            return np.zeros((0, self.shape[1]), dtype=np.float32)
        return self.postprocess(self.store.read(places))

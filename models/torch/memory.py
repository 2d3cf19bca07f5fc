"""Memory that ran out, under the one name that the runner knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def memory_errors() -> Iterator[None]:
    """Turn torch's ways to say that memory ran out into MemoryError."""
    try:
        yield
    except RuntimeError as error:
        said = str(error)
        if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in said or "out of memory" in said:
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            raise MemoryError(said) from error
        raise

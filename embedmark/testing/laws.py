"""How a law is said and compared."""

from __future__ import annotations

from typing import Any

import numpy as np

from embedmark.runner.config.identity import canonical


def hold(kept: bool, law: str, found: object) -> None:
    """Raise AssertionError, which says what was found, where a law is not kept."""
    if not kept:
        raise AssertionError(f"{law}; found {found!r}"[:1000])


def hold_equal(found: Any, expected: Any, tolerance: float, law: str) -> None:
    """Hold two arrays of numbers to be equal, up to a share of the largest of them."""
    one, other = np.asarray(found, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    hold(one.shape == other.shape, f"{law}: shapes are equal", (one.shape, other.shape))
    largest = float(np.max(np.abs(np.where(np.isfinite(other), other, 0.0)), initial=1.0))
    close = np.isclose(one, other, rtol=0, atol=tolerance * largest, equal_nan=True)
    hold(bool(close.all()), law, f"values that differ by {float(np.nanmax(np.abs(one - other), initial=0.0))}")


def hold_plain(value: Any, law: str) -> None:
    """Hold a value to be made of what JSON has."""
    try:
        canonical(value)
    except (TypeError, ValueError) as error:
        raise AssertionError(f"{law} is made of what JSON has; {error}") from error


def hold_version(version: object, name: str) -> None:
    """Hold a version to be a whole number from 1."""
    whole = isinstance(version, int) and not isinstance(version, bool)
    hold(whole and version >= 1, f"{name} is a whole number from 1, as it enters fingerprints", version)  # type: ignore[operator]

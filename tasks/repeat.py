"""Repetitions of an experiment, spread over the cores."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from joblib import cpu_count
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

Given = TypeVar("Given")
Found = TypeVar("Found")


def repeat(experiment: Callable[[Given], Found], settings: Sequence[Given]) -> list[Found]:
    """`experiment` of each of `settings`, in their order, several at a time.

    Every experiment computes on one thread: its matrices are too small for more, and its rounding then does not
    depend on how many cores a machine has. An estimator that stops before it converged is part of every protocol
    here (its number of steps is), and no cause for a warning.
    """
    workers = min(len(settings), cpu_count())
    with threadpool_limits(1, user_api="blas"), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        with ThreadPoolExecutor(max(1, workers), initializer=_use_one_thread) as pool:
            return list(pool.map(experiment, settings))


def _use_one_thread() -> None:
    # OpenMP keeps its number of threads per thread: the limit has to be set in each worker, and ends with it.
    threadpool_limits(1, user_api="openmp")

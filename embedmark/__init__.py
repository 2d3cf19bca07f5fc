"""embedmark: a declarative benchmark runner for embedding models.

Example:
    >>> import embedmark
    >>> results = embedmark.evaluate("minilm", tasks=["STSBenchmark"])
    >>> results.mean_task
    0.8203...

Everything here is loaded when it is first asked for: `import embedmark` by itself takes no time.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embedmark.face import Planned, Rows, evaluate, load_results, plan
    from embedmark.results import Results
    from embedmark.runner.common.errors import (
        DataError,
        EmbedmarkError,
        JobError,
        ModelError,
        OutputError,
        UserError,
    )

__all__ = [
    "DataError",
    "EmbedmarkError",
    "JobError",
    "ModelError",
    "OutputError",
    "Planned",
    "Results",
    "Rows",
    "UserError",
    "evaluate",
    "load_results",
    "plan",
]

# The rooms lie within this package: links in a checkout, folders in an installation. Where links are not followed
# (a checkout on Windows without developer mode), they are found beside it.
if not (Path(__file__).parent / "runner").is_dir():
    __path__.append(str(Path(__file__).resolve().parents[1]))

_FACE = {"Planned", "Rows", "evaluate", "load_results", "plan"}


def __getattr__(name: str) -> Any:
    """Load what is asked for, as PEP 562 has it."""
    if name not in __all__:
        raise AttributeError(f"module 'embedmark' has no attribute {name!r}; it has {', '.join(__all__)}")
    module = "face" if name in _FACE else "results" if name == "Results" else "runner.common.errors"
    return getattr(import_module(f"embedmark.{module}"), name)


def __dir__() -> list[str]:
    """List what there is, for completion."""
    return [*globals(), *__all__]

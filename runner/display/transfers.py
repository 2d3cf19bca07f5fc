"""Progress bars of libraries (downloads of the hub's client, datasets that are prepared) as parts of our display.

All of them are tqdm's. While a run has a display, tqdm writes nowhere and tells the display instead.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embedmark.runner.display.progress import Progress

WORTH_SECONDS = 0.5
"""Bars of what is done sooner are not shown."""


class _Nowhere:
    """A file that keeps nothing, and that libraries take for a terminal: they are silent elsewhere."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return True


@contextmanager
def transfers_to(progress: Progress) -> Iterator[None]:
    """Let tqdm's bars be shown by a display."""
    from tqdm.std import tqdm  # type: ignore[import-untyped]

    kept = {name: getattr(tqdm, name) for name in ("__init__", "display", "close")}

    def begin(bar: Any, *arguments: Any, **named: Any) -> None:
        if len(arguments) < 5:  # iterable, desc, total, leave, file
            named["file"] = _Nowhere()
        kept["__init__"](bar, *arguments, **named)

    def show(bar: Any, msg: str | None = None, pos: int | None = None) -> None:  # noqa: ARG001
        started = getattr(bar, "start_t", None)  # not yet there when it is first drawn
        if started is not None and not bar.disable and time.time() - started >= WORTH_SECONDS:
            name = (bar.desc or "").strip().removesuffix(":") or "working"
            progress.transfer(id(bar), name, float(bar.n), None if bar.total is None else float(bar.total), bar.unit)

    def end(bar: Any) -> None:
        kept["close"](bar)
        progress.transferred(id(bar))

    try:
        tqdm.__init__, tqdm.display, tqdm.close = begin, show, end
        yield
    finally:
        for name, function in kept.items():
            setattr(tqdm, name, function)

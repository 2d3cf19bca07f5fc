"""What pages show, in words: read from columns.yaml, of which the page and the docs are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

_FILE = Path(__file__).with_name("columns.yaml")


@dataclass(frozen=True)
class Explained:
    """One thing that a page shows.

    Args:
        id: What scripts call it.
        name: What readers see.
        says: What it means; words between backticks stand on the page as they are.
    """

    id: str
    name: str
    says: str

    @property
    def parts(self) -> tuple[tuple[str, bool], ...]:
        """The meaning in parts, each with whether it stands on the page as it is."""
        whole = self.says.replace(" %", "\u00a0%")
        return tuple((part, place % 2 == 1) for place, part in enumerate(whole.split("`")) if part)


@cache
def explained() -> Mapping[str, Sequence[Explained]]:
    """Read what there is to explain: "columns", "marks" and "views", each in the order of the pages."""
    told = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return {kind: tuple(Explained(**one) for one in entries) for kind, entries in told.items()}

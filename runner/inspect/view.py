"""What is shown of a job, and how: lines for a terminal, JSON, or a page. Each is harmless whatever the texts hold."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from embedmark.runner.common.text import shortened, visible

_OF_LINE, _OF_PAGE = 300, 5_000
"""Characters of a text that a terminal and a page show; JSON has all of it."""


@dataclass(frozen=True)
class Shown:
    """One item.

    Args:
        what: What it is, as in `query q17`.
        score: How well it went, higher is better; of two jobs that of the first. NaN where it does not count.
        parts: Words and a text each, as in `found 1` and the document.
        other: Of two jobs that of the second; None of one.
    """

    what: str
    score: float
    parts: tuple[tuple[str, str], ...]
    other: float | None = None


@dataclass(frozen=True)
class View:
    """What is shown of a job, or of two.

    Args:
        title: Of which, and its score.
        items: The items, the worst first.
        notes: What is true of many items together, a line each.
    """

    title: str
    items: Sequence[Shown]
    notes: Sequence[str] = ()


def as_text(view: View) -> str:
    """Lines for a terminal, with what it would obey as escapes; no text can begin a line of its own."""
    lines = [_line(view.title), *map(_line, view.notes)]
    for item in view.items:
        lines.append(f"\n{_line(item.what)}  {_scores(item)}")
        lines += [f"  {_line(label):<12} {shortened(_line(text), _OF_LINE)}" for label, text in item.parts]
    return "\n".join(lines)


def as_json(view: View) -> str:
    """One object, in ASCII. A score that is not defined is null."""
    items = [{**asdict(item), "score": None if math.isnan(item.score) else item.score} for item in view.items]
    return json.dumps({"title": view.title, "notes": list(view.notes), "items": items}, indent=2, allow_nan=False)


def as_page(view: View) -> str:
    """An HTML page without scripts, links or images; every text is escaped by one function."""
    notes = "".join(f"<li>{_safe(note)}</li>" for note in view.notes)
    items = "\n".join(
        f"<section><h2>{_safe(item.what)} <small>{_safe(_scores(item))}</small></h2>\n<table>"
        + "".join(f"<tr><th>{_safe(label)}</th><td>{_safe(text)}</td></tr>" for label, text in item.parts)
        + "</table></section>"
        for item in view.items
    )
    body = f"<ul>{notes}</ul>\n{items}" if notes else items
    return _PAGE.format(title=_safe(view.title), body=body)


def _line(text: str) -> str:
    return visible(" ".join(text.split()))


def _scores(item: Shown) -> str:
    said = "not scored" if math.isnan(item.score) else f"{item.score:.4f}"
    return said if item.other is None else f"{said} against {item.other:.4f}"


def _safe(text: str) -> str:
    return html.escape(shortened(visible(text), _OF_PAGE), quote=True)


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title><style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.2rem; overflow-wrap: anywhere; }} h2 {{ font-size: 1rem; margin: 1.5rem 0 .3rem; }}
small {{ color: #666; font-weight: normal; }}
table {{ border-collapse: collapse; width: 100%; }} th {{ text-align: left; vertical-align: top; width: 7rem; }}
th, td {{ padding: .2rem .5rem; border-top: 1px solid #ddd; overflow-wrap: anywhere; }}
</style></head><body><h1>{title}</h1>
{body}
</body></html>
"""

"""Comparisons and training curves as SVG: text stays text, colours are not the only sign, dark pages are minded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from embedmark.runner.common.text import shortened, visible
from embedmark.runner.compare import words
from embedmark.runner.compare.comparison import Comparison, TaskComparison
from embedmark.runner.compare.curve import Curve
from embedmark.runner.stats.intervals import Interval, NoInterval

_ROW, _LEFT, _PLOT, _RIGHT, _TOP = 22, 260, 360, 190, 44
_NAME = 34
_STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #222 } .dim { fill: #666 } .axis { stroke: #999 }
  .better { stroke: #0a6b3d; fill: #0a6b3d } .worse { stroke: #b3261e; fill: #b3261e }
  .open { stroke: #5f6368; fill: #5f6368 } .head { font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    svg { background: #16181b } text { fill: #e8e8e8 } .dim { fill: #a0a4a8 }
    .better { stroke: #5fd39b; fill: #5fd39b } .worse { stroke: #ff8a80; fill: #ff8a80 }
    .open { stroke: #b0b4b8; fill: #b0b4b8 }
  }
"""


def forest(pair: Comparison) -> str:
    """Draw a row a task: the difference and its interval around a line at 0; below them the mean with both of its."""
    rows = [row for task in pair.tasks if (row := _of_task(task)) is not None]
    if pair.overall is not None:
        mean = pair.overall.mean
        if mean.as_it_is is not None:
            rows.append(("mean, as it is", mean.mean, *mean.as_it_is, pair.overall.as_it_is or ""))
        if mean.like_these is not None:
            rows.append(("mean, tasks like these", mean.mean, *mean.like_these, pair.overall.like_these or ""))
    reach = max((max(abs(low), abs(high)) for _, _, low, high, _ in rows), default=0.01) or 0.01
    height = _TOP + _ROW * (len(rows) + 2) + 14
    title = f"{pair.a} against {pair.b}"
    return _page(_LEFT + _PLOT + _RIGHT, height, title, _forest_body(title, rows, reach, height))


_Row = tuple[str, float, float, float, str]


def _of_task(task: TaskComparison) -> _Row | None:
    if isinstance(task.paired, NoInterval):
        return None
    return task.task, task.difference, task.paired.low, task.paired.high, task.verdict or ""


def _forest_body(title: str, rows: Sequence[_Row], reach: float, height: int) -> Iterator[str]:
    def at(value: float) -> float:
        return _LEFT + _PLOT / 2 * (1 + value / reach)

    yield _text(12, 20, shortened(title, 110), "head")
    yield f'<line class="axis" x1="{at(0):.1f}" y1="{_TOP - 8}" x2="{at(0):.1f}" y2="{height - 50}"/>'
    for place, (name, difference, low, high, verdict) in enumerate(rows):
        y = _TOP + _ROW * place + 8
        kind = verdict if verdict in {"better", "worse"} else "open"
        yield _text(12, y + 4, shortened(name, _NAME))
        yield f'<line class="{kind}" stroke-width="2" x1="{at(low):.1f}" y1="{y}" x2="{at(high):.1f}" y2="{y}"/>'
        filled = "" if kind != "open" else ' fill-opacity="0"'
        yield f'<circle class="{kind}" stroke-width="2"{filled} cx="{at(difference):.1f}" cy="{y}" r="4"/>'
        yield _text(_LEFT + _PLOT + 12, y + 4, f"{words.points(difference)}  {verdict}", "dim")
    y = height - 34
    for value, anchor in ((-reach, "start"), (0.0, "middle"), (reach, "end")):
        yield _text(at(value), y, words.points(value, 1), "dim", anchor)
    yield _text(at(0), height - 12, "points; to the right of 0 the first is better", "dim", "middle")


def training(found: Curve) -> str:
    """Draw the score of each checkpoint against its step, with intervals, and where nothing can be told any more."""
    width, height = 720, 384
    title = f"mean over {len(found.tasks)} tasks" if len(found.tasks) > 1 else found.tasks[0]
    return _page(width, height, title, _curve_body(found, title, width, height))


def _curve_body(found: Curve, title: str, width: int, height: int) -> Iterator[str]:
    steps = [point.step for point in found.points]
    lows = [p.interval.low if isinstance(p.interval, Interval) else p.score for p in found.points]
    highs = [p.interval.high if isinstance(p.interval, Interval) else p.score for p in found.points]
    bottom, top = min(lows), max(highs)
    margin = (top - bottom) * 0.08 or 0.01
    bottom, top = bottom - margin, top + margin
    left, right, up, down = 64, width - 24, _TOP, height - 68

    def x(step: float) -> float:
        return left + (right - left) * (step - steps[0]) / ((steps[-1] - steps[0]) or 1)

    def y(score: float) -> float:
        return down - (down - up) * (score - bottom) / (top - bottom)

    yield _text(12, 20, shortened(title, 90), "head")
    for value in (bottom + margin, (bottom + top) / 2, top - margin):
        yield _text(left - 10, y(value) + 4, f"{100 * value:.1f}", "dim", "end")
    yield f'<line class="axis" x1="{left}" y1="{down + 8}" x2="{right}" y2="{down + 8}"/>'
    path = " ".join(f"{x(point.step):.1f},{y(point.score):.1f}" for point in found.points)
    yield f'<polyline class="open" style="fill: none" points="{path}"/>'
    for place, (point, low, high) in enumerate(zip(found.points, lows, highs, strict=True)):
        at = x(point.step)
        kind = "open" if found.told_until is not None and place > found.told_until else "better"
        ends = f'y1="{y(low):.1f}" y2="{y(high):.1f}"'
        yield f'<line class="{kind}" stroke-width="2" x1="{at:.1f}" x2="{at:.1f}" {ends}/>'
        hollow = ' fill-opacity="0"' if kind == "open" else ""
        about = escape(visible(f"{point.label}: {100 * point.score:.2f}"))
        yield (
            f'<circle class="{kind}"{hollow} stroke-width="2" cx="{at:.1f}" cy="{y(point.score):.1f}" r="4">'
            f"<title>{about}</title></circle>"
        )
    yield _text(12, height - 12, shortened(words.curve_lines(found)[0], 110), "dim")
    axis = "step" if found.is_numbered else "order in which they were run"
    for place in {0, len(steps) - 1}:
        anchor = "start" if place == 0 else "end"
        yield _text(
            x(steps[place]), down + 26, f"{axis} {steps[place]:g}" if place == 0 else f"{steps[place]:g}", "dim", anchor
        )


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text{style} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(visible(text))}</text>'


def _page(width: int, height: int, title: str, body: Iterator[str]) -> str:
    lines = "\n".join(body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img">\n<title>{escape(visible(title))}</title>\n<style>{_STYLE}</style>\n{lines}\n</svg>\n'
    )

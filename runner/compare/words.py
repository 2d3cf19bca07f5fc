"""Numbers of comparisons in words: points, intervals, p values, and what a verdict leaves open."""

from __future__ import annotations

from collections.abc import Sequence

from embedmark.runner.compare.comparison import Asked, Comparison, Overall
from embedmark.runner.compare.curve import Curve
from embedmark.runner.stats.intervals import Interval, NoInterval, plural
from embedmark.runner.stats.paired import Paired
from embedmark.runner.stats.sample import FEW

MINUS = "−"


def points(value: float, digits: int = 2) -> str:
    """A difference in points, with its sign."""
    text = f"{100 * value:+.{digits}f}"
    return text.replace("-", MINUS) if float(text) else f"{0:.{digits}f}"


def ends(low: float, high: float, digits: int = 2) -> str:
    """An interval of differences in points."""
    return f"[{points(low, digits)}, {points(high, digits)}]"


def score_ends(found: Interval | NoInterval) -> str:
    """An interval of a score, as tables show it."""
    return "–" if isinstance(found, NoInterval) else f"{100 * found.low:.1f} – {100 * found.high:.1f}"


def from_what(found: Interval | NoInterval) -> str:
    """What an interval is of, or why there is none."""
    if isinstance(found, NoInterval):
        return f"no interval: {found.reason}"
    return "; ".join([found.of, *(f"{warning}: covers less" for warning in found.warnings)])


def p_value(p: float | None) -> str:
    """A p value, never 0."""
    if p is None:
        return ""
    return "<0.0001" if p < 0.0001 else f"{p:.4f}" if p < 0.1 else f"{p:.2f}"


def headline(pair: Comparison) -> str:
    """Which is compared with which, and on what."""
    shared = {found.of for task in pair.tasks if isinstance(found := task.paired, Paired)}
    rhos = [found.rho for task in pair.tasks if isinstance(found := task.paired, Paired) and found.rho is not None]
    of = f", same {shared.pop()}" if len(shared) == 1 and len(pair.tasks) == 1 else ""
    rho = f" (correlation {rhos[0]:.2f})" if len(rhos) == 1 and of else ""
    return f"{pair.a} (A) against {pair.b} (B){of}{rho}"


def overall_lines(pair: Comparison, asked: Asked) -> list[str]:
    """What the mean over tasks says, by items and by families, and what could have been seen."""
    if pair.overall is None:
        return _of_single_task(pair)
    overall, n = pair.overall, len(pair.tasks)
    mean = overall.mean
    lines = [
        f"mean over {n} tasks: {100 * overall.a:.2f} and {100 * overall.b:.2f}, difference {points(mean.mean)}",
        f"  this benchmark as it is:  {_as_it_is(pair, overall)}",
        f"  tasks like these:         {_like_these(overall)}",
    ]
    if mean.item_share is not None:
        lines.append(f"  Noise of items is {100 * mean.item_share:.0f} % of the spread over tasks.")
    return [*lines, *_left_open(overall, asked)]


def task_notes(pair: Comparison) -> list[str]:
    """What a table of several tasks leaves unsaid: why some have no test, and whose intervals say too little."""
    if pair.overall is None:
        return []
    reasons: dict[str, list[str]] = {}
    for task in pair.tasks:
        if isinstance(task.paired, NoInterval):
            reasons.setdefault(task.paired.reason, []).append(task.task)
    lines = [] if _same_for_all(pair, reasons) else [f"no test of {named(n)}: {why}" for why, n in reasons.items()]
    tested = [(task.task, task.paired.spread) for task in pair.tasks if isinstance(task.paired, Paired)]
    held = [name for name, spread in tested if not spread.n_units]
    if held:
        lines.append(f"documents held fixed in {named(held)}: others would move the scores by more than shown")
    few = [name for name, spread in tested if spread.n_units and spread.n_clusters < FEW]
    if few:
        lines.append(f"fewer than {FEW} independent units in {named(few)}: the interval covers less than it says")
    return lines


def _same_for_all(pair: Comparison, reasons: dict[str, list[str]]) -> bool:
    """Whether no task has a test, for one reason, which then stands where the verdict would."""
    return len(reasons) == 1 and len(next(iter(reasons.values()))) == len(pair.tasks)


def left_out(pair: Comparison) -> list[str]:
    """Which tasks are left out, by the model that lacks them."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in pair.lacking:
        found.setdefault((one.model, one.why), []).append(one.task)
    return [f"left out, since {model} lacks it ({why}): {named(tasks)}" for (model, why), tasks in found.items()]


def families(number: int) -> str:
    """How many families."""
    return f"{number} {plural('family', number)}"


def named(tasks: Sequence[str], most: int = 5) -> str:
    """Some names, and how many more."""
    return ", ".join(tasks[:most]) + (f" and {len(tasks) - most} more" if len(tasks) > most else "")


def _of_single_task(pair: Comparison) -> list[str]:
    found = pair.tasks[0].paired
    if isinstance(found, NoInterval):
        return [f"no verdict: {found.reason}"]
    visible = f"This test would have seen a difference of {100 * found.smallest_visible:.1f} points four times in five."
    if pair.tasks[0].verdict != "cannot tell":
        return [visible]
    return [visible, _fits(found.low, found.high)]


def _as_it_is(pair: Comparison, overall: Overall) -> str:
    if overall.mean.as_it_is is None:
        reasons = [task.paired.reason for task in pair.tasks if isinstance(task.paired, NoInterval)]
        if len(reasons) == len(pair.tasks) and len(set(reasons)) == 1:
            return f"no verdict: {reasons[0]}"
        return f"no verdict: no test of {named([t.task for t in pair.tasks if isinstance(t.paired, NoInterval)], 3)}"
    verdict = f"p {p_value(overall.p_as_it_is)}  {overall.as_it_is}"
    return f"{ends(*overall.mean.as_it_is)}  {verdict}  (new items of these tasks)"


def _like_these(overall: Overall) -> str:
    if overall.mean.like_these is None:
        return f"no verdict: {families(overall.n_families)} of tasks; three are needed"
    of = f"{families(overall.n_families)}, with this mix of types"
    verdict = f"p {p_value(overall.p_like_these)}  {overall.like_these}"
    return f"{ends(*overall.mean.like_these)}  {verdict}  ({of})"


def _left_open(overall: Overall, asked: Asked) -> list[str]:
    lines = []
    mean = overall.mean
    if mean.smallest_visible is not None:
        lines.append(
            f"  {overall.n_families} families like these show differences from {100 * mean.smallest_visible:.1f} "
            "points on, four times in five."
        )
    if overall.like_these == "cannot tell":
        size = f"{100 * abs(mean.mean):.2f}"
        if overall.families_needed is None:
            lines.append(f"  No number of families of this kind in reach would decide {size} points.")
        else:
            lines.append(f"  About {overall.families_needed} families would decide {size} points, if it stays.")
    open_ends = [
        found
        for found, verdict in ((mean.as_it_is, overall.as_it_is), (mean.like_these, overall.like_these))
        if verdict == "cannot tell" and found is not None
    ]
    if open_ends:
        widest = max(open_ends, key=lambda found: found[1] - found[0])
        lines.append(f"  {_fits(*widest)}")
    if asked.adjust == "bh":
        lines.append("  p values bound the expected share of false claims (Benjamini–Hochberg), not the chance of any.")
    return lines


def _fits(low: float, high: float) -> str:
    return f'Cannot tell is not "equal": anything from {points(low)} to {points(high)} fits these scores.'


def curve_lines(found: Curve) -> list[str]:
    """From where on no later checkpoint is shown to be better."""
    if any(isinstance(point.interval, NoInterval) for point in found.points):
        reasons = [point.interval.reason for point in found.points if isinstance(point.interval, NoInterval)]
        return [f"no tests: {reasons[0]}"]
    if found.told_until is None:
        return ["The last is better than all before it: the run was still improving."]
    point = found.points[found.told_until]
    name = f"step {point.step:g}" if found.is_numbered else point.label
    return [
        f"Cannot tell after {name}: no later one is shown to be better (Holm over the later ones).",
        "A run that stopped improving and a benchmark that is too weak to show it look alike.",
    ]

"""The first rows of a table, as the page's script would draw them: page/table.js says the same in JavaScript."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from embedmark.runner.common.text import visible
from embedmark.runner.ranking.families import families_of_keys
from embedmark.runner.stats.ranks import SCALE
from embedmark.runner.stats.separation import FEWEST_FAMILIES

ROWS = 30
_LONGEST = 96

_SHORT = {
    "Clustering": "Cluster.", "Reranking": "Rerank.", "Classification": "Classif.", "PairClassification": "Pair cl.",
    "Summarization": "Summ.", "BitextMining": "Bitext", "MultilabelClassification": "Multilabel",
    "InstructionReranking": "Instr. rer.", "InstructionRetrieval": "Instr. retr.",
    "HierarchicalClassification": "Hier. cl.", "Any2AnyRetrieval": "Any2any", "Any2AnyReranking": "Any2any rer.",
    "Any2AnyMultilingualRetrieval": "Multil. any2any", "DocumentUnderstanding": "Documents",
    "ImageClassification": "Image cl.", "ImageClustering": "Image clust.", "ZeroShotClassification": "Zero-shot cl.",
    "VisionCentricQA": "Vision QA", "Compositionality": "Compos.", "VisualSTS(eng)": "Visual STS",
    "VisualSTS(multi)": "Vis. STS multi",
}  # fmt: skip


@dataclass(frozen=True)
class StaticTable:
    """What a template needs.

    Args:
        heads: Of each column its head and class.
        rows: Group lines and models, in order.
    """

    heads: Sequence[tuple[str, str]]
    rows: Sequence[Mapping[str, Any]]


def static_table(data: Mapping[str, Any]) -> StaticTable:
    """Lay out the first rows by rank."""
    types = _types(data)
    n_families = len({*families_of_keys(data["tasks"]["keys"]).tolist()})
    heads = [
        ("Rank, 98 % interval" if n_families >= FEWEST_FAMILIES else "Rank", "rank"),
        ("Model", "name"),
        ("Mean, tasks", "number"),
        ("Mean, types", "number"),
        *((_SHORT.get(kind, kind), "number type") for kind in types),
        ("Zero-shot", "number"),
        ("Size", "number"),
    ]
    return StaticTable(heads, list(_rows(data, types)))


def visible_name(text: str) -> Markup:
    """A name that strangers chose, as text that moves nothing around it."""
    seen = visible(text)
    if len(seen) <= _LONGEST:
        return Markup("<bdi>{}</bdi>").format(seen)
    return Markup('<bdi title="{}">{}…</bdi>').format(seen, seen[: _LONGEST - 1])


def _rows(data: Mapping[str, Any], types: Mapping[str, Sequence[int]]) -> Iterator[Mapping[str, Any]]:
    build, models = data["build"], data["models"]
    means = {kind: _type_means(data, columns) for kind, columns in types.items()}
    order = _order(data)
    mine = models.get("mine", models["own"])
    own = [model for model in order if models["own"][model] or mine[model]]
    if 0 < len(own) < len(order):
        yield {"pinned": "Measured here" if any(models["own"]) else "Yours"}
        yield from ({**_row(data, model, types, means), "again": True} for model in own)
        if max(build["group"], default=-1) < 0:
            yield {"pinned": ""}
    group = -1
    for model in order[:ROWS]:
        if build["group"][model] > group:
            group = build["group"][model]
            leader = _leader(data, group)
            yield {
                "group": group + 1,
                "size": build["group"].count(group),
                "leader": short_name(models["label"][leader]),
            }
        yield _row(data, model, types, means)


def _row(
    data: Mapping[str, Any], model: int, types: Mapping[str, Sequence[int]], means: Mapping[str, Sequence[float | None]]
) -> Mapping[str, Any]:
    build, models = data["build"], data["models"]
    label = models["label"][model]
    completed = build["completed"][model]
    certain = build["low"][model] > 0
    low, high = (build["low"][model], build["high"][model]) if certain else completed[1:] if completed else (0, 0)
    rank = build["rank"][model]
    return {
        "again": False,
        "slug": models["slug"][model],
        "short": short_name(label),
        "owner": label.partition("/")[0] if "/" in label else "",
        "own": models["own"][model],
        "mine": models.get("mine", models["own"])[model],
        "service": models["service"][model],
        "rank": rank,
        "low": low,
        "high": high,
        "certain": certain,
        "strip": _strip(rank or (completed[0] if completed else 0), low, high, data["ranked"], certain),
        **_mean(data, model, [of_kind[model] for of_kind in means.values()]),
        "types": [_heated(means[kind], model) for kind in types],
        "zero": models["zero"][model],
        "size": _size(models["size"][model]),
    }


def _order(data: Mapping[str, Any]) -> list[int]:
    """The models by rank, then those without one: as ranking/board.py has them."""
    build, names = data["build"], data["models"]["name"]
    have = [sum(column[model] is not None for column in data["scores"]) for model in range(data["ranked"])]

    def key(model: int) -> tuple[Any, ...]:
        rank, completed = build["rank"][model], build["completed"][model]
        later = (0, 0) if rank else (completed is None, completed[0] if completed else 0)
        return (not rank, rank, *later, -have[model], names[model], model)

    return sorted((model for model in range(data["ranked"]) if have[model]), key=key)


def _leader(data: Mapping[str, Any], group: int) -> int:
    build = data["build"]
    members = [model for model, of in enumerate(build["group"]) if of == group]
    return min(members, key=lambda model: (build["rank"][model], model))


def _types(data: Mapping[str, Any]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {kind: [] for kind in data["types"]}
    for task, kind in enumerate(data["tasks"]["type"]):
        found[kind].append(task)
    return found


def _mean(data: Mapping[str, Any], model: int, types: Sequence[float | None]) -> Mapping[str, Any]:
    have = [column[model] for column in data["scores"] if column[model] is not None]
    n, all_tasks = len(have), len(data["scores"])
    complete = n == all_tasks
    return {
        "complete": complete,
        "nearly": n * 10 >= all_tasks * 9,
        "mean": _points(sum(have) / n, 2) if n else "–",
        "mean_type": _points(sum(kind for kind in types if kind is not None) / len(types), 2) if complete else "–",
    }


def _type_means(data: Mapping[str, Any], columns: Sequence[int]) -> list[float | None]:
    found: list[float | None] = []
    for model in range(len(data["models"]["name"])):
        scores = [data["scores"][column][model] for column in columns]
        found.append(None if None in scores else sum(scores) / len(scores))
    return found


def _heated(means: Sequence[float | None], model: int) -> tuple[str, int] | None:
    mean = means[model]
    if mean is None:
        return None
    there = [one for one in means if one is not None]
    return _points(mean, 1), _heat(1 + sum(one > mean for one in there), len(there))


def _heat(place: int, n: int) -> int:
    """The step of colour of a place: see page/heat.js."""
    if n < 2:
        return 0
    return 6 - min(6, math.floor(6 * math.log2(place) / math.log2(min(n, 64)) + 1e-9))


def _points(millionths: float, digits: int) -> str:
    """A score in points, never with a negative zero: rounded as JavaScript's toFixed does."""
    value = millionths / (SCALE / 100)
    text = _to_fixed(abs(value), digits)
    return f"\u2212{text}" if value < 0 and float(text) else text


def _to_fixed(value: float, digits: int) -> str:
    """The nearest decimal to the exact binary value, and of two the larger one."""
    from decimal import ROUND_HALF_UP, Decimal

    return str(Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


def _size(parameters: int | None) -> str:
    if parameters is None:
        return "?"
    for unit, of in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("k", 1e3)):
        value = parameters / of
        if value >= 0.9995:
            return f"{_to_fixed(value, 1 if value < 9.95 else 0)} {unit}"
    return str(parameters)


def _strip(rank: int, low: int, high: int, n: int, certain: bool) -> Markup:
    if not rank and not low:
        return Markup("")

    def x(place: int) -> str:
        return _to_fixed(3 + 78 * math.log(place) / math.log(max(n, 2)), 1)

    between = Markup('<path class="interval" d="M{} 7H{}"></path>').format(x(low), x(high)) if low else ""
    return Markup(
        '<svg class="strip" width="84" height="14" viewBox="0 0 84 14" aria-hidden="true" focusable="false">'
        '<path class="track" d="M3 7H81"></path>{}<circle class="{}" cx="{}" cy="7" r="3"></circle></svg>'
    ).format(between, "dot" if certain else "dot hollow", x(rank))


def short_name(label: str) -> str:
    """A model's name without its organisation."""
    plain = label.partition(" (")[0]
    return label[plain.find("/") + 1 :]

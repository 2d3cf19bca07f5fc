"""Two pieces of evidence beside each other: the first stage that parts, and its cause as far as the stage tells it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

import numpy as np

from embedmark.runner.hub.weights import WEIGHTS
from embedmark.runner.results.evidence import Evidence, Side, Vectors
from embedmark.runner.verify.verdict import SKETCH

_TOKENIZER = ("tokenizer", "vocab", "special_tokens", "added_tokens", "merges", "spiece", "sentencepiece")
_SHOWN = 3


def files_apart(kept: Evidence, again: Evidence) -> str | None:
    """Say which files of the model are not those of the record; None where all are, or none are known."""
    if not kept.files or not again.files:
        return None
    names = sorted(name for name in {*kept.files, *again.files} if kept.files.get(name) != again.files.get(name))
    if not names:
        return None
    kinds = {_kind(name) for name in names}
    what = "model revision" if len(kinds) > 1 else kinds.pop()
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    return f"{what}: {shown}: not the files that the record was made with"


def _kind(name: str) -> str:
    path = PurePosixPath(name)
    if path.suffix in WEIGHTS:
        return "weights"
    return "tokenizer file" if path.name.startswith(_TOKENIZER) else "model settings"


def columns_apart(kept: Evidence, again: Evidence) -> dict[str, list[str]]:
    """Split → its columns that are not those of the record."""
    found = {}
    for split in {*kept.columns, *again.columns}:
        ours, theirs = kept.columns.get(split, {}), again.columns.get(split, {})
        columns = sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))
        if columns:
            found[split] = columns
    return found


def rows_apart(kept: Evidence, again: Evidence) -> str | None:
    """Say how the rows differ; None where they do not."""
    apart = columns_apart(kept, again)
    if not apart:
        return None
    where = "; ".join(f"split {split}: {', '.join(columns)}" for split, columns in sorted(apart.items()))
    pairs = [(kept.sides[name], again.sides[name]) for name in kept.sides if name in again.sides]
    if any(one.n != other.n for one, other in pairs):
        counts = ", ".join(f"{one.n} on record, {other.n} in the data" for one, other in pairs if one.n != other.n)
        return f"rows dropped or added: {counts} ({where})"
    if pairs and all(one.unordered == other.unordered for one, other in pairs):
        if any(one.keys != other.keys for one, other in pairs):
            return f"rows reordered ({where})"
        return f"labels: the texts are the same, and what is right is not ({where})"
    return f"rows changed ({where})"


def given_apart(kept: Evidence, again: Evidence) -> str | None:
    """Say how what the model was given differs, where the rows do not; None where it does not."""
    if sorted(kept.sides) != sorted(again.sides):
        return f"sides: {', '.join(sorted(kept.sides))} on record, {', '.join(sorted(again.sides))} by the claim"
    for name, one, other in _sides(kept, again):
        if (one.prompt, dict(one.parameters)) != (other.prompt, dict(other.parameters)):
            return f"prompt: {name} were given {one.prompt!r} {dict(one.parameters) or ''}, and the claim gives " + (
                f"{other.prompt!r} {dict(other.parameters) or ''}".strip()
            )
        if one.n != other.n:
            return f"draws: {one.n} rows of {name} on record, {other.n} by the claim (samples_per_label or the like)"
        if one.keys != other.keys:
            if one.unordered == other.unordered:
                return f"order: {name} are the same in another order"
            return f"draws: other rows of {name} than the claim draws (seed)"
    return None


def tokens_apart(kept: Evidence, again: Evidence) -> Iterator[str]:
    """Yield the sides whose token ids differ."""
    for name, one, other in _sides(kept, again):
        if one.tokens is not None and other.tokens is not None and one.tokens != other.tokens:
            yield name


def cut_at(kept: Evidence, again: Evidence) -> str | None:
    """Say at how many tokens the texts on record were cut, where that is how they differ from the claim's."""
    pairs = [
        (one, other)
        for _, side, now in _sides(kept, again)
        for one, other in zip(side.lengths or (), now.lengths or (), strict=False)
    ]
    if not pairs or all(one == other for one, other in pairs):
        return None
    longest, longest_now = max(one for one, _ in pairs), max(other for _, other in pairs)
    if all(one == min(other, longest) for one, other in pairs):
        return f"at {longest}"
    return f"at more than {longest_now}" if all(other == min(one, longest_now) for one, other in pairs) else None


def probes_apart(kept: Evidence, again: Evidence) -> str | None:
    """Say what the probe texts tell; None where they tell nothing."""
    if kept.probes is None or again.probes is None:
        return None
    if kept.probes.tokens != again.probes.tokens:
        return "tokens of the probe texts"
    apart = distance(kept.probes.raw, again.probes.raw)
    return f"vectors of the probe texts are {apart:.1e} apart" if apart > SKETCH else None


def raw_apart(kept: Evidence, again: Evidence) -> float:
    """The largest distance of what the model made."""
    return max((distance(one.raw, other.raw) for _, one, other in _sides(kept, again)), default=0.0)


def used_apart(kept: Evidence, again: Evidence) -> float:
    """The largest distance of what was compared."""
    return max((distance(one.used, other.used) for _, one, other in _sides(kept, again)), default=0.0)


def distance(one: Vectors, other: Vectors) -> float:
    """How far two sketches are apart: the largest difference of a component, for vectors of length above 1 in shares
    of the largest; infinite where they are of other widths."""
    if one.dim != other.dim or len(one.first) != len(other.first):
        return float("inf")
    if not one.first:
        return 0.0
    a, b = np.array(one.first), np.array(other.first)
    return float(np.abs(a - b).max() / max(1.0, np.abs(a).max()))


def _sides(kept: Evidence, again: Evidence) -> Iterator[tuple[str, Side, Side]]:
    for name in kept.sides:
        if name in again.sides:
            yield name, kept.sides[name], again.sides[name]


def numbers_apart(kept: Mapping[str, float], again: Mapping[str, float]) -> str | None:
    """Say which metrics one of two has and the other has not; None where both have the same."""
    lacking, more = sorted(set(again) - set(kept)), sorted(set(kept) - set(again))
    if not lacking and not more:
        return None
    words = [f"on record alone: {', '.join(more[:_SHOWN])}"] if more else []
    words += [f"by the claim alone: {', '.join(lacking[:_SHOWN])}"] if lacking else []
    return f"k_values: other metrics ({'; '.join(words)})"

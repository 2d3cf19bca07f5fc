"""Which version of a task a score is of. Only scores of one version are compared, and none is averaged with another's.

A version is a task's identity (revision of its data, settings, protocol, languages: all of a job's identity but the
model) and the content that was read, which shows a change of data that nothing pins.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from embedmark.runner.config.identity import fingerprint_of_plain
from embedmark.runner.report.variants import in_words, labels
from embedmark.runner.report.why import differences
from embedmark.runner.results.collect import Kept

Slot = tuple[str, str]
"""Split and subset."""

Key = tuple[str, str]
"""What was measured in a slot: the hash of the identity without the model, and of the content that was read."""


@dataclass(frozen=True)
class Version:
    """What was measured in each slot, the same for every model that has a score of this version.

    samples: a record of each slot, to name what tells it from other versions.
    """

    keys: Mapping[Slot, Key] = field(default_factory=dict)
    samples: Mapping[Slot, Kept] = field(default_factory=dict)

    @property
    def sample(self) -> Kept:
        """One of its records."""
        return next(iter(self.samples.values()))

    def has(self, kept: Kept) -> bool:
        """Whether a record is of this version."""
        return self.keys.get(slot_of(kept)) == key_of(kept)


def slot_of(kept: Kept) -> Slot:
    """The split and subset of a record or failure."""
    return kept.facts.job.split, kept.facts.job.subset


def key_of(kept: Kept) -> Key:
    """What a record measured."""
    return kept.measured_hash, kept.content_hash


def versions(records: Iterable[Kept]) -> list[Version]:
    """The versions among the records of one task: that of most models first, then the newest."""
    records = list(records)
    found: list[dict[Slot, Kept]] = []
    for candidate in sorted(_layers(records), key=_most_first):
        fitting = [version for version in found if _agree(version, candidate)]
        for version in fitting:
            version.update({slot: kept for slot, kept in candidate.items() if slot not in version})
        if not fitting:
            found.append(dict(candidate))
    made = [Version({slot: key_of(kept) for slot, kept in one.items()}, one) for one in found]
    return sorted(made, key=lambda version: _rank(version, records))


def version_labels(found: Sequence[Version]) -> list[str]:
    """What tells the versions of a task apart; empty for an only one.

    The task's own values where these differ, else the languages and draws of a subset, else the content that was read.
    """
    slots = {slot for version in found for slot in version.keys}
    differing = sorted(slot for slot in slots if len({version.keys.get(slot) for version in found}) > 1)
    samples = [
        next((version.samples[slot] for slot in differing if slot in version.samples), version.sample)
        for version in found
    ]
    parts = ({"task"}, {"task", "identity", "job"})
    candidates = [
        [{key: kept.measured[key] for key in names & {*kept.measured}} for kept in samples] for names in parts
    ]
    candidates.append([{"content": kept.content} for kept in samples])
    distinct = (values for values in candidates if len({fingerprint_of_plain(value) for value in values}) == len(found))
    return labels(next(distinct, candidates[1]))


def what_differs(kept: Kept, identity: Mapping[str, Any] | None, sample: Kept | None) -> str:
    """In what a record differs from what is measured now: an identity without the model, or a record of it."""
    if identity is not None and (found := differences(kept.measured, identity)):
        return in_words(found)
    if sample is None:
        return ""
    return in_words(differences(kept.measured, sample.measured)) or in_words(
        differences({"content": kept.content}, {"content": sample.content})
    )


def _layers(records: Iterable[Kept]) -> list[dict[Slot, Kept]]:
    """The records of each model and task identity, one a slot: the newest together, then the next."""
    layers: dict[tuple[str, str], list[dict[Slot, Kept]]] = defaultdict(list)
    for kept in sorted(records, key=lambda kept: (kept.when, kept.facts.fingerprint), reverse=True):
        slot = slot_of(kept)
        of_model = layers[kept.variant, kept.task_hash]
        free = next((layer for layer in of_model if slot not in layer), None)
        if free is None:
            of_model.append(free := {})
        free[slot] = kept
    return [layer for of_model in layers.values() for layer in of_model]


def _agree(version: Mapping[Slot, Kept], candidate: Mapping[Slot, Kept]) -> bool:
    """Whether all that both measured is the same, and of one task identity."""
    if next(iter(version.values())).task_hash != next(iter(candidate.values())).task_hash:
        return False
    return all(key_of(version[slot]) == key_of(kept) for slot, kept in candidate.items() if slot in version)


def _most_first(layer: Mapping[Slot, Kept]) -> tuple[int, float, str]:
    newest = max(layer.values(), key=lambda kept: (kept.when, kept.facts.fingerprint))
    return -len(layer), -newest.when.timestamp(), newest.facts.fingerprint


def _rank(version: Version, records: Iterable[Kept]) -> tuple[int, float, str]:
    of_version = [kept for kept in records if version.has(kept)]
    newest = max(kept.when.timestamp() for kept in of_version)
    return -len({kept.variant for kept in of_version}), -newest, min(kept.facts.fingerprint for kept in of_version)

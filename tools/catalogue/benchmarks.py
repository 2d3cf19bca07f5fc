"""Facts about a benchmark → its config file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.catalogue.tasks import Facts, choice_of

_FEW_LANGUAGES = 12
_RANKED_BY = {"MIEBBenchmark": "type", "VidoreBenchmark": "mean"}
"""The reference's class of a benchmark → what it ranks models by, where that is not Borda."""
PRIVATE = "private: its data is not public, and what the field publishes of its tasks does not describe it"


def choice(facts: Facts) -> str:
    """The file's name in configs/benchmark, without `.yaml`: MTEB(eng, v2) → mteb_eng_v2."""
    return choice_of(facts["name"])


def config(facts: Facts, tasks: Mapping[str, Facts], described: Mapping[str, str]) -> dict[str, Any]:
    """The config of a benchmark. Splits and subsets are given where they are fewer than the task's own.

    described: what is written by hand of it: group, description and the like.
    """
    values: dict[str, Any] = {
        "name": facts["name"],
        "aliases": facts["aliases"],
        **described,
        "reference": facts["reference"],
        "languages": _languages(facts, tasks),
        "ranked_by": _RANKED_BY.get(facts["kind"]),
        "tasks": [_task(entry, tasks[entry["name"]]) for entry in facts["tasks"] if entry["name"] in tasks],
        "awaits": {entry["name"]: PRIVATE for entry in facts["tasks"] if entry["name"] not in tasks},
    }
    return {key: value for key, value in values.items() if value}


def _task(entry: Mapping[str, Any], task: Facts) -> str | dict[str, Any]:
    cuts = {}
    if entry.get("subsets") and set(entry["subsets"]) != _subsets(task).keys():
        cuts["subsets"] = entry["subsets"]
    if entry.get("splits") and set(entry["splits"]) != set(task["eval_splits"]):
        cuts["splits"] = entry["splits"]
    return {"name": entry["name"], **cuts} if cuts else entry["name"]


def _subsets(task: Facts) -> dict[str, list[str]]:
    found = task["eval_langs"]
    return found if isinstance(found, dict) else {"default": found}


def _languages(facts: Facts, tasks: Mapping[str, Facts]) -> list[str]:
    """The languages that its tasks cover in the subsets used, when they are few."""
    covered = {
        language
        for entry in facts["tasks"]
        if entry["name"] in tasks
        for subset, languages in _subsets(tasks[entry["name"]]).items()
        if subset in (entry.get("subsets") or [subset])
        for language in languages
    }
    return sorted(covered) if len(covered) <= _FEW_LANGUAGES else []

"""What a change of version made old: records that this version of embedmark would not make any more.

The versions are those of an identity's layout, of a loader, of a task type's protocol, of how data is read, and of the
packages that add something which was used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from embedmark.models.loaders import find_loader
from embedmark.runner.common.errors import UserError
from embedmark.runner.common.plugins import installed
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.checks import known_loader
from embedmark.runner.config.identity import IDENTITY, Pin, model_identity, plain
from embedmark.runner.config.schema import ModelConfig
from embedmark.runner.config.schema.sources import reading
from embedmark.runner.plan import Plan
from embedmark.runner.report.variants import in_words
from embedmark.runner.report.why import Difference, differences
from embedmark.runner.results.collect import Kept
from embedmark.runner.results.folder import Look, folder_stem
from embedmark.runner.results.inspection import inspect
from embedmark.tasks.types import task_types

_GROUPS = 3
"""Kinds of difference that a line names."""


def outdated_model(model: Mapping[str, Any]) -> list[Difference]:
    """The versions of a model's identity that are not the present ones; nothing of loaders that are not known."""
    return list(_outdated_model(model, "model"))


def _outdated_model(model: Mapping[str, Any], key: str) -> Iterator[Difference]:
    loader = find_loader(str(model.get("loader", "")))
    version = model.get("loader_version")
    if loader is not None and version not in {None, loader.version}:
        yield Difference(f"{key}.loader_version", version, loader.version)
    yield from _other_plug_ins(model, key)
    for index, member in enumerate(model.get("members", ())):
        if isinstance(member, Mapping):
            yield from _outdated_model(member, f"{key}.members[{index}]")


def outdated_task(measured: Mapping[str, Any]) -> list[Difference]:
    """The versions of an identity without its model that are not the present ones."""
    task = measured.get("task", {})
    kind = task_types().get(str(task.get("type")))
    present = [
        ("identity", measured.get("identity"), IDENTITY),
        ("task.protocol", task.get("protocol"), kind.protocol if kind else task.get("protocol")),
        ("task.reading", task.get("reading"), reading(task.get("dataset", {}))),
    ]
    found = [Difference(key, was, now) for key, was, now in present if was is not None and was != now]
    return [*found, *_other_plug_ins(task, "task")]


def _other_plug_ins(part: Mapping[str, Any], key: str) -> Iterator[Difference]:
    """The packages of another version; nothing of those that are not here any more."""
    now = installed()
    for package, version in part.get("plug_ins", {}).items():
        if now.get(package, version) != version:
            yield Difference(f"{key}.plug_ins.{package}", version, now[package])


def is_old(kept: Kept) -> bool:
    """Whether a change of version made a record or failure old."""
    return bool(outdated_model(kept.model) or outdated_task(kept.measured))


def older_line(old: Iterable[Kept], catalogue: Catalogue) -> str:
    """One line on records that are old; empty where there are none."""
    models: dict[str, list[Difference]] = {}
    groups: Counter[str] = Counter()
    for kept in old:
        if kept.variant not in models:
            models[kept.variant] = [*outdated_model(kept.model), *_moved(kept.model, catalogue)]
        groups[in_words([*models[kept.variant], *outdated_task(kept.measured)])] += 1
    return _line(groups, "`report --older` shows them")


def _moved(model: Mapping[str, Any], catalogue: Catalogue) -> list[Difference]:
    """What else differs from the model that the present configs give, as a default that moved does."""
    present = present_model(model, catalogue)
    if present is None:
        return []
    found = differences({"model": model}, {"model": present})
    return [difference for difference in found if difference.key != "model.loader_version"]


def present_model(model: Mapping[str, Any], catalogue: Catalogue) -> Mapping[str, Any] | None:
    """The identity of the model of that name as the present configs give it; None where they have none.

    Weights and members are taken as they are on record: what they are now may need a network to be known.
    """
    try:
        config: ModelConfig = catalogue.model(str(model.get("name")))
        pin = Pin(model.get("revision"), model.get("content"))
        members = model.get("members", ())
        present: dict[str, Any] = plain(model_identity(config, known_loader(config), pin, members))
    except UserError:
        return None
    source = {"source": model["source"]} if "source" in model else {}
    return {**present, **source}


def older_of_plan(plan: Plan, look: Look) -> str:
    """One line on records of a plan's model and tasks that are of another identity than its jobs to do.

    Settings of the model that were chosen on purpose are another variant and not named; versions, what belongs to the
    task, and values that a default of the present schema took the place of are.
    """
    states = look.states
    jobs = [job for job in plan.jobs if states[job.fingerprint] != "done"]
    todo = {(job.task.name, job.split, job.subset): job for job in jobs}
    stems = {folder_stem(task, plan.model.name) for task in {job.task.name for job in jobs}}
    groups: Counter[str] = Counter()
    all_old = True
    for found in look.others:
        if found.failed or found.path.name.removesuffix(f"--{found.digits}") not in stems:
            continue
        inspected = inspect(found)
        if inspected.facts is None or inspected.facts.job.model != plan.model.name:
            continue
        measured = inspected.facts.job
        job = todo.get((measured.task, measured.split, measured.subset))
        differing = differences(inspected.identity, job.identity) if job else []
        if any(_says_something(difference) for difference in differing):
            groups[in_words(sorted(differing, key=_versions_first))] += 1
            all_old = all_old and any(_is_version(difference) for difference in differing)
    if all_old:
        return _line(groups, "`report --older` shows them")
    return _line(groups, "`report` tells them apart", "settings")


def _says_something(difference: Difference) -> bool:
    if _is_version(difference) or not difference.key.startswith("model."):
        return True
    field = ModelConfig.model_fields.get(difference.key.removeprefix("model."))
    return field is not None and difference.b in {None, field.default}


def _is_version(difference: Difference) -> bool:
    key = difference.key
    return key in {"identity", "task.protocol", "task.reading"} or "plug_ins." in key or key.endswith("loader_version")


def _versions_first(difference: Difference) -> bool:
    return not _is_version(difference)


def _line(groups: Counter[str], hint: str, kind: str = "versions") -> str:
    if not groups:
        return ""
    counts = [f"{count} with {words}" for words, count in groups.most_common(_GROUPS)]
    if len(groups) > _GROUPS:
        counts.append("others with other differences")
    total = sum(groups.values())
    jobs = f"{total} {'job was' if total == 1 else 'jobs were'} done with "
    text = groups.most_common(1)[0][0] if len(groups) == 1 else f"other {kind} ({'; '.join(counts)})"
    return f"{jobs}{text}; {hint}"

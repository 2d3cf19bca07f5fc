"""How long tasks take a model, from what is on record: of itself, else of other models, brought to its speed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from statistics import median

from embedmark.runner.results.collect import Kept
from embedmark.runner.results.record import Record

Times = Mapping[str, float]


def task_times(records: Iterable[Kept], model: str | None) -> dict[str, float]:
    """Collect the seconds that tasks take, all splits and subsets together.

    A job most of whose texts an earlier run had encoded tells nothing. Where the model itself has not done a task,
    another's time is brought to its speed by the tasks that both have done.

    Args:
        records: All that is on record.
        model: The model's name; None for the times of any.
    """
    by_model: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for kept in records:
        facts = kept.facts
        if isinstance(facts, Record) and facts.timing.texts_encoded > facts.timing.texts_reused:
            timing = facts.timing
            by_model[facts.job.model][facts.job.task] += timing.load_s + timing.encode_s + timing.evaluate_s
    own: Times = by_model.pop(model, {}) if model is not None else {}
    others: dict[str, list[float]] = defaultdict(list)
    for times in by_model.values():
        shared = [own[task] / times[task] for task in own if times.get(task)]
        speed = median(shared) if shared else 1.0
        if shared or not own:
            for task, seconds in times.items():
                others[task].append(seconds * speed)
    return {**{task: median(seconds) for task, seconds in others.items()}, **own}

"""`show`: one config as it is understood; or of a model how much of a benchmark is zero-shot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, TypeAdapter

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.names import nearest
from embedmark.runner.common.terminal import open_console
from embedmark.runner.common.text import counted, say
from embedmark.runner.config.catalogue import KINDS, Catalogue, Entry
from embedmark.runner.config.checks import check_settings, known_loader, task_type
from embedmark.runner.config.schema import ModelConfig, TaskConfig

if TYPE_CHECKING:
    from embedmark.runner.ranking.zeroshot import Source


def show(name: str, folders: Sequence[Path]) -> int:
    """Print a model, task or benchmark with its defaults filled in. Raises UserError when there is none of the name."""
    catalogue = Catalogue.of(folders)
    console = open_console()
    for index, (entry, config) in enumerate(_found(name, catalogue)):
        console.print(f"{'' if index == 0 else chr(10)}# {entry.path}", style="dim", highlight=False, soft_wrap=True)
        text = yaml.safe_dump(_filled_in(config, entry), sort_keys=False, allow_unicode=True)
        if console.is_terminal:
            from rich.syntax import Syntax

            console.print(Syntax(text.rstrip(), "yaml", background_color="default", word_wrap=True))
        else:
            say(text.rstrip())
    return 0


def show_zero_shot(name: str, benchmark: str, folders: Sequence[Path]) -> int:
    """Print how much of a benchmark is zero-shot for a model, and the tasks that it was trained on.

    Raises:
        UserError: There is no such benchmark, or neither a file nor metadata of such a model.
    """
    from embedmark.runner.ranking.zeroshot import training_data

    catalogue = Catalogue.of(folders)
    asked = catalogue.benchmark(benchmark)
    tasks = list(dict.fromkeys(task.name for task in asked.tasks))
    data = training_data(catalogue)
    try:
        model = catalogue.find("model", name).name
    except UserError:
        if not data.knows(name):
            raise
        model = name
    trained = data.trained(model)
    if trained is None:
        say(f"{model}: how much of {asked.name} is zero-shot is not known: nobody tells what it was trained on")
        return 0
    seen = [task for task in tasks if task in trained]
    say(
        f"{model}: {data.share(model, tasks)} % of {asked.name} is zero-shot; trained on {len(seen)} of "
        f"{counted(len(tasks), 'task')}{':' if seen else ''}"
    )
    width = max(map(len, seen), default=0)
    for task in seen:
        say(f"  {task:<{width}}  {_reason(task, model, trained[task])}".rstrip())
    return 0


def _reason(task: str, model: str, source: Source) -> str:
    """Which training data it was, where that is not the task itself, and whose, where not the model's own."""
    if source.model != model:
        return f"told of {source.model}: {source.dataset}"
    return f"told: {source.dataset}" if source.dataset != task else ""


def _filled_in(config: BaseModel, entry: Entry) -> dict[str, Any]:
    values = config.model_dump(mode="json", exclude_none=True)
    if isinstance(config, TaskConfig):
        where = str(entry.path)
        settings = asdict(check_settings(config, where, task_type(config, where)))
        return {**values, "settings": TypeAdapter(dict[str, Any]).dump_python(settings, mode="json")}
    if isinstance(config, ModelConfig):
        known_loader(config)
        # Null here says something: that nobody knows, where an empty list says that there are none.
        trained_on = config.about.training_datasets
        values["about"] |= {"training_datasets": None if trained_on is None else list(trained_on)}
    return values


def _found(name: str, catalogue: Catalogue) -> list[tuple[Entry, BaseModel]]:
    found: list[tuple[Entry, BaseModel]] = []
    for kind in KINDS:
        try:
            found.append((catalogue.find(kind, name), catalogue.config(kind, name)))
        except UserError:
            if catalogue.has(kind, name):
                raise
    if not found:
        known = [
            known
            for kind in KINDS
            for entry in catalogue.entries(kind).values()
            for known in (entry.name, entry.choice)
        ]
        raise UserError(
            f"no model, task or benchmark {name!r}.{nearest(name, known)} `python -m runner list tasks` lists all."
        )
    return found

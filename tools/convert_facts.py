"""Writes the catalogue in `configs/` from tables of facts, or checks what stands there.

    python -m tools.convert_facts --facts FOLDER        write tasks, benchmarks and models
    python -m tools.convert_facts --check               check every file: schema, settings, transforms, loader, prompts

FOLDER holds tasks.jsonl, benchmarks.jsonl and models.jsonl. Running it again changes nothing. What a table cannot say
(transforms, sub-tasks, settings by name) stands in `tools/tables/*.yaml`. A config that was written by hand under
another file name is left alone, and no second file is written for the same name.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from embedmark.runner.common.errors import UserError
from embedmark.runner.config.catalogue import Catalogue, read_config, read_task
from embedmark.runner.config.checks import known_loader
from embedmark.runner.config.compose import check_prompts
from embedmark.runner.config.schema import BenchmarkConfig, ModelConfig
from embedmark.runner.data.transforms.parsing import parse
from embedmark.tasks.types import task_types
from tools.catalogue import benchmarks, instruct, loaders, models, pages, searchers, services, tasks

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = ROOT / "configs"
TABLES = ROOT / "tools" / "tables"


def main() -> int:
    """Write or check; exit status 1 when a file is not valid."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--facts", type=Path, help="folder with tasks.jsonl, benchmarks.jsonl and models.jsonl")
    parser.add_argument("--check", action="store_true", help="check what stands in configs/")
    parser.add_argument("--configs", type=Path, default=CONFIGS)
    options = parser.parse_args()
    if options.facts:
        write_all(options.facts, options.configs)
    if not options.check:
        return 0
    faults = check_all(options.configs)
    print("\n".join(faults) or "every file is valid")
    return 1 if faults else 0


def write_all(facts: Path, configs: Path) -> None:
    """Write every config that the facts give."""
    for group, pages_of in converted(facts).items():
        _write(configs / group, pages_of)
    for alias, target in models.ALIASES.items():
        pages.write(configs / "model" / f"{alias}.yaml", {"defaults": [target]})


def converted(facts: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Group → the file's name in it, without `.yaml` → the config that the facts give."""
    every = _lines(facts / "tasks.jsonl")
    all_tasks = {task["name"]: task for task in every if tasks.expressible(task)}
    table = read_tables(TABLES)
    unknown = table.keys() - {task["name"] for task in every}
    if unknown:
        raise SystemExit(f"{TABLES}: no such tasks: {sorted(unknown)}")
    paths = tasks.choices(all_tasks.values())
    described = pages.read(TABLES / "benchmarks" / "described.yaml")
    # Tasks that no facts describe are private; a benchmark that has such is listed where it is described.
    others = {task["name"] for task in every} - all_tasks.keys()
    listed = [
        b
        for b in _lines(facts / "benchmarks.jsonl")
        if (names := {task["name"] for task in b["tasks"]}) <= all_tasks.keys()
        or (b["name"] in described and not names & others)
    ]
    if described.keys() != (names := {b["name"] for b in listed}):
        raise SystemExit(f"{TABLES / 'benchmarks'}: not described, or not there: {sorted(described.keys() ^ names)}")
    return {
        "task": {paths[name]: tasks.config(task, table.get(name, {})) for name, task in all_tasks.items()},
        "benchmark": {benchmarks.choice(b): benchmarks.config(b, all_tasks, described[b["name"]]) for b in listed},
        "model": _models(facts, all_tasks),
    }


def _models(facts: Path, task_names: Collection[str]) -> dict[str, dict[str, Any]]:
    wordings = instruct.Wordings(TABLES / "models" / "instructions.yaml")
    served = services.Services(TABLES / "models" / "services.yaml")
    known = {}
    for model in _lines(facts / "models.jsonl"):
        if served.expressible(model):
            known[model["name"]] = served.config(model)
        elif searchers.expressible(model):
            known[model["name"]] = searchers.config(model)
        elif instruct.expressible(model, wordings):
            known[model["name"]] = models.whole(model, instruct.config(model, wordings, task_names))
        elif models.expressible(model):
            known[model["name"]] = models.config(model)
        elif (settings := loaders.settings(model)) is not None:
            known[model["name"]] = models.whole(model, settings)
    if unknown := served.missing(known):
        raise SystemExit(f"{TABLES / 'models' / 'services.yaml'}: no such models: {sorted(unknown)}")
    names = models.choices(known)
    return {names[name]: values for name, values in known.items()}


def read_tables(folder: Path) -> dict[str, dict[str, Any]]:
    """Task name → what is written by hand for it. Names that start with a dot are parts that entries share."""
    table: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.yaml")):
        for name, entry in pages.read(path).items():
            if name.startswith("."):
                continue
            if twice := table.get(name, {}).keys() & entry.keys():
                raise SystemExit(f"{path}: {name}: {sorted(twice)} stand in another table too")
            table.setdefault(name, {}).update(entry)
    return table


def check_all(configs: Path) -> list[str]:
    """One line a fault."""
    names = Catalogue((configs,)).tasks
    readers: dict[str, Callable[[Path], object]] = {
        "task": _read_task,
        "benchmark": lambda path: read_config(path, BenchmarkConfig),
        "model": lambda path: _read_model(path, names),
    }
    faults = []
    for group, read in readers.items():
        for path in sorted((configs / group).rglob("*.yaml")):
            try:
                read(path)
            except UserError as error:
                faults.append(str(error))
    return faults


def _read_task(path: Path) -> None:
    task = read_task(path)
    try:
        parse(task.transforms)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _read_model(path: Path, tasks: Collection[str]) -> None:
    """A model's file, with what only a run would find: a loader that there is, prompts that some task calls for."""
    model = read_config(path, ModelConfig)
    try:
        known_loader(model)
        check_prompts(model, tasks, {kind.label for kind in task_types().values()})
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _write(folder: Path, configs: Mapping[str, Mapping[str, Any]]) -> None:
    own = own_files(folder, configs)
    written = sum(pages.write(folder / f"{choice}.yaml", values) for choice, values in own.items())
    print(f"{folder}: {len(configs)} configs, {written} written")


def own_files(folder: Path, configs: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Those that no file written by hand under another name takes the place of."""
    standing = {_name(path): path for path in folder.rglob("*.yaml")}
    return {
        choice: values
        for choice, values in configs.items()
        if (path := folder / f"{choice}.yaml") == standing.get(values["name"], path)
    }


def _name(path: Path) -> str | None:
    name: str | None = pages.read(path).get("name")
    return name


def _lines(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


if __name__ == "__main__":
    sys.exit(main())

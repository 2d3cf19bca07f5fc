"""Facts about a task → its config file."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any

from embedmark.runner.common.names import slug
from embedmark.tasks.types import task_types

Facts = Mapping[str, Any]

TYPES = {
    "AbsTaskBitextMining": "bitext_mining",
    "AbsTaskClassification": "classification",
    "AbsTaskClustering": "clustering",
    "AbsTaskClusteringLegacy": "clustering_legacy",
    "AbsTaskImageTextPairClassification": "compositionality",
    "AbsTaskMultilabelClassification": "multilabel_classification",
    "AbsTaskPairClassification": "pair_classification",
    "AbsTaskRegression": "regression",
    "AbsTaskSTS": "sts",
    "AbsTaskSummarization": "summarization",
    "AbsTaskZeroShotClassification": "zeroshot_classification",
}
AGGREGATE_TYPES = {
    "Classification": "classification",
    "Retrieval": "retrieval",
    "VisualSTS(eng)": "sts",
    "VisualSTS(multi)": "sts",
}
RETRIEVAL_TYPES = {
    "Any2AnyReranking": "reranking",
    "Reranking": "reranking",
    "VisionCentricQA": "reranking",
    "InstructionRetrieval": "instruction_retrieval",
    "InstructionReranking": "instruction_reranking",
}
SETTINGS = {
    "input_column_name": "input_column",
    "label_column_name": "label_column",
    "column_names": "columns",
}
_ABOUT = {"task_subtypes": "subtypes"}
_ABOUT_KEYS = (
    "reference",
    "license",
    "category",
    "domains",
    "task_subtypes",
    "date",
    "annotations_creators",
    "sample_creation",
    "dialect",
    "adapted_from",
    "superseded_by",
)
_TYPE_WORDS = {
    "bitext_mining": "bitextmining",
    "classification": "classification",
    "clustering": "clustering",
    "clustering_legacy": "clustering",
    "multilabel_classification": "classification",
    "pair_classification": "pairclassification",
    "reranking": "reranking",
    "retrieval": "retrieval",
    "zeroshot_image_classification": "zeroshot",
}
_ZEROSHOT = "AbsTaskZeroShotClassification"
_PARTS = {"t": "text", "i": "image"}
"""What a letter of a category stands for, in the order in which the parts of an item stand."""


def expressible(facts: Facts) -> bool:
    """Whether there is a task type for its items, which are texts, images, or both."""
    return set(facts["modalities"]) <= set(_PARTS.values())


def _of_images(facts: Facts) -> bool:
    return "image" in facts["modalities"]


def task_type(facts: Facts) -> str:
    """The name of a task's type among ours; an aggregate has the type of its parts."""
    kind: str = facts["kind"]
    if kind == "AbsTaskAggregate":
        return AGGREGATE_TYPES[facts["type"]]
    if facts.get("main_score") == "alpha_auc":  # a protocol of its own inside of another type's class
        return "arrangement"
    if kind == "AbsTaskRetrieval":
        return RETRIEVAL_TYPES.get(facts["type"], "retrieval")
    if kind == _ZEROSHOT and _of_images(facts):
        return "zeroshot_image_classification"
    return TYPES[kind]


def choices(tasks: Iterable[Facts]) -> dict[str, str]:
    """Task name → the path of its file inside configs/task, without `.yaml`.

    The file is called like the task in small letters, without the word of its type where that leaves a name of its own.
    """
    tasks = list(tasks)
    short = {facts["name"]: f"{task_type(facts)}/{_without_type(facts)}" for facts in tasks}
    taken = list(short.values())
    return {
        facts["name"]: short[facts["name"]]
        if taken.count(short[facts["name"]]) == 1
        else f"{task_type(facts)}/{choice_of(facts['name'])}"
        for facts in tasks
    }


def choice_of(name: str) -> str:
    """Return a file's name: small letters, digits and underscores."""
    return slug(name.casefold()).strip("_")


def _without_type(facts: Facts) -> str:
    full = choice_of(facts["name"])
    word = _TYPE_WORDS.get(task_type(facts))
    return re.sub(rf"_?{word}(?=$|_v\d)", "", full) or full if word else full


def config(facts: Facts, table: Mapping[str, Any]) -> dict[str, Any]:
    """The config of a task. `table` is written by hand: dataset, settings, transforms, awaits, family."""
    values: dict[str, Any] = {"name": facts["name"], "type": task_type(facts), "label": _label(facts)}
    values["dataset"] = _dataset(facts, table)
    values.update(_languages(facts["eval_langs"]))
    values["splits"] = facts["eval_splits"]
    values["main_metric"] = facts["main_score"]
    values["settings"] = _not_by_default(values["type"], {**_settings(facts), **table.get("settings", {})})
    values["transforms"] = table.get("transforms", [])
    values["prompt"] = facts.get("prompt")
    values["awaits"] = table.get("awaits", None if _expressed(facts, table) else _missing(facts))
    values["about"] = _about(facts) | ({"family": table["family"]} if "family" in table else {})
    return {key: value for key, value in values.items() if value not in (None, [], {}, "")}


def _label(facts: Facts) -> str | None:
    """What the field calls tasks of its kind, where that is not what it calls the type."""
    kind: str = facts["type"]
    return None if kind == task_types()[task_type(facts)].label else kind


def _dataset(facts: Facts, table: Mapping[str, Any]) -> dict[str, Any]:
    if "tasks" in table:
        return {key: table[key] for key in ("tasks", "subsets") if key in table}
    source = facts["dataset"]
    values = {"hub": source["path"], "revision": source.get("revision"), "config": source.get("name")}
    if facts.get("settings", {}).get("fast_loading"):
        values["subset_column"] = "lang"
    values.update(table.get("dataset", {}))
    return {key: value for key, value in values.items() if value is not None}


def _languages(found: list[str] | dict[str, list[str]]) -> dict[str, Any]:
    if isinstance(found, list):
        return {"languages": found}
    pairs = _all_pairs(found)
    return {"pairs": pairs} if pairs else {"subsets": found}


def _all_pairs(subsets: dict[str, list[str]]) -> dict[str, str] | None:
    """Part → language, when the subsets are all ordered pairs `part-part` of them; None when they are not."""
    parts: dict[str, str] = {}
    for name, languages in subsets.items():
        if name.count("-") != 1 or len(languages) != 2:
            return None
        parts.update(dict(zip(name.split("-"), languages, strict=True)))
    every = {f"{a}-{b}": [parts[a], parts[b]] for a in parts for b in parts if a != b}
    return parts if len(parts) > 2 and every == subsets else None


def _settings(facts: Facts) -> dict[str, Any]:
    given = dict(facts.get("settings", {}))
    given.pop("fast_loading", None)
    sides = [given.pop("input1_prompt_type", None), given.pop("input2_prompt_type", None)]
    values = {SETTINGS.get(key, key): value for key, value in given.items()}
    if _of_images(facts):
        values.update(_modalities(facts, values))
    if task_type(facts) == "zeroshot_image_classification":
        values = {"image_column" if key == "input_column" else key: value for key, value in values.items()}
        # By the order in which a task names them the reference chooses how the two are compared.
        values["likeness"] = "softmax" if facts["modalities"] == ["image", "text"] else "similarity"
    if task_type(facts) == "arrangement":
        del values["max_score"]  # of scores that the reference makes on the way, from 0 to 1
    if any(sides):
        values["sides"] = sides
    return values


def _modalities(facts: Facts, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Say what a task's items are, and in which columns they stand, where they are not texts alone."""
    if facts["kind"] == "AbsTaskRetrieval":
        query, document = facts["category"].split("2")
        return {"query_modality": _modality(query), "document_modality": _modality(document)}
    if "text" not in facts["modalities"]:
        whole = {"whole": True} if facts["kind"] == "AbsTaskClusteringLegacy" else {}  # the reference cuts only texts
        return {"modality": "image", **whole}
    if isinstance(settings.get("input_column"), list):  # the columns are called like the parts that they hold
        return {"modality": "text+image", "input_column": "text", "image_column": "image"}
    return {}


def _modality(letters: str) -> str:
    return "+".join(name for letter, name in _PARTS.items() if letter in letters)


def _not_by_default(kind: str, settings: dict[str, Any]) -> dict[str, Any]:
    if kind not in task_types():
        return settings
    defaults = {field.name: field.default for field in dataclasses.fields(task_types()[kind].settings)}
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in defaults.items()}
    return {name: value for name, value in settings.items() if name not in plain or plain[name] != value}


def _expressed(facts: Facts, table: Mapping[str, Any]) -> bool:
    return "transforms" in table or "layout" in table.get("dataset", {}) or not facts.get("own_code")


def _missing(facts: Facts) -> str:
    if "load_data" in facts["own_code"]:
        return "its files are laid out in a way of their own; reading them as a config is still to come"
    return "its rows need preparing; expressing that as transforms is still to come"


def _about(facts: Facts) -> dict[str, Any]:
    values = {_ABOUT.get(key, key): facts.get(key) for key in _ABOUT_KEYS}
    if values["date"]:
        values["date"] = [day[:10] for day in values["date"]]
    values["dialect"] = [dialect for dialect in values["dialect"] or () if dialect]
    if not facts["is_public"]:
        values["is_public"] = False
    if facts["modalities"] != ["text"]:
        values["modalities"] = facts["modalities"]
    return {key: value for key, value in values.items() if value not in (None, [], {}, "")}

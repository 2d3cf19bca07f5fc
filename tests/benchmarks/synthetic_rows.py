"""Synthetic splits in the layout that a task's transforms start from."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from embedmark.runner.config.schema import TaskConfig
from embedmark.runner.data.transforms.parsing import Step

ROWS = 2600
"""More than the 2,048 that most samples keep."""


@dataclass
class Column:
    """What a column holds. kind: text, choice, labels (lists of choices) or nested; `classes` names class numbers."""

    kind: str = "text"
    choices: Sequence[Any] = ()
    classes: Sequence[str] = ()
    path: Sequence[str | int] = ()
    pattern: str | None = None
    in_lists: bool = False
    rare: bool = False
    repeated: bool = False
    blank: bool = False


@dataclass
class Layout:
    """The columns of one table; `retrieval` where the publisher's layout has corpus, queries and qrels."""

    columns: dict[str, Column] = field(default_factory=dict)
    retrieval: bool = False
    one_row: bool = False


CLASS_LABELS = {
    "SlovakRTE": ["entailment", "not_entailment"],
    "DanFeverRetrieval": ["NotEnoughInfo", "Refuted", "Supported"],
}
ONE_ROW = {"SynPerChatbotRAGFAQPC", "SynPerQAPC", "SynPerTextKeywordsPC"}
"""Pairs in the older layout: one row of lists."""
UNUSED = {
    "CodeRAGOnlineTutorials": ["parsed"],
    "DisCoTexPairClassification": ["id", "source"],
    "HALClusteringS2S": ["hal_id"],
    "KorFin": ["SID", "TYPE", "ASPECT"],
    "MLSUMClusteringP2P": ["summary", "url", "date"],
    "MLSUMClusteringP2P.v2": ["summary", "url", "date"],
    "MLSUMClusteringS2S": ["summary", "url", "date", "title"],
    "MLSUMClusteringS2S.v2": ["summary", "url", "date", "title"],
    "SICK-BR-STS": ["pair_ID"],
    "SICKFr": ["Unnamed: 0"],
}
"""Columns that the reference takes away or renames, and that nothing reads."""
INTEGER_CLASSES = {"XNLI": 3, "SICK-BR-PC": 3}


def columns_of(task: TaskConfig, steps: Sequence[Step], read: Sequence[str]) -> Layout:
    """The columns that the steps and the task type ask for, with values that give every step something to do."""
    builder = _Builder(task)
    for step in steps:
        builder.note(step)
    return builder.finish(read, retrieval=any(step.part for step in steps))


class _Builder:
    def __init__(self, task: TaskConfig) -> None:
        self.task = task
        self.columns: dict[str, Column] = {}
        self.origin: dict[str, str] = {}
        self.made: set[str] = set()

    def note(self, step: Step) -> None:
        given = {name: value for name, value in step.arguments.items() if value is not None}
        getattr(self, f"_{step.name}", lambda _: None)(given)

    def column(self, name: str) -> Column:
        if name in self.made:
            return Column()
        root = self.origin.get(name, name)
        return self.columns.setdefault(root, Column())

    def finish(self, read: Sequence[str], *, retrieval: bool) -> Layout:
        for name in read:
            column = self.column(name)
            if name in ("label", "labels") and column.kind == "text" and not column.pattern:
                column.kind, column.choices = "choice", list(range(12))
            if name == "score" and column.kind == "text" and not column.pattern:
                column.kind, column.choices = "choice", [0.5, 1.0, 2.5]
        for name in UNUSED.get(self.task.name, ()):
            self.column(name)
        return Layout(self.columns, retrieval, one_row=self.task.name in ONE_ROW)

    def _produce(self, name: str) -> None:
        if name not in self.columns:
            self.made.add(name)

    def _rename(self, given: Mapping[str, Any]) -> None:
        moved = {new: self.origin.get(old, old) for old, new in given["columns"].items()}
        for old, new in given["columns"].items():
            if old in self.made:
                self.made.add(new)
            else:
                self.column(old)
        self.origin.update(moved)

    def _copy(self, given: Mapping[str, Any]) -> None:
        for new, old in given["columns"].items():
            self.column(old)
            self.origin[new] = self.origin.get(old, old)

    def _select_columns(self, given: Mapping[str, Any]) -> None:
        for name in given["columns"]:
            self.column(name)

    _drop_columns = _select_columns

    def _merge(self, given: Mapping[str, Any]) -> None:
        for part in given["template"].replace("{", "}").split("}")[1::2]:
            self.column(part)
        self._produce(given["into"])

    def _extract(self, given: Mapping[str, Any]) -> None:
        column = self.column(given["column"])
        column.kind, column.path = "nested", [*column.path, given["path"]]
        self._produce(given["into"])

    def _split_text(self, given: Mapping[str, Any]) -> None:
        column = self.column(given["column"])
        column.pattern = given["by"]
        if given.get("into"):
            self._produce(given["into"])

    def _map_values(self, given: Mapping[str, Any]) -> None:
        column = self.column(given["column"])
        choices = [*given["values"], *(["other"] if given["default"] == 0 else [])]
        if self.task.name in CLASS_LABELS:
            column.classes = CLASS_LABELS[self.task.name]
            column.kind, column.choices = "choice", list(range(len(column.classes)))
        elif column.kind == "text":
            column.kind, column.choices = "choice", choices
        if given.get("into"):
            self._produce(given["into"])

    def _cast(self, given: Mapping[str, Any]) -> None:
        for name in given["columns"]:
            column = self.column(name)
            column.kind, column.choices = "choice", ["0.5", "1", "4.25"]

    def _class_encode(self, given: Mapping[str, Any]) -> None:
        column = self.column(given["column"])
        if self.task.name in INTEGER_CLASSES:
            column.kind, column.choices = "choice", list(range(INTEGER_CLASSES[self.task.name]))
        elif column.kind == "text" and not column.pattern:
            column.kind, column.choices = "choice", list(range(12))

    def _collect_labels(self, given: Mapping[str, Any]) -> None:
        for name in given["columns"]:
            column = self.column(name)
            column.kind, column.choices = "choice", ["yes", "no"]
        self._produce(given["into"])

    def _filter(self, given: Mapping[str, Any]) -> None:
        column = self.column(given["column"])
        if "in_" in given:
            wanted = list(given["in_"])
            others = [False] if wanted == [True] else [1] if isinstance(wanted[0], int) else ["something else"]
            column.kind, column.choices = "choice", [*wanted, *others]
        if "not_in" in given:
            column.kind, column.choices = "choice", [*given["not_in"], "Negative", "Positive"]
        if given.get("non_empty"):
            column.blank = True
        if given.get("min_length") and given["column"] not in self.made:
            column.kind, column.choices = "labels", ["a", "b", "c"]

    def _drop_duplicates(self, given: Mapping[str, Any]) -> None:
        for name in given["columns"]:
            self.column(name).repeated = True
            if name == "text" and name in self.made:
                for part in ("title", "abstract"):
                    self.column(part).repeated = True

    def _drop_rare(self, given: Mapping[str, Any]) -> None:
        column = self.column(given["column"])
        column.rare = True
        if column.kind == "text":
            column.kind, column.choices = "choice", ["x", "y", "z"]

    def _explode(self, given: Mapping[str, Any]) -> None:
        for name in given["columns"]:
            self.column(name).in_lists = True

    _sample_lists = _explode

    def _stack(self, given: Mapping[str, Any]) -> None:
        for name in given["columns"]:
            self.column(name)
        self._produce(given["into"])

    def _subsample(self, given: Mapping[str, Any]) -> None:
        if given.get("stratify"):
            self.column(given["stratify"])

    def _train_test_split(self, given: Mapping[str, Any]) -> None:
        self._subsample(given)

    def _split_by_value(self, given: Mapping[str, Any]) -> None:
        column = self.column(given["column"])
        column.kind, column.choices = "choice", list(self.task.splits)

    def _to_retrieval(self, given: Mapping[str, Any]) -> None:
        for name in (given["query"], *given["documents"]):
            self.column(name).repeated = self.task.name != "CodeRAGProgrammingSolutions"


def make_split(layout: Layout, rng: random.Random, split: str) -> dict[str, Any]:
    """One split as plain columns, and the names of the classes of class labels."""
    if layout.retrieval:
        return _retrieval_split(split)
    listed = any(column.in_lists for column in layout.columns.values())
    columns = {}
    for name, column in layout.columns.items():
        values = [_cell(column, rng, f"{split} {name} {row}", row) for row in range(ROWS)]
        if layout.one_row:
            columns[name] = [values]
            continue
        columns[name] = [values[start : start + ROWS // 4] for start in range(0, ROWS, ROWS // 4)] if listed else values
    classes = {name: column.classes for name, column in layout.columns.items() if column.classes}
    return {"columns": columns, "classes": classes}


def _cell(column: Column, rng: random.Random, text: str, row: int) -> Any:
    if column.kind == "labels":
        return rng.sample(list(column.choices), rng.randrange(3))
    if column.kind == "nested":
        return _nested(column.path, rng, text)
    if column.kind == "choice":
        return f"rare {row}" if column.rare and row in (7, 70, 700) else rng.choice(list(column.choices))
    if column.repeated:
        text = f"{text.split()[0]} {rng.randrange(ROWS // 2)}"
    if column.blank and row % 5 == 0:
        return rng.choice(["", "  "])
    if column.pattern:
        return column.pattern.join(rng.choice("abcdef") for _ in range(rng.randrange(1, 5)))
    return text


def _nested(paths: Sequence[Any], rng: random.Random, text: str) -> Any:
    if all(isinstance(path[0], str) for path in paths):
        return {
            path[0]: _nested([path[1:]], rng, f"{text} {path[0]}") if path[1:] else text + path[0] for path in paths
        }
    return [f"tag {rng.randrange(9)}", text]


def _retrieval_split(split: str) -> dict[str, Any]:
    ids = [f"{split}{n}" for n in range(5)]
    return {
        "corpus": {"id": ids, "text": [f"document {n}" for n in ids]},
        "queries": {"id": ids, "text": [f"query {n}" for n in ids], "instruction": ["do"] * 5},
        "qrels": {"query-id": ids, "corpus-id": ids, "score": [1] * 5},
    }

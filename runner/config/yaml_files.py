"""Reads YAML: of bounded size and depth, every key once, and each mistake with its file and line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.files import read_bounded

MAX_BYTES = 4 * 2**20
MAX_NODES = 200_000
"""Values in one file, those of an alias counted wherever it stands."""
MAX_DEPTH = 50

_SURELY_FLAT = 1000
"""Libyaml composes by recursion in C, which nothing but the stack ends: what may be deeper is looked through first."""

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_FLOAT = re.compile(
    r"""^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?
    |[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+
    |\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?
    |[-+]?\.(?:inf|Inf|INF)
    |\.(?:nan|NaN|NAN))$""",
    re.VERBOSE,
)


class _Loader(_Base):  # type: ignore[misc]
    """YAML 1.1 as Hydra reads it: dates stay texts, and 1e-3 is a number."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in {f"{_TAG}timestamp", f"{_TAG}float"}]
    for first, resolvers in _Base.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(f"{_TAG}float", _FLOAT, list("-+0123456789."))


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file. Raises UserError naming the file and, where known, the line."""
    return mapping_in(read_text(path), str(path))


def read_text(path: Path) -> str:
    """The text of a config file. Raises UserError where it cannot be read, is too large or not UTF-8."""
    content = read_bounded(path, MAX_BYTES, hint=", the limit of a config file")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}, line {line}: not UTF-8; save the file with the encoding UTF-8") from None


def mapping_in(text: str, where: str) -> dict[str, Any]:
    """The mapping that a YAML text is. Raises UserError; `where` names the file."""
    values = parse(text, where)
    if not isinstance(values, dict):
        found = "an empty file" if values is None else f"a {_kind(values)}"
        raise UserError(f"{where}: found {found}; expected a mapping of keys to values, as in `name: value`")
    return values


def parse(text: str, where: str) -> Any:
    """What a YAML text says. Raises UserError; `where` names the file or the override."""
    try:
        if _may_be_deep(text):
            _refuse_depth(text, where)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _Bounds(where).measure(node, 1)
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise UserError(_marked(error, where)) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1 if isinstance(error.position, int) else 1
        raise UserError(f"{where}, line {line}: not valid YAML: a character that YAML does not allow") from None
    except (yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError):
        raise UserError(
            f"{where}: not valid YAML: a number of too many digits, or a tag (`!!int`) that its value does not fit; "
            "put the value in quotes"
        ) from None


def _marked(error: yaml.MarkedYAMLError, where: str) -> str:
    mark = error.problem_mark or error.context_mark
    at = f", line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
    problem = " ".join((error.problem or error.context or "it cannot be read").split())
    if "expected a single document" in f"{error.context} {problem}":
        problem = "a second document begins here (`---`); a config file holds one"
    elif "that cannot start any token" in problem:
        problem += "; put the value in quotes, and indent with spaces, never with tabs"
    elif "could not determine a constructor" in problem:
        problem = "a tag (`!`) that is not known; put the value in quotes"
    elif "mapping values are not allowed" in problem:
        problem += "; a text with `: ` in it stands in quotes"
    return f"{where}{at}: not valid YAML: {problem[:200]}"


def _may_be_deep(text: str) -> bool:
    """A bound from above that is quick: brackets, and signs of nesting before a line's first word."""
    before = max((len(run) for run in re.findall(r"^[ ?-]+", text, re.MULTILINE)), default=0)
    return text.count("[") + text.count("{") + before > _SURELY_FLAT


def _refuse_depth(text: str, where: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise UserError(_too_deep(where, event.start_mark))


def _too_deep(where: str, mark: Any) -> str:
    return f"{where}, line {mark.line + 1}: nested more than {MAX_DEPTH} deep, which is the limit"


class _Bounds:
    """Counts what a node stands for, aliases wherever they are used, and refuses keys given twice."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.sizes: dict[int, tuple[int, int]] = {}
        self.open: set[int] = set()

    def measure(self, node: Node, depth: int) -> tuple[int, int]:
        """Nodes and levels below a node, itself included."""
        if isinstance(node, ScalarNode):
            return 1, 1
        key = id(node)
        if key in self.open:
            raise UserError(f"{self._line(node)}: an alias (`*`) stands inside what it names")
        if key not in self.sizes:
            if depth > MAX_DEPTH:
                raise UserError(_too_deep(self.where, node.start_mark))
            self.open.add(key)
            if isinstance(node, MappingNode):
                self._keys_once(node)
            parts = [self.measure(part, depth + 1) for part in _parts(node)]
            self.open.remove(key)
            size, height = 1 + sum(part[0] for part in parts), 1 + max((part[1] for part in parts), default=0)
            if size > MAX_NODES:
                raise UserError(
                    f"{self._line(node)}: more than {MAX_NODES:,} values, aliases (`*`) counted wherever they stand; "
                    "that is the limit"
                )
            self.sizes[key] = size, height
        if depth + self.sizes[key][1] - 1 > MAX_DEPTH:
            raise UserError(_too_deep(self.where, node.start_mark))
        return self.sizes[key]

    def _keys_once(self, node: MappingNode) -> None:
        seen: dict[str, Node] = {}
        for key, _ in node.value:
            if not isinstance(key, ScalarNode):
                raise UserError(f"{self._line(key)}: a key that is a {_kind(key)}; put it in quotes")
            if key.tag == f"{_TAG}merge":
                continue
            if key.tag in {f"{_TAG}bool", f"{_TAG}null", f"{_TAG}float"}:
                read_as = {"bool": "yes or no", "null": "nothing", "float": "a number"}[key.tag.removeprefix(_TAG)]
                raise UserError(f"{self._line(key)}: YAML reads the key {key.value!r} as {read_as}; put it in quotes")
            # 1 and "1" are one key where keys are texts.
            if (first := seen.setdefault(key.value, key)) is not key:
                raise UserError(
                    f"{self._line(key)}: key {key.value!r} is given twice, first in line {first.start_mark.line + 1}; "
                    "leave one of them out"
                )

    def _line(self, node: Node) -> str:
        return f"{self.where}, line {node.start_mark.line + 1}"


def _parts(node: Node) -> Iterator[Node]:
    for part in node.value:
        if isinstance(part, tuple):
            yield from part
        else:
            yield part


def _kind(value: object) -> str:
    if isinstance(value, (list, SequenceNode)):
        return "list"
    if isinstance(value, (dict, MappingNode)):
        return "mapping"
    return "text" if isinstance(value, str) else "single value"

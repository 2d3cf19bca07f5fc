"""Print the JSON Schema of a record: `python -m tools.record_schema > docs/record.schema.json`."""

from __future__ import annotations

import ast
import inspect
import json
import sys
from collections.abc import Mapping
from typing import Any

from embedmark.runner.results import record
from embedmark.runner.results.record import Record


def json_schema() -> dict[str, Any]:
    """Make the JSON Schema of `result.json`, each key with what the code says below it."""
    schema = Record.model_json_schema(by_alias=True, mode="serialization")
    said = _said_of_fields()
    for name, part in {"_File": schema, "Record": schema, **schema.get("$defs", {})}.items():
        for field, text in said.get(name, {}).items():
            part["properties"][field.removesuffix("_version")].setdefault("description", text)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _said_of_fields() -> Mapping[str, Mapping[str, str]]:
    """Class → field → the text below the field; pydantic would read the source at every start for it."""
    found: dict[str, dict[str, str]] = {}
    for node in ast.parse(inspect.getsource(record)).body:
        if isinstance(node, ast.ClassDef):
            for field, text in zip(node.body, node.body[1:], strict=False):
                if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
                    continue
                if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
                    found.setdefault(node.name, {})[field.target.id] = inspect.cleandoc(str(text.value.value))
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")

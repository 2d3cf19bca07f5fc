"""The scores that a model card says of itself: its `model-index` block, in percent, and by the names of any time."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.names import is_model, is_safe
from embedmark.runner.common.text import shortened
from embedmark.runner.config.yaml_files import mapping_in
from embedmark.runner.exchange.limits import LARGEST_SCORE, check_values
from embedmark.runner.exchange.names import is_commit, present_metric, present_task

_PREFIX = "MTEB "
_PERCENT = 100


def scores_of_card(content: bytes, where: str, main_metric: Callable[[str], str | None]) -> list[dict[str, Any]]:
    """Read the `model-index` block of a model card.

    Args:
        content: Of the file: Markdown, which begins with YAML between lines of `---`.
        where: What messages call it.
        main_metric: The main metric of a task today; None where it is not known.

    Returns:
        Rows by the columns of the import store, without the day; their origin is `self-reported`.

    Raises:
        UserError: There is no such block, or it is not in the form that the hub has for it.
    """
    head = _front_matter(content, where)
    index = head.get("model-index")
    if not isinstance(index, list) or not index:
        raise UserError(f"{where}: has no `model-index` block in its head; only that part of a model card is read")
    digest = hashlib.sha256(content).hexdigest()
    rows: list[dict[str, Any]] = []
    for number, model in enumerate(index):
        key = f"model-index[{number}]"
        if not isinstance(model, dict) or not is_model(model.get("name")):
            raise UserError(f"{where}: {key}.name: expected the name of a model")
        results = model.get("results")
        if not isinstance(results, list):
            raise UserError(f"{where}: {key}.results: expected a list")
        for place, result in enumerate(results):
            rows += _of_result(result, f"{where}: {key}.results[{place}]", main_metric, model["name"], where, digest)
    return rows


def _front_matter(content: bytes, where: str) -> Mapping[str, Any]:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{where}: not in UTF-8") from None
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[0].strip() != "---" or "---" not in [line.rstrip() for line in lines[1:]]:
        raise UserError(f"{where}: not a model card: expected a head of YAML between two lines of ---")
    end = [line.rstrip() for line in lines[1:]].index("---") + 1
    # The empty first line stands for the dashes, so that messages name the file's lines.
    head = mapping_in("\n".join(["", *lines[1:end]]), where)
    check_values(head, where)
    return head


def _of_result(
    result: Any, key: str, main_metric: Callable[[str], str | None], model: str, where: str, digest: str
) -> Iterator[dict[str, Any]]:
    """The one score of a result that counts: its main one; nothing where it has none of the field's tasks."""
    dataset = result.get("dataset") if isinstance(result, dict) else None
    metrics = result.get("metrics") if isinstance(result, dict) else None
    if not isinstance(dataset, dict) or not isinstance(metrics, list):
        raise UserError(f"{key}: expected `dataset` and `metrics`")
    task = present_task(str(dataset.get("name") or "").removeprefix(_PREFIX).partition(" (")[0])
    split, subset = dataset.get("split") or "test", dataset.get("config") or "default"
    for what, name in (("dataset.name", task), ("dataset.split", split), ("dataset.config", subset)):
        if not is_safe(name):
            raise UserError(f"{key}.{what}: {shortened(repr(name), 80)} is not a name that it can have")
    found = _main(metrics, main_metric(task), key)
    if found is None:
        return
    name, score = found
    revision = str(dataset.get("revision") or "")
    yield {
        "model": model,
        "revision": "model card",
        "task": task,
        "split": split,
        "subset": subset,
        "metric": None if name in {"main_score", main_metric(task)} else name,
        "main_score": score,
        "dataset_revision": revision if is_commit(revision) else None,
        "revision_text": revision if is_safe(revision) and not is_commit(revision) else None,
        "mteb_version": None,
        "origin": "self-reported",
        "source": where.replace("\\", "/").rpartition("/")[2],
        "source_sha256": digest,
    }


def _main(metrics: Sequence[Any], wanted: str | None, key: str) -> tuple[str, float] | None:
    """The main score among the metrics of a result, from 0 to 1; None where it cannot be told."""
    told: dict[str, float] = {}
    for number, metric in enumerate(metrics):
        kind = metric.get("type") if isinstance(metric, dict) else None
        value = metric.get("value") if isinstance(metric, dict) else None
        if not isinstance(kind, str):
            raise UserError(f"{key}.metrics[{number}].type: expected a text")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
            continue
        if abs(value) > LARGEST_SCORE * _PERCENT:
            raise UserError(
                f"{key}.metrics[{number}].value: found {value:g}; expected at most {LARGEST_SCORE:,.0f} x 100"
            )
        told[present_metric(kind)] = float(value) / _PERCENT
    for name in ("main_score", wanted or ""):
        if name in told:
            return name, told[name]
    return next(iter(told.items())) if len(told) == 1 else None

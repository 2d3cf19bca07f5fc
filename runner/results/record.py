"""What is kept of a job: `result.json` when it was done, `failure.json` when it was not.

A score that is not defined (a correlation with a constant, say) is NaN; JSON has no NaN, so that it is written as
null and read back as NaN. Infinite scores are refused.
"""

from __future__ import annotations

import json
import math
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from runner.config.explain import invalid
from runner.errors import UserError, message_of
from runner.reading import read_regular
from runner.results.environment import versions
from runner.text import for_files

SCHEMA = 1
"""Layout of the record. Raised when a reader of the old layout could not read the new one."""


def _finite_or_nan(value: float) -> float:
    if math.isinf(value):
        raise ValueError("a score is infinite; it has to be finite, or NaN where it is not defined")
    return value


Score = Annotated[
    float,
    BeforeValidator(lambda value: math.nan if value is None else value),
    AfterValidator(_finite_or_nan),
    PlainSerializer(lambda value: None if math.isnan(value) else value, return_type=float | None, when_used="json"),
    WithJsonSchema({"type": ["number", "null"], "description": "null where the score is not defined (NaN)"}),
]
"""A finite number on the metric's own scale (most are 0 to 1), or NaN where it is not defined."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Moment = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
"""A point in time, kept in UTC."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class JobFacts(_Part):
    """Which job it was. type: what the field calls the task's type, as in STS or Retrieval."""

    task: str
    type: str
    model: str
    model_revision: str | None = None
    subset: str
    split: str
    languages: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The job without its model, as tables and logs call it."""
        subset = "" if self.subset == "default" else f"/{self.subset}"
        split = "" if self.split == "test" else f" [{self.split}]"
        return f"{self.task}{subset}{split}"


class DatasetFacts(_Part):
    """The data that was scored. source: kind and name, as in hub:mteb/banking77; content: split → hash of its rows.

    counts: what is odd about the rows, as runner/data/findings.py names it: empty texts, judgments that point nowhere.
    """

    source: str
    revision: str | None = None
    content: Mapping[str, Sha256] = {}
    counts: Mapping[str, Annotated[int, Field(ge=0)]] = {}


class ModelFacts(_Part):
    """The weights that were used. content_hash: of their files, where no commit or package version pins them.

    dtype: the number format that they were in; several where they are mixed, the most used first. Null for services and
    other models without weights.
    """

    source: str
    revision: str | None = None
    content_hash: str | None = None
    dtype: str | None = None


class Timing(_Part):
    """What the job took, in seconds, and how many of its distinct texts were encoded for it or found in the store."""

    load_s: Seconds = 0.0
    encode_s: Seconds = 0.0
    evaluate_s: Seconds = 0.0
    texts_encoded: Annotated[int, Field(ge=0)] = 0
    texts_reused: Annotated[int, Field(ge=0)] = 0

    @property
    def total_s(self) -> float:
        """All of it."""
        return self.load_s + self.encode_s + self.evaluate_s


class _Kept(_Part):
    schema_version: Annotated[Literal[1], Field(alias="schema")] = 1
    """Layout of this file."""
    fingerprint: Sha256
    """SHA-256 of identity.json, the file beside this one."""
    job: JobFacts

    def to_json(self) -> str:
        """The file's text."""
        values = self.model_dump(mode="json", by_alias=True)
        return json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


class Record(_Kept):
    """One job, done: its scores and all that is needed to know where they come from."""

    main_metric: str
    main_score: Score
    scores: Mapping[str, Score]
    """Metric → score: the mean over experiments, where there are several."""
    experiments: tuple[Mapping[str, Score], ...] = ()
    """The same metrics for each repetition."""
    dataset: DatasetFacts
    model: ModelFacts
    versions: Mapping[str, str]
    """embedmark, python and the packages that compute."""
    timing: Timing
    co2_kg: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """Null unless it was measured."""
    started_at: Moment
    finished_at: Moment
    platform: str

    @model_validator(mode="after")
    def _main_score_is_a_score(self) -> Record:
        if self.main_metric not in self.scores:
            raise ValueError(f"main_metric {self.main_metric!r} is not among the scores: {sorted(self.scores)}")
        found = self.scores[self.main_metric]
        if found != self.main_score and not (math.isnan(found) and math.isnan(self.main_score)):
            raise ValueError(f"main_score is {self.main_score}, but scores.{self.main_metric} is {found}")
        return self


class Failure(_Kept):
    """One job that could not be done. It never counts as done, and goes when the job succeeds."""

    error_class: str
    message: str
    traceback: str
    when: Moment
    versions: Mapping[str, str]

    @classmethod
    def of(cls, error: BaseException, fingerprint: str, job: JobFacts) -> Failure:
        """The failure that this exception is."""
        return cls(
            fingerprint=fingerprint,
            job=job,
            error_class=f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins."),
            message=for_files(message_of(error)),
            traceback=for_files("".join(traceback.format_exception(error))),
            when=datetime.now(UTC),
            versions=versions(),
        )


Kept = TypeVar("Kept", Record, Failure)


def read_record(path: Path) -> Record:
    """A `result.json`. Raises UserError naming the file and every wrong key."""
    return parse_record(_content(path), str(path))


def read_failure(path: Path) -> Failure:
    """A `failure.json`. Raises UserError naming the file and every wrong key."""
    return parse_failure(_content(path), str(path))


def parse_record(content: bytes, where: str) -> Record:
    """The content of a `result.json`. where: what messages call the file. Raises UserError as `read_record` does."""
    return _parse(content, where, Record)


def parse_failure(content: bytes, where: str) -> Failure:
    """The content of a `failure.json`. where: what messages call the file. Raises UserError as `read_failure` does."""
    return _parse(content, where, Failure)


def read_object(path: Path, expected: str = "an object") -> dict[str, Any]:
    """The object in a JSON file. expected: what messages call it. Raises UserError naming the file."""
    return _object(_content(path), str(path), expected)


def _content(path: Path) -> bytes:
    try:
        return read_regular(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error


def _object(content: bytes, where: str, expected: str) -> dict[str, Any]:
    try:
        values = json.loads(content)
    except RecursionError:
        raise UserError(f"{where}: nested too deeply") from None
    except ValueError as error:
        raise UserError(f"{where}: not valid JSON: {error}") from None
    if not isinstance(values, dict):
        found = {list: "a list", str: "a text", int: "a number", float: "a number"}.get(type(values), "no object")
        raise UserError(f"{where}: found {found}; expected {expected}")
    return values


def _parse(content: bytes, where: str, schema: type[Kept]) -> Kept:
    values = _object(content, where, "an object with the keys of a record")
    layout = values.get("schema")
    if layout is None:
        raise UserError(f'{where}: schema: missing; every record says its layout, as in "schema": {SCHEMA}')
    if isinstance(layout, int) and layout > SCHEMA:
        raise UserError(
            f"{where}: schema: written by a newer version of embedmark (schema {layout}, this one reads up to "
            f"{SCHEMA}); upgrade embedmark to read it"
        )
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise invalid(error, where, schema) from None


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `result.json`, as docs/record.schema.json holds it."""
    schema = Record.model_json_schema(by_alias=True, mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}

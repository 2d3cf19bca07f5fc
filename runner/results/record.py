"""What is kept of a job: `result.json` when it was done, `failure.json` when it was not.

A score that is not defined (a correlation with a constant, say) is NaN; JSON has no NaN, so that it is written as
null and read back as NaN. Infinite scores are refused.
"""

from __future__ import annotations

import json
import math
import traceback
from collections.abc import Mapping
from datetime import UTC, date, datetime
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

from embedmark.runner.common.errors import UserError, message_of
from embedmark.runner.common.files import read_regular
from embedmark.runner.common.names import job_name
from embedmark.runner.common.text import for_files
from embedmark.runner.config.explain import invalid
from embedmark.runner.results.environment import versions
from embedmark.tasks.base import ItemModality

SCHEMA = 2
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

_Count = Annotated[int, Field(ge=0)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Moment = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
"""A point in time, kept in UTC."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


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
        return job_name(self.task, self.subset, self.split)


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


class SideFacts(_Part):
    """The texts or images of one side of a job, as in `queries`.

    n: how many. distinct: how many of them differ. tokens: of all of them, truncated; null where the model has no
    tokenizer of its own, or an earlier run encoded some. truncated: how many have as many tokens as the model takes, or
    had more. modality: what was encoded; of items of a text and an image the part that the model takes, where it takes
    one alone.
    """

    n: _Count
    distinct: _Count
    tokens: _Count | None = None
    truncated: _Count | None = None
    modality: ItemModality | None = None


class ServiceFacts(_Part):
    """A service that was asked: what it is cannot be checked later.

    asked_on: the day. models: what its answers call the model; empty where they do not say, or nothing had to be asked.
    """

    asked_on: date
    models: tuple[str, ...] = ()


class CodeFacts(_Part):
    """The checkout of embedmark that ran. changed: whether its files differed from the commit; null where unknown."""

    commit: str
    changed: bool | None = None


class _File(_Part):
    schema_version: Annotated[Literal[1, 2], Field(alias="schema")] = 2
    """Layout of this file."""
    fingerprint: Sha256
    """SHA-256 of identity.json, the file beside this one."""
    job: JobFacts

    def to_json(self) -> str:
        """Return the file's text."""
        values = self.model_dump(mode="json", by_alias=True)
        return json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


class Record(_File):
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
    """Of the electricity; null unless `execution.co2` asked for it."""
    energy_kwh: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """Electricity that encoding and scoring took; jobs that were encoded together share it by the size of their
    texts."""
    energy_source: Literal["measured", "estimated"] | None = None
    """Whether every processor has a meter that was read."""
    started_at: Moment
    finished_at: Moment
    platform: str
    seed: int | None = None
    """Of the task's draws; null where it draws nothing."""
    sides: Mapping[str, SideFacts] = {}
    """Side → its texts or images; empty for models without vectors."""
    ties: Annotated[float, Field(ge=0, le=1)] | None = None
    """Share of queries of which the last document within the main metric's k and the next have equal scores."""
    peak_memory_bytes: _Count | None = None
    """The most that the process had in memory until then; null where the system does not tell."""
    code: CodeFacts | None = None
    """Null for an installation that is no checkout."""
    service: ServiceFacts | None = None
    """Null for models whose weights can be had."""
    unverifiable: Literal["service"] | None = None
    """Why nobody can check the score by running the model again."""

    @model_validator(mode="after")
    def _main_score_is_a_score(self) -> Record:
        if self.main_metric not in self.scores:
            raise ValueError(f"main_metric {self.main_metric!r} is not among the scores: {sorted(self.scores)}")
        found = self.scores[self.main_metric]
        if found != self.main_score and not (math.isnan(found) and math.isnan(self.main_score)):
            raise ValueError(f"main_score is {self.main_score}, but scores.{self.main_metric} is {found}")
        return self


class Failure(_File):
    """One job that could not be done. It never counts as done, and goes when the job succeeds."""

    error_class: str
    message: str
    traceback: str
    when: Moment
    versions: Mapping[str, str]

    @classmethod
    def of(cls, error: BaseException, fingerprint: str, job: JobFacts) -> Failure:
        """Make the failure that an exception is."""
        return cls(
            fingerprint=fingerprint,
            job=job,
            error_class=f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins."),
            message=for_files(message_of(error)),
            traceback=for_files("".join(traceback.format_exception(error))),
            when=datetime.now(UTC),
            versions=versions(),
        )


Facts = TypeVar("Facts", Record, Failure)


def read_record(path: Path) -> Record:
    """Read a `result.json`. Raises UserError naming the file and every wrong key."""
    return parse_record(_content(path), str(path))


def read_failure(path: Path) -> Failure:
    """Read a `failure.json`. Raises UserError naming the file and every wrong key."""
    return parse_failure(_content(path), str(path))


def parse_record(content: bytes, where: str) -> Record:
    """Parse the content of a `result.json`. where: what messages call it. Raises UserError like `read_record`."""
    return _parse(content, where, Record)


def parse_failure(content: bytes, where: str) -> Failure:
    """Parse the content of a `failure.json`. where: what messages call it. Raises UserError like `read_failure`."""
    return _parse(content, where, Failure)


def read_object(path: Path, expected: str = "an object") -> dict[str, Any]:
    """Read the object in a JSON file. expected: what messages call it. Raises UserError naming the file."""
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


def _parse(content: bytes, where: str, schema: type[Facts]) -> Facts:
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

"""What the `parameters` of a model's file may say: a class a loader, checked when the file is read.

Light enough for planning to import. A field's description is what messages say was expected; a field that is None is as
if it were left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Self, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from embedmark.runner.common.errors import ModelError
from embedmark.runner.common.names import nearest

_LONGEST = 80
"""Characters of an invalid value that are shown."""


class Parameters(BaseModel):
    """Parameters of a loader.

    Example:
        >>> class MyParameters(Parameters):
        ...     depth: Annotated[int | None, Field(ge=1, description="a whole number above 0")] = None
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True, allow_inf_nan=False)


Schema = TypeVar("Schema", bound=Parameters)


def check(schema: type[Schema], parameters: Mapping[str, Any]) -> Schema:
    """Check the parameters that a config gives.

    Args:
        schema: The loader's class.
        parameters: As the config says them.

    Returns:
        An instance of the class, its defaults filled in.

    Raises:
        ModelError: A name is unknown or a value is invalid; the message has the key, what was found and expected.
    """
    try:
        return schema.model_validate(dict(parameters))
    except ValidationError as error:
        raise ModelError(_explained(schema, error.errors()[0], parameters)) from None


def refuse_unknown(where: str, given: Iterable[str], known: Collection[str]) -> None:
    """Raises ModelError when a key given is not among those known, with the nearest that is."""
    for key in given:
        if key not in known:
            raise ModelError(_unknown(where, key, known))


def _unknown(where: str, key: str, known: Collection[str]) -> str:
    listed = f"known: {', '.join(sorted(known))}" if known else "it has none"
    return f"{where}: no parameter {key!r}; {listed}.{nearest(key, known)}"


def _explained(schema: type[Parameters], error: Any, parameters: Mapping[str, Any]) -> str:
    """An error of pydantic's in words."""
    where, expected = "parameters", ""
    found: Any = parameters
    within: type[Parameters] | None = schema
    choices: tuple[str, ...] = ()
    for key in error["loc"]:
        if within is None or key not in within.model_fields:
            if not isinstance(found, Mapping) or key not in found:
                break
            where, found = f"{where}: {key}", found[key]
            continue
        field = within.model_fields[key]
        if error["type"] == "missing" and isinstance(found, Mapping) and key not in found:
            return f"{where}: {key}: missing; expected {field.description}"
        where, found = f"{where}: {key}", found[key]
        expected, choices = field.description or "", tuple(_choices(field.annotation))
        within = next(_schemas(field.annotation), None)
    if error["type"] == "extra_forbidden":
        assert within is not None
        return _unknown(where.removesuffix(f": {error['loc'][-1]}"), str(error["loc"][-1]), tuple(within.model_fields))
    if error["type"] == "value_error":
        return f"{where}: {error['ctx']['error']}"
    shown = repr(found) if len(repr(found)) <= _LONGEST else f"{repr(found)[:_LONGEST]}..."
    hint = nearest(found, choices) if isinstance(found, str) else ""
    return (
        f"{where}: found {shown}; expected {expected}.{hint}"
        if hint
        else f"{where}: found {shown}; expected {expected}"
    )


def _schemas(annotation: Any) -> Iterator[type[Parameters]]:
    """The classes of parameters in an annotation, as in `Tokenizer | None`."""
    if isinstance(annotation, type) and issubclass(annotation, Parameters):
        yield annotation
    for part in get_args(annotation):
        yield from _schemas(part)


def _choices(annotation: Any) -> Iterator[str]:
    """The texts that an annotation allows."""
    if get_origin(annotation) is Literal:
        yield from (choice for choice in get_args(annotation) if isinstance(choice, str))
        return
    for part in get_args(annotation):
        yield from _choices(part)


_Text = Annotated[str, Field(min_length=1)]
_Above0 = Annotated[float, Field(gt=0)]
_Whole = Annotated[int, Field(ge=0)]
_Count = Annotated[int, Field(ge=1)]

_ABOVE_0 = "a number above 0"
_COUNT = "a whole number above 0"
_WHOLE = "a whole number, not below 0"
_YES_NO = "true or false"

Fields = Annotated[Mapping[str, str | int | float | bool], Field(min_length=1)]
"""Arguments or fields by name."""


class NoParameters(Parameters):
    """Of a loader that takes none."""


class TokenizerParameters(Parameters):
    """What a config may set of a tokenizer, where the checkpoint's own is not meant."""

    padding_side: Annotated[Literal["left", "right"] | None, Field(description="left or right")] = None
    add_eos_token: Annotated[bool | None, Field(description=_YES_NO)] = None
    add_bos_token: Annotated[bool | None, Field(description=_YES_NO)] = None
    pad_token: Annotated[_Text | None, Field(description="a token of the vocabulary")] = None


class CheckpointParameters(Parameters):
    """Of every loader over sentence-transformers."""

    attention: Annotated[_Text | None, Field(description='an attention implementation, as "sdpa" or "eager"')] = None
    """By default the library's choice."""
    tokenizer: Annotated[TokenizerParameters | None, Field(description="a mapping, as in {padding_side: left}")] = None


class CrossEncoderParameters(CheckpointParameters):
    """Of the loader cross_encoder."""

    activation: Annotated[Literal["sigmoid", "identity"] | None, Field(description="sigmoid or identity")] = None
    """What is done to the network's score; by default as the checkpoint says."""


class SampleParameters(Parameters):
    """What the first of two stages reads."""

    size: Annotated[_Count | None, Field(description="how many texts the first stage reads, above 0")] = None
    prompt: Annotated[str, Field(description="a text")] = ""


class SentenceTransformerParameters(CheckpointParameters):
    """Of the loader sentence_transformer."""

    pooling: Annotated[
        Literal["cls", "lasttoken", "max", "mean", "mean_sqrt_len_tokens", "weightedmean"] | None,
        Field(description="cls, lasttoken, max, mean, mean_sqrt_len_tokens or weightedmean"),
    ] = None
    """How token vectors become one; by default as the checkpoint says."""
    include_prompt: Annotated[bool | None, Field(description=_YES_NO)] = None
    """Whether the prompt's own tokens are pooled; by default as the checkpoint says."""
    encode: Annotated[
        Mapping[str, Fields] | None,
        Field(description="arguments by context, as in {Retrieval-query: {task: retrieval.query}}"),
    ] = None
    """Arguments of the model's forward pass, keyed like prompts."""
    context: Annotated[SampleParameters | None, Field(description="a mapping, as in {prompt: 'search_document: '}")] = (
        None
    )
    """For models in two stages, the sample that the first one reads."""
    backend: Annotated[Literal["torch", "onnx", "openvino"], Field(description="torch, onnx or openvino")] = "torch"
    """What runs the forward pass."""
    file: Annotated[_Text | None, Field(description="a file of the checkpoint, as in onnx/model.onnx")] = None
    """The checkpoint's own export."""
    weights: Annotated[Literal["int8", "uint8"] | None, Field(description="int8 or uint8")] = None
    """What the linear layers of backend onnx are rounded to."""


class TowerParameters(Parameters):
    """Of the loader two_towers."""

    attention: Annotated[_Text | None, Field(description='an attention implementation, as "sdpa" or "eager"')] = None
    """By default the library's choice."""
    padding: Annotated[Literal["longest", "max_length"], Field(description="longest or max_length")] = "longest"
    """To what the texts of a batch are padded: its longest, or the model's limit."""
    drop_alpha: Annotated[bool, Field(description=_YES_NO)] = False
    """Whether images become RGB before the checkpoint's processor sees them."""


class OcrParameters(SentenceTransformerParameters):
    """Of the loader ocr_text."""

    rapidocr: Annotated[_Text, Field(description="the version of rapidocr-onnxruntime, as in 1.4.4")]
    """Which version of the recognizer reads images."""


class BM25Parameters(Parameters):
    """Of the loader bm25; the names and defaults are bm25s's."""

    k1: Annotated[float, Field(ge=0, description="a number, not below 0")] = 1.5
    b: Annotated[float, Field(ge=0, le=1, description="a number from 0 to 1")] = 0.75
    delta: Annotated[float, Field(ge=0, description="a number, not below 0")] = 0.5
    method: Annotated[
        Literal["atire", "bm25+", "bm25l", "lucene", "robertson"],
        Field(description="atire, bm25+, bm25l, lucene or robertson"),
    ] = "lucene"
    frequent: Annotated[float, Field(ge=0, le=1, description="a share from 0 to 1")] = 0.9
    """The share of documents from which on a word is a stop word, for languages without a list; 0 for none."""


class FusionParameters(Parameters):
    """Of the loader fusion."""

    method: Annotated[Literal["rrf", "weighted", "dbsf"], Field(description="rrf, weighted or dbsf")] = "rrf"
    weights: Annotated[
        Sequence[float] | None, Field(description="a list of numbers, one a member, as in [0.3, 0.7]")
    ] = None
    """By default equal ones that sum to 1."""
    k: Annotated[_Whole | None, Field(description=_WHOLE)] = None
    """Of rrf; by default 60."""
    depth: Annotated[_Whole, Field(description=_WHOLE)] = 100
    """How many documents a member is asked for at least; never fewer than the task's largest cutoff."""

    @model_validator(mode="after")
    def _k_is_for_rrf(self) -> Self:
        if self.k is not None and self.method != "rrf":
            raise ValueError(f"k: method {self.method} has no use for it; leave it out")
        return self


class ServiceParameters(Parameters):
    """Of the loaders of services. `url` and `key` are checked with more care, by models/api/services.py."""

    url: Annotated[Any, Field(description="an address")] = None
    """By default the provider's own. Another needs `trust_url: true` in the model's file."""
    key: Annotated[Any, Field(description="the name of a variable")] = None
    """The environment variable with the key, which ends in _API_KEY, or null for a service without one."""
    model: Annotated[_Text | None, Field(description="what the service calls the model")] = None
    """By default the model's name without its owner."""
    dimensions: Annotated[_Count | None, Field(description=_COUNT)] = None
    """Asked of the service, for models that can shorten their vectors."""
    encode: Annotated[
        Mapping[str, Fields] | None,
        Field(description="fields with their values by context, as in {Retrieval-query: {input_type: search_query}}"),
    ] = None
    """Fields of the request, keyed like prompts, in place of the input types that the loader chooses."""
    batch: Annotated[_Count | None, Field(description=_COUNT)] = None
    """The most texts a request holds."""
    retries: Annotated[_Whole | None, Field(description=_WHOLE)] = None
    timeout: Annotated[_Above0 | None, Field(description=_ABOVE_0)] = None
    """Seconds of one request."""
    requests_per_minute: Annotated[_Above0 | None, Field(description=_ABOVE_0)] = None
    tokens_per_minute: Annotated[_Above0 | None, Field(description=_ABOVE_0)] = None
    """What the service allows; by default it is asked as fast as it answers."""


class TeiParameters(ServiceParameters):
    """Of the loader tei."""

    truncate: Annotated[bool, Field(description=_YES_NO)] = True
    """Whether the server cuts texts at the model's limit. Without it such texts fail their job."""
    normalize: Annotated[bool | None, Field(description=_YES_NO)] = None
    """Whether the server scales vectors to length 1; by default as the server does, which is yes."""

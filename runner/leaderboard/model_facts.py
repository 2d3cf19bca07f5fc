"""What is known of models, as the board's columns have it: size, dimensions, licence and the like.

What the field's metadata says counts, and over it what a model's file states. Nothing is guessed: what nobody states is
None.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import TYPE_CHECKING, Any

from embedmark.models.api.services import SERVICES
from embedmark.runner.config.catalogue import SHIPPED, Catalogue
from embedmark.runner.exchange import snapshot
from embedmark.runner.exchange.names import present_model
from embedmark.runner.ranking.own import own_models

if TYPE_CHECKING:
    from embedmark.runner.config.schema import ModelConfig


@dataclass(frozen=True)
class ModelFact:
    """What is known of one model. None is what nobody states.

    Args:
        size: Parameters.
        active: Those at work on a token: without embeddings, and of a mixture the experts that are asked.
        dim: The length of a vector; the longest where there are several.
        tokens: The longest text that it reads; None also where there is no limit.
        licence: As its publisher names it; "own terms" where there is only an address of them.
        terms: That address, of https.
        open: Whether its weights can be downloaded.
        released: The day.
        languages: How many it is said to be for.
        service: Whether it is run by a service, for its customers.
        base: The model that it was adapted from.
        reference: An address of https.
        type: The first of what its metadata names: "dense", "cross-encoder", "late-interaction", "sparse" and others.
        modalities: What it takes.
        price: US dollars for a million tokens of input, where the catalogue's file states one.
        file: Its config's name.
    """

    size: int | None = None
    active: int | None = None
    dim: int | None = None
    tokens: int | None = None
    licence: str | None = None
    terms: str | None = None
    open: bool | None = None
    released: str | None = None
    languages: int | None = None
    service: bool = False
    base: str | None = None
    reference: str | None = None
    type: str | None = None
    modalities: tuple[str, ...] = ()
    price: float | None = None
    file: str | None = None


COLUMNS = tuple(field.name for field in fields(ModelFact))


@dataclass(frozen=True)
class ModelFacts:
    """What is known of several models.

    Args:
        models: One a model, in the order that was asked for.
    """

    models: tuple[ModelFact, ...]

    def columns(self, rows: Iterable[int] | None = None) -> dict[str, list[Any]]:
        """Give the facts as columns that JSON takes: truth as 0 and 1.

        Args:
            rows: Which models, in which order; all where none are named.
        """
        chosen = self.models if rows is None else [self.models[row] for row in rows]
        return {name: [_plain(getattr(model, name)) for model in chosen] for name in COLUMNS}


def model_facts(names: Sequence[str], catalogue: Catalogue) -> ModelFacts:
    """Collect what is known of models.

    A file that cannot be used is named in a warning, and left out.

    Args:
        names: As the catalogue or the field has them; one that nobody knows has no facts.
        catalogue: Whose files say more than the field's metadata: the user's own, and prices.
    """
    told: dict[str, dict[str, Any]] = {row["name"]: row for row in snapshot.models().iter_rows(named=True)}
    for model in _files(catalogue, frozenset(told)):
        told[model.name] = {**told.get(model.name, {}), **_stated(model)}
    files = {name: entry.choice for name, entry in catalogue.models.items()}
    found: dict[str, ModelFact] = {}
    for name in dict.fromkeys(names):
        present = present_model(name)
        found[name] = _fact(told.get(present, {}), files.get(present))
    return ModelFacts(tuple(found[name] for name in names))


_SAYS_MORE = re.compile(rf"^(?:loader: (?:{'|'.join(SERVICES)})$|  price_per_million_tokens:)", re.MULTILINE)
"""What a shipped file says that the metadata does not. To read them all takes as long as all else of a build."""


def _files(catalogue: Catalogue, known: frozenset[str]) -> Iterator[ModelConfig]:
    for name, entry in catalogue.models.items():
        if name in known and entry.path.is_relative_to(SHIPPED) and _says_more(entry.path.read_text(encoding="utf-8")):
            yield catalogue.model(name)
    yield from own_models(catalogue, known)


def _says_more(text: str) -> bool:
    return _SAYS_MORE.search(text) is not None


def _stated(model: ModelConfig) -> dict[str, Any]:
    about = model.about
    found = {name: getattr(about, name) for name in about.model_fields_set}
    if isinstance(found.get("embed_dim"), int):
        found["embed_dim"] = (found["embed_dim"],)
    if model.truncate_dim is not None:
        found["embed_dim"] = (model.truncate_dim,)
    return {**found, "service": model.loader in SERVICES}


def _fact(told: Mapping[str, Any], file: str | None) -> ModelFact:
    languages = {language.partition("-")[0] for language in told.get("languages") or ()}
    return ModelFact(
        size=told.get("n_parameters"),
        active=_active(told),
        dim=max(told.get("embed_dim") or (), default=None),
        tokens=_tokens(told.get("max_tokens")),
        licence=_licence(told.get("license")),
        terms=_address(told.get("license")),
        open=told.get("open_weights"),
        released=_day(told.get("release_date")),
        languages=len(languages) or None,
        service="API" in (told.get("framework") or ()) or told.get("service", False),
        base=told.get("adapted_from"),
        reference=_address(told.get("reference")),
        type=next(iter(told.get("model_type") or ()), None),
        modalities=tuple(told.get("modalities") or ()),
        price=told.get("price_per_million_tokens"),
        file=file,
    )


def _active(told: Mapping[str, Any]) -> int | None:
    """As the field's board counts them."""
    stated: int | None = told.get("n_active_parameters")
    size, embedding = told.get("n_parameters"), told.get("n_embedding_parameters")
    if stated is not None or size is None or embedding is None:
        return stated
    return max(int(size) - int(embedding), 0)


def _tokens(limit: float | None) -> int | None:
    return None if limit is None or math.isinf(limit) else int(limit)


def _day(text: str | None) -> str | None:
    """A date that can be placed in time; a file may say anything."""
    try:
        return None if text is None else date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def _licence(text: str | None) -> str | None:
    return "own terms" if text is not None and text.startswith(("https://", "http://")) else text


_HTTPS = re.compile(r"https://[^\s/?#@\\]+(?:[/?#]\S*)?")


def _address(text: str | None) -> str | None:
    return text if text is not None and _HTTPS.fullmatch(text) else None


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    return list(value) if isinstance(value, tuple) else value

"""Facts about a model behind a service → the part of its config that says who serves it, and what that costs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tools.catalogue import models, pages
from tools.catalogue.tasks import Facts

CORRECTIONS = {"Cohere/Cohere-embed-multilingual-v3.0": {"embed_dim": 1024, "max_tokens": 512}}
"""Where the facts say something else than the provider does (docs.cohere.com/docs/cohere-embed)."""

ALL_DOCUMENTS = {"query": {"input_type": "search_document"}}
"""What the reference's loader of Cohere's models for texts and images tells the service: every text is a document."""


class Services:
    """Which models are served by whom, and at what price, out of a table written by hand."""

    def __init__(self, path: Path) -> None:
        self._by_model: dict[str, tuple[str, float | None]] = {
            model: (loader, price) for loader, prices in pages.read(path).items() for model, price in prices.items()
        }

    def expressible(self, facts: Facts) -> bool:
        """Whether the model is in the table."""
        return facts["name"] in self._by_model

    def missing(self, names: Iterable[str]) -> set[str]:
        """The models of the table that are not among those names."""
        return self._by_model.keys() - set(names)

    def config(self, facts: Facts) -> dict[str, Any]:
        """The config of a model."""
        loader, price = self._by_model[facts["name"]]
        told = {**facts, **CORRECTIONS.get(facts["name"], {})}
        values = models.whole(told, {"loader": loader, "parameters": _parameters(facts)})
        if price is not None:
            values["about"]["price_per_million_tokens"] = price
        return values


def _parameters(facts: Facts) -> dict[str, Any]:
    """Dimensions are asked for where the model's name says how many it has."""
    own_name: str = facts["name"].rpartition("/")[2]
    name = (facts.get("loader_kwargs") or {}).get("model_api_name") or own_name.split(" ")[0].removeprefix("Cohere-")
    parameters = {
        "model": None if name == own_name else name,
        "dimensions": facts["embed_dim"] if "(embed_dim=" in own_name else None,
        "encode": ALL_DOCUMENTS if facts.get("loader") == "cohere_v_loader" else None,
    }
    return {key: value for key, value in parameters.items() if value is not None}

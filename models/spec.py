"""What a loader is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embedmark.models.base import CHECKPOINT_DTYPE, Dtype, Searcher
from embedmark.models.instructions import Instructions
from embedmark.runner.common.errors import ModelError
from embedmark.tasks.base import SimilarityName


@dataclass(frozen=True)
class ModelSpec:
    """What a loader is given: a checked config, its weights already on disk.

    folder: the weights, or None for models without files. instructions: how the model takes instructions, whose texts
    are then the `prompts`; None where prompts are put before texts as they are. members: the models that it is made of,
    loaded already, each able to search. The rest is what the model's YAML says;
    `device` is "cpu", "cuda", "mps" or "auto", `threads` None for the library's own choice.
    """

    name: str
    folder: Path | None
    loader: str = "sentence_transformer"
    revision: str | None = None
    prompts: Mapping[str, str] = field(default_factory=dict)
    instructions: Instructions | None = None
    max_tokens: int | None = None
    similarity: SimilarityName | None = None
    dtype: Dtype = CHECKPOINT_DTYPE
    trust_remote_code: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)
    members: Sequence[Searcher] = ()
    device: str = "auto"
    threads: int | None = None


def refuse_settings(spec: ModelSpec, *names: str) -> None:
    """Raises ModelError when the config sets something that the loader has no use for."""
    for name in names:
        if getattr(spec, name) not in (None, {}):
            raise ModelError(f"{name}: the {spec.loader} loader has no use for it; leave it out")

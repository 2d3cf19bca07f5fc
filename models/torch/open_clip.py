"""Two towers in the format of open_clip: a folder with open_clip_config.json, and weights of that library's own names.

Tokenizer, preprocessing and projections are the library's for that config, and vectors are as they leave the towers, so
that those of a text and an image in one item can be added. Texts are always padded to the model's limit. Images go to
the library as they were stored, since it scales them before it makes them RGB.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray

from embedmark.models.base import Variant
from embedmark.models.parameters import NoParameters, check
from embedmark.models.spec import ModelSpec, refuse_settings
from embedmark.models.torch.checkpoints import checked_folder, device_of, loading, network_facts
from embedmark.models.torch.images import TOKENS, decoded
from embedmark.models.torch.memory import memory_errors
from embedmark.models.torch.towers import TwoTowers
from embedmark.models.treatment import CheckpointTreatment, checkpoint_prompts
from embedmark.runner.common.errors import ModelError
from embedmark.tasks.base import Image, SimilarityName

CONFIG = "open_clip_config.json"
ELSEWHERE = "hf_model_name"
"""In a config, a text tower whose own config the library would fetch from the hub, of no pinned commit."""


def load(spec: ModelSpec) -> OpenClipEncoder:
    """The two towers in `spec.folder`, a PreparingEncoder. Raises ModelError."""
    check(NoParameters, spec.parameters)
    refuse_settings(spec, "max_tokens")
    folder = checked_folder(spec, [CONFIG])
    _refuse_others(folder)
    name = f"local-dir:{folder}"
    with loading(spec, folder, "open_clip"):
        network, _, preprocess = open_clip.create_model_and_transforms(name, require_pretrained=True)
        tokenizer = open_clip.get_tokenizer(name)
    network = network.eval().to(device_of(spec))
    treatment = CheckpointTreatment(checkpoint_prompts(spec, folder), modalities=("text", "image"), fusion="sum")
    return OpenClipEncoder(network, preprocess, tokenizer, treatment, spec.similarity)


def _refuse_others(folder: Path) -> None:
    """Raises ModelError for a config that the library could not follow with the files of the folder alone."""
    path = folder / CONFIG
    try:
        texts = json.loads(path.read_bytes())["model_cfg"]["text_cfg"]
        elsewhere = texts.get(ELSEWHERE)
    except (ValueError, LookupError, TypeError, AttributeError):
        raise ModelError(f"{path}: expected JSON with model_cfg and its text_cfg; get the checkpoint anew") from None
    if elsewhere is not None:
        raise ModelError(
            f"{path}: model_cfg: text_cfg: {ELSEWHERE}: {elsewhere}: the config of that model would be fetched from "
            "the hub at no pinned commit; loader open_clip takes text towers of open_clip's own"
        )


class OpenClipEncoder(TwoTowers):
    """An encoder whose towers are those of a network of open_clip."""

    files = (CONFIG,)

    def __init__(
        self,
        network: Any,
        preprocess: Any,
        tokenizer: Any,
        treatment: CheckpointTreatment,
        similarity: SimilarityName | None,
    ) -> None:
        facts = {**network_facts(network), "open_clip": open_clip.__version__}
        super().__init__(treatment, similarity, facts, _patches(network.visual))
        self._network = network
        self._preprocess = preprocess
        self._tokenizer = tokenizer
        self.max_tokens: int | None = tokenizer.context_length

    def lengths(self, texts: Sequence[str], variant: Variant) -> NDArray[np.int64]:  # noqa: ARG002
        """The model's limit, to which every text is padded."""
        return np.full(len(texts), self.max_tokens, dtype=np.int64)

    def encode(self, texts: Sequence[str], variant: Variant) -> NDArray[np.float32]:
        """One batch: float32 (n, dim)."""
        return self._run(self._network.encode_text, self._tokenizer([variant.prompt + text for text in texts]))

    def prepare_images(self, images: Sequence[Image], variant: Variant) -> torch.Tensor:  # noqa: ARG002
        """The pixels of one batch. Raises DataError where an image cannot be decoded."""
        return torch.stack([self._preprocess(decoded(image)) for image in images])

    def forward_images(self, prepared: torch.Tensor, variant: Variant) -> NDArray[np.float32]:  # noqa: ARG002
        """One batch: float32 (n, dim)."""
        return self._run(self._network.encode_image, prepared)

    def _run(self, tower: Any, features: torch.Tensor) -> NDArray[np.float32]:
        with memory_errors(), torch.inference_mode():
            vectors = tower(features.to(next(self._network.parameters()).device))
            return cast("NDArray[np.float32]", vectors.float().cpu().numpy())


def _patches(visual: Any) -> int:
    """Into how many tokens the tower of images cuts every one."""
    grid = getattr(visual, "grid_size", None)
    return int(np.prod(grid)) + 1 if grid else TOKENS

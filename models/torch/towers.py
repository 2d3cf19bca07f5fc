"""A tower for texts and one for images, as transformers has them: CLIP, SigLIP, ALIGN, MetaCLIP 2.

Preprocessing and projections are the checkpoint's own (`get_text_features`, `get_image_features`), and vectors are as
they leave the towers, so that those of a text and an image in one item can be added. `parameters`:
- padding: "longest" pads the texts of a batch to its longest; "max_length" all texts to the model's limit, which SigLIP
  was trained with and needs.
- drop_alpha: whether images become RGB before the processor sees them, which drops what says how transparent they are;
  by default that is left to the processor, which may lay them on white. mteb 2.26.24 does the one for SigLIP, and the
  other for CLIP.
- attention: as for the sentence_transformer loader.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any, ClassVar, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModel, AutoProcessor

from embedmark.models.base import Variant
from embedmark.models.parameters import TowerParameters, check
from embedmark.models.spec import ModelSpec
from embedmark.models.torch.checkpoints import (
    SETTINGS,
    batch_tokens,
    checked_folder,
    device_of,
    loading,
    network_facts,
    settle_dtype,
    token_limit,
)
from embedmark.models.torch.images import decoded, patches
from embedmark.models.torch.memory import memory_errors
from embedmark.models.treatment import CheckpointTreatment, Treated, checkpoint_prompts
from embedmark.runner.common.errors import ModelError
from embedmark.tasks.base import Image, SimilarityName


def load(spec: ModelSpec) -> TowersEncoder:
    """The two towers in `spec.folder`, an ImageEncoder. Raises ModelError."""
    folder = checked_folder(spec)
    given = check(TowerParameters, spec.parameters)
    arguments: dict[str, Any] = {"trust_remote_code": spec.trust_remote_code, "local_files_only": True}
    of_network = {"dtype": getattr(torch, spec.dtype, "auto"), "attn_implementation": given.attention or None}
    with loading(spec, folder, "transformers"):
        network = AutoModel.from_pretrained(str(folder), **arguments, **of_network).eval()
        make_processor: Any = AutoProcessor.from_pretrained
        processor = make_processor(str(folder), **arguments)
    missing = [name for name in ("get_text_features", "get_image_features") if not hasattr(network, name)]
    if missing:
        raise ModelError(f"loader {spec.loader}: {type(network).__name__} has no {missing[0]}; it is not of two towers")
    settle_dtype(network, spec)
    network.to(device_of(spec))
    treatment = CheckpointTreatment(checkpoint_prompts(spec, folder), modalities=("text", "image"), fusion="sum")
    return TowersEncoder(network, processor, treatment, spec, given)


class TwoTowers(Treated, ABC):
    """A PreparingEncoder of two towers, but for the towers themselves.

    Args:
        treatment: How items are treated.
        similarity: The config's; cosine where it gives none.
        facts: What decides the last digits of vectors.
        patches: Into how many tokens the tower of images cuts every one.
    """

    files: ClassVar[Sequence[str]] = SETTINGS
    """What its folder has one of."""

    def __init__(
        self,
        treatment: CheckpointTreatment,
        similarity: SimilarityName | None,
        facts: Mapping[str, Any],
        patches: int,
    ) -> None:
        super().__init__(treatment)
        self.similarity: SimilarityName = similarity or "cosine"
        self.facts = facts
        self.batch_tokens = batch_tokens(facts["device"])
        self._patches = patches

    def prompted(self, spec: ModelSpec) -> Self:
        """The same towers under the prompts and similarity of another config. Raises ModelError."""
        other = copy(self)
        prompts = checkpoint_prompts(spec, checked_folder(spec, self.files))
        other._treatment = replace(self._treatment, prompts=prompts)
        other.similarity = spec.similarity or "cosine"
        return other

    def image_lengths(self, images: Sequence[Image]) -> NDArray[np.int64]:
        """The patches into which the network cuts every image."""
        return np.full(len(images), self._patches, dtype=np.int64)

    def encode_images(self, images: Sequence[Image], variant: Variant) -> NDArray[np.float32]:
        """One batch: float32 (n, dim). Raises DataError where an image cannot be decoded."""
        return self.forward_images(self.prepare_images(images, variant), variant)

    @abstractmethod
    def prepare_images(self, images: Sequence[Image], variant: Variant) -> Any:
        """What the tower is given of a batch of images. Raises DataError where one cannot be decoded."""

    @abstractmethod
    def forward_images(self, prepared: Any, variant: Variant) -> NDArray[np.float32]:
        """The vectors of prepared images: float32 (n, dim)."""


class TowersEncoder(TwoTowers):
    """An encoder whose towers are those of a network of transformers."""

    def __init__(
        self, network: Any, processor: Any, treatment: CheckpointTreatment, spec: ModelSpec, given: TowerParameters
    ) -> None:
        image_processor = getattr(processor, "image_processor", processor)
        facts = {
            **network_facts(network),
            "attention": getattr(network.config, "_attn_implementation", None),
            # Pillow and torchvision scale images by different arithmetic.
            "image_processor": type(image_processor).__name__,
        }
        super().__init__(treatment, spec.similarity, facts, patches(network.config))
        self._network = network
        self._processor = processor
        self._padding = given.padding
        self._limit = _limit(processor, spec)
        # Some processors have a limit of their own, below the tokenizer's.
        self._cut = {} if spec.max_tokens is None else {"max_length": spec.max_tokens}
        if given.padding == "max_length" and self._limit is None:
            raise ModelError("parameters: padding: the tokenizer has no limit to pad to; give `max_tokens`")
        self._rgb = given.drop_alpha or not getattr(image_processor, "do_convert_rgb", False)

    def lengths(self, texts: Sequence[str], variant: Variant) -> NDArray[np.int64]:
        """Characters of each text, prompt included; the model's limit of tokens, where all are padded to it."""
        if self._padding == "max_length":
            return np.full(len(texts), self._limit, dtype=np.int64)
        return np.array([len(variant.prompt) + len(text) for text in texts], dtype=np.int64)

    def encode(self, texts: Sequence[str], variant: Variant) -> NDArray[np.float32]:
        """One batch: float32 (n, dim)."""
        features = self._processor(
            text=[variant.prompt + text for text in texts],
            return_tensors="pt",
            padding=self._padding,
            truncation=True,
            **self._cut,
        )
        return self._run(self._network.get_text_features, features)

    def prepare_images(self, images: Sequence[Image], variant: Variant) -> Mapping[str, Any]:  # noqa: ARG002
        """What the tower is given of a batch of images. Raises DataError where one cannot be decoded."""
        found: Mapping[str, Any] = self._processor(
            images=[decoded(image, rgb=self._rgb) for image in images], return_tensors="pt"
        )
        return found

    def forward_images(self, prepared: Mapping[str, Any], variant: Variant) -> NDArray[np.float32]:  # noqa: ARG002
        """The vectors of prepared images: float32 (n, dim)."""
        return self._run(self._network.get_image_features, prepared)

    def _run(self, tower: Any, features: Mapping[str, Any]) -> NDArray[np.float32]:
        with memory_errors(), torch.inference_mode():
            parameter = next(self._network.parameters())
            there = {name: _there(tensor, parameter) for name, tensor in features.items()}
            found = tower(**there)
            vectors = getattr(found, "pooler_output", found)
            return cast("NDArray[np.float32]", vectors.float().cpu().numpy())


def _there(tensor: torch.Tensor, parameter: torch.Tensor) -> torch.Tensor:
    """A tensor on the network's device; pixels in its number format, too."""
    return tensor.to(parameter.device, parameter.dtype if tensor.is_floating_point() else None)


def _limit(processor: Any, spec: ModelSpec) -> int | None:
    """Tokens that are kept of a text; None where there is no limit."""
    known = token_limit(getattr(processor, "tokenizer", None))
    if spec.max_tokens is not None and known is not None and spec.max_tokens > known:
        raise ModelError(f"max_tokens is {spec.max_tokens}, and the tokenizer's limit is {known} tokens")
    return spec.max_tokens or known

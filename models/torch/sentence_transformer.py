"""Models in the format of sentence-transformers: a folder with modules.json, or a bare transformers checkpoint.

Where the first module is a plain text transformer or a static embedding, tokenizing is apart from the forward pass;
other first modules (routers, chat templates) go through sentence-transformers' own preprocessing, with equal numbers,
and so do models of images and texts (CLIP).

Its parameters are those of `SentenceTransformerParameters`; see also models/torch/two_stage.py and backends.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any, Self, cast, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Router, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling, StaticEmbedding
from sentence_transformers.util import batch_to_device
from transformers import PreTrainedTokenizerBase

from embedmark.models.base import Encoder, Fusion, Tokens, Variant
from embedmark.models.parameters import SentenceTransformerParameters, check
from embedmark.models.prompts import SIDES, PromptTable
from embedmark.models.spec import ModelSpec
from embedmark.models.torch.backends import checked_backend, exchange
from embedmark.models.torch.checkpoints import (
    batch_tokens,
    checked_folder,
    library_arguments,
    loading,
    settle_dtype,
    token_limit,
    weights_dtype,
)
from embedmark.models.torch.images import decoded, patches
from embedmark.models.torch.memory import memory_errors
from embedmark.models.torch.packed import is_packed, pack_linear_layers
from embedmark.models.torch.two_stage import ARGUMENT, TwoStageEncoder, sampling_of
from embedmark.models.treatment import CheckpointTreatment, Treated, checkpoint_prompts
from embedmark.runner.common.errors import ModelError
from embedmark.tasks.base import Image, Modality, SimilarityName

STATIC_BATCH_TOKENS = 65_536


def load(spec: ModelSpec) -> Encoder:
    """The model in `spec.folder`, ready to encode; a TokenEncoder where its first module allows. No network is used.

    A model in two stages is a ContextualEncoder, one of images and texts an ImageEncoder.

    Raises ModelError when the folder does not hold a model that this version of the libraries can load, when the model
    needs code of its own that the config does not trust, or when a parameter or max_tokens does not fit it.
    """
    folder = checked_folder(spec)
    check(SentenceTransformerParameters, spec.parameters)
    backend = checked_backend(spec)
    if backend != "torch":
        # What is exported are the checkpoint's weights, and runtimes for the CPU compute in float32.
        spec = replace(spec, dtype="float32", device="cpu")
    with loading(spec, folder):
        network = SentenceTransformer(str(folder), **library_arguments(spec)).eval()
    settle_dtype(network, spec)
    _limit_tokens(network, spec.max_tokens)
    if backend != "torch":
        exchange(network, backend, spec, folder)
    pack_linear_layers(network)
    if (pooling := spec.parameters.get("pooling")) is not None:
        _set_pooling(network, pooling)
    if (include_prompt := spec.parameters.get("include_prompt")) is not None:
        network.set_pooling_include_prompt(include_prompt)
    treatment = CheckpointTreatment(
        checkpoint_prompts(spec, folder), _arguments(spec, network), reads_side=_reads_side(network),
        chats="message" in network.modalities, modalities=_modalities(network), fusion=_fusion(network),
    )  # fmt: skip
    model = _Model(network, treatment, spec.similarity)
    sampling = sampling_of(spec, folder, network.get_model_kwargs())
    if sampling is None:
        return _encoder(model, spec)
    return TwoStageEncoder(_encoder(model, spec), lambda vectors: _encoder(model.second_stage(vectors), spec), sampling)


def wrap(network: SentenceTransformer, spec: ModelSpec) -> Encoder:
    """Make an encoder of a network that is loaded already. It is left as it is: no layer is packed, no limit set.

    Args:
        network: The network, with its own prompts.
        spec: Its name, and prompts that take the place of its own.
    """
    own = dict.fromkeys(SIDES, "") | {name: text or "" for name, text in network.prompts.items()}
    prompts = PromptTable(dict(spec.prompts) or own, network.default_prompt_name)
    treatment = CheckpointTreatment(
        prompts, reads_side=_reads_side(network), chats="message" in network.modalities,
        modalities=_modalities(network), fusion=_fusion(network),
    )  # fmt: skip
    return _encoder(_Model(network, treatment, spec.similarity), spec)


def _encoder(model: _Model, spec: ModelSpec) -> Encoder:
    """The encoder that suits the first module."""
    if isinstance(model.network[0], StaticEmbedding):
        return StaticEncoder(model, spec.max_tokens)
    if "image" in model.treatment.modalities:
        return ImageTextEncoder(model)
    return TransformerEncoder(model) if _is_plain_transformer(model.network) else PreprocessedEncoder(model)


@dataclass(frozen=True)
class _Model:
    """What the encoders below share: the network and how it treats items. always: arguments of every forward pass."""

    network: SentenceTransformer
    treatment: CheckpointTreatment
    configured_similarity: SimilarityName | None
    always: Mapping[str, Any] = field(default_factory=dict)

    def second_stage(self, vectors: NDArray[np.float32]) -> _Model:
        """The same network with the vectors of a sample of the corpus in every forward pass."""
        parameter = next(self.network.parameters())
        return replace(self, always={ARGUMENT: torch.from_numpy(vectors).to(parameter.device, parameter.dtype)})

    @property
    def similarity(self) -> SimilarityName:
        """The config's similarity, or the checkpoint's, or cosine."""
        return self.configured_similarity or self.network.similarity_fn_name

    @property
    def facts(self) -> dict[str, Any]:
        """What decides the last digits of a vector, for the record of a run."""
        parameter = next(self.network.parameters())
        inner = self.network.transformers_model
        return {
            "device": str(parameter.device),
            "dtype": weights_dtype(self.network),
            "threads": torch.get_num_threads(),
            "attention": getattr(inner.config, "_attn_implementation", None) if inner is not None else None,
            "linear_layers": "onednn" if is_packed(self.network) else "torch",
            "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
            "batch_independent": False,
            **getattr(inner, "facts", {}),
        }

    def run(self, features: Mapping[str, Any], variant: Variant) -> NDArray[np.float32]:
        """One forward pass. Raises ModelError without a sentence embedding, MemoryError when memory runs out."""
        with memory_errors(), torch.inference_mode():
            arguments = {**dict(variant.parameters), **self.always}
            output = self.network(batch_to_device(dict(features), self.network.device), **arguments)
            if "sentence_embedding" not in output:
                raise ModelError("the model's modules make no sentence embedding; a pooling module is missing")
            vectors = output["sentence_embedding"]
            if self.network.truncate_dim is not None:
                vectors = vectors[..., : self.network.truncate_dim]
            return cast("NDArray[np.float32]", vectors.float().cpu().numpy())


class _Configured(Treated):
    """The part of `Encoder` that does not depend on how texts become tensors."""

    def __init__(self, model: _Model) -> None:
        super().__init__(model.treatment)
        self._model = model
        self.similarity: SimilarityName = model.similarity
        self.facts: Mapping[str, Any] = model.facts
        self.batch_tokens = batch_tokens(self.facts["device"])

    def prompted(self, spec: ModelSpec) -> Self:
        """The same network under the prompts, instructions and similarity of another config. Raises ModelError."""
        other = copy(self)
        other._treatment = replace(self._treatment, prompts=checkpoint_prompts(spec, checked_folder(spec)))
        other._model = replace(self._model, treatment=other._treatment, configured_similarity=spec.similarity)
        other.similarity = other._model.similarity
        return other


class TransformerEncoder(_Configured):
    """A text transformer followed by any modules; tokenizes apart from the forward pass."""

    def __init__(self, model: _Model) -> None:
        super().__init__(model)
        tokenizer = model.network.tokenizer
        assert isinstance(tokenizer, PreTrainedTokenizerBase)
        self._tokenizer: Any = tokenizer
        self._padding_left = tokenizer.padding_side == "left"
        # Without a padding token any id will do: padded positions are masked.
        self._padding_id = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
        self._token_types = "token_type_ids" in tokenizer.model_input_names

    @property
    def max_tokens(self) -> int | None:
        """Tokens that are kept of a text; None where there is no limit."""
        return token_limit(self._tokenizer)

    def lengths(self, texts: Sequence[str], variant: Variant) -> NDArray[np.int64]:
        """Tokens of each text after truncation, prompt and special tokens included."""
        return np.array([len(ids) for ids in self.tokenize(texts, variant)], dtype=np.int64)

    def encode(self, texts: Sequence[str], variant: Variant) -> NDArray[np.float32]:
        """One batch: float32 (n, dim)."""
        return self.forward(self.tokenize(texts, variant), variant)

    def tokenize(self, texts: Sequence[str], variant: Variant) -> Sequence[Sequence[int]]:
        """Token ids of each text, as sentence-transformers would feed them, without padding."""
        encoded = self._tokenizer(
            [variant.prompt + text for text in texts] if variant.prompt else list(texts),
            truncation="longest_first",
            padding=False,
            return_attention_mask=False,
            return_token_type_ids=False,
        )
        return cast("Sequence[Sequence[int]]", encoded["input_ids"])

    def forward(self, tokens: Sequence[Tokens], variant: Variant) -> NDArray[np.float32]:
        """One batch of tokenized texts, padded to its longest: float32 (n, dim)."""
        lengths = np.array([len(ids) for ids in tokens])[:, None]
        width = max(1, int(lengths.max()))
        columns = np.arange(width)
        mask = columns >= width - lengths if self._padding_left else columns < lengths
        ids = np.full(mask.shape, self._padding_id, dtype=np.int64)
        ids[mask] = np.concatenate(tokens, dtype=np.int64, casting="unsafe")
        features: dict[str, Any] = {
            "input_ids": torch.from_numpy(ids),
            "attention_mask": torch.from_numpy(mask.astype(np.int64)),
        }
        if self._token_types:
            features["token_type_ids"] = torch.zeros(mask.shape, dtype=torch.int64)
        if variant.prompt:
            features["prompt_length"] = self._prompt_length(variant.prompt)
        return self._model.run(features, variant)

    def _prompt_length(self, prompt: str) -> int:
        ids = self.tokenize([prompt], Variant())[0]
        ends_special = len(ids) > 0 and ids[-1] in self._tokenizer.all_special_ids
        return len(ids) - ends_special


class StaticEncoder(_Configured):
    """A table of token vectors that are averaged: no attention, no padding, no special tokens."""

    def __init__(self, model: _Model, max_tokens: int | None) -> None:
        super().__init__(model)
        self.batch_tokens = STATIC_BATCH_TOKENS
        self._tokenizer: Any = cast(StaticEmbedding, model.network[0]).tokenizer
        self._max_tokens = max_tokens

    @property
    def max_tokens(self) -> int | None:
        """Tokens that are kept of a text; None where there is no limit."""
        return self._max_tokens

    def lengths(self, texts: Sequence[str], variant: Variant) -> NDArray[np.int64]:
        """Tokens of each text after truncation, prompt included."""
        return np.array([len(ids) for ids in self.tokenize(texts, variant)], dtype=np.int64)

    def encode(self, texts: Sequence[str], variant: Variant) -> NDArray[np.float32]:
        """One batch: float32 (n, dim)."""
        return self.forward(self.tokenize(texts, variant), variant)

    def tokenize(self, texts: Sequence[str], variant: Variant) -> Sequence[Sequence[int]]:
        """Token ids of each text."""
        batch = [variant.prompt + text for text in texts] if variant.prompt else list(texts)
        encodings = self._tokenizer.encode_batch_fast(batch, add_special_tokens=False)
        return [encoding.ids[: self._max_tokens] for encoding in encodings]

    def forward(self, tokens: Sequence[Tokens], variant: Variant) -> NDArray[np.float32]:
        """One batch of tokenized texts: float32 (n, dim). A text without tokens has the zero vector."""
        ends = np.cumsum([len(ids) for ids in tokens])
        ids = np.concatenate(tokens, dtype=np.int64, casting="unsafe")
        offsets = np.concatenate(([0], ends[:-1]))
        return self._model.run({"input_ids": torch.from_numpy(ids), "offsets": torch.from_numpy(offsets)}, variant)


class PreprocessedEncoder(_Configured):
    """Any other first module: sentence-transformers makes the tensors, and a text's cost is its characters."""

    def lengths(self, texts: Sequence[str], variant: Variant) -> NDArray[np.int64]:
        """Characters of each text, prompt included."""
        return np.array([len(variant.prompt) + len(text) for text in texts], dtype=np.int64)

    def encode(self, texts: Sequence[str], variant: Variant) -> NDArray[np.float32]:
        """One batch: float32 (n, dim)."""
        features = self._model.network.preprocess(
            list(texts), prompt=variant.prompt or None, **dict(variant.parameters)
        )
        return self._model.run(features, variant)


class ImageTextEncoder(_Configured):
    """Images and texts in one space: sentence-transformers makes the tensors.

    A text's cost is its characters, an image's the patches into which the network cuts every one.
    """

    def __init__(self, model: _Model) -> None:
        super().__init__(model)
        whole: Any = getattr(model.network[0], "processor", None)
        processor = getattr(whole, "image_processor", whole)
        # Pillow and torchvision scale images by different arithmetic.
        self.facts = {**self.facts, "image_processor": type(processor).__name__}
        self._rgb = not getattr(processor, "do_convert_rgb", False)
        self._patches = patches(getattr(model.network.transformers_model, "config", None))

    def lengths(self, texts: Sequence[str], variant: Variant) -> NDArray[np.int64]:
        """Characters of each text, prompt included."""
        return np.array([len(variant.prompt) + len(text) for text in texts], dtype=np.int64)

    def encode(self, texts: Sequence[str], variant: Variant) -> NDArray[np.float32]:
        """One batch: float32 (n, dim)."""
        # Not as plain strings: one that is the address of an image would be fetched, and its image encoded.
        return self._model.run(self._features([{"text": text} for text in texts], variant), variant)

    def image_lengths(self, images: Sequence[Image]) -> NDArray[np.int64]:
        """The same for every image."""
        return np.full(len(images), self._patches, dtype=np.int64)

    def encode_images(self, images: Sequence[Image], variant: Variant) -> NDArray[np.float32]:
        """One batch: float32 (n, dim). Raises DataError where an image cannot be decoded."""
        return self.forward_images(self.prepare_images(images, variant), variant)

    def prepare_images(self, images: Sequence[Image], variant: Variant) -> Mapping[str, Any]:
        """The tensors of one batch. Raises DataError where an image cannot be decoded."""
        return self._features([{"image": decoded(image, rgb=self._rgb)} for image in images], variant)

    def forward_images(self, prepared: Mapping[str, Any], variant: Variant) -> NDArray[np.float32]:
        """One batch: float32 (n, dim)."""
        return self._model.run(prepared, variant)

    def _features(self, items: list[dict[str, Any]], variant: Variant) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._model.network.preprocess(
            items, prompt=variant.prompt or None, **dict(variant.parameters)
        )
        return found


# -- loading ----------------------------------------------------------------------------------------------------------


def _set_pooling(network: SentenceTransformer, mode: str) -> None:
    """Replace the checkpoint's pooling by another of the same width."""
    for name, module in network.named_children():
        if isinstance(module, Pooling):
            if not isinstance(module.pooling_mode, str):
                raise ModelError(
                    f"parameters: pooling: the checkpoint joins {module.pooling_mode}; one cannot replace it"
                )
            width = module.embedding_dimension
            network._modules[name] = Pooling(width, mode, include_prompt=module.include_prompt)
            return
    raise ModelError("parameters: pooling: the model has no pooling module to replace")


def _limit_tokens(network: SentenceTransformer, max_tokens: int | None) -> None:
    if max_tokens is None or isinstance(network[0], StaticEmbedding):
        return
    positions = _position_limit(network)
    if positions is not None and max_tokens > positions:
        raise ModelError(f"max_tokens is {max_tokens}, and the model has positions for {positions} tokens")
    network.max_seq_length = max_tokens


def _position_limit(network: SentenceTransformer) -> int | None:
    """How many tokens learned absolute positions allow; None for models without such a table."""
    for module in network[0].modules():
        table = getattr(module, "position_embeddings", None)
        if isinstance(table, torch.nn.Embedding):
            # RoBERTa and its heirs start counting after the padding id.
            return table.num_embeddings - (0 if table.padding_idx is None else table.padding_idx + 1)
    return None


def _arguments(spec: ModelSpec, network: SentenceTransformer) -> Mapping[str, Mapping[str, Any]]:
    arguments: Mapping[str, Mapping[str, Any]] = spec.parameters.get("encode") or {}
    known = {*network.get_model_kwargs(), "task"}
    for key, values in arguments.items():
        if unknown := set(values) - known:
            raise ModelError(f"parameters: encode: {key}: the model takes {sorted(known)}, not {sorted(unknown)}")
    return arguments


def _reads_side(network: SentenceTransformer) -> bool:
    first: Any = network[0]
    return isinstance(first, Router) or (
        isinstance(first, Transformer)
        and (first.query_length is not None or first.document_length is not None or "message" in first.modality_config)
    )


def _modalities(network: SentenceTransformer) -> tuple[Modality, ...]:
    if isinstance(network[0], StaticEmbedding):
        return ("text",)
    return tuple(one for one in get_args(Modality) if one in network.modalities) or ("text",)


def _fusion(network: SentenceTransformer) -> Fusion | None:
    """Two towers have their vectors added, as the reference does; of messages nothing is fused yet."""
    both = {"text", "image"} <= set(_modalities(network))
    return "sum" if both and "message" not in network.modalities else None


def _is_plain_transformer(network: SentenceTransformer) -> bool:
    """Whether padding token ids ourselves gives what the first module's own preprocessing would give."""
    first: Any = network[0]
    return (
        type(first) is Transformer
        and isinstance(first.processor, PreTrainedTokenizerBase)
        and "text" in first.modality_config
        and not _reads_side(network)
        and first.query_expansion is None
        and not first.processing_kwargs
        and not first.can_flatten_inputs
        and first.transformer_task == "feature-extraction"
        and not _has_token_types(first.processor)
    )


def _has_token_types(tokenizer: Any) -> bool:
    return any(tokenizer("a b").get("token_type_ids", ()))

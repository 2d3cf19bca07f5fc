"""How a checkpoint's model treats texts and images, said without its weights: whose facts were read when it was opened.

Imports nothing heavy, so that a run whose vectors are all in the store starts without the libraries of models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embedmark.models.base import EncodeContext, Fusion, Variant
from embedmark.models.instructions import InstructionTable
from embedmark.models.prompts import PromptTable, most_specific, prompt_table
from embedmark.models.spec import ModelSpec, refuse_settings
from embedmark.tasks.base import Modality


@dataclass(frozen=True)
class CheckpointTreatment:
    """A Treatment, and what an encoder goes by.

    Args:
        prompts: What goes before a text.
        arguments: Of the forward pass, keyed like prompts.
        reads_side: Whether the forward pass is told the side of a text.
        chats: Whether items become messages of a chat, where a prompt can be said of an image too.
        modalities: What can be encoded.
        fusion: How one vector is made of a text and an image; None where none can be.
    """

    prompts: PromptTable | InstructionTable
    arguments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    reads_side: bool = False
    chats: bool = False
    modalities: tuple[Modality, ...] = ("text",)
    fusion: Fusion | None = None

    def variant(self, context: EncodeContext) -> Variant:
        """Prompt and arguments of a context; the side itself only where the model reads it."""
        arguments: dict[str, Any] = dict(most_specific(self.arguments, context) or {})
        if context.side and self.reads_side:
            arguments.setdefault("task", context.side)
        prompted = context.modality != "image" or self.chats
        return Variant(self.prompts.choose(context) if prompted else "", tuple(sorted(arguments.items())))

    @property
    def sketch(self) -> dict[str, Any]:
        """What of it only the opened model tells."""
        return {
            "reads_side": self.reads_side,
            "chats": self.chats,
            "modalities": list(self.modalities),
            "fusion": self.fusion,
        }


class Treated:
    """The part of an encoder that its treatment of items tells."""

    def __init__(self, treatment: CheckpointTreatment) -> None:
        self._treatment = treatment

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """What can be encoded."""
        return self._treatment.modalities

    @property
    def fusion(self) -> Fusion | None:
        """How one vector is made of a text and an image."""
        return self._treatment.fusion

    @property
    def sketch(self) -> Mapping[str, Any]:
        """What is told of the weights, so that the encoder's treatment of items is known without them."""
        return self._treatment.sketch

    def variant(self, context: EncodeContext) -> Variant:
        """How this model would treat items of that context."""
        return self._treatment.variant(context)


def checkpoint_prompts(spec: ModelSpec, folder: Path) -> PromptTable | InstructionTable:
    """The prompts or instructions of a config, beside those that the checkpoint in a folder has. Raises ModelError."""
    if spec.instructions is None:
        return prompt_table(spec.prompts, folder)
    saved = prompt_table({}, folder)
    return InstructionTable(spec.instructions, spec.prompts, saved.prompts.get(saved.default or "", ""))


def of_sentence_transformer(spec: ModelSpec, sketch: Mapping[str, Any]) -> CheckpointTreatment:
    """What loader sentence_transformer would say. sketch: of the same weights. Raises ModelError."""
    assert spec.folder is not None
    return CheckpointTreatment(
        checkpoint_prompts(spec, spec.folder), spec.parameters.get("encode") or {},
        bool(sketch["reads_side"]), bool(sketch["chats"]), tuple(sketch["modalities"]), sketch["fusion"],
    )  # fmt: skip


def reading_sketch(sketch: Mapping[str, Any]) -> dict[str, Any]:
    """The sketch of a text model that is given what is read of images, which has the prompts of texts."""
    return {**sketch, "chats": True, "modalities": ["text", "image"], "fusion": "joint"}


def of_static(spec: ModelSpec, sketch: Mapping[str, Any]) -> CheckpointTreatment:  # noqa: ARG001 - as the others
    """What loader model2vec would say. Raises ModelError."""
    refuse_settings(spec, "instructions")
    return CheckpointTreatment(PromptTable(spec.prompts))

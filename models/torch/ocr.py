"""Images read by OCR, and what is read embedded as text: the plain baseline of visual document retrieval.

The recognizer is RapidOCR (PP-OCR models, whose weights come with the package `rapidocr-onnxruntime`), for print of
about 32 pixels and more: below, it joins words, and it loses letters such as ä, ß and ñ. It takes about a second a
page. The text model is any checkpoint whose loader is sentence_transformer; what is read of an image goes to it like a
text of the same side. Of a text and an image in one item, the text comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedmark.models.base import PromptedEncoder, SketchedEncoder, TokenEncoder, Tokens, Variant
from embedmark.models.parameters import OcrParameters, check
from embedmark.models.spec import ModelSpec
from embedmark.models.torch.images import TOKENS, decoded
from embedmark.models.torch.sentence_transformer import load as load_text_model
from embedmark.models.treatment import CheckpointTreatment, Treated, of_sentence_transformer, reading_sketch
from embedmark.runner.common.errors import ModelError, UserError
from embedmark.runner.common.packages import require_package
from embedmark.tasks.base import Composite, Image, SimilarityName

if TYPE_CHECKING:
    import PIL.Image

PACKAGE = "rapidocr-onnxruntime"

Read: TypeAlias = Callable[[NDArray[np.uint8]], str]
"""The text in an image: (height, width, 3) in the order blue, green, red."""


def load(spec: ModelSpec) -> OcrEncoder:
    """The recognizer with the text model in `spec.folder` behind it. Raises ModelError."""
    given = check(OcrParameters, spec.parameters)
    read = recognizer(given.rapidocr, spec.threads)
    of_texts = {name: value for name, value in spec.parameters.items() if name != "rapidocr"}
    inner = load_text_model(replace(spec, parameters=of_texts))
    if not isinstance(inner, TokenEncoder) or not isinstance(inner, SketchedEncoder):
        raise ModelError(f"loader {spec.loader}: expected a model of texts alone with a tokenizer of its own")
    return OcrEncoder(inner, read, of_sentence_transformer(spec, reading_sketch(inner.sketch)), given.rapidocr)


def recognizer(version: str, threads: int | None = None) -> Read:
    """The recognizer of that version of the package. Raises ModelError where it cannot be had."""
    try:
        require_package(PACKAGE, version, "parameters: rapidocr")
        from rapidocr_onnxruntime import RapidOCR
    except UserError as error:
        raise ModelError(f"{error} (there is none for Python 3.13 and later)") from error
    except ImportError as error:
        raise ModelError(
            f"{PACKAGE} cannot be loaded: {error}. Its package opencv-python needs libraries of the system; on Debian "
            "run: apt-get install libgl1 libglib2.0-0"
        ) from error
    engine = RapidOCR() if threads is None else RapidOCR(intra_op_num_threads=threads)

    def read(pixels: NDArray[np.uint8]) -> str:
        lines, _ = engine(pixels)
        return " ".join(text for _, text, *_ in lines or ())

    return read


class OcrEncoder(Treated):
    """A TokenEncoder of texts that reads images, alone or after a text (CompositeEncoder)."""

    def __init__(self, texts: TokenEncoder, read: Read, treatment: CheckpointTreatment, version: str) -> None:
        super().__init__(treatment)
        self._texts = texts
        self._read = read
        self._version = version
        self.similarity: SimilarityName = texts.similarity
        self.batch_tokens = texts.batch_tokens
        self.facts: Mapping[str, Any] = {**texts.facts, "recognizer": f"{PACKAGE} {version}"}
        self.max_tokens: int | None = getattr(texts, "max_tokens", None)

    def prompted(self, spec: ModelSpec) -> OcrEncoder:
        """The same under the prompts of another config. Raises ModelError."""
        assert isinstance(self._texts, PromptedEncoder)
        inner = self._texts.prompted(spec)
        assert isinstance(inner, TokenEncoder)
        return OcrEncoder(inner, self._read, of_sentence_transformer(spec, self.sketch), self._version)

    def lengths(self, texts: Sequence[str], variant: Variant) -> NDArray[np.int64]:
        """Tokens of each text."""
        return self._texts.lengths(texts, variant)

    def encode(self, texts: Sequence[str], variant: Variant) -> NDArray[np.float32]:
        """One batch: float32 (n, dim)."""
        return self._texts.encode(texts, variant)

    def tokenize(self, texts: Sequence[str], variant: Variant) -> Sequence[Sequence[int]]:
        """Token ids of each text."""
        return self._texts.tokenize(texts, variant)

    def forward(self, tokens: Sequence[Tokens], variant: Variant) -> NDArray[np.float32]:
        """One batch of tokenized texts: float32 (n, dim)."""
        return self._texts.forward(tokens, variant)

    def image_lengths(self, images: Sequence[Image]) -> NDArray[np.int64]:
        """A guess, the same for every image: how much one says is known when it is read."""
        return np.full(len(images), self.max_tokens or TOKENS, dtype=np.int64)

    def encode_images(self, images: Sequence[Image], variant: Variant) -> NDArray[np.float32]:
        """One batch: float32 (n, dim). Raises DataError where an image cannot be decoded."""
        return self._texts.encode([self.text_of(image) for image in images], variant)

    def composite_lengths(self, items: Sequence[Composite], variant: Variant) -> NDArray[np.int64]:
        """Tokens of each text and the guess for its image."""
        texts, images = zip(*(item.parts for item in items), strict=True)
        return self.lengths(texts, variant) + self.image_lengths(images)

    def encode_composites(self, items: Sequence[Composite], variant: Variant) -> NDArray[np.float32]:
        """One batch: float32 (n, dim). Raises DataError where an image cannot be decoded."""
        return self._texts.encode([" ".join(map(self._said, item.parts)) for item in items], variant)

    def _said(self, part: str | Image) -> str:
        return part if isinstance(part, str) else self.text_of(part)

    def text_of(self, image: Image) -> str:
        """What is read of an image, its lines in the recognizer's order. Raises DataError where it is damaged."""
        return self._read(np.ascontiguousarray(np.asarray(_on_white(decoded(image)))[:, :, ::-1]))


def _on_white(picture: PIL.Image.Image) -> PIL.Image.Image:
    """As colours, on white where it is transparent."""
    import PIL.Image

    if not picture.has_transparency_data:
        return picture.convert("RGB")
    colours = picture.convert("RGBA")
    page = PIL.Image.new("RGBA", colours.size, "white")
    page.alpha_composite(colours)
    return page.convert("RGB")

"""What image models share: decoding files, and what an image costs."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from embedmark.runner.common.errors import DataError
from embedmark.tasks.base import Image

if TYPE_CHECKING:  # an extra, which models of texts do without
    import PIL.Image

TOKENS = 256
"""What an image costs where the network does not say into how many patches it cuts one."""


def decoded(image: Image, *, rgb: bool = False) -> PIL.Image.Image:
    """The pixels of an image, turned as its EXIF data says. rgb: as colours, whatever it was stored as.

    Raises DataError, naming the row, when the file is damaged.
    """
    import PIL.Image
    import PIL.ImageOps

    try:
        opened = PIL.Image.open(io.BytesIO(image.data))
        opened.load()
        PIL.ImageOps.exif_transpose(opened, in_place=True)  # or it would be a copy
    # Each of Pillow's readers raises errors of its own: OSError, SyntaxError, struct.error, ...
    except Exception as error:
        raise DataError(
            f"{image.where}: an image of {len(image)} bytes that cannot be decoded: {error}. Mend the data, or leave "
            "the row out in `transforms`."
        ) from error
    return opened.convert("RGB") if rgb and opened.mode != "RGB" else opened


def patches(config: Any) -> int:
    """Into how many tokens a vision transformer of that transformers config cuts every image."""
    vision = getattr(config, "vision_config", config)
    image_size, patch_size = getattr(vision, "image_size", None), getattr(vision, "patch_size", None)
    if not isinstance(image_size, int) or not isinstance(patch_size, int):
        return TOKENS
    return (image_size // patch_size) ** 2 + 1

"""What the reference's own wrapper of open_clip makes of texts, of images, and of both in one item.

    .venv-reference/bin/python tests/models/reference_open_clip.py MODEL FOLDER

FOLDER holds the files of images, 0.image and so on; vectors.npz is written into it.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
from mteb.models.model_implementations.openclip_models import openclip_loader
from PIL import Image, ImageOps
from reference_towers import batches


def from_folders(function: Any) -> Any:
    """The wrapper knows models of the hub alone; the library knows folders too, under another prefix."""
    return lambda name, **options: function(name.replace("hf-hub:", "local-dir:"), **options)


def main() -> None:
    folder, images = sys.argv[1], Path(sys.argv[2])
    open_clip.create_model_and_transforms = from_folders(open_clip.create_model_and_transforms)
    open_clip.get_tokenizer = from_folders(open_clip.get_tokenizer)
    model = openclip_loader(folder, revision=None, device="cpu")
    # `datasets` turns pictures as their EXIF data says when it opens them.
    files = sorted(images.glob("*.image"))
    pictures = [ImageOps.exif_transpose(Image.open(io.BytesIO(file.read_bytes()))) for file in files]
    texts = (images / "texts").read_text().split("\n")
    given: dict[str, dict[str, list[Any]]] = {
        "image": {"image": pictures}, "text": {"text": texts}, "text+image": {"text": texts, "image": pictures},
    }  # fmt: skip
    unused: Any = {"task_metadata": None, "hf_split": "test", "hf_subset": "default"}
    vectors = {name: np.asarray(model.encode(batches(columns), **unused)) for name, columns in given.items()}
    np.savez(images / "vectors.npz", **vectors)


if __name__ == "__main__":
    main()

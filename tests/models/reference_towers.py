"""What the reference's own wrapper of a family makes of texts, of images, and of both in one item.

    .venv-reference/bin/python tests/models/reference_towers.py FAMILY MODEL FOLDER

FOLDER holds the files of images, 0.image and so on; vectors.npz is written into it.
"""

from __future__ import annotations

import importlib
import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps
from torch.utils.data import DataLoader

WRAPPERS = {
    "CLIP": ("clip_models", "CLIPModel"),
    "SigLIP": ("siglip_models", "SiglipModelWrapper"),
    "SigLIP 2": ("siglip_models", "SiglipModelWrapper"),
    "MetaCLIP 2": ("metaclip_models", "MetaClip2Model"),
    "ALIGN": ("align_models", "ALIGNModel"),
    "DINOv2": ("dino_models", "DINOModel"),
}


class Rows:
    """What a wrapper asks of a data loader's dataset."""

    def __init__(self, columns: dict[str, list[Any]]) -> None:
        self.columns = columns
        self.features = dict.fromkeys(columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, row: int) -> dict[str, Any]:
        return {name: values[row] for name, values in self.columns.items()}


def batches(columns: dict[str, list[Any]]) -> DataLoader[Any]:
    def together(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
        return {name: [row[name] for row in rows] for name in rows[0]}

    return DataLoader(Rows(columns), batch_size=4, collate_fn=together)  # type: ignore[arg-type]


def main() -> None:
    family, folder, images = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    module, name = WRAPPERS[family]
    made = getattr(importlib.import_module(f"mteb.models.model_implementations.{module}"), name)
    model = made(folder, revision=None, device="cpu")
    # `datasets` turns pictures as their EXIF data says when it opens them.
    files = sorted(images.glob("*.image"))
    pictures = [ImageOps.exif_transpose(Image.open(io.BytesIO(file.read_bytes()))) for file in files]
    if family == "ALIGN":  # whose processor knows colours alone
        pictures = [picture.convert("RGB") for picture in pictures]
        # As released, the wrapper does not know the class of what transformers 5 gives for images, and fails.
        whole = model.model.get_image_features
        model.model.get_image_features = lambda **pixels: whole(**pixels).pooler_output
    texts = [f"a photo of {number}" for number in range(len(pictures))]
    given: dict[str, dict[str, list[Any]]] = {"image": {"image": pictures}}
    if family != "DINOv2":
        given |= {"text": {"text": texts}, "text+image": {"text": texts, "image": pictures}}
    unused: Any = {"task_metadata": None, "hf_split": "test", "hf_subset": "default"}
    vectors = {name: np.asarray(model.encode(batches(columns), **unused)) for name, columns in given.items()}
    np.savez(images / "vectors.npz", **vectors)


if __name__ == "__main__":
    main()

"""Small models of open_clip with random weights, in the shape of each architecture that the catalogue has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import open_clip
import torch
from safetensors.torch import save_file


def tiny_open_clip(folder: Path, architecture: str = "ViT-B-32", *, safetensors: bool = True) -> Path:
    """As laion/CLIP-* lie on the hub: the library's own config, one layer a tower, a narrower one of each."""
    torch.manual_seed(0)
    made = folder / "model"
    made.mkdir(parents=True)
    config: dict[str, Any] = open_clip.get_model_config(architecture)
    head = config["vision_cfg"].get("head_width", 64)
    config["embed_dim"] = 16
    config["vision_cfg"] |= {"layers": 1, "width": head, "image_size": 4 * config["vision_cfg"]["patch_size"]}
    config["text_cfg"] |= {"layers": 1, "width": 64, "heads": 2}
    preprocess = {"mean": open_clip.OPENAI_DATASET_MEAN, "std": open_clip.OPENAI_DATASET_STD}
    (made / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": preprocess}))
    weights = open_clip.create_model(f"local-dir:{made}").state_dict()
    if safetensors:
        save_file(weights, made / "open_clip_model.safetensors")
    else:
        torch.save(weights, made / "open_clip_pytorch_model.bin")
    return made

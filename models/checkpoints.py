"""What loaders over sentence-transformers share: a checked folder, the library's arguments, errors explained."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers

from models.base import ModelError, ModelSpec
from models.packed import is_packed
from models.prompts import refuse_unknown

TOKENIZER = {"padding_side", "add_eos_token", "add_bos_token", "pad_token"}
"""What a config may set of a tokenizer."""


def checked_folder(spec: ModelSpec) -> Path:
    """The model's folder. Raises ModelError when there is none or it holds no model."""
    folder = spec.folder
    if folder is None:
        raise ModelError(f"the {spec.loader} loader needs a folder with weights, and the model has none")
    if not folder.is_dir():
        raise ModelError(f"{folder} is not a folder; expected one with modules.json or config.json")
    if not any((folder / name).exists() for name in ("modules.json", "config.json")):
        found = sorted(path.name for path in folder.iterdir())[:10]
        raise ModelError(f"{folder} has neither modules.json nor config.json, so it holds no model; it has {found}")
    return folder


def refuse_parameters(spec: ModelSpec, known: Collection[str]) -> None:
    """Raises ModelError when the config gives a parameter that the loader does not take."""
    refuse_unknown("parameters", spec.parameters, known)
    refuse_unknown("parameters: tokenizer", spec.parameters.get("tokenizer", {}), TOKENIZER)


def library_arguments(spec: ModelSpec, *, on_cpu: bool = False) -> dict[str, Any]:
    """What a config decides of how sentence-transformers loads a model; onto the CPU whatever device is asked for."""
    model_kwargs: dict[str, Any] = {"dtype": "auto" if spec.dtype == "auto" else getattr(torch, spec.dtype)}
    if attention := spec.parameters.get("attention"):
        model_kwargs["attn_implementation"] = attention
    return {
        "device": "cpu" if on_cpu else None if spec.device == "auto" else spec.device,
        "trust_remote_code": spec.trust_remote_code,
        "local_files_only": True,
        "model_kwargs": model_kwargs,
        "processor_kwargs": dict(spec.parameters.get("tokenizer", {})),
    }


@contextmanager
def loading(spec: ModelSpec, folder: Path) -> Iterator[None]:
    """Load without progress bars; whatever the libraries raise becomes a ModelError."""
    if spec.threads is not None:
        torch.set_num_threads(spec.threads)
    try:
        with _quiet():
            yield
    # The libraries underneath raise nearly everything here, from OSError to their own Rust errors.
    except Exception as error:
        raise ModelError(_why_not_loaded(spec, folder, error)) from error


def _why_not_loaded(spec: ModelSpec, folder: Path, error: Exception) -> str:
    said = str(error).strip() or type(error).__name__
    if "trust_remote_code" in said and not spec.trust_remote_code:
        return (
            f"{folder} brings Python code of its own, which runs only where the model's file says "
            f"`trust_remote_code: true`; read the code first. ({said.splitlines()[0]})"
        )
    return f"{folder} could not be loaded by sentence-transformers: {type(error).__name__}: {said}"


@contextmanager
def _quiet() -> Iterator[None]:
    """Loading without progress bars in the middle of the runner's own display."""
    logging: Any = transformers.utils.logging
    enabled = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if enabled:
            logging.enable_progress_bar()


def network_facts(network: torch.nn.Module) -> dict[str, Any]:
    """What decides the last digits of a network's numbers, for the record of a run."""
    parameter = next(network.parameters())
    return {
        "device": str(parameter.device),
        "dtype": str(parameter.dtype).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "linear_layers": "onednn" if is_packed(network) else "torch",
        "batch_independent": False,
    }

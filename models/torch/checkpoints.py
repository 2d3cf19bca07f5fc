"""What loaders of checkpoints share: a checked folder, sentence-transformers' arguments, errors explained."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from sentence_transformers.sparse_encoder.modules import SparseStaticEmbedding

from embedmark.models.base import CHECKPOINT_DTYPE
from embedmark.models.spec import ModelSpec
from embedmark.models.torch.packed import is_packed
from embedmark.runner.common.errors import ModelError

# In one noisy probe on two cores, 512 to 2,048 tokens took equally long and 8,192 longer.
CPU_BATCH_TOKENS = 1024
# Not measured: enough to keep one GPU busy with a small model; a batch that does not fit is halved.
GPU_BATCH_TOKENS = 16_384

_NO_LIMIT = 10**9
"""What transformers writes for no limit is larger (`VERY_LARGE_INTEGER`)."""

SETTINGS = ("modules.json", "config.json")
"""What sentence-transformers reads first of a model; it has one of them."""


def checked_folder(spec: ModelSpec, settings: Sequence[str] = SETTINGS) -> Path:
    """The model's folder. Raises ModelError when there is none or it has none of the files of settings."""
    folder = spec.folder
    if folder is None:
        raise ModelError(f"the {spec.loader} loader needs a folder with weights, and the model has none")
    if not folder.is_dir():
        raise ModelError(f"{folder} is not a folder; expected one with {' or '.join(settings)}")
    if not any((folder / name).exists() for name in settings):
        found = sorted(path.name for path in folder.iterdir())[:10]
        none = f"{'neither' if len(settings) > 1 else 'no'} {' nor '.join(settings)}"
        raise ModelError(f"{folder} has {none}, so it holds no model of loader {spec.loader}; it has {found}")
    return folder


def library_arguments(spec: ModelSpec) -> dict[str, Any]:
    """What a config decides of how sentence-transformers loads a model."""
    # Without a `dtype` the library loads weights in the number format that the checkpoint says they are in.
    model_kwargs: dict[str, Any] = {} if spec.dtype == CHECKPOINT_DTYPE else {"dtype": getattr(torch, spec.dtype)}
    if attention := spec.parameters.get("attention"):
        model_kwargs["attn_implementation"] = attention
    return {
        "device": None if spec.device == "auto" else spec.device,
        "trust_remote_code": spec.trust_remote_code,
        "local_files_only": True,
        "model_kwargs": model_kwargs,
        "processor_kwargs": dict(spec.parameters.get("tokenizer") or {}),
    }


def device_of(spec: ModelSpec) -> str:
    """Where a network is put: what was asked for, or the fastest that is there."""
    if spec.device != "auto":
        return spec.device
    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


def batch_tokens(device: str) -> int:
    """A batch size that suits a transformer on that device, in tokens."""
    return CPU_BATCH_TOKENS if device == "cpu" else GPU_BATCH_TOKENS


def token_limit(tokenizer: Any) -> int | None:
    """Tokens that a tokenizer keeps of a text; None where there is no limit, or no tokenizer."""
    limit = getattr(tokenizer, "model_max_length", _NO_LIMIT)
    return int(limit) if limit < _NO_LIMIT else None


@contextmanager
def loading(spec: ModelSpec, folder: Path, library: str = "sentence-transformers") -> Iterator[None]:
    """Load without progress bars; what the libraries raise about a checkpoint becomes a ModelError.

    Raises the error itself where the machine is at fault: memory that ran out, a device that is lost.
    """
    if spec.threads is not None:
        torch.set_num_threads(spec.threads)
    try:
        with _quiet(), _without_advice():
            yield
    except (MemoryError, torch.OutOfMemoryError, torch.AcceleratorError):
        raise
    # The libraries underneath raise nearly everything here, from OSError to their own Rust errors.
    except Exception as error:
        raise ModelError(_why_not_loaded(spec, folder, library, error)) from error


def _why_not_loaded(spec: ModelSpec, folder: Path, library: str, error: Exception) -> str:
    said = str(error).strip() or type(error).__name__
    if "trust_remote_code" in said and not spec.trust_remote_code:
        return (
            f"{folder} brings Python code of its own, which runs only where the model's file says "
            f"`trust_remote_code: true`; read the code first. ({said.splitlines()[0]})"
        )
    return f"{folder} could not be loaded by {library}: {type(error).__name__}: {said}"


@contextmanager
def _quiet() -> Iterator[None]:
    """Loading without progress bars in the middle of the runner's own display."""
    bars: Any = transformers.utils.logging
    enabled = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        yield
    finally:
        if enabled:
            bars.enable_progress_bar()


@contextmanager
def _without_advice() -> Iterator[None]:
    """The library warns that half precision may be slow on a CPU, and names arguments of its own."""
    logger = logging.getLogger("sentence_transformers.base.model")

    def others(record: logging.LogRecord) -> bool:
        return "Consider comparing inference speeds" not in str(record.msg)

    logger.addFilter(others)
    try:
        yield
    finally:
        logger.removeFilter(others)


def settle_dtype(network: torch.nn.Module, spec: ModelSpec) -> None:
    """See to it that the network is in the number format that the config asks for.

    Tables of token vectors are converted here, since the library loads them as they are stored.

    Raises:
        ModelError: The checkpoint's own code chose another format.
    """
    if spec.dtype == CHECKPOINT_DTYPE:
        return
    for module in network.modules():
        if isinstance(module, StaticEmbedding | SparseStaticEmbedding):
            module.to(getattr(torch, spec.dtype))
    found = weights_dtype(network)
    if found.partition(",")[0] != spec.dtype:
        raise ModelError(
            f"dtype is {spec.dtype}, and the checkpoint's own code loads its weights as {found} whatever is asked of "
            "it; write `dtype: checkpoint`, or leave it out"
        )


def weights_dtype(network: torch.nn.Module) -> str:
    """The number format of a network's weights; where there are several, all of them, the most used first."""
    sizes: Counter[torch.dtype] = Counter()
    for parameter in network.parameters():
        sizes[parameter.dtype] += parameter.numel() if parameter.is_floating_point() else 0
    return ", ".join(str(dtype).removeprefix("torch.") for dtype, _ in sizes.most_common())


def network_facts(network: torch.nn.Module) -> dict[str, Any]:
    """What decides the last digits of a network's numbers, for the record of a run."""
    parameter = next(network.parameters())
    return {
        "device": str(parameter.device),
        "dtype": weights_dtype(network),
        "threads": torch.get_num_threads(),
        "linear_layers": "onednn" if is_packed(network) else "torch",
        "batch_independent": False,
    }

"""What decides a model's vectors, as its checkpoint's files say it: values to keep, and lines to switch on."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, get_args

from embedmark.models.prompts import SIDES, check_keys
from embedmark.runner.common.errors import ModelError, UserError
from embedmark.runner.draft.checkpoint import Checkpoint
from embedmark.runner.draft.kind import LIBRARY_FILE, modules, of_images_alone
from embedmark.runner.draft.page import Line
from embedmark.tasks.base import SimilarityName
from embedmark.tasks.types import task_types

LIBRARY = "sentence_transformers."
PYLATE = "pylate."
ENDLESS = 10**7
"""What tokenizers without a limit write as their limit is larger than this."""

ALIGN_TOKENS = 64
"""Where ALIGN's processor cuts texts, whatever its tokenizer's limit is."""

POOLING_FLAG = re.compile(r"pooling_mode_(\w+?)(?:_tokens?)?")
POOLING_NAMES = {"mean_sqrt_len": "mean_sqrt_len_tokens"}
"""Pooling by its flag in older checkpoints → its name, where the two differ."""


def settings(checkpoint: Checkpoint, loader: str, tasks: Collection[str]) -> list[Line]:
    """The lines between a model's loader and `about`."""
    own = _own_behaviour(checkpoint, loader)
    heading = [Line(note="What the checkpoint does by itself. No line is needed for it; one that is changed counts.")]
    words = [] if of_images_alone(checkpoint) else prompts(checkpoint, loader, tasks)
    return [*_code(checkpoint), *_as_the_field(checkpoint, loader), *words, *(heading if own else []), *own]


def _as_the_field(checkpoint: Checkpoint, loader: str) -> Iterator[Line]:
    """What a family's vectors need that no file of a checkpoint says, as the field measures these models."""
    if of_images_alone(checkpoint):
        yield Line("parameters", {"pooling": "cls"}, "the first token's vector; without it, the mean of all")
    elif loader == "two_towers" and base_settings(checkpoint).get("model_type") == "siglip":
        note = "its texts were padded to one length in training, and have other vectors without"
        yield Line("parameters", {"padding": "max_length", "drop_alpha": True}, note)


def _own_behaviour(checkpoint: Checkpoint, loader: str) -> list[Line]:
    lines = []
    if (limit := max_tokens(checkpoint)) is not None:
        lines.append(Line("max_tokens", limit, off=True))
    if loader == "sentence_transformer" and (mode := pooling(checkpoint)) is not None:
        lines.append(Line("parameters", {"pooling": mode}, off=True))
    if loader in {"sentence_transformer", "model2vec"} and normalizes(checkpoint):
        lines.append(Line("normalize", True, "scales vectors to length 1", off=True))
    if (similarity := similarity_of(checkpoint, loader)) is not None:
        lines.append(Line("similarity", similarity, off=True))
    stored = base_settings(checkpoint).get("dtype") or base_settings(checkpoint).get("torch_dtype")
    if stored in {"float16", "bfloat16"} and loader != "model2vec":
        lines.append(Line("dtype", stored, "as its config.json says; float32 is faster on some processors", off=True))
    return lines


def prompts(checkpoint: Checkpoint, loader: str, tasks: Collection[str]) -> Iterator[Line]:
    """The prompts of the checkpoint, those that a task can call for; and how they would become instructions."""
    library = checkpoint.settings(LIBRARY_FILE)
    saved = saved_prompts(checkpoint)
    default = library.get("default_prompt_name")
    if not any(saved.values()):
        if loader == "cross_encoder":
            return
        example = {"query": "query: ", "document": "passage: "}
        yield Line(
            "prompts", example, "its files have none; write here those that its card asks for, as E5's does", True
        )
        return
    if default is not None:
        # Without an entry of its own a side would get the default prompt, which the library keeps from it.
        saved = dict.fromkeys(SIDES, "") | saved
    fitting = _fitting(saved, tasks)
    others = [key for key in saved if key not in fitting]
    if others:
        yield Line(note=f"Prompts of the checkpoint that no task calls for: {', '.join(others)}.")
    if loader in {"model2vec", "cross_encoder"}:
        yield Line("prompts", fitting, "those in its files, where this loader does not look for them", True)
    elif fitting and default in (None, *fitting):
        yield Line("prompts", fitting, "" if default is None else f"{default!r} is given to symmetric tasks too")
    if any(_takes_instructions(text) for text in fitting.values()):
        words = {"template": _template(next(filter(_takes_instructions, fitting.values()))), "documents": False}
        yield Line("instructions", words, "instead of `prompts`: each task's own instruction", True)


def saved_prompts(checkpoint: Checkpoint) -> dict[str, str]:
    """The prompts in the checkpoint's own files. Raises UserError when they are no texts under names."""
    saved = checkpoint.settings(LIBRARY_FILE).get("prompts") or {}
    if not isinstance(saved, dict) or not all(isinstance(text, str | None) for text in saved.values()):
        raise UserError(f"{checkpoint.where}: {LIBRARY_FILE}: prompts: found {saved}; expected texts under names")
    return {str(key): text or "" for key, text in saved.items()}


def _fitting(saved: Mapping[str, str], tasks: Collection[str]) -> dict[str, str]:
    """The prompts whose key some task, type or side has."""
    labels = {kind.label for kind in task_types().values()}

    def fits(key: str) -> bool:
        try:
            check_keys([key], labels, tasks)
        except ModelError:
            return False
        return True

    return {key: text for key, text in saved.items() if fits(key)}


_INSTRUCT = re.compile(r"(Instruct: ?)(.+?)(\n ?Query: ?)", re.DOTALL)


def _takes_instructions(text: str) -> bool:
    return _INSTRUCT.fullmatch(text) is not None


def _template(text: str) -> str:
    return _INSTRUCT.sub(r"\1{instruction}\3", text)


def _code(checkpoint: Checkpoint) -> Iterator[Line]:
    """Code that the checkpoint brings. It is never trusted by a draft."""
    types = [str(module.get("type", "")) for module in modules(checkpoint)]
    brought = [name for name in types if not name.startswith((LIBRARY, PYLATE))]
    if brought or "auto_map" in base_settings(checkpoint):
        files = ", ".join(name for name in checkpoint.names if name.endswith(".py")) or "of another repository"
        note = f"brings Python code ({files}); read it before you switch this on, if it does not load without"
        yield Line("trust_remote_code", True, note, off=True)


def base_folder(checkpoint: Checkpoint) -> str:
    """What stands before the names of the transformer's own files: nothing, or its folder and a slash."""
    first = next(iter(modules(checkpoint)), {})
    path = str(first.get("path", "")).strip("./")
    return f"{path}/" if path and f"{path}/config.json" in checkpoint.names else ""


def base_settings(checkpoint: Checkpoint) -> dict[str, Any]:
    """The transformer's config.json."""
    return checkpoint.settings(f"{base_folder(checkpoint)}config.json")


def library_files(checkpoint: Checkpoint) -> list[str]:
    """What sentence-transformers keeps beside the transformer: sentence_bert_config.json and its older names."""
    base = re.escape(base_folder(checkpoint))
    return [name for name in checkpoint.names if re.fullmatch(rf"{base}sentence_\w+_config\.json", name)]


def module_settings(checkpoint: Checkpoint) -> Iterator[tuple[str, dict[str, Any]]]:
    """Type and settings of each module that has a folder of its own."""
    for module in modules(checkpoint):
        path = str(module.get("path", "")).strip("./")
        if path:
            yield str(module.get("type", "")).rpartition(".")[2], checkpoint.settings(f"{path}/config.json")


def max_tokens(checkpoint: Checkpoint) -> int | None:
    """At how many tokens the checkpoint cuts texts, None where its files do not say."""
    base = base_folder(checkpoint)
    config = base_settings(checkpoint)
    said = [checkpoint.settings(name).get("max_seq_length") for name in library_files(checkpoint)]
    said += [config.get("max_length") if "embedding_dtype" in config else None]
    said += [checkpoint.settings(f"{base}tokenizer_config.json").get("model_max_length")]
    if config.get("model_type") == "align":
        said.insert(0, ALIGN_TOKENS)
    first = next((int(limit) for limit in said if isinstance(limit, int | float) and limit < ENDLESS), None)
    positions = (config.get("text_config") or config).get("max_position_embeddings")
    known = [limit for limit in (first, positions) if isinstance(limit, int) and limit > 0]
    return min(known, default=None)


def pooling(checkpoint: Checkpoint) -> str | None:
    """How token vectors become one, None where no single rule is said."""
    for kind, config in module_settings(checkpoint):
        if kind == "Pooling":
            mode = config.get("pooling_mode", _flagged(config))
            return mode if isinstance(mode, str) else None
    return None


def _flagged(config: Mapping[str, Any]) -> str | None:
    """The pooling of an older checkpoint, which has a flag for each; None where several are set."""
    found = [match[1] for key, on in config.items() if on is True and (match := POOLING_FLAG.fullmatch(key))]
    return POOLING_NAMES.get(found[0], found[0]) if len(found) == 1 else None


def normalizes(checkpoint: Checkpoint) -> bool:
    """Whether the checkpoint's own modules scale vectors to length 1."""
    types = [str(module.get("type", "")).rpartition(".")[2] for module in modules(checkpoint)]
    return "Normalize" in types or checkpoint.settings("config.json").get("normalize") is True


def similarity_of(checkpoint: Checkpoint, loader: str) -> str | None:
    """How two vectors are compared, None for models whose comparison is part of them."""
    if loader == "multi_vector":
        return "max_sim"
    default = {"sparse_encoder": "dot", "cross_encoder": None}.get(loader, "cosine")
    said = checkpoint.settings(LIBRARY_FILE).get("similarity_fn_name")
    return said if default is not None and said in get_args(SimilarityName) else default

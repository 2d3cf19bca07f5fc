"""Facts about an instruction model → the part of its config that says how it is instructed and loaded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from embedmark.tasks.types import task_types
from tools.catalogue import pages
from tools.catalogue.models import DTYPE_KEYS, dtype
from tools.catalogue.tasks import Facts

LOADERS = {
    *("InstructSentenceTransformerModel", "q3e_instruct_loader", "instruct_loader", "_NVEmbedWrapper"),
    *("KALMWrapper", "BMRetrieverWrapper"),
}
UNINSTRUCTED = {"KALMWrapper": ["STS", "PairClassification", "Summarization"]}
"""Types of tasks whose texts the reference's own loader gives no instruction."""
POOLED = {"BMRetrieverWrapper": "lasttoken"}
"""The pooling that the reference's own loader puts behind a bare checkpoint."""
Q3E = {"instruction_template": "<callable>", "apply_instruction_to_passages": False}
"""What the reference's loader of Qwen3-Embedding says itself."""

_TOKENIZER = ("padding_side", "add_eos_token", "add_bos_token", "pad_token")
_IGNORED = {"config_kwargs", "device"}
_CALLED = {"model_args": "model_kwargs"}
_KNOWN = {
    "instruction_template",
    "apply_instruction_to_passages",
    "prompts_dict",
    "model_kwargs",
    "tokenizer_kwargs",
    "include_prompt",
    "max_seq_length",
    "embed_dim",
    "trust_remote_code",
    *_TOKENIZER,
}
_SIDES = ("query", "document")


class Wordings:
    """How models word instructions where the facts have but `<callable>`, out of a table written by hand."""

    def __init__(self, path: Path) -> None:
        self._by_model = {model: entry for entry in pages.read(path) for model in entry["models"]}

    def of(self, facts: Facts) -> dict[str, Any] | None:
        """`template` and `bare` of a model, None where nobody knows."""
        template = kwargs_of(facts).get("instruction_template", "{instruction}")
        if template != "<callable>":
            return {"template": template}
        entry = self._by_model.get(facts["name"])
        return {key: entry[key] for key in ("template", "bare") if key in entry} if entry else None


def kwargs_of(facts: Facts) -> dict[str, Any]:
    """What the loader is told, without what changes no vector."""
    own = Q3E if facts.get("loader") == "q3e_instruct_loader" else {}
    given = {_CALLED.get(key, key): value for key, value in (facts.get("loader_kwargs") or {}).items()}
    return {key: value for key, value in {**own, **given}.items() if key not in _IGNORED}


def expressible(facts: Facts, wordings: Wordings) -> bool:
    """Whether our schema can say all that decides this model's vectors."""
    kwargs = kwargs_of(facts)
    model = kwargs.get("model_kwargs") or {}
    return (
        facts.get("loader") in LOADERS
        and facts["modalities"] == ["text"]
        and facts["model_type"] == ["dense"]
        and facts["revision"] is not None
        and facts.get("similarity_fn_name") in (None, "cosine", "dot")
        and kwargs.keys() <= _KNOWN
        and model.keys() <= DTYPE_KEYS | {"attn_implementation", "trust_remote_code"}
        and (kwargs.get("tokenizer_kwargs") or {}).keys() <= set(_TOKENIZER)
        and wordings.of(facts) is not None
    )


def config(facts: Facts, wordings: Wordings, task_names: Collection[str]) -> dict[str, Any]:
    """Everything between the model's name and what is told about it."""
    kwargs = kwargs_of(facts)
    model = kwargs.get("model_kwargs") or {}
    wording = wordings.of(facts)
    assert wording is not None
    documents = kwargs.get("apply_instruction_to_passages", True)
    tokenizer = {key: kwargs[key] for key in _TOKENIZER if kwargs.get(key)} | (kwargs.get("tokenizer_kwargs") or {})
    parameters: dict[str, Any] = {
        "attention": model.get("attn_implementation"),
        "pooling": POOLED.get(facts["loader"]),
        "include_prompt": kwargs.get("include_prompt"),
        "tokenizer": tokenizer,
    }
    return {
        "trust_remote_code": kwargs.get("trust_remote_code", model.get("trust_remote_code")),
        "instructions": {
            **wording,
            **({} if documents else {"documents": False}),
            **({"without": UNINSTRUCTED[facts["loader"]]} if facts["loader"] in UNINSTRUCTED else {}),
        },
        "prompts": prompts(kwargs.get("prompts_dict") or {}, task_names, documents=documents),
        "max_tokens": kwargs.get("max_seq_length"),
        "truncate_dim": kwargs.get("embed_dim"),
        "dtype": dtype(model),
        "parameters": {key: value for key, value in parameters.items() if value not in (None, {})},
    }


def prompts(given: Mapping[str, Any], task_names: Collection[str], *, documents: bool) -> dict[str, str]:
    """Instructions keyed as ours are.

    The reference looks for a task, a type and a side, never for two of them joined, and an instruction that one side of
    a task lacks is none at all. Tasks that it does not know are left out.
    """
    known = {*task_names, *_SIDES, *(kind.label for kind in task_types().values())}
    found: dict[str, str] = {}
    for key, value in given.items():
        if key not in known or (key == "document" and not documents):
            continue
        if isinstance(value, str):
            found[key] = value
        else:
            sides = _SIDES if documents else ("query",)
            found |= {f"{key}-{side}": value.get(side) or "" for side in sides}
    return found

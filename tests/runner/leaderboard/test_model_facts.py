"""What the board says of models: the field's metadata, what files state over it, and nothing that nobody states."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from embedmark.runner.config.catalogue import SHIPPED, Catalogue
from embedmark.runner.exchange import snapshot
from embedmark.runner.leaderboard.model_facts import COLUMNS, ModelFact, model_facts
from tools.snapshot import models

CATALOGUE = Catalogue(quiet=True)


def one(name: str, catalogue: Catalogue = CATALOGUE) -> ModelFact:
    return model_facts([name], catalogue).models[0]


def own(folder: Path, **values: Any) -> Catalogue:
    (folder / "model").mkdir()
    (folder / "model" / "mine.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    return Catalogue.of([folder])


def test_a_model_of_the_field() -> None:
    found = one("sentence-transformers/all-MiniLM-L6-v2")
    assert (found.size, found.active, found.dim, found.tokens) == (22_713_216, 10_992_768, 384, 256)
    assert (found.licence, found.open, found.released, found.languages) == ("apache-2.0", True, "2021-08-30", 1)
    assert (found.service, found.type, found.modalities, found.price) == (False, "dense", ("text",), None)
    assert found.reference == "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2"
    assert found.file == "minilm"


def test_of_a_mixture_the_experts_that_are_asked_count_as_active() -> None:
    found = one("nomic-ai/nomic-embed-text-v2-moe")
    assert (found.size, found.active) == (475_292_928, 141_628_032)


def test_of_several_lengths_the_longest_counts_and_no_limit_is_none() -> None:
    assert one("geevec-ai/geevec-embeddings-1.0-lite").dim == 4096
    assert one("Qwen/Qwen3-Embedding-8B").dim == 4096
    assert one("minishlab/potion-base-2M").tokens is None


def test_prices_are_those_that_files_state() -> None:
    names = snapshot.models()["name"].to_list()
    found = model_facts(names, CATALOGUE)
    priced = {name: fact.price for name, fact in zip(names, found.models, strict=True) if fact.price is not None}
    texts = {entry.name: entry.path.read_text(encoding="utf-8") for entry in CATALOGUE.models.values()}
    stated = {name: yaml.safe_load(text) for name, text in texts.items() if "price_per_million_tokens" in text}
    assert priced == {name: values["about"]["price_per_million_tokens"] for name, values in stated.items()}
    assert priced["openai/text-embedding-3-small"] == 0.02
    for name, fact in zip(names, found.models, strict=True):
        assert fact.price is None or fact.service, name


def test_services() -> None:
    assert one("openai/text-embedding-3-small").service
    assert one("Cohere/Cohere-embed-v4.0").service, "its metadata does not say so, its file's loader does"
    assert not one("BAAI/bge-m3").service


def test_names_of_before_lead_to_the_same() -> None:
    assert one("voyageai/voyage-3") == one("mongodb/voyage-3")
    assert one("openai/text-embedding-3-small_(embed_dim=512)").dim == 512


def test_nobody_knows_a_model() -> None:
    assert one("nobody/nothing") == ModelFact()


def test_terms_of_ones_own_are_no_licence_by_name() -> None:
    found = one("google/embeddinggemma-300m")
    assert (found.licence, found.terms) == ("gemma", None)
    found = one("nvidia/llama-embed-nemotron-8b")
    assert found.licence == "own terms"
    assert found.terms == "https://huggingface.co/nvidia/llama-embed-nemotron-8b/blob/main/LICENSE"


def test_a_link_that_is_not_of_https_is_left_out() -> None:
    assert one("Kingsoft-LLM/QZhou-Embedding-Zh").reference is None


def test_a_file_of_the_users_own_counts_over_the_field(tmp_path: Path) -> None:
    about = {"n_parameters": 7, "license": "mit", "release_date": "May 2025", "reference": "https://x.org/\tb"}
    catalogue = own(tmp_path, name="BAAI/bge-m3", truncate_dim=256, about=about)
    found, field = one("BAAI/bge-m3", catalogue), one("BAAI/bge-m3")
    assert (found.size, found.dim, found.released, found.reference) == (7, 256, None, None)
    assert (found.tokens, found.languages, found.base) == (field.tokens, field.languages, field.base)
    assert found.active == 0
    assert found.file == "mine"


def test_a_model_of_the_users_own(tmp_path: Path) -> None:
    about = {"embed_dim": [64, 128], "price_per_million_tokens": 0.5, "languages": ["eng-Latn", "srp-Latn", "srp-Cyrl"]}
    found = one("me/mine", own(tmp_path, name="me/mine", loader="openai", about=about))
    assert found == ModelFact(dim=128, price=0.5, languages=2, service=True, file="mine")


def test_a_file_that_cannot_be_used_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert one("me/mine", own(tmp_path, name="me/mine", about={"n_parameters": "many"})).size is None
    assert "mine.yaml: about.n_parameters" in capsys.readouterr().err


def test_columns_are_plain_and_can_be_chosen() -> None:
    facts = model_facts(["nobody/nothing", "BAAI/bge-m3", "BAAI/bge-small-en"], CATALOGUE)
    whole, some = facts.columns(), facts.columns([2, 0])
    assert tuple(whole) == COLUMNS
    assert {name: [values[2], values[0]] for name, values in whole.items()} == some
    assert json.loads(json.dumps(whole)) == whole
    assert whole["open"] == [None, 1, 1]
    assert not any(value is True or value is False for values in whole.values() for value in values)


def test_all_models_take_little_time() -> None:
    names = snapshot.models()["name"].to_list()

    def seconds() -> float:
        started = time.process_time()
        model_facts(names, CATALOGUE).columns()
        return time.process_time() - started

    assert min(seconds() for _ in range(3)) < 0.3


def test_what_ships_is_made_of_the_facts(shared: Path) -> None:
    assert models(shared / "facts" / "models.jsonl").equals(snapshot.models())


REFERENCE = SHIPPED.parent / ".venv-reference" / "bin" / "python"
THEIRS = """
import json, mteb
from mteb.benchmarks._create_table import _format_max_tokens, _get_embedding_size
from mteb.models.model_implementations import MODEL_REGISTRY
print(json.dumps({
    name: [meta.n_parameters, meta.n_active_parameters, _get_embedding_size(meta.embed_dim),
           _format_max_tokens(meta.max_tokens)]
    for name, meta in MODEL_REGISTRY.items()
}))
"""
CORRECTED: Mapping[str, list[int | None]] = {"Cohere/Cohere-embed-multilingual-v3.0": [None, None, 1024, 512]}
"""What our own file says otherwise: the model's dimensions are told as its token limit there."""


@pytest.mark.reference
def test_numbers_are_those_of_the_references_board() -> None:
    done = subprocess.run([REFERENCE, "-c", THEIRS], capture_output=True, text=True, check=True)
    theirs = json.loads(done.stdout.splitlines()[-1]) | CORRECTED
    facts = model_facts(list(theirs), CATALOGUE).models
    ours = {name: [fact.size, fact.active, fact.dim, fact.tokens] for name, fact in zip(theirs, facts, strict=True)}
    assert len(ours) == 969
    assert ours == theirs

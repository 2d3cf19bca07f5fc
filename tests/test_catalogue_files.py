"""Every config that ships can be read, is valid and is called by a name of its own."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from embedmark.runner.config.catalogue import SHIPPED, Catalogue, read_config, read_task
from embedmark.runner.config.checks import check_settings, known_loader
from embedmark.runner.config.members import all_of, resolved
from embedmark.runner.config.schema import BenchmarkConfig, HubDataset, ModelConfig, TaskConfig, TaskGroup
from embedmark.runner.config.yaml_files import read_yaml
from embedmark.runner.data.transforms.parsing import parse
from embedmark.tasks.types import task_types
from tools.catalogue import loaders, models, pages, services, tasks
from tools.convert_facts import check_all


@pytest.fixture(scope="module")
def shipped_tasks() -> dict[Path, TaskConfig]:
    return {path: read_task(path) for path in sorted((SHIPPED / "task").rglob("*.yaml"))}


@pytest.fixture(scope="module")
def shipped_benchmarks() -> dict[Path, BenchmarkConfig]:
    return {path: read_config(path, BenchmarkConfig) for path in sorted((SHIPPED / "benchmark").rglob("*.yaml"))}


@pytest.fixture(scope="module")
def shipped_models() -> dict[Path, ModelConfig]:
    """Models, without the short names that stand for another file."""
    paths = sorted((SHIPPED / "model").rglob("*.yaml"))
    return {path: read_config(path, ModelConfig) for path in paths if "name" in read_yaml(path)}


def test_tasks_are_valid_together_with_their_settings_and_transforms(shipped_tasks: dict[Path, TaskConfig]) -> None:
    assert len(shipped_tasks) >= 1307
    for path, task in shipped_tasks.items():
        parse(task.transforms)
        assert task.type == path.parent.name or path.parent.name == "quickstart", path


def test_every_task_of_texts_and_of_images_can_be_run(shipped_tasks: dict[Path, TaskConfig]) -> None:
    texts = [task for task in shipped_tasks.values() if task.about.modalities == ("text",)]
    assert len(texts) >= 1307
    images = [task for task in shipped_tasks.values() if "image" in task.about.modalities]
    assert len(images) >= 288
    assert {task.name: task.awaits for task in [*texts, *images] if task.awaits} == {}


def test_names_are_unique(
    shipped_tasks: dict[Path, TaskConfig],
    shipped_benchmarks: dict[Path, BenchmarkConfig],
    shipped_models: dict[Path, ModelConfig],
) -> None:
    for configs in (shipped_tasks, shipped_benchmarks, shipped_models):
        counts = Counter(config.name for config in configs.values())
        assert [name for name, count in counts.items() if count > 1] == []
    aliases = Counter(alias for benchmark in shipped_benchmarks.values() for alias in benchmark.aliases)
    assert [alias for alias, count in aliases.items() if count > 1] == []


def test_first_line_names_a_task() -> None:
    for path in (SHIPPED / "task").rglob("*.yaml"):
        with path.open(encoding="utf-8") as lines:
            assert re.match(r"name: \S", next(lines)), path


def test_benchmarks_hold_tasks_with_the_subsets_and_splits_they_ask_for(
    shipped_tasks: dict[Path, TaskConfig], shipped_benchmarks: dict[Path, BenchmarkConfig]
) -> None:
    known = {task.name: task for task in shipped_tasks.values()}
    for path, benchmark in shipped_benchmarks.items():
        assert benchmark.tasks, path
        for task in benchmark.tasks:
            assert task.name in known, (path, task.name)
            assert set(task.subsets or ()) <= set(known[task.name].subsets), (path, task.name)


def test_tasks_say_what_their_type_gives_a_model(shipped_tasks: dict[Path, TaskConfig]) -> None:
    for task in shipped_tasks.values():
        kind = task_types()[task.type]
        assert set(task.about.modalities) == kind.gives(check_settings(task, task.name, kind)), task.name


def test_aggregates_are_made_of_tasks_that_exist(shipped_tasks: dict[Path, TaskConfig]) -> None:
    known = {task.name for task in shipped_tasks.values()}
    aggregates = [task for task in shipped_tasks.values() if isinstance(task.dataset, TaskGroup)]
    assert {task.name for task in aggregates} >= {"CQADupstackRetrieval"}
    for task in aggregates:
        assert isinstance(task.dataset, TaskGroup)
        assert set(task.dataset.tasks) <= known, task.name


def test_datasets_of_the_hub_are_pinned(shipped_tasks: dict[Path, TaskConfig]) -> None:
    loose = [
        task.name
        for task in shipped_tasks.values()
        if isinstance(task.dataset, HubDataset) and not task.dataset.revision
    ]
    assert loose == []


def test_models_are_made_of_models_that_exist(shipped_models: dict[Path, ModelConfig]) -> None:
    catalogue = Catalogue()
    made = [resolved(model, catalogue) for model in shipped_models.values() if model.members]
    assert len(made) >= 4
    assert all(len(list(all_of(model))) >= 3 for model in made)


def test_pairs_stand_for_every_ordered_pair(shipped_tasks: dict[Path, TaskConfig]) -> None:
    flores = next(task for task in shipped_tasks.values() if task.name == "FloresBitextMining")
    assert len(flores.subsets) == 204 * 203
    assert flores.subsets["deu_Latn-ace_Arab"] == ("deu-Latn", "ace-Arab")
    assert list(flores.subsets)[:2] == ["ace_Arab-bam_Latn", "ace_Arab-dzo_Tibt"]


def test_a_page_says_what_it_was_given(tmp_path: Path) -> None:
    values = {
        "name": "Ä: b # c",
        "revision": "1e10",
        "empty": [],
        "long": [f"entry {n}" for n in range(60)],
        "nested": {"date": ["2019-01-01", "2020-01-01"], "no": ["no", None, True], "text": "a\nb: 'c' " * 40},
    }
    assert pages.write(tmp_path / "page.yaml", values)
    assert pages.read(tmp_path / "page.yaml") == values
    assert not pages.write(tmp_path / "page.yaml", values)


def test_a_file_is_called_like_its_task() -> None:
    facts = [
        {"name": name, "kind": "AbsTaskClassification", "type": "Classification"}
        for name in ("Banking77Classification", "Banking77Classification.v2", "News", "NewsClassification")
    ]
    assert tasks.choices(facts) == {
        "Banking77Classification": "classification/banking77",
        "Banking77Classification.v2": "classification/banking77_v2",
        "News": "classification/news",
        "NewsClassification": "classification/newsclassification",
    }


@pytest.mark.parametrize(
    ("modalities", "settings"),
    [(["image", "text"], {"image_column": "img", "likeness": "softmax"}), (["text", "image"], {"image_column": "img"})],
)
def test_tasks_of_images_compare_as_the_reference_does(modalities: list[str], settings: dict[str, str]) -> None:
    facts = {
        "name": "BirdsZeroShot",
        "kind": "AbsTaskZeroShotClassification",
        "type": "ZeroShotClassification",
        "modalities": modalities,
        "settings": {"input_column_name": "img"},
        "dataset": {"path": "me/birds", "revision": "1"},
        "eval_langs": ["eng-Latn"],
        "eval_splits": ["test"],
        "main_score": "accuracy",
        "date": None,
        "license": None,
        "is_public": True,
    }
    assert tasks.expressible(facts)
    assert tasks.choices([facts]) == {"BirdsZeroShot": "zeroshot_image_classification/birds"}
    written = tasks.config(facts, {})
    assert written["settings"] == settings
    assert written["about"]["modalities"] == modalities
    assert not tasks.expressible({**facts, "modalities": ["video", "text"]})


def test_a_model_behind_a_service_is_called_as_the_service_calls_it(tmp_path: Path) -> None:
    table = {"cohere": {"Cohere/Cohere-embed-x": None}, "voyage": {"mongodb/v (embed_dim=9)": 0.5, "mongodb/v": 1}}
    pages.write(tmp_path / "table.yaml", table)
    served = services.Services(tmp_path / "table.yaml")
    names = [name for prices in table.values() for name in prices]
    facts = [{"name": name, "revision": "1", "embed_dim": 9, "loader": "any"} for name in names]
    configs = [ModelConfig.model_validate(served.config(entry)) for entry in facts]
    assert [(config.loader, dict(config.parameters)) for config in configs] == [
        ("cohere", {"model": "embed-x"}),
        ("voyage", {"model": "v", "dimensions": 9}),
        ("voyage", {}),
    ]
    assert [config.about.price_per_million_tokens for config in configs] == [None, 0.5, 1]
    assert not served.expressible({"name": "mongodb/w"})
    assert served.missing(names[:2]) == {"mongodb/v"}


def test_the_readme_counts_right() -> None:
    catalogue = Catalogue()
    n_tasks, n_benchmarks, n_models = (
        len(found) for found in (catalogue.tasks, catalogue.benchmarks, catalogue.models)
    )
    told = f"{n_tasks:,} tasks, {n_benchmarks} benchmarks and {n_models} models"
    assert told in (SHIPPED.parent / "README.md").read_text(encoding="utf-8")


FAMILIES = {
    "E5": "intfloat/e5-(small|base|large)",
    "multilingual E5": "intfloat/multilingual-e5-(small|base|large)$",
    "E5 instruct": "intfloat/(multilingual-e5-large-instruct|e5-mistral)",
    "BGE en": "BAAI/bge-.*-en",
    "BGE zh": "BAAI/bge-.*-zh",
    "BGE M3": "BAAI/bge-m3$",
    "BGE Gemma2": "BAAI/bge-multilingual-gemma2",
    "GTE": "thenlper/gte-|Alibaba-NLP/gte-(base|large)-en",
    "GTE Qwen2": "Alibaba-NLP/gte-Qwen2",
    "GTE ModernBERT": "Alibaba-NLP/gte-modernbert",
    "GTE multilingual": "gte-multilingual",
    "Nomic": "nomic-ai/nomic-embed-text-v1",
    "Nomic v2 MoE": "nomic-embed-text-v2-moe",
    "Nomic ModernBERT": "modernbert-embed-base",
    "Jina v2": "jinaai/jina-embeddings?-v?2|jina-embedding-b",
    "Jina v3": "jina-embeddings-v3$",
    "Jina v5": "jina-embeddings-v5-text",
    "Arctic": "snowflake-arctic-embed-[xsml]+$",
    "Arctic v2": "snowflake-arctic-embed-.-v2",
    "mxbai": "mxbai-embed-large-v1$",
    "Stella": "stella_en",
    "NV-Embed": "nvidia/NV-Embed",
    "Qwen3": "Qwen/Qwen3-Embedding",
    "SFR": "SFR-Embedding",
    "Linq": "Linq-Embed",
    "GritLM": "GritLM/",
    "MiniLM": "sentence-transformers/all-MiniLM",
    "MPNet": "all-mpnet-base-v2",
    "paraphrase": "/paraphrase-multilingual",
    "LaBSE": "sentence-transformers/LaBSE",
    "Sentence-T5": "sentence-t5",
    "GTR": "gtr-t5",
    "Contriever": "contriever",
    "UAE": "UAE-Large",
    "Ember": "ember-v1",
    "Granite": "granite-embedding",
    "EmbeddingGemma": "embeddinggemma",
    "Harrier": "harrier-oss",
    "Potion": "potion-",
    "Model2Vec": "M2V_base",
    "static": "static-(similarity|retrieval)",
    "KaLM": "KaLM-embedding",
    "INF": "inf-retriever",
    "BM25": "bm25s$",
    "SPLADE": "naver/splade",
    "OpenSearch sparse": "opensearch-neural-sparse",
    "ColBERT": "colbert-ir/colbertv2",
    "ModernColBERT": "ModernColBERT",
    "MS MARCO rerankers": "cross-encoder/ms-marco",
    "mxbai rerankers": "mxbai-rerank",
    "BGE rerankers": "bge-reranker",
    "CDE": "cde-small",
    "OpenAI": "openai/text-embedding",
    "Cohere": "Cohere-embed",
    "Voyage": "voyage-",
    "Gemini": "gemini-embedding",
    "USER": "deepvk/USER",
    "Ruri": "ruri-",
    "KURE": "KURE-v1",
    "Solon": "Solon-embeddings",
}


@pytest.mark.parametrize("family", FAMILIES)
def test_families_that_are_much_used_are_there(family: str) -> None:
    assert [name for name in Catalogue().models if re.search(FAMILIES[family], name)]


def test_the_validator_finds_what_only_a_run_would(tmp_path: Path) -> None:
    pages.write(tmp_path / "model/a.yaml", {"name": "a", "loader": "sentence_transfromer"})
    pages.write(tmp_path / "model/b.yaml", {"name": "b", "prompts": {"Retreival-query": "q: "}})
    pages.write(tmp_path / "model/c.yaml", {"name": "c", "pooling": "mean"})
    pages.write(tmp_path / "model/d.yaml", {"name": "d", "prompts": {"query": "q: "}})
    first, second, third = check_all(tmp_path)
    assert "no loader 'sentence_transfromer'" in first
    assert "'Retreival-query'" in second
    assert "pooling: no such key" in third


def test_weights_are_pinned_by_commit(shipped_models: dict[Path, ModelConfig]) -> None:
    loose = [
        model.name
        for model in shipped_models.values()
        if known_loader(model).needs_weights and not re.fullmatch("[0-9a-f]{40}", model.revision or "")
    ]
    assert loose == []


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"loader": "CrossEncoderWrapper", "is_cross_encoder": True}, {"loader": "cross_encoder"}),
        (
            {"loader": "CrossEncoderWrapper", "loader_kwargs": {"activation_fn": "<callable>", "max_length": 9}},
            {"loader": "cross_encoder", "parameters": {"activation": "identity"}, "max_tokens": 9},
        ),
        (
            {"loader": "MultiVectorModel", "loader_kwargs": {"model_kwargs": {"torch_dtype": "bfloat16"}}},
            {"loader": "multi_vector", "dtype": "bfloat16"},
        ),
        ({"loader": "MultiVectorModel", "loader_kwargs": {"query_prefix": "[Q]"}}, None),
        ({"loader": "SparseEncoderWrapper", "modalities": ["image"]}, None),
        ({"loader": "Unheard"}, None),
    ],
)
def test_models_with_loaders_of_their_own(facts: dict[str, Any], said: dict[str, Any] | None) -> None:
    found = loaders.settings({"name": "org/x", "revision": "1", "modalities": ["text"], **facts})
    assert (found and {key: value for key, value in found.items() if value not in (None, {})}) == said


def test_what_tells_entries_of_the_same_weights_apart() -> None:
    told = "mongodb/voyage-4-large (embed_dim=2048, evolved_prompts=True)"
    assert models.experiment(told) == {"embed_dim": 2048, "evolved_prompts": True}
    assert models.experiment("MTEB (eng)") == {}

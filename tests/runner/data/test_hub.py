"""Datasets of the hub: layouts, types, what is downloaded, and bad networks."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from loopback import HubRoot, ServeHub

from embedmark.runner.common.errors import JobError, UserError
from embedmark.runner.config.schema import HubDataset
from embedmark.runner.data.hashing import content_hash
from embedmark.runner.data.sources.base import Raw
from embedmark.runner.data.sources.hub import read
from embedmark.runner.data.table import RetrievalTables, Table
from embedmark.runner.hub.files import Hub

pytestmark = pytest.mark.hub

XQUAD = HubDataset(hub="mteb/XQuADRetrieval", revision="194842d6a49baddf6cd3f4d5130ab3c7756268d2")
SIB = HubDataset(hub="mteb/sib200", revision="a74d7350ea12af010cfb1c21e34f1f81fd2e615b")
BANKING = HubDataset(hub="mteb/banking77", revision="0fd18e25b25c072e09e0d92ab615fda904d66300")


@pytest.fixture
def quick(hub: str, hf_home: Path) -> Hub:
    return Hub(hub, hf_home / "hub", offline=False, attempts=3, wait=0.01)


def published(shared: Path, dataset: HubDataset, file: str) -> list[dict[str, object]]:
    path = shared / "hub" / "root" / "datasets" / dataset.hub / str(dataset.revision) / file
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def downloaded(cache: Path) -> set[str]:
    return {
        "/".join(path.relative_to(cache).parts[3:])
        for path in cache.glob("datasets--*/snapshots/*/**/*")
        if path.is_file() or path.is_symlink()
    }


def rows(table: object) -> list[dict[str, object]]:
    assert isinstance(table, Table)
    found: list[dict[str, object]] = table.arrow.to_pylist()
    return found


def test_plain_table_equals_what_was_published_and_only_its_split_is_downloaded(quick: Hub, shared: Path) -> None:
    raw = read(SIB, "swe_Latn", ["test"], retrieval=False, hub=quick)
    assert rows(raw.splits["test"]) == published(shared, SIB, "swe_Latn/test.jsonl.gz")
    assert set(raw.available) == {"train", "validation", "test"}
    assert downloaded(quick.cache) == {"README.md", "swe_Latn/test.jsonl.gz"}
    assert list(raw.facts.files) == ["swe_Latn/test.jsonl.gz"]


def test_one_subset_uses_the_default_configuration(quick: Hub) -> None:
    raw = read(BANKING, "default", ["train", "test"], retrieval=False, hub=quick)
    assert [len(rows(raw.splits[split])) for split in ("train", "test")] == [10003, 3080]


def test_merged_table_is_cut_to_the_rows_of_a_subset(quick: Hub, shared: Path) -> None:
    merged = HubDataset(
        hub="mteb/tatoeba-bitext-mining",
        revision="69e8f12da6e31d59addadda9a9c8a2e601a0e282",
        subset_column="lang",
    )
    raw = read(merged, "deu-eng", ["test"], retrieval=False, hub=quick)
    expected = [row for row in published(shared, merged, "test.jsonl.gz") if row.pop("lang") == "deu-eng"]
    assert rows(raw.splits["test"]) == expected
    with pytest.raises(UserError, match=r"no row has 'deu-enk'.*Did you mean 'deu-eng'"):
        read(merged, "deu-enk", ["test"], retrieval=False, hub=quick)


def test_retrieval_of_a_subset(quick: Hub, shared: Path) -> None:
    split = read(XQUAD, "de", ["validation"], retrieval=True, hub=quick).splits["validation"]
    assert isinstance(split, RetrievalTables)
    corpus = published(shared, XQUAD, "de-corpus/validation.jsonl.gz")
    qrels = published(shared, XQUAD, "de-qrels/validation.jsonl.gz")
    assert split.corpus.values("id") == [document["_id"] for document in corpus]
    assert split.corpus.values("text") == [document["text"] for document in corpus]
    assert rows(split.qrels) == qrels
    assert set(split.queries.values("id")) == {judgment["query-id"] for judgment in qrels}
    assert not any(name.startswith(("en-", "es-", "ro-")) for name in downloaded(quick.cache))


def test_reranking_candidates_keep_their_order(quick: Hub, shared: Path) -> None:
    dataset = HubDataset(hub="lab/trecqa-reranking", revision="d" * 40)
    split = read(dataset, "default", ["test"], retrieval=True, hub=quick).splits["test"]
    assert isinstance(split, RetrievalTables)
    expected = published(shared, dataset, "top_ranked/test.jsonl.gz")
    top_ranked = split.rows().top_ranked
    assert top_ranked == {row["query-id"]: row["corpus-ids"] for row in expected}


def jsonl(path: Path, *rows: Mapping[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def readme(folder: Path, header: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(f"---\n{header}\n---\n", encoding="utf-8")


def configs(*names: str, split: str = "test") -> str:
    lines = ["configs:"]
    for name in names:
        lines += [f"- config_name: {name}", "  data_files:", f"  - split: {split}", f"    path: {name}/*.jsonl"]
    return "\n".join(lines)


def test_ids_become_text_grades_integers_and_instructions_join_their_queries(
    tmp_path: Path, hub_root: HubRoot, serve_hub: ServeHub, hf_home: Path
) -> None:
    """Numeric ids, a corpus whose only split has another name, the configuration `query`, unjudged queries."""
    folder = tmp_path / "data"
    readme(folder, configs("corpus", "query", "qrels", "instruction"))
    jsonl(folder / "corpus" / "all.jsonl", {"_id": 1, "text": "a"}, {"_id": 2, "text": "b"})
    jsonl(folder / "query" / "q.jsonl", {"_id": 7, "text": "x"}, {"_id": 8, "text": "y"})
    jsonl(folder / "qrels" / "q.jsonl", {"query-id": 7, "corpus-id": 2, "score": 2.0})
    jsonl(folder / "instruction" / "i.jsonl", {"query-id": "7", "instruction": "be brief"})
    root = hub_root(datasets={f"me/mine/{'a' * 40}": folder}, with_shared=False)
    hub = Hub(serve_hub(root), hf_home / "hub", offline=False, attempts=2, wait=0.01)
    split = read(HubDataset(hub="me/mine", revision="a" * 40), "default", ["dev"], retrieval=True, hub=hub).splits[
        "dev"
    ]
    assert isinstance(split, RetrievalTables)
    found = split.rows()
    assert list(found.corpus["id"]) == ["1", "2"]
    assert list(found.queries["id"]) == ["7"]
    assert list(found.queries["instruction"]) == ["be brief"]
    assert found.qrels == {"7": {"2": 2}}
    assert isinstance(found.qrels["7"]["2"], int)


def test_class_labels_and_types_of_the_header_are_respected(
    tmp_path: Path, hub_root: HubRoot, serve_hub: ServeHub, hf_home: Path
) -> None:
    folder = tmp_path / "data"
    header = """dataset_info:
  features:
  - name: text
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '0': bad
          '1': good"""
    readme(folder, header)
    jsonl(folder / "test.jsonl", {"text": "x", "label": 1}, {"text": "y", "label": 0})
    root = hub_root(datasets={f"me/mine/{'b' * 40}": folder}, with_shared=False)
    hub = Hub(serve_hub(root), hf_home / "hub", offline=False, attempts=2, wait=0.01)
    table = read(HubDataset(hub="me/mine", revision="b" * 40), "default", ["test"], retrieval=False, hub=hub).splits[
        "test"
    ]
    assert isinstance(table, Table)
    assert table.labels == {"label": ("bad", "good")}
    assert table.values("label") == [1, 0]


def test_unpinned_revision_is_resolved_once(quick: Hub) -> None:
    raw = read(HubDataset(hub="mteb/banking77"), "default", ["test"], retrieval=False, hub=quick)
    assert raw.facts.revision == BANKING.revision


@pytest.mark.parametrize(
    ("dataset", "subset", "split", "message"),
    [
        (HubDataset(hub="mteb/nothing", revision="0" * 40), "default", "test", "has no dataset 'mteb/nothing'"),
        (HubDataset(hub="mteb/banking77", revision="0" * 40), "default", "test", "has no revision '0{40}'"),
        (HubDataset(hub="not a name", revision="0" * 40), "default", "test", "ORGANISATION/NAME"),
        (SIB, "swe_Latin", "test", "no configuration 'swe_Latin'; it has eng_Latn.*Did you mean 'swe_Latn'"),
        (SIB, "default", "test", "mteb/sib200 at a74d.*(?s:.*)eng_Latn"),
        (SIB, "swe_Latn", "tests", "no split 'tests'; the splits are train.*Did you mean 'test'"),
    ],
)
def test_user_mistakes_name_what_exists(quick: Hub, dataset: HubDataset, subset: str, split: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read(dataset, subset, [split], retrieval=False, hub=quick)


@pytest.fixture(scope="module")
def undisturbed(hub: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    calm = Hub(hub, tmp_path_factory.mktemp("calm"), offline=False)
    return hashes(read(XQUAD, "es", ["validation"], retrieval=True, hub=calm))


def hashes(raw: Raw) -> dict[str, str]:
    return {split: content_hash(table) for split, table in raw.splits.items()}


@pytest.mark.parametrize(
    "faults", ["status=503:0.15,seed=1", "reset=0.15,seed=2", "truncate=0.3,seed=3", "corrupt=0.5,seed=4"]
)
def test_bad_network_gives_the_same_rows(
    faults: str, undisturbed: dict[str, str], shared: Path, serve_hub: ServeHub, hf_home: Path
) -> None:
    endpoint = serve_hub(shared / "hub" / "root", "--faults", faults)
    hub = Hub(endpoint, hf_home / "hub", offline=False, attempts=12, wait=0.01)
    assert hashes(read(XQUAD, "es", ["validation"], retrieval=True, hub=hub)) == undisturbed


def test_corrupt_data_is_never_accepted(shared: Path, serve_hub: ServeHub, hf_home: Path) -> None:
    endpoint = serve_hub(shared / "hub" / "root", "--faults", "corrupt=1")
    hub = Hub(endpoint, hf_home / "hub", offline=False, attempts=3, wait=0.01)
    with pytest.raises(JobError, match=r"mteb/banking77 .*content other than the hub announces"):
        read(BANKING, "default", ["test"], retrieval=False, hub=hub)
    kept = [path for path in hub.cache.rglob("*") if path.is_file() and "blobs" in path.parts]
    assert kept == []


def test_damage_in_the_cache_is_found_and_mended(quick: Hub) -> None:
    before = hashes(read(BANKING, "default", ["test"], retrieval=False, hub=quick))
    blob = next(path for path in quick.cache.rglob("blobs/*") if path.stat().st_size > 10_000)
    damaged = bytearray(blob.read_bytes())
    damaged[100] ^= 1
    blob.write_bytes(damaged)
    offline = Hub(quick.endpoint, quick.cache, offline=True)
    with pytest.raises(UserError, match=r"is damaged in the cache.*offline"):
        read(BANKING, "default", ["test"], retrieval=False, hub=offline)
    assert hashes(read(BANKING, "default", ["test"], retrieval=False, hub=quick)) == before
    assert hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name


def test_no_network_is_the_jobs_trouble_and_names_the_way_out(quick: Hub) -> None:
    read(BANKING, "default", ["train"], retrieval=False, hub=quick)
    nowhere = Hub("http://127.0.0.1:9", quick.cache, offline=False, attempts=2, wait=0.01)
    with pytest.raises(JobError, match=r"test.jsonl.gz of dataset mteb/banking77.*HF_ENDPOINT"):
        read(BANKING, "default", ["test"], retrieval=False, hub=nowhere)


def test_no_network_from_the_start(hf_home: Path) -> None:
    nowhere = Hub("http://127.0.0.1:9", hf_home / "hub", offline=False, attempts=1, wait=0.01)
    with pytest.raises(JobError, match=r"files of dataset mteb/banking77.*HF_ENDPOINT"):
        read(BANKING, "default", ["test"], retrieval=False, hub=nowhere)


def test_offline_uses_the_cache_and_asks_nobody(quick: Hub) -> None:
    before = hashes(read(XQUAD, "ro", ["validation"], retrieval=True, hub=quick))
    offline = Hub("http://127.0.0.1:9", quick.cache, offline=True, attempts=1)
    assert hashes(read(XQUAD, "ro", ["validation"], retrieval=True, hub=offline)) == before
    with pytest.raises(UserError, match="offline"):
        read(XQUAD, "en", ["validation"], retrieval=True, hub=offline)
    with pytest.raises(UserError, match="not in the cache"):
        read(BANKING, "default", ["test"], retrieval=False, hub=offline)


def test_offline_takes_what_another_tool_downloaded(quick: Hub) -> None:
    from huggingface_hub import snapshot_download

    snapshot_download(
        BANKING.hub, repo_type="dataset", revision=BANKING.revision, cache_dir=quick.cache, endpoint=quick.endpoint
    )
    offline = Hub("http://127.0.0.1:9", quick.cache, offline=True, attempts=1)
    assert len(rows(read(BANKING, "default", ["test"], retrieval=False, hub=offline).splits["test"])) == 3080


def test_second_read_makes_no_request(shared: Path, serve_hub: ServeHub, hf_home: Path, tmp_path: Path) -> None:
    log = tmp_path / "requests.log"
    hub = Hub(serve_hub(shared / "hub" / "root", "--log", str(log)), hf_home / "hub", offline=False)
    read(BANKING, "default", ["test"], retrieval=False, hub=hub)
    asked = log.read_text()
    read(BANKING, "default", ["test"], retrieval=False, hub=hub)
    assert asked
    assert log.read_text() == asked

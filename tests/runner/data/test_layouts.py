"""Tables of a hub dataset that lie in places of their own, and the judgments that a changed instruction changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from loopback import HubRoot, ServeHub
from resolved import resolved_task
from test_files import jsonl

from embedmark.runner.common.errors import UserError
from embedmark.runner.config.identity import canonical
from embedmark.runner.config.schema import FilesDataset, HubDataset, TaskConfig
from embedmark.runner.data.sources import files
from embedmark.runner.data.sources.hub import read
from embedmark.runner.data.table import RetrievalTables, Table
from embedmark.runner.hub.files import Hub
from embedmark.tasks.base import RetrievalRows

Rows = list[dict[str, Any]]

CORPUS = [{"id": f"d{i}", "title": f"t{i}", "text": f"x{i}"} for i in range(3)]
QUERIES = [{"id": "1", "text": "one", "lang": "de"}, {"id": "2", "text": "two", "lang": "fr"}]
QRELS = [{"query-id": key, "corpus-id": f"d{key}", "score": 1} for key in ("1", "2")]
CHANGED = [{"query-id": "1", "corpus-ids": ["d0", "d2"]}, {"query-id": "2", "corpus-ids": []}]


@pytest.fixture
def serve(tmp_path: Path, hub_root: HubRoot, serve_hub: ServeHub, hf_home: Path) -> Callable[..., Hub]:
    """Serve (configuration, split) → rows, and path → rows outside of configurations, as the dataset me/mine."""

    def make(content: Mapping[Any, Rows]) -> Hub:
        folder = tmp_path / "data"
        configs: dict[str, list[dict[str, str]]] = {}
        for number, (place, rows) in enumerate(content.items()):
            path = place if isinstance(place, str) else f"data/{number}.jsonl"
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(jsonl(rows), encoding="utf-8")
            if not isinstance(place, str):
                configs.setdefault(place[0], []).append({"split": place[1], "path": path})
        header = {"configs": [{"config_name": name, "data_files": data} for name, data in configs.items()]}
        (folder / "README.md").write_text(f"---\n{yaml.safe_dump(header) if configs else 'license: mit'}---\n")
        root = hub_root(datasets={f"me/mine/{'a' * 40}": folder}, with_shared=False)
        return Hub(serve_hub(root), hf_home / "hub", offline=False, attempts=2, wait=0.01)

    return make


def dataset(**values: Any) -> HubDataset:
    return HubDataset.model_validate({"hub": "me/mine", "revision": "a" * 40, **values})


def retrieval(hub: Hub, subset: str = "default", split: str = "test", **values: Any) -> RetrievalRows:
    found = read(dataset(**values), subset, [split], retrieval=True, hub=hub).splits[split]
    assert isinstance(found, RetrievalTables)
    return found.rows()


def plain(hub: Hub, subset: str, splits: Sequence[str], **values: Any) -> dict[str, Rows]:
    found = read(dataset(**values), subset, splits, retrieval=False, hub=hub).splits
    return {split: table.arrow.to_pylist() for split, table in found.items() if isinstance(table, Table)}


@pytest.mark.hub
@pytest.mark.parametrize(
    ("subset", "name"),
    [("default", "qrel_diff"), ("fas", "fas-qrel_diff"), ("fas", "qrel_diff-fas"), ("default", None)],
)
def test_changed_judgments_of_a_hub(serve: Callable[..., Hub], subset: str, name: str | None) -> None:
    own = "" if subset == "default" else f"{subset}-"
    parts: dict[str, Rows] = {"corpus": CORPUS, "queries": QUERIES, "qrels": QRELS}
    content: dict[Any, Rows] = {(f"{own}{part}", "test"): rows for part, rows in parts.items()}
    if name is not None:
        content[name, "qrel_diff"] = CHANGED
    found = retrieval(serve(content), subset)
    assert found.changed == (None if name is None else {"1": ["d0", "d2"], "2": []})


@pytest.mark.parametrize("name", ["qrel_diff.jsonl", "qrel_diff/test.jsonl"])
def test_changed_judgments_of_a_folder(tmp_path: Path, name: str) -> None:
    parts: dict[str, Rows] = {"corpus.jsonl": CORPUS, "queries.jsonl": QUERIES, "qrels.jsonl": QRELS, name: CHANGED}
    for path, rows in parts.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(jsonl(rows), encoding="utf-8")
    found = files.read(FilesDataset(files=str(tmp_path)), "default", ["test"], retrieval=True).splits["test"]
    assert isinstance(found, RetrievalTables)
    assert found.rows().changed == {"1": ["d0", "d2"], "2": []}


@pytest.mark.hub
def test_configurations_splits_columns_and_rows_are_chosen_by_names(serve: Callable[..., Hub]) -> None:
    asked = [{"q": "eins", "gold": ["d2", "d0"], "lang": "de"}, {"q": "un", "gold": ["d1"], "lang": "fr"}]
    hub = serve({("docs-law", "only"): CORPUS, ("law", "train"): asked, ("law", "dev"): asked[::-1]})
    layout = {
        "corpus": {"config": "docs-{domain}", "columns": {"id": "{id}!", "text": "title"}},
        "queries": {"config": "{domain}", "split": ["train", "dev"], "columns": {"id": "{split}-{n}", "text": "q"}},
        "qrels": {
            "config": "{domain}",
            "split": "all",
            "where": {"lang": "{language}"},
            "explode": "gold",
            "columns": {"query-id": "{split}-{n}", "corpus-id": "{gold}!", "score": "{place}"},
        },
    }
    found = retrieval(hub, "law-de", layout=layout, pattern="(?P<domain>.+)-(?P<language>..)/.*")
    assert list(found.corpus["id"]) == ["d0!", "d1!", "d2!"]
    assert list(found.corpus["text"]) == ["t0", "t1", "t2"]
    assert "title" not in found.corpus
    assert dict(zip(found.queries["id"], found.queries["text"], strict=True)) == {"train-0": "eins", "dev-0": "un"}
    assert found.qrels == {"train-0": {"d2!": 1, "d0!": 2}, "dev-0": {"d2!": 1, "d0!": 2}}


PAGES = [{"file": "7", "text": "seven"}, {"file": "3", "text": "three"}]
NAMED = [{"page": 3, "_id": "old"}, {"page": 7, "_id": "doc#7"}, {"page": 3, "_id": "doc#3"}]


@pytest.mark.hub
def test_a_column_is_called_as_another_table_calls_it(serve: Callable[..., Hub]) -> None:
    """The last row of a value counts."""
    hub = serve({("pages-de", "test"): PAGES, ("names-de", "test"): NAMED})
    names = {"config": "names-{subset}", "key": "page", "value": "_id"}
    place = {"config": "pages-{subset}", "look_up": {"file": names}, "columns": {"id": "file", "text": "text"}}
    found = plain(hub, "de", ["test"], layout={"test": place})
    assert found == {"test": [{"id": "doc#7", "text": "seven"}, {"id": "doc#3", "text": "three"}]}


@pytest.mark.hub
@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"config": "names"}, "1 values of column 'file' are not in its 'page', the first is '9'"),
        ({"config": "others"}, "has no configuration 'others'"),
        ({"config": "names", "key": "pages"}, "configuration 'names': no column 'pages'.*Did you mean 'page'"),
    ],
)
def test_what_cannot_be_looked_up_is_named(serve: Callable[..., Hub], names: dict[str, str], message: str) -> None:
    hub = serve({("pages", "test"): [*PAGES, {"file": "9", "text": "nine"}], ("names", "test"): NAMED})
    place = {"config": "pages", "look_up": {"file": {"key": "page", "value": "_id", **names}}}
    with pytest.raises(UserError, match=message):
        plain(hub, "default", ["test"], layout={"test": place})


@pytest.mark.hub
def test_every_document_that_is_not_excluded_is_a_candidate(serve: Callable[..., Hub]) -> None:
    content = {("corpus", "x"): CORPUS, ("queries", "x"): QUERIES, ("default", "test"): QRELS}
    hub = serve({**content, ("bans", "x"): [{"q": "2", "d": ["d0", "d7"]}]})
    place = {"config": "bans", "explode": "d", "columns": {"query-id": "q", "corpus-id": "d"}}
    found = retrieval(hub, layout={"excluded": place})
    assert found.top_ranked == {"1": ["d0", "d1", "d2"], "2": ["d1", "d2"]}
    assert retrieval(hub, layout={"excluded": {**place, "where": {"q": "9"}}}).top_ranked is None


@pytest.mark.hub
def test_judgments_may_be_another_dataset(
    tmp_path: Path, hub_root: HubRoot, serve_hub: ServeHub, hf_home: Path
) -> None:
    commits = {"me/mine": "a" * 40, "me/judged": "b" * 40}
    parts = {"me/mine": {"corpus": CORPUS, "queries": QUERIES}, "me/judged": {"test": QRELS}}
    for name, tables in parts.items():
        for table, rows in tables.items():
            path = tmp_path / name / f"{table}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(jsonl(rows), encoding="utf-8")
    folders = {f"{name}/{commit}": tmp_path / name for name, commit in commits.items()}
    root = hub_root(datasets=folders, with_shared=False)
    hub = Hub(serve_hub(root), hf_home / "hub", offline=False, attempts=2, wait=0.01)
    layout: dict[str, Any] = {part: {"file": f"{part}.jsonl"} for part in ("corpus", "queries")}
    layout["qrels"] = {"hub": "me/judged", "revision": "b" * 40, "split": "{split}"}
    raw = read(dataset(layout=layout), "default", ["test"], retrieval=True, hub=hub)
    found = raw.splits["test"]
    assert isinstance(found, RetrievalTables)
    assert found.rows().qrels == {"1": {"d1": 1}, "2": {"d2": 1}}
    assert set(raw.facts.files) == {"corpus.jsonl", "queries.jsonl", "me/judged/test.jsonl"}


@pytest.mark.hub
def test_files_and_folders_outside_of_configurations_are_splits(serve: Callable[..., Hub]) -> None:
    hub = serve({"c++/train.jsonl": QUERIES, "test/de.jsonl": QRELS, "test/fr.jsonl": CORPUS})
    layout = {"train": {"folder": "c++"}, "test": {"file": "test/{subset}.jsonl"}}
    assert plain(hub, "de", ["train", "test"], layout=layout) == {"train": QUERIES, "test": QRELS}


@pytest.mark.hub
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"pattern": "de/.*"}, r"dataset.pattern: 'de/\.\*' does not match 'default/test'"),
        ({"layout": {"test": {"config": "{lang}"}}}, "dataset.layout: config: '{lang}' names 'lang'; known are"),
        ({"layout": {"test": {"config": "nope"}}}, "has no configuration 'nope'; it has a"),
        ({"layout": {"test": {"split": "dev"}}}, "configuration 'a': no split 'dev'; the splits are test"),
        ({"layout": {"test": {"columns": {"x": "txt"}}}}, "configuration 'a', split 'test': no column 'txt'.*'text'"),
        ({"layout": {"test": {"file": "no/*.jsonl"}}}, "files no"),
    ],
)
def test_a_wrong_layout_names_what_exists(serve: Callable[..., Hub], values: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        plain(serve({("a", "test"): QUERIES}), "default", ["test"], **values)


@pytest.mark.hub
def test_parts_and_places_that_cannot_be_are_refused(serve: Callable[..., Hub]) -> None:
    with pytest.raises(UserError, match=r"'quries' is no part of retrieval data.*Did you mean 'queries'"):
        retrieval(serve({("corpus", "test"): CORPUS}), layout={"quries": {}})
    with pytest.raises(ValueError, match="give one of `config`, `folder` and `file`"):
        dataset(layout={"test": {"config": "a", "file": "b"}})
    for place in ({"hub": "me/other"}, {"revision": "b" * 40}, {"hub": "me/other", "revision": "main"}):
        with pytest.raises(ValueError, match="needs `hub` and `revision`, its commit of 40 digits"):
            dataset(layout={"qrels": place})


def test_a_layout_is_part_of_what_a_job_is() -> None:
    def identity(**place: Any) -> str:
        layout = {"layout": {"corpus": place}} if place else {}
        values = {"name": "Mine", "type": "retrieval", "languages": ["eng-Latn"], "main_metric": "ndcg_at_10"}
        task = TaskConfig.model_validate({**values, "dataset": {"hub": "me/mine", **layout}})
        return canonical(resolved_task(task).identity)

    assert '"layout":{"corpus":{"columns":{"id":"_id"},"config":"docs"}}' in identity(
        config="docs", columns={"id": "_id"}
    )
    assert "layout" not in identity()


@pytest.mark.hub
@pytest.mark.parametrize("key", ["folder", "file"])
@pytest.mark.parametrize(
    "name", ["../../x", "/etc", "..", "a/../../x", "https://example.org/x.csv", "a\\b", "{subset}/../../x", "hf://x"]
)
def test_places_outside_the_repository_are_refused(serve: Callable[..., Hub], key: str, name: str) -> None:
    hub = serve({("default", "test"): QUERIES})
    with pytest.raises(UserError, match=rf"dataset.layout: {key}: the name .* leads out of the folder"):
        read(dataset(layout={"test": {key: name}}), "default", ["test"], retrieval=False, hub=hub)

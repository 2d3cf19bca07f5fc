"""Whatever lies in a file that is imported, linted, verified or unpacked: words and a status, and never a traceback."""

from __future__ import annotations

import hashlib
import json
import random
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fuzzing import NASTY, VALUES, Case, check
from planned_records import measure

from embedmark.runner.bundle.archive import Source, write
from embedmark.runner.bundle.manifest import Content, Manifest
from embedmark.runner.cli.main import main

RESULT = {
    "dataset_revision": "a" * 40, "task_name": "STS12", "mteb_version": "1.18.0", "evaluation_time": 1.5,
    "kg_co2_emissions": None,
    "scores": {"test": [{"hf_subset": "default", "languages": ["eng-Latn"], "main_score": 0.5, "cosine_spearman": 0.5,
                         "scores_per_experiment": [{"accuracy": 0.5}], "v_measures": {"Level 0": [0.1]}}]},
}  # fmt: skip
OLD = {
    "mteb_dataset_name": "STS12",
    "test": {"cos_sim": {"spearman": 0.7, "pearson": [0.6, 1e-9]}, "evaluation_time": 1},
}
CARD = """---
model-index:
- name: mine
  results:
  - dataset: {name: MTEB STS12, config: default, split: test, revision: aaaa}
    metrics: [{type: cos_sim_spearman, value: 72.25}]
---
"""


def mutated_json(values: object, rng: random.Random) -> bytes:
    text = json.dumps(_changed(values, rng), default=str, ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def _changed(value: object, rng: random.Random) -> object:
    if isinstance(value, dict) and value and rng.random() < 0.85:
        key = rng.choice(list(value))
        if rng.random() < 0.15:
            return {name: inner for name, inner in value.items() if name != key}
        if rng.random() < 0.15:
            return {**value, rng.choice(NASTY): rng.choice(VALUES)}
        return {**value, key: _changed(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.7:
        at = rng.randrange(len(value))
        return [*value[:at], _changed(value[at], rng), *value[at + 1 :]]
    return rng.choice([*VALUES, *NASTY])


def mutated_bytes(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice([1, 1, 3, 20])):
        at = rng.randrange(len(changed)) if changed else 0
        kind = rng.randrange(4)
        if kind == 0 and changed:
            changed[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            changed[at:at] = rng.choice(NASTY).encode("utf-8", "surrogatepass")[:200]
        elif kind == 2:
            del changed[at : at + rng.randrange(40)]
        else:
            changed[at:at] = changed[at : at + rng.randrange(200)]
    return bytes(changed)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from huggingface_hub import constants

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)  # else a hub is waited for
    return tmp_path


def cases(n: int, seed: int) -> Iterator[Case]:
    """Files of the field and cards, changed; each is imported or linted."""
    rng = random.Random(seed)
    for number in range(n):
        kind = rng.randrange(5)
        if kind == 0:
            yield Case(("import", "README.md"), "README.md", mutated_bytes(CARD.encode(), rng))
            continue
        of_json = mutated_json(rng.choice([RESULT, OLD]), rng)
        content = of_json if rng.random() < 0.5 else mutated_bytes(json.dumps(RESULT).encode(), rng)
        file = "org__a/r1/model_meta.json" if kind == 1 else "org__a/r1/STS12.json"
        verb = "lint" if number % 4 == 0 else "import"
        yield Case(
            (verb, "org__a"), file, content if kind != 1 else mutated_json({"name": "org/a", "max_tokens": 5}, rng)
        )


def run(cases: Iterator[Case], place: Path) -> Counter[int]:
    statuses: Counter[int] = Counter()
    good = place / "org__a/r1/STS12.json"
    good.parent.mkdir(parents=True)
    for case in cases:
        good.write_text(json.dumps(RESULT))
        (place / case.file).write_bytes(case.content)
        statuses[check(case, main)] += 1
        (place / case.file).unlink()
    return statuses


def test_a_few_files_of_strangers(place: Path) -> None:
    assert run(cases(60, 3), place).total() == 60


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_no_file_of_a_stranger_ends_in_a_traceback(place: Path) -> None:
    statuses = run(cases(8000, 20262), place)
    print(dict(statuses))
    assert statuses[0] > 500, "most files are refused at once; they say little about what comes after"
    assert statuses[1] + statuses[2] > 2000


@pytest.mark.slow
def test_no_record_or_archive_of_a_stranger_ends_in_a_traceback(place: Path) -> None:
    """2,000: records whose sums were written anew over what was changed, items, and bundles."""
    from record_sums import resum

    rng = random.Random(5)
    (path,) = measure(place, "model=minilm", "tasks=[STSBenchmark]")
    with zipfile.ZipFile(path / "items.npz", "w") as archive:
        archive.writestr("similarity.npy", b"\x93NUMPY\x01\x00v\x00")
    (path / "evidence.json").write_text('{"evidence": 1, "files": {}, "columns": {}, "sides": {}}')
    resum(path)
    kept = {file.name: file.read_bytes() for file in path.iterdir()}
    whole = place / "x.tar"
    packed = b"1" * 700
    sha256 = hashlib.sha256(packed).hexdigest()
    told = {"folders/a/b": Content(size=len(packed), sha256=sha256)}
    write(whole, Manifest(embedmark="0.1.0", model="a/b", jobs=(), files=told), {sha256: Source(packed)})
    content = whole.read_bytes()
    verbs: list[Callable[[], tuple[str, ...]]] = [
        lambda: ("verify",), lambda: ("report",), lambda: ("lint",), lambda: ("export", "--to", "mteb"),
        lambda: ("import", "outputs", "--outputs", "other"), lambda: ("verify", str(path), "--quick"),
    ]  # fmt: skip
    for number in range(2000):
        if number % 4 == 0:
            changed = mutated_bytes(content, rng)
            whole.write_bytes(changed if changed != content else b"")
            case = Case(("bundle", "--run", "x.tar", "--folder", f"there{number}"))
        else:
            name = rng.choice(["result.json", "evidence.json", "items.npz", "environment.json", "SHA256SUMS"])
            old = kept[name]
            changed = mutated_json(json.loads(old), rng) if name.endswith("json") and rng.random() < 0.7 else None
            (path / name).write_bytes(changed or mutated_bytes(old, rng))
            if rng.random() < 0.8:
                resum(path)
            case = Case(rng.choice(verbs)())
        status = check_any(case)
        assert status in {0, 1, 2, 3}, case
        for name, old in kept.items():
            (path / name).write_bytes(old)


def check_any(case: Case) -> int:
    """The same for verbs that also end with 3."""
    ended: list[int] = []

    def run(words: list[str]) -> int:
        ended.append(main(words))
        return 1 if ended[-1] == 3 else ended[-1]

    check(case, run)  # type: ignore[arg-type]
    return ended[-1]

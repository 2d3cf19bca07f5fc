"""A signed record: by whom, and not one byte other than it was signed."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from sample_records import identity, job, record

from embedmark.runner.common.errors import OutputError, UserError
from embedmark.runner.config.identity import fingerprint
from embedmark.runner.provenance.signing import Signed, check, sign
from embedmark.runner.provenance.ssh import Signers
from embedmark.runner.results.folder import JobFolders
from embedmark.runner.results.inspection import SIGNATURE, STATEMENT, Inspected, as_job_folder, inspect

ENVIRONMENT = {"packages": {"numpy": "2"}}


def key(folder: Path, name: str, kind: str = "ed25519") -> Path:
    path = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", name, "-f", str(path)], check=True)
    return path


def public(path: Path) -> str:
    return " ".join(path.with_name(f"{path.name}.pub").read_text().split()[:2])


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("keys")
    return {name: key(folder, name) for name in ("ada", "mallory")}


@pytest.fixture
def signers(keys: dict[str, Path], tmp_path: Path) -> Signers:
    return listed(tmp_path, f"ada@example.org {public(keys['ada'])}")


def listed(folder: Path, *lines: str) -> Signers:
    (folder / "signers").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return Signers(folder / "signers")


def found(path: Path) -> Inspected:
    folder = as_job_folder(path)
    assert folder is not None
    return inspect(folder)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    values = identity()
    claim = JobFolders(tmp_path / "outputs").try_claim(fingerprint(values), job(values))
    assert claim is not None
    with claim:
        return claim.succeed(record(values), values, ENVIRONMENT, {"hit": np.ones(40)}, "a line\n")


@pytest.fixture
def signed(path: Path, keys: dict[str, Path]) -> Path:
    sign(found(path), keys["ada"])
    return path


def test_who_signed_is_told(signed: Path, signers: Signers) -> None:
    assert check(found(signed), signers) == Signed("ada@example.org")
    statement = json.loads((signed / STATEMENT).read_bytes())
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert {subject["name"] for subject in statement["subject"]} == {
        "result.json", "identity.json", "environment.json", "items.npz", "log.txt", "SHA256SUMS",
    }  # fmt: skip
    assert statement["predicate"]["main_score"] == 0.5
    assert found(signed).state == "done"


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_keys_of_every_kind_sign(kind: str, path: Path, tmp_path: Path) -> None:
    own = key(tmp_path, "own", kind)
    sign(found(path), own)
    assert check(found(path), listed(tmp_path, f"ada@example.org {public(own)}")).signer == "ada@example.org"


def test_signing_again_takes_the_place_of_the_first(signed: Path, signers: Signers, keys: dict[str, Path]) -> None:
    sign(found(signed), keys["mallory"])
    assert "does not list" in check(found(signed), signers).problem


def test_a_signature_of_another_record_is_none_of_this(
    signed: Path, signers: Signers, tmp_path: Path, keys: dict[str, Path]
) -> None:
    values = identity("Other")
    claim = JobFolders(tmp_path / "outputs").try_claim(fingerprint(values), job(values))
    assert claim is not None
    with claim:
        other = claim.succeed(record(values), values, ENVIRONMENT)
    for name in (STATEMENT, SIGNATURE):
        (other / name).write_bytes((signed / name).read_bytes())
    assert "is not what was signed" in check(found(other), signers).problem


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("eve@example.org {mallory}", "does not list"),
        ('ada@example.org namespaces="git" {ada}', "does not hold"),
        ('ada@example.org valid-before="20200101" {ada}', "no longer"),
        ('ada@example.org valid-after="20990101" {ada}', "no longer"),
    ],
)
def test_a_key_that_may_not_sign(line: str, reason: str, signed: Path, keys: dict[str, Path], tmp_path: Path) -> None:
    signers = listed(tmp_path, line.format(**{name: public(path) for name, path in keys.items()}))
    answer = check(found(signed), signers)
    assert answer.signer is None
    assert reason in answer.problem


def test_a_key_that_has_expired_held_at_the_time(signed: Path, keys: dict[str, Path], tmp_path: Path) -> None:
    signers = listed(tmp_path, f'ada@example.org valid-before="20300101" {public(keys["ada"])}')
    assert check(found(signed), Signers(signers.file, at="20290101")).signer == "ada@example.org"
    assert check(found(signed), Signers(signers.file, at="20310101")).signer is None
    with pytest.raises(UserError, match="--at: found 'yesterday'; expected a time as in"):
        check(found(signed), Signers(signers.file, at="yesterday"))


def test_a_revoked_key(signed: Path, signers: Signers, keys: dict[str, Path], tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-k", "-f", str(tmp_path / "krl"), f"{keys['ada']}.pub"], check=True)
    answer = check(found(signed), Signers(signers.file, revoked=tmp_path / "krl"))
    assert answer.signer is None
    assert "does not hold" in answer.problem


@pytest.mark.parametrize("who", ["*", "*@example.org", "ada@example.org,*", "!ada@example.org", '"ada"', "a?a"])
def test_a_pattern_of_signers_is_refused(who: str, signed: Path, keys: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"signers:2: found .* a pattern would let in everybody"):
        check(found(signed), listed(tmp_path, "# who may sign", f"{who} {public(keys['ada'])}"))


def test_files_that_nobody_signed(signed: Path, signers: Signers) -> None:
    (signed / "more.txt").write_text("a file of somebody else")
    assert check(found(signed), signers).problem == "more.txt is not what was signed"
    (signed / "more.txt").unlink()
    (signed / "more.txt").symlink_to("result.json")
    assert "found a folder, a link or a device" in check(found(signed), signers).problem


@pytest.mark.parametrize("name", [STATEMENT, SIGNATURE])
def test_a_record_without_one_of_the_two_is_not_signed(name: str, signed: Path, signers: Signers) -> None:
    (signed / name).unlink()
    assert check(found(signed), signers) == Signed(None, f"not signed: {name} is missing")


def test_what_cannot_be_signed(path: Path, keys: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--key .*absent: cannot sign"):
        sign(found(path), tmp_path / "absent")
    assert not (path / STATEMENT).exists()
    (path / "log.txt").write_text("edited")
    with pytest.raises(UserError, match=r"log\.txt is not what was written; only a whole record"):
        sign(found(path), keys["ada"])


def test_no_ssh_keygen(path: Path, keys: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(path))
    with pytest.raises(UserError, match="ssh-keygen is not installed"):
        sign(found(path), keys["ada"])


def test_a_disk_that_is_full_leaves_the_record_unsigned(
    signed: Path, signers: Signers, keys: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("embedmark.runner.provenance.signing.write_atomically", broken)
        with pytest.raises(OutputError, match="the disk is full"):
            sign(found(signed), keys["ada"])
    assert check(found(signed), signers).problem.startswith("not signed")


@contextmanager
def flipped(path: Path, bit: int) -> Iterator[None]:
    content = path.read_bytes()
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    path.write_bytes(bytes(changed))
    try:
        yield
    finally:
        path.write_bytes(content)


def flips(folder: Path, count: Callable[[int], int]) -> Iterator[tuple[Path, int]]:
    """Bits of every file of a signed record, drawn at random; `count` says how many of a file with so many."""
    rng = random.Random(7)
    for path in sorted(folder.iterdir()):
        bits = path.stat().st_size * 8
        yield from ((path, bit) for bit in rng.sample(range(bits), min(bits, count(bits))))


def test_a_flipped_bit_of_any_file_is_found(signed: Path, signers: Signers) -> None:
    for path, bit in flips(signed, lambda _: 12):
        with flipped(path, bit):
            assert check(found(signed), signers).signer is None, f"{path.name}, bit {bit}"
    assert check(found(signed), signers).signer == "ada@example.org"


@pytest.mark.slow
def test_ten_thousand_flipped_bits_are_found(signed: Path, signers: Signers) -> None:
    """All bits of small files and of the signature, whose own check is the laxest; 1,500 of each larger file."""
    tried = list(flips(signed, lambda bits: bits if bits < 4_000 else 1_500))
    assert len(tried) >= 10_000
    assert [(path.name, bit) for path, bit in tried if not _is_found(signed, path, bit, signers)] == []


def _is_found(folder: Path, path: Path, bit: int, signers: Signers) -> bool:
    with flipped(path, bit):
        return check(found(folder), signers).signer is None

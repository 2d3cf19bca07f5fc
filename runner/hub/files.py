"""Files of the Hugging Face hub, downloaded into its own cache and checked against the hashes that it announces.

`huggingface_hub` compares sizes only (2.4, `file_download.py`), so a byte that flipped on the way would become data.
Here every file is hashed before anyone reads it, a wrong one is deleted and fetched again, and what could not be had
is an error that tells the user's mistakes (UserError) from the network's (JobError).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from embedmark.runner.common.errors import CorruptFileError, UserError
from embedmark.runner.common.files import write_atomically
from embedmark.runner.hub.errors import Kind, Patience, Question

Shapes = Mapping[str, tuple[str, tuple[int, ...]]]
"""Of each tensor in a file its number format, as safetensors calls it, and its shape."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RemoteFile:
    """A file as a commit's listing announces it: its sha256 where LFS stores it, otherwise git's sha1 of the blob."""

    path: str
    size: int
    sha256: str | None
    git_sha1: str | None


@dataclass(frozen=True)
class Commit:
    """One commit of a repository: all its files."""

    repo: str
    kind: Kind
    revision: str
    files: tuple[RemoteFile, ...]

    @property
    def paths(self) -> list[str]:
        """The names of its files."""
        return [file.path for file in self.files]

    def file(self, path: str) -> RemoteFile:
        """One file by its path."""
        return next(file for file in self.files if file.path == path)


@dataclass
class Reading:
    """A commit that was read, and those of its files that were: name → where it lies on this machine."""

    commit: Commit
    files: dict[str, Path] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """The folder of a cache that its repository is kept in."""
        return _folder_name(self.commit.repo, self.commit.kind)

    def in_cache(self) -> dict[str, Path | bytes]:
        """What another machine's cache has to hold for the same to be read there: path below the cache → content."""
        listing = f"{self.folder}/{_listing(self.commit.revision)}"
        snapshot = f"{self.folder}/snapshots/{self.commit.revision}"
        files = {f"{snapshot}/{name}": path for name, path in self.files.items()}
        return {listing: _listed(self.commit.files).encode(), **files}


_readings: ContextVar[dict[tuple[str, str], Reading] | None] = ContextVar("what is read of the hub", default=None)


@contextlib.contextmanager
def readings() -> Iterator[dict[tuple[str, str], Reading]]:
    """Keep note of what is read of the hub in this thread: (folder, commit) → what."""
    found: dict[tuple[str, str], Reading] = {}
    token = _readings.set(found)
    try:
        yield found
    finally:
        _readings.reset(token)


def _note(commit: Commit, files: Mapping[str, Path]) -> None:
    kept = _readings.get()
    if kept is not None:
        reading = Reading(commit)
        kept.setdefault((reading.folder, commit.revision), reading).files.update(files)


@dataclass(frozen=True)
class Hub:
    """Where the hub is, where its files are kept, and how patient to be.

    attempts, wait and patience: see hub.errors.Patience.
    """

    endpoint: str | None
    cache: Path
    offline: bool
    attempts: int = 8
    wait: float = 0.5
    patience: float = 20.0

    @classmethod
    def from_environment(cls, offline: bool | None = None) -> Hub:
        """Make the hub that HF_ENDPOINT, HF_HOME or HF_HUB_CACHE, and HF_HUB_OFFLINE say; `offline` overrules it."""
        from huggingface_hub import constants

        return cls(
            endpoint=os.environ.get("HF_ENDPOINT"),
            cache=Path(constants.HF_HUB_CACHE),
            offline=constants.HF_HUB_OFFLINE if offline is None else offline,
        )

    @property
    def _patience(self) -> Patience:
        return Patience(self.endpoint, self.cache, self.attempts, self.wait, self.patience)

    def resolve_revision(self, repo: str, kind: Kind, name: str = "main") -> str:
        """Find the commit that a branch or tag names now.

        Raises UserError when there is no such branch or tag, JobError without network.
        """
        folder = self._folder(repo, kind)
        # A branch is also the name of a file in the cache.
        if name.startswith("/") or ".." in name.split("/"):
            raise UserError(f"revision of {kind} {repo}: found {name!r}; expected a commit, a branch or a tag")
        if self.offline:
            ref = folder / "refs" / name
            if ref.is_file():
                return ref.read_text(encoding="utf-8").strip()
            raise UserError(
                f"the revision of {kind} {repo} is not pinned, and offline nothing says which commit {name!r} is. "
                "Pin `revision` to a commit, or run once with network."
            )
        from huggingface_hub import HfApi

        self._patience.require_connection(f"the revision of {kind} {repo}")
        api = HfApi(endpoint=self.endpoint)
        question = Question(f"{kind} {repo}", repo, kind, name)
        info = self._patience.ask(lambda: api.repo_info(repo, repo_type=kind, revision=name), question)
        _write_note(folder / "refs" / name, str(info.sha))
        return str(info.sha)

    def created(self, repo: str, kind: Kind) -> date | None:
        """Ask when a repository was made; None where the hub does not say or this run is offline.

        Raises like a fetch.
        """
        if self.offline:
            return None
        from huggingface_hub import HfApi

        api = HfApi(endpoint=self.endpoint)
        question = Question(f"{kind} {repo}", repo, kind, "main")
        info = self._patience.ask(lambda: api.repo_info(repo, repo_type=kind), question)
        made = getattr(info, "created_at", None)
        return made.date() if made is not None else None

    def tensors(self, commit: Commit, path: str) -> Shapes | None:
        """Read the head of a model's safetensors file; the file itself is not downloaded.

        None when the run is offline and the file is not in the cache. Raises like a fetch.
        """
        from huggingface_hub import HfApi
        from huggingface_hub.errors import SafetensorsParsingError

        if (kept := self._kept(commit, path)) is not None:
            return local_tensors(kept)
        if self.offline:
            return None
        api = HfApi(endpoint=self.endpoint)

        def read() -> Shapes:
            try:
                return _shapes(api.parse_safetensors_file_metadata(commit.repo, path, revision=commit.revision))
            except SafetensorsParsingError as error:
                raise CorruptFileError(f"the head of {path} of {commit.repo} is not what safetensors have") from error

        what = f"the head of {path} of {commit.repo}"
        return self._patience.ask(read, Question(what, commit.repo, commit.kind, commit.revision))

    def commit(self, repo: str, kind: Kind, revision: str) -> Commit:
        """List the files of a commit, from the network the first time and from a note in the cache after that."""
        found = self._commit(repo, kind, revision)
        _note(found, {})
        return found

    def _commit(self, repo: str, kind: Kind, revision: str) -> Commit:
        note = self._folder(repo, kind) / _listing(revision)
        if note.is_file():
            files = tuple(RemoteFile(**file) for file in json.loads(note.read_text(encoding="utf-8")))
            return Commit(repo, kind, revision, files)
        if self.offline:
            return self._cached_commit(repo, kind, revision)
        from huggingface_hub import HfApi

        what = f"the list of files of {kind} {repo} at {revision}"
        self._patience.require_connection(what)
        api = HfApi(endpoint=self.endpoint)
        entries = self._patience.ask(
            lambda: list(api.list_repo_tree(repo, recursive=True, repo_type=kind, revision=revision)),
            Question(what, repo, kind, revision),
        )
        files = tuple(_remote_file(entry) for entry in entries if hasattr(entry, "size"))
        _write_note(note, _listed(files))
        return Commit(repo, kind, revision, files)

    def fetch(self, commit: Commit, paths: Iterable[str]) -> dict[str, Path]:
        """Download files of a commit where need be, check their hashes, and return their local paths.

        Raises UserError when one is not in the cache and the run is offline, JobError when it cannot be had intact.
        """
        found = {path: self._fetch_one(commit, path) for path in paths}
        _note(commit, found)
        return found

    def _fetch_one(self, commit: Commit, path: str) -> Path:
        from huggingface_hub import hf_hub_download

        expected = commit.file(path)
        kept = self._kept(commit, path)
        if kept is not None and self._is_intact(commit, expected, kept):
            return kept
        if self.offline:
            found = "is not in the cache" if kept is None else "is damaged in the cache"
            raise UserError(
                f"{path} of {commit.kind} {commit.repo} at {commit.revision} {found} ({self.cache}), and this run is "
                "offline. Run once with network (unset HF_HUB_OFFLINE)."
            )

        def download() -> Path:
            local = Path(
                hf_hub_download(
                    commit.repo,
                    path,
                    repo_type=commit.kind,
                    revision=commit.revision,
                    cache_dir=self.cache,
                    endpoint=self.endpoint,
                )
            )
            if self._is_intact(commit, expected, local):
                return local
            _delete(local)
            raise CorruptFileError(f"{path} of {commit.repo} arrived with content other than the hub announces")

        if kept is not None:
            _log.warning("%s of %s is damaged in the cache and is fetched again", path, commit.repo)
            _delete(kept)
        what = f"{path} of {commit.kind} {commit.repo} at {commit.revision}"
        self._patience.require_connection(what)
        return self._patience.ask(download, Question(what, commit.repo, commit.kind, commit.revision))

    def _kept(self, commit: Commit, path: str) -> Path | None:
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(
            commit.repo, path, cache_dir=self.cache, revision=commit.revision, repo_type=commit.kind
        )
        return Path(found) if isinstance(found, str) else None

    def _is_intact(self, commit: Commit, expected: RemoteFile, local: Path) -> bool:
        """Whether a file has the content announced. Noted down, so that it is hashed again only after a change."""
        stat = local.stat()
        state = f"{stat.st_size} {stat.st_mtime_ns}"
        digest = expected.sha256 or expected.git_sha1 or local.resolve().name
        note = self._folder(commit.repo, commit.kind) / ".embedmark" / "intact" / digest
        if note.is_file() and note.read_text(encoding="utf-8") == state:
            return True
        if not has_content(local, expected.sha256, expected.git_sha1):
            return False
        _write_note(note, state)
        return True

    def _cached_commit(self, repo: str, kind: Kind, revision: str) -> Commit:
        """The files that another tool left in the cache; complete as far as anyone can tell offline."""
        folder = self._folder(repo, kind) / "snapshots" / revision
        files = []
        for path in sorted(found for found in folder.rglob("*") if found.is_file()):
            name = path.resolve().name
            sha256 = name if len(name) == 64 else None
            git_sha1 = name if len(name) == 40 else None
            files.append(RemoteFile(path.relative_to(folder).as_posix(), path.stat().st_size, sha256, git_sha1))
        if not files:
            raise UserError(
                f"{kind} {repo} at {revision} is not in the cache ({self.cache}), and this run is offline. "
                "Run once with network (unset HF_HUB_OFFLINE)."
            )
        _log.warning("offline: taking the %d cached files of %s at %s for all there are", len(files), repo, revision)
        return Commit(repo, kind, revision, tuple(files))

    def _folder(self, repo: str, kind: Kind) -> Path:
        """Where a repository is kept. Raises UserError for a name that no repository can have."""
        from huggingface_hub.errors import HFValidationError
        from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

        try:
            validate_repo_id(repo)
        except HFValidationError:
            raise UserError(
                f"hub: found {repo!r}; expected the name of a {kind} of the hub, as in ORGANISATION/NAME, of letters, "
                "digits and single - _ ."
            ) from None
        return self.cache / _folder_name(repo, kind)


def _folder_name(repo: str, kind: Kind) -> str:
    return f"{kind}s--{repo.replace('/', '--')}"


def _listing(revision: str) -> str:
    """Where, below a repository's folder, the files of a commit are listed."""
    return f".embedmark/{revision}.json"


def _listed(files: Iterable[RemoteFile]) -> str:
    return json.dumps([asdict(file) for file in files])


def has_content(path: Path, sha256: str | None, git_sha1: str | None) -> bool:
    """Whether a file has this sha256 or, where it is None, this sha1 of its git blob. True if neither is known."""
    if sha256 is None and git_sha1 is None:
        return True
    digest = hashlib.sha256() if sha256 is not None else hashlib.sha1(b"blob %d\0" % path.stat().st_size)
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: digest).hexdigest() == (sha256 or git_sha1)


def local_tensors(path: Path) -> Shapes:
    """Read the head of a safetensors file. Raises UserError when it is invalid."""
    from huggingface_hub import parse_local_safetensors_file_metadata
    from huggingface_hub.errors import SafetensorsParsingError

    try:
        return _shapes(parse_local_safetensors_file_metadata(path))
    except SafetensorsParsingError as error:
        raise UserError(f"{path} is no safetensors file, or is cut off: {error}") from error


def _shapes(head: Any) -> Shapes:
    return {name: (tensor.dtype, tuple(tensor.shape)) for name, tensor in head.tensors.items()}


def _remote_file(entry: Any) -> RemoteFile:
    return RemoteFile(entry.path, entry.size, entry.lfs.sha256 if entry.lfs else None, entry.blob_id)


def _delete(local: Path) -> None:
    """Remove a file of the cache and the blob that it links to."""
    blob = local.resolve()
    local.unlink(missing_ok=True)
    blob.unlink(missing_ok=True)


def _write_note(path: Path, text: str) -> None:
    """Write a note whole or not at all. A cache that cannot be written to still serves; it is only asked again."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text, durable=False)

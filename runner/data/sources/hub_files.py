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
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, TypeVar

from runner.errors import JobError, UserError

Kind = Literal["dataset", "model"]
T = TypeVar("T")

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


class CorruptFileError(OSError):
    """A downloaded file whose content is not what the hub announced."""


@dataclass(frozen=True)
class Hub:
    """Where the hub is, where its files are kept, and how patient to be.

    attempts: how often a request or a file is tried; wait: seconds between tries, growing; patience: seconds after
    which a hub that does not answer is given up.
    """

    endpoint: str | None
    cache: Path
    offline: bool
    attempts: int = 8
    wait: float = 0.5
    patience: float = 20.0

    @classmethod
    def from_environment(cls, offline: bool | None = None) -> Hub:
        """As HF_ENDPOINT, HF_HOME or HF_HUB_CACHE, and HF_HUB_OFFLINE say; `offline` overrules the last."""
        from huggingface_hub import constants

        return cls(
            endpoint=os.environ.get("HF_ENDPOINT"),
            cache=Path(constants.HF_HUB_CACHE),
            offline=constants.HF_HUB_OFFLINE if offline is None else offline,
        )

    def resolve_revision(self, repo: str, kind: Kind, name: str = "main") -> str:
        """The commit that a branch or tag names now. Raises UserError when there is none, JobError without network."""
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

        self._require_connection(f"the revision of {kind} {repo}")
        api = HfApi(endpoint=self.endpoint)
        info = self._patiently(
            lambda: api.repo_info(repo, repo_type=kind, revision=name), f"{kind} {repo}", repo, kind, name
        )
        _write_note(folder / "refs" / name, str(info.sha))
        return str(info.sha)

    def created(self, repo: str, kind: Kind) -> date | None:
        """When a repository was made, None where the hub does not say or this run is offline. Raises like a fetch."""
        if self.offline:
            return None
        from huggingface_hub import HfApi

        api = HfApi(endpoint=self.endpoint)
        info = self._patiently(lambda: api.repo_info(repo, repo_type=kind), f"{kind} {repo}", repo, kind, "main")
        made = getattr(info, "created_at", None)
        return made.date() if made is not None else None

    def tensors(self, commit: Commit, path: str) -> Shapes | None:
        """What a safetensors file of a model holds, by its first bytes; the file itself is not downloaded.

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

        return self._patiently(read, f"the head of {path} of {commit.repo}", commit.repo, commit.kind, commit.revision)

    def commit(self, repo: str, kind: Kind, revision: str) -> Commit:
        """The files of a commit, from the network the first time and from a note in the cache after that."""
        note = self._folder(repo, kind) / ".embedmark" / f"{revision}.json"
        if note.is_file():
            files = tuple(RemoteFile(**file) for file in json.loads(note.read_text(encoding="utf-8")))
            return Commit(repo, kind, revision, files)
        if self.offline:
            return self._cached_commit(repo, kind, revision)
        from huggingface_hub import HfApi

        self._require_connection(f"the list of files of {kind} {repo} at {revision}")
        api = HfApi(endpoint=self.endpoint)
        entries = self._patiently(
            lambda: list(api.list_repo_tree(repo, recursive=True, repo_type=kind, revision=revision)),
            f"the list of files of {kind} {repo} at {revision}",
            repo,
            kind,
            revision,
        )
        files = tuple(_remote_file(entry) for entry in entries if hasattr(entry, "size"))
        _write_note(note, json.dumps([asdict(file) for file in files]))
        return Commit(repo, kind, revision, files)

    def fetch(self, commit: Commit, paths: Iterable[str]) -> dict[str, Path]:
        """Local paths of files of a commit, each downloaded if need be and its hash checked.

        Raises UserError when one is not in the cache and the run is offline, JobError when it cannot be had intact.
        """
        return {path: self._fetch_one(commit, path) for path in paths}

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
        self._require_connection(what)
        return self._patiently(download, what, commit.repo, commit.kind, commit.revision)

    def _require_connection(self, what: str) -> None:
        """Raises JobError when nobody answers at the hub's address at all, after a few seconds.

        The hub's own client would wait half a minute for each file before it says so.
        """
        from huggingface_hub import constants, get_session

        place = self.endpoint or constants.ENDPOINT
        for wait in (self.wait, 2 * self.wait, 4 * self.wait, None):
            try:
                get_session().head(place, timeout=10)
            except Exception as error:
                # by name, because the HTTP library changed between versions of huggingface_hub; what is not about
                # connecting is left to the request itself
                if type(error).__name__ not in {"ConnectError", "ConnectTimeout", "ProxyError"}:
                    return
                if wait is None:
                    raise self._unreachable(what, error) from error
                time.sleep(wait)
            else:
                return

    def _unreachable(self, what: str, error: Exception) -> JobError:
        why = re.sub(r"\[Errno -?\d+\] *", "", str(error))
        return JobError(
            f"{what} could not be fetched from {self.endpoint or 'the hub'}: {why}. "
            "Check the network (HF_ENDPOINT, proxies), then run again; what is done stays done."
        )

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
        return self.cache / f"{kind}s--{repo.replace('/', '--')}"

    def _patiently(self, action: Callable[[], T], what: str, repo: str, kind: Kind, revision: str) -> T:
        """Try, and on trouble that may pass try again with growing waits."""
        from tenacity import RetryCallState, Retrying, retry_if_exception, wait_exponential, wait_random

        def gives_up(state: RetryCallState) -> bool:
            # a hub that does not answer was already asked several times by its client; large files may take their time
            late = (state.seconds_since_start or 0) > self.patience and not isinstance(_error(state), CorruptFileError)
            return late or state.attempt_number >= self.attempts

        retrying = Retrying(
            stop=gives_up,
            wait=wait_exponential(multiplier=self.wait, max=16 * self.wait) + wait_random(0, self.wait),
            retry=retry_if_exception(is_transient),
            before_sleep=lambda state: _log.warning(
                "%s: try %d of %d failed: %s", what, state.attempt_number, self.attempts, _cause(_error(state))
            ),
            reraise=True,
        )
        try:
            return retrying(action)
        except Exception as error:
            raise self._explained(error, what, repo, kind, revision) from error

    def _explained(self, error: Exception, what: str, repo: str, kind: Kind, revision: str) -> Exception:
        from huggingface_hub import errors

        place = self.endpoint or "the hub"
        if isinstance(error, UserError | JobError):
            return error
        if is_transient(error):
            return self._unreachable(what, error)
        # from the special to the general: each error is also an instance of those after it
        mended = [
            (
                errors.OfflineModeIsEnabled,
                f"{what} is not in the cache ({self.cache}), and HF_HUB_OFFLINE is set. Unset it once.",
            ),
            (
                errors.GatedRepoError,
                f"{kind} {repo} asks for consent: accept its terms on the hub, then `hf auth login`.",
            ),
            (
                errors.RevisionNotFoundError,
                f"{kind} {repo} has no revision {revision!r} on {place}. Give a commit of its history.",
            ),
            (
                errors.RepositoryNotFoundError,
                f"{place} has no {kind} {repo!r}, or it is private (`hf auth login`). Check the name.",
            ),
            (errors.HFValidationError, f"{repo!r} is not a name of the hub (expected ORGANISATION/NAME): {error}"),
            (errors.HfHubHTTPError, f"{place} refused {what}: {error}"),
            (OSError, f"{what} could not be stored in {self.cache}: {error}. Set HF_HOME to a folder with room."),
        ]
        return next((UserError(text) for kind_of, text in mended if isinstance(error, kind_of)), error)


def is_transient(error: BaseException) -> bool:
    """Whether trying again may help: 5xx, 408, 429, dropped or timed-out connections, short or corrupt downloads."""
    from huggingface_hub import errors

    if isinstance(error, errors.OfflineModeIsEnabled):
        return False
    if isinstance(error, CorruptFileError | errors.LocalEntryNotFoundError | errors.FileMetadataError):
        return True
    if isinstance(error, errors.HfHubHTTPError):
        status = getattr(error.response, "status_code", None)
        return status is None or status in {408, 425, 429} or status >= 500
    # the base class is that of the HTTP library in use, which changed between versions of huggingface_hub
    http_error = errors.HfHubHTTPError.__mro__[1]
    if isinstance(error, (http_error, ConnectionError, TimeoutError)):
        return True
    return isinstance(error, OSError) and "Consistency check failed" in str(error)


def has_content(path: Path, sha256: str | None, git_sha1: str | None) -> bool:
    """Whether a file has this sha256 or, where it is None, this sha1 of its git blob. True if neither is known."""
    if sha256 is None and git_sha1 is None:
        return True
    digest = hashlib.sha256() if sha256 is not None else hashlib.sha1(b"blob %d\0" % path.stat().st_size)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest() == (sha256 or git_sha1)


def local_tensors(path: Path) -> Shapes:
    """What a safetensors file holds, by its first bytes. Raises UserError when it is none."""
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
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)


def _error(state: Any) -> BaseException | None:
    error: BaseException | None = state.outcome.exception()
    return error


def _cause(error: BaseException | None) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]

"""The configurations of a dataset repository: which files make up which split, by the rules of `datasets`.

`datasets` finds this out over the network, file by file. Here it is asked about a folder of empty files that mirrors
the commit's listing, with the real header of the README, so that its own rules decide and no request is made.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.names import nearest
from embedmark.runner.hub.files import Commit, Hub

_HEADERS = ("README.md", ".huggingface.yaml", "dataset_infos.json")


def library() -> Any:
    """`datasets`, which shows no progress of its own and does not report each file read to its makers' server.

    Without network that report is waited for, seconds for every split.
    """
    import datasets

    datasets.disable_progress_bars()
    datasets.config.HF_UPDATE_DOWNLOAD_COUNTS = False
    return datasets


@dataclass(frozen=True)
class Configuration:
    """One configuration: the packaged builder of `datasets` that reads it, its options, and the files of each split."""

    name: str
    builder: str
    options: Mapping[str, Any]
    files: Mapping[str, tuple[str, ...]]


class Configurations:
    """The configurations of one commit. A context manager, because it mirrors the repository in a temporary folder."""

    def __init__(self, hub: Hub, commit: Commit) -> None:
        self._commit = commit
        self._folder = tempfile.TemporaryDirectory(prefix="embedmark-")
        root = self._root
        headers = hub.fetch(commit, [name for name in _HEADERS if name in commit.paths])
        for path in commit.paths:
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(headers[path].read_bytes() if path in headers else b"")

    def __enter__(self) -> Configurations:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    @property
    def _root(self) -> Path:
        # the folder carries the repository's name because `datasets` names things by it
        return Path(self._folder.name).resolve() / self._commit.repo.rpartition("/")[2]

    def names(self) -> list[str]:
        """The configurations, in the repository's order."""
        return list(library().get_dataset_config_names(str(self._root)))

    def get(self, name: str | None) -> Configuration:
        """One configuration, or with None the one that `datasets` takes by default.

        Raises UserError when there is none of that name, or no default among several.
        """
        known = self.names()
        if name is not None and name not in known:
            raise UserError(
                f"{self._where} has no configuration {name!r}; it has {', '.join(known[:40])}"
                f"{' and more' if len(known) > 40 else ''}.{nearest(name, known)}"
            )
        return self._build(f"configuration {name or 'default'}", name)

    def of_files(self, *, folder: str | None = None, pattern: str | None = None) -> Configuration:
        """A configuration of a folder of the repository, or of the files that a pattern matches, as the split `rows`.

        Raises UserError when there are none.
        """
        if pattern is not None:
            return self._build(f"files {pattern}", data_files={"rows": pattern})
        return self._build(f"folder {folder}", data_dir=folder)

    @property
    def _where(self) -> str:
        return f"dataset {self._commit.repo} at {self._commit.revision}"

    def _inside(self, path: str, what: str) -> str:
        """A file's name in the repository. Its README can name any address."""
        found = Path(path).resolve()
        if "://" in path or not found.is_relative_to(self._root):
            raise UserError(
                f"{self._where}, {what}: {path[:200]!r} lies outside the repository, and is not pinned with it"
            )
        return found.relative_to(self._root).as_posix()

    def _build(self, what: str, name: str | None = None, **chosen: Any) -> Configuration:
        try:
            builder = library().load_dataset_builder(str(self._root), name, **chosen)
        except (ValueError, RuntimeError, FileNotFoundError) as error:
            # raised for an ambiguous default, for loading scripts and for repositories without data files
            raise UserError(f"{self._where}, {what}: {error}") from error
        files = {
            str(split): tuple(self._inside(str(path), what) for path in paths)
            for split, paths in builder.config.data_files.items()
        }
        module = type(builder).__module__.rpartition(".")[2]
        return Configuration(str(builder.config.name), module, _options(builder), files)


def _options(builder: Any) -> dict[str, Any]:
    """What the repository's header says about reading the files, besides which they are."""
    skipped = {"name", "version", "data_dir", "data_files", "description"}
    plain = type(builder.config)()
    options = {
        option.name: getattr(builder.config, option.name)
        for option in dataclasses.fields(builder.config)
        if option.name not in skipped and getattr(builder.config, option.name) != getattr(plain, option.name)
    }
    if builder.info.features is not None:
        options["features"] = builder.info.features
    return options

"""What a bundle says of itself: the jobs it is for, and each file in it with its size and SHA-256.

A bundle may come from a stranger. Names lead nowhere but into the folder it is unpacked into, and sizes and counts are
bounded before anything is read by them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.folder import refuse_leaving
from embedmark.runner.config.explain import invalid

LARGEST = 64 * 2**20
"""Bytes of a manifest. Each file takes some 200 of them, each job 150."""

MOST_FILES = 100_000
MOST_BYTES = 2**42
"""Bytes of one file, and of all."""

_DEEPEST = 16
_PLACES = re.compile(r"configs/(model|task|benchmark)/[^/]+\.yaml|hub/(models|datasets)--[^/]+/.+|folders/[^/]+/.+")
"""Where files of a bundle may lie."""

_Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


def _inside(name: str) -> str:
    try:
        refuse_leaving(name, "files")
    except UserError as error:
        raise ValueError(str(error)) from None
    if not _PLACES.fullmatch(name) or name.count("/") > _DEEPEST:
        raise ValueError(f"{name[:100]!r} lies in no place that files of a bundle have")
    return name


Inside = Annotated[str, AfterValidator(_inside)]
"""The path of a file below the folder of a bundle."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Content(_Part):
    """What a file holds."""

    size: Annotated[int, Field(ge=0, le=MOST_BYTES)]
    sha256: _Sha256


class BundledJob(_Part):
    """A job that can be done with a bundle."""

    task: str
    subset: str
    split: str
    fingerprint: _Sha256


class Manifest(_Part):
    """All that a bundle says of itself.

    needs: what has to be installed where it is run, besides embedmark, as in `name==version`.
    """

    bundle: Literal[1] = 1
    """Layout of bundles."""
    embedmark: str
    """The version that made it."""
    model: str
    code: bool = False
    """Whether the model runs Python code of its own."""
    needs: tuple[str, ...] = ()
    jobs: tuple[BundledJob, ...]
    files: Annotated[Mapping[Inside, Content], Field(max_length=MOST_FILES)]

    @model_validator(mode="after")
    def _is_possible(self) -> Manifest:
        sizes: dict[str, int] = {}
        for name, content in self.files.items():
            if sizes.setdefault(content.sha256, content.size) != content.size:
                raise ValueError(f"files: {name[:100]!r} has the SHA-256 of a file of another size")
        if sum(content.size for content in self.files.values()) > MOST_BYTES:
            raise ValueError(f"files: more than {MOST_BYTES} bytes in all")
        return self

    @property
    def contents(self) -> dict[str, int]:
        """SHA-256 → size of each content, in the order in which they lie in the archive."""
        return dict(sorted((content.sha256, content.size) for content in self.files.values()))

    @property
    def size(self) -> int:
        """Bytes of all files, as they take them on disk when unpacked."""
        return sum(content.size for content in self.files.values())

    def to_bytes(self) -> bytes:
        """Return the file's content: the same for the same manifest."""
        values = self.model_dump(mode="json")
        values["files"] = dict(sorted(values["files"].items()))
        return (json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode()


def parse_manifest(content: bytes, where: str) -> Manifest:
    """Parse a manifest. where: what messages call it. Raises UserError naming every wrong key."""
    try:
        values = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: not valid JSON: {error}") from None
    layout = values.get("bundle") if isinstance(values, dict) else None
    if isinstance(layout, int) and layout > 1:
        raise UserError(
            f"{where}: made by a newer version of embedmark (bundle {layout}); upgrade embedmark to read it"
        )
    try:
        return Manifest.model_validate(values)
    except ValidationError as error:
        raise invalid(error, where, Manifest) from None

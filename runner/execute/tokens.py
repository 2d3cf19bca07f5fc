"""What a model's tokenizer made of one side of a job, kept beside the vectors: a run that finds them loads none."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from embedmark.models.base import Encoder, TokenEncoder
from embedmark.runner.common.files import read_regular, write_atomically
from embedmark.runner.encode.engine import Encoding, Request
from embedmark.tasks.base import Item

log = logging.getLogger(__name__)

_FOLDER = "sides"


@dataclass(frozen=True)
class SideTokens:
    """The tokens of one side.

    Args:
        total: Of all its texts; None where an earlier run encoded some of them.
        truncated: How many texts have as many as the model takes, or had more; None where no limit is known.
        sampled: SHA-256 of the token ids of the rows that are kept.
        lengths: Tokens of each of these rows.
    """

    total: int | None
    truncated: int | None
    sampled: str
    lengths: tuple[int, ...]


def side_tokens(
    encoder: Encoder | None, request: Request, encoding: Encoding, items: Sequence[Item], keys: str, folder: Path | None
) -> SideTokens | None:
    """Count the tokens of a side, or recall what an earlier run counted.

    Args:
        encoder: The model; None where it was not opened.
        request: The side.
        encoding: Where it was encoded.
        items: The rows that are kept.
        keys: A hash of what was encoded, and how.
        folder: Where the model's vectors are; None where none are kept.

    Returns:
        None for models without a tokenizer of their own, and where no run has counted.
    """
    path = None if folder is None else folder / _FOLDER / f"{keys[:32]}.json"
    if encoder is None:
        return _recalled(path)
    if request.variant.modality != "text" or not isinstance(encoder, TokenEncoder):
        return None
    lengths, limit = encoding.lengths(request), getattr(encoder, "max_tokens", None)
    ids = encoder.tokenize([item for item in items if isinstance(item, str)], request.variant)
    found = SideTokens(
        None if lengths is None else int(lengths.sum()),
        None if lengths is None or limit is None else int((lengths >= limit).sum()),
        hash_of(ids),
        tuple(map(len, ids)),
    )
    if found.total is None:
        return _recalled(path) or found
    _keep(path, found)
    return found


def hash_of(tokens: Sequence[Sequence[int]]) -> str:
    """Hash the token ids of some texts by SHA-256."""
    plain = [[int(token) for token in ids] for ids in tokens]
    return hashlib.sha256(json.dumps(plain, separators=(",", ":")).encode()).hexdigest()


def _recalled(path: Path | None) -> SideTokens | None:
    if path is None:
        return None
    try:
        values = json.loads(read_regular(path))
        return SideTokens(values["total"], values["truncated"], values["sampled"], tuple(values["lengths"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        log.info("%s cannot be read (%s)", path, error)
        return None


def _keep(path: Path | None, found: SideTokens) -> None:
    if path is None or path.exists():
        return
    try:
        path.parent.mkdir(exist_ok=True)
        write_atomically(path, json.dumps(asdict(found)) + "\n", durable=False)
    except OSError as error:
        log.info("%s was not written: %s", path, error)

"""`verify`: whether records are as they were written, who signed them, and whether they are what they claim."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from embedmark.runner.cli.signing import named
from embedmark.runner.common.errors import FAILED, OK, UserError
from embedmark.runner.common.text import counted, say
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.provenance import signing
from embedmark.runner.provenance.ssh import Signers, check_signers
from embedmark.runner.results.inspection import Inspected, inspect, scan

UNKNOWN = 3
"""Exit status where nothing can be said, so that a script tells it from what is wrong."""


@dataclass(frozen=True)
class Asked:
    """What `verify` is asked.

    Args:
        jobs: Which are run again; none are where this is empty and `sample` is 0.
        outputs: The folder of results.
        sample: How many to draw and run again.
        nonce: What the draw goes by; a new one where it is empty, and said.
        quick: To encode a few rows of each alone, instead of running it whole.
        signers: Who may sign; None where signatures are not asked for.
        folders: The user's own config folders.
    """

    jobs: Sequence[str]
    outputs: Path
    sample: int = 0
    nonce: str = ""
    quick: bool = False
    signers: Signers | None = None
    folders: Sequence[Path] = ()


def verify(asked: Asked) -> int:
    """Print what is wrong with records, who signed those that are whole, and what running some again says of them.

    Returns:
        1 where a record is damaged, not signed by one of the signers, or not what it claims; 3 where that cannot be
        told, and nothing is wrong.

    Raises:
        UserError: A name fits no job, or there are no records.
    """
    if asked.signers is not None:
        check_signers(asked.signers.file)
    found = list(named(asked.jobs, asked.outputs) if asked.jobs else _all(asked.outputs))
    if not found:
        raise UserError(f"{asked.outputs / 'jobs'}: no records; run a model first")
    damaged = [one for one in found if one.state == "corrupt"]
    for one in damaged:
        say(f"damaged  {one.found.path}: {one.problem}")
    whole = [one for one in found if one.state != "corrupt"]
    say(f"intact   {counted(len(whole), 'record')}: sums, schema and identity hold; this says nothing of their scores")
    wrong = bool(damaged) or not _signed(whole, asked.signers)
    statuses = _run_again(_chosen(whole, asked), asked) if asked.signers is None or asked.sample else []
    if wrong or FAILED in statuses:
        return FAILED
    return UNKNOWN if UNKNOWN in statuses else OK


def _signed(whole: Sequence[Inspected], signers: Signers | None) -> bool:
    unsigned = 0
    for one in whole if signers is not None else ():
        assert signers is not None
        answer = signing.check(one, signers)
        say(f"{'signed  ' if answer.signer else 'unsigned'} {one.found.path}: {answer.signer or answer.problem}")
        unsigned += answer.signer is None
    return not unsigned


def _chosen(whole: Sequence[Inspected], asked: Asked) -> Sequence[Inspected]:
    """The records that are run again: those that were named, or some drawn by what nobody knew before."""
    if not asked.sample:
        return whole if asked.jobs else ()
    nonce = asked.nonce or secrets.token_hex(8)
    say(f"sample   {min(asked.sample, len(whole))} of {counted(len(whole), 'record')}, drawn by --nonce {nonce}")
    return sorted(whole, key=lambda one: hashlib.sha256(f"{nonce} {one.fingerprint}".encode()).digest())[: asked.sample]


def _run_again(chosen: Sequence[Inspected], asked: Asked) -> list[int]:
    if not chosen:
        return []
    from embedmark.runner.verify.check import check

    catalogue = Catalogue.of(asked.folders)
    statuses = []
    for one in chosen:
        verdict = check(one, catalogue, whole=not asked.quick)
        name = one.found.path.name
        if verdict.outcome == "match":
            say(f"match    {name}: {verdict.reason}")
        else:
            say(f"{verdict.outcome} {verdict.reason}  ({name})")
        statuses.append({"match": OK, "differs because": FAILED}.get(verdict.outcome, UNKNOWN))
    return statuses


def _all(outputs: Path) -> Iterator[Inspected]:
    """All records; failures are no records."""
    return (inspect(found) for found in scan(outputs) if not found.failed)

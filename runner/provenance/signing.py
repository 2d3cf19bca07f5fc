"""Sign the folder of a record, and check what somebody signed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.files import read_regular, write_atomically
from embedmark.runner.provenance import ssh
from embedmark.runner.provenance.ssh import Signers
from embedmark.runner.provenance.statement import disagreement, files_of, statement
from embedmark.runner.results.durable import writing
from embedmark.runner.results.inspection import SIGNATURE, STATEMENT, Inspected
from embedmark.runner.results.record import Record


@dataclass(frozen=True)
class Signed:
    """Who signed a record.

    Args:
        signer: The name in the list of signers; None where no signature holds.
        problem: Why none holds, naming the file; empty where one does.
    """

    signer: str | None
    problem: str = ""


def sign(found: Inspected, key: Path) -> Path:
    """Write a record's statement and its signature beside its files. An earlier signature goes.

    A process that is killed on the way leaves the record unsigned, never with a signature of something else.

    Args:
        found: The record.
        key: A private key, or a public one whose private key the agent has.

    Returns:
        The signature's file.

    Raises:
        UserError: the folder is no whole record, or the key cannot be used.
        OutputError: the folder cannot be written.
    """
    folder = found.found.path
    if not isinstance(found.facts, Record):
        why = found.problem or "the job failed"
        raise UserError(f"{folder}: {why}; only a whole record of a job that is done can be signed")
    content = statement(found.facts, files_of(folder))
    signature = ssh.sign(content, key)
    with writing(folder):
        (folder / SIGNATURE).unlink(missing_ok=True)
        write_atomically(folder / STATEMENT, content, durable=True)
        write_atomically(folder / SIGNATURE, signature, durable=True)
    return folder / SIGNATURE


def check(found: Inspected, signers: Signers) -> Signed:
    """Find out who vouches for a record, and whether it is byte for byte what they signed.

    Args:
        found: The record, whole or damaged.
        signers: Who may sign.

    Raises:
        UserError: there is no ssh-keygen, or the lists of signers cannot be used.
    """
    if not isinstance(found.facts, Record):
        return Signed(None, found.problem or "the job failed, and a failure is not signed")
    folder = found.found.path
    try:
        content, signature = _read(folder / STATEMENT), _read(folder / SIGNATURE)
        problem = _form(content, signature) or disagreement(content, found.facts, files_of(folder))
    except FileNotFoundError as error:
        problem = f"not signed: {Path(str(error.filename)).name} is missing"
    except OSError as error:
        problem = f"{Path(str(error.filename)).name} cannot be read: {error.strerror}"
    except UserError as error:
        problem = str(error)
    return Signed(None, problem) if problem else Signed(*ssh.signer_of(content, signature, signers))


def _form(content: bytes, signature: bytes) -> str | None:
    if len(content) > ssh.LONGEST:
        return f"{STATEMENT} is larger than {ssh.LONGEST} bytes"
    return None if ssh.is_strict(signature) else f"{SIGNATURE} is not a signature as ssh-keygen writes it"


def _read(path: Path) -> bytes:
    if path.is_symlink():
        raise FileNotFoundError(2, "a link", str(path))
    return read_regular(path, ssh.LONGEST + 1)

"""Signatures made and checked by OpenSSH's ssh-keygen, with the keys that people have already.

Formats: PROTOCOL.sshsig of OpenSSH for signatures, ALLOWED SIGNERS in ssh-keygen(1) for the list of who may sign.
"""

from __future__ import annotations

import base64
import binascii
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from embedmark.runner.common.errors import UserError
from embedmark.runner.common.files import read_bounded

NAMESPACE = "embedmark-record"
"""What a key signs for: a signature made for something else, an e-mail say, is none of a record."""

LONGEST = 64 * 1024
"""Bytes of the largest signature, statement and list of signers that are read; real ones have a few thousand."""

_EXPECTED = "expected lines of `NAME KEYTYPE KEY`"
_BEGIN, _END = b"-----BEGIN SSH SIGNATURE-----\n", b"-----END SSH SIGNATURE-----\n"
_COLUMNS = 70
_HEADER = b"SSHSIG\x00\x00\x00\x01"
_PRINCIPALS = re.compile(r"[A-Za-z0-9._%+@-]+(,[A-Za-z0-9._%+@-]+)*")
_MOMENT = re.compile(r"\d{8}(\d{4}(\d{2})?)?Z?")


@dataclass(frozen=True)
class Signers:
    """Who may sign.

    Args:
        file: A list in the format of allowed signers; see `check_signers`.
        revoked: A list of keys that may no longer sign (a KRL, or public keys), if any.
        at: The time at which keys have to be valid, as in 20261126 or 20261126120000Z; None is now.
    """

    file: Path
    revoked: Path | None = None
    at: str | None = None


def sign(content: bytes, key: Path) -> bytes:
    """Sign with a private key, or with a public one whose private key the agent has.

    Returns:
        The armoured signature.

    Raises:
        UserError: there is no ssh-keygen, or it cannot use the key.
    """
    _refuse_option(key)
    done = _keygen(["-Y", "sign", "-f", str(key), "-n", NAMESPACE], content)
    if done.returncode or not is_strict(done.stdout):
        raise UserError(f"--key {key}: cannot sign: {_reason(done)}")
    return done.stdout


def is_strict(signature: bytes) -> bool:
    """Whether a signature is written in the one way that ssh-keygen writes it.

    Its check is laxer: it takes other white space, and other bits in the version.
    """
    if len(signature) > LONGEST or not signature.startswith(_BEGIN) or not signature.endswith(_END):
        return False
    body = signature[len(_BEGIN) : -len(_END)]
    try:
        content = base64.b64decode(body.replace(b"\n", b""), validate=True)
    except binascii.Error:
        return False
    plain = base64.b64encode(content)
    lines = [plain[start : start + _COLUMNS] + b"\n" for start in range(0, len(plain), _COLUMNS)]
    return body == b"".join(lines) and content.startswith(_HEADER)


def check_signers(path: Path) -> None:
    """Refuse a list of signers that lets in more than it names.

    Raises:
        UserError: it cannot be read, or a line's principals are patterns, quoted, or missing.
    """
    try:
        lines = read_bounded(path, LONGEST, hint=f"; {_EXPECTED}", where=f"--signers {path}").decode("utf-8")
    except UnicodeDecodeError:
        raise UserError(f"--signers {path}: not a text in UTF-8; {_EXPECTED}") from None
    for number, line in enumerate(lines.splitlines(), 1):
        principals = line.split(maxsplit=1)[0] if line.strip() else "#"
        if not principals.startswith("#") and not _PRINCIPALS.fullmatch(principals):
            raise UserError(
                f"--signers {path}:{number}: found {principals[:80]!r} for who may sign; expected names such as "
                "ada@example.org, joined by commas: a pattern would let in everybody that fits it"
            )


def signer_of(content: bytes, signature: bytes, signers: Signers) -> tuple[str | None, str]:
    """Find out who signed.

    Args:
        content: What was signed.
        signature: Its signature, already found to be strict.
        signers: Who may sign.

    Returns:
        The name of who signed, and why there is none otherwise.

    Raises:
        UserError: there is no ssh-keygen, or the lists of signers cannot be used.
    """
    check_signers(signers.file)
    when = _verify_time(signers.at)
    with tempfile.TemporaryDirectory(prefix="embedmark-") as folder:
        path = Path(folder, "signature")
        path.write_bytes(signature)
        given = ["-s", str(path), "-f", str(signers.file.absolute()), *when]
        principals = _keygen(["-Y", "find-principals", *given], b"")
        names = principals.stdout.decode("utf-8", "replace").split("\n")
        who = next((name for line in names for name in line.split(",") if name), None)
        if principals.returncode or who is None:
            return None, f"signed by a key that {signers.file} does not list, or no longer"
        revoked = ["-r", str(signers.revoked.absolute())] if signers.revoked else []
        done = _keygen(["-Y", "verify", *given, "-I", who, "-n", NAMESPACE, *revoked], content)
    return (None, f"the signature of {who} does not hold: {_reason(done)}") if done.returncode else (who, "")


def _verify_time(at: str | None) -> list[str]:
    if at is None:
        return []
    if not _MOMENT.fullmatch(at):
        raise UserError(f"--at: found {at!r}; expected a time as in 20261126 or 20261126120000Z")
    return ["-O", f"verify-time={at}"]


def _refuse_option(path: Path) -> None:
    if str(path).startswith("-"):
        raise UserError(f"--key {path}: found an option; give a file, as ./{path}")


def _keygen(arguments: Sequence[str], content: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["ssh-keygen", *arguments], input=content, capture_output=True, check=False)
    except FileNotFoundError:
        raise UserError(
            "ssh-keygen is not installed; it comes with OpenSSH, as in `apt install openssh-client`"
        ) from None


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = (done.stderr + done.stdout).decode("utf-8", "replace").strip().splitlines()
    return lines[0] if lines else f"ssh-keygen ended with {done.returncode}"

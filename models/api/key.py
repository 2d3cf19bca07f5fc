"""The key of a service: read from the environment, given to its requests, and taken out of everything that is shown."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from embedmark.runner.common.errors import ModelError

HIDDEN = "***"


@dataclass(frozen=True)
class Key:
    """variable: the environment variable that holds the key; None for a service that asks for none."""

    variable: str | None
    secret: str = field(default="", repr=False)

    def hidden(self, text: str) -> str:
        """The text without the key: services repeat it in their answers."""
        return text.replace(self.secret, HIDDEN) if self.secret else text


def read_key(variables: Sequence[str]) -> Key:
    """The key in the first of those variables that is set; no variables, no key. Raises ModelError."""
    if not variables:
        return Key(None)
    found = next((variable for variable in variables if os.environ.get(variable, "").strip()), None)
    if found is None:
        names = " or ".join(variables)
        raise ModelError(f"the environment variable {names} is not set; it has to hold the key of the service")
    secret = os.environ[found].strip()
    # HTTP libraries show a header that they cannot send.
    if not (secret.isascii() and secret.isprintable()) or " " in secret:
        raise ModelError(f"the environment variable {found} holds characters that no key has (spaces, line ends, ...)")
    return Key(found, secret)

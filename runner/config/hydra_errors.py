"""What Hydra and OmegaConf find wrong with config.yaml, an execution file or hydra's own keys, in our words."""

from __future__ import annotations

import re

from embedmark.runner.common.errors import UserError

_CIRCLE = "what is named in a `defaults` list or as `${...}` leads back to itself; leave one of the two out"
_WORDS = (
    (r"Could not (?:find|load) '([^']*)'", r"there is no file \1.yaml in a config folder; `defaults` lists files"),
    (r"Could not override '([^']*)'", r"there is no key '\1' to change"),
    (r"Key '([^']*)' (?:is )?not in ", r"there is no key '\1'"),
    (r"Error merging override (.*)", r"\1: no value that this key can have"),
    (r"Invalid defaults list in '([^']*)'", r"defaults of \1: expected a list, as in `defaults: [_self_]`"),
    (r"maximum recursion depth|Recursive (?:interpolation|default)", _CIRCLE),
    (r"Interpolation key '([^']*)' not found", r"${\1}: there is no such key"),
    (r"Environment variable '([^']*)' not found", r"${oc.env:\1}: the environment has no such variable"),
    (r"Missing mandatory value: (\S+)", r"\1: `???` stands there; give a value"),
    (r"Target '([^']*)' is blocklisted", r"'\1' may not be called; leave `_target_` out"),
    (
        r"(?:Expected header format|Too many components|Missing package).*",
        "a line `# @package NAME` names no one package",
    ),
    (
        r"is not a subclass of|could not be converted|incompatible with",
        "a key below `hydra` has a value of another kind",
    ),
)
"""What is said of it, by what is found in Hydra's message."""


def hydra_error(error: Exception) -> UserError:
    """One line of what Hydra raised; nothing of it is shown but names."""
    text = " ".join(str(error).split())
    for pattern, words in _WORDS:
        if (match := re.search(pattern, text)) is not None:
            return UserError(f"the command line or config.yaml cannot be composed: {match.expand(words)[:400]}")
    return UserError(
        "the command line or config.yaml cannot be composed: a key of hydra's own, a `defaults` list or a `${...}` has "
        "a value that cannot be used; leave out what was last added"
    )

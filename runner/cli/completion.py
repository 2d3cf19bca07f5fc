"""Shell completion: verbs, config groups with their choices, and keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import BaseModel

from embedmark.runner.config.catalogue import KINDS, Catalogue
from embedmark.runner.config.schema import Execution, ModelConfig, Settings

_BASH = """\
_embedmark() {
  local line="${COMP_LINE:0:COMP_POINT}" IFS=$'\\n'
  COMPREPLY=($(embedmark __complete "$line" 2>/dev/null))
  local cut="${line##* }"; cut="${cut%"${cut##*=}"}"
  COMPREPLY=("${COMPREPLY[@]#"$cut"}")
  [[ ${COMPREPLY[0]} == *= || ${COMPREPLY[0]} == *. ]] && compopt -o nospace
}
complete -F _embedmark embedmark
"""

_ZSH = """\
#compdef embedmark
_embedmark() {
  local -a found
  found=("${(@f)$(embedmark __complete "${words[1,CURRENT]}" 2>/dev/null)}")
  compadd -Q -S '' -- $found
}
compdef _embedmark embedmark
"""

_FISH = """\
complete -c embedmark -f -a '(embedmark __complete (commandline -cp) 2>/dev/null)'
"""


def script(shell: str) -> str:
    """The completion script of a shell, to be sourced or put where the shell looks for it."""
    return {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}[shell]


def candidates(words: Sequence[str], verbs: Iterable[str]) -> list[str]:
    """What may stand in place of the last word of a command line (given as one string, program first)."""
    typed = " ".join(words).split(" ")
    last, before = typed[-1], typed[1:-1]
    if before[:1] == ["list"]:
        offered: Iterable[str] = ["models", "tasks", "benchmarks"]
    elif before[:1] == ["show"]:
        offered = _names()
    elif before == ["model"]:
        offered = ["new"]
    elif before == ["leaderboard"]:
        offered = ["build", "serve", "show"]
    else:
        offered = [*_overrides(last), *(verb for verb in verbs if not before and not verb.startswith("_"))]
    return sorted(word for word in offered if word.startswith(last))


def _names() -> Iterable[str]:
    catalogue = Catalogue(quiet=True)
    return [entry.choice for kind in KINDS for entry in catalogue.entries(kind).values()]


def _overrides(last: str) -> Iterable[str]:
    key, equals, _ = last.partition("=")
    if equals:
        entries = Catalogue(quiet=True).entries(key).values() if key in KINDS else ()
        return [f"{key}={entry.choice}" for entry in entries]
    if "." in key:
        groups: dict[str, type[BaseModel]] = {"model": ModelConfig, "execution": Execution}
        head = key.split(".")[0]
        return [f"{head}.{field}=" for field in groups[head].model_fields] if head in groups else []
    return [*(f"{field}=" for field in Settings.model_fields), "model.", "execution."]

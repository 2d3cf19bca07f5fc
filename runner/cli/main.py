"""The command: picks the verb, and imports nothing heavy before it knows which."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import embedmark
from embedmark.runner.cli.boundary import check_arguments, guarded
from embedmark.runner.cli.registry import GROUPS, VERBS, Verb, added_verbs
from embedmark.runner.common.errors import UserError

_EPILOG = """\
examples:
  python -m runner                                          the quickstart benchmark with MiniLM, offline
  python -m runner model=e5 benchmark=mteb_eng_v2           one model on one benchmark
  python -m runner plan model=e5 benchmark=mteb_eng_v2      what that would do
  python -m runner -m model=e5,bge task=sts/stsbenchmark    a sweep over models
  python -m runner tasks=[STSBenchmark] model.max_tokens=64 any value of a config can be overridden

exit status:
  0    all done
  1    a job failed, or could not be done
  2    a mistake in what was asked for
  130  stopped by Ctrl-C; what is done is kept

`python -m runner VERB --help` says what a verb takes, with an example.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit status; see runner/cli/boundary.py for what happens to errors."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    return guarded(lambda: _command(arguments), arguments)


def _command(arguments: Sequence[str]) -> int:
    _own_installation_first()
    check_arguments(arguments)
    options = options_of(verb_first(arguments))
    return _known()[options.verb].handle(options)


def _own_installation_first() -> None:
    """Search the current folder last, which `python -m` searches first, and our own installation before all else.

    No `models` or `tasks` of the current folder takes the place of ours then, and no `datasets.py` of what we need.
    """
    ours = str(Path(embedmark.__file__).resolve().parents[1])
    others = [path for path in sys.path if path != ours]
    if others and not sys.flags.safe_path and _is_current_folder(others[0]):
        others.append(others.pop(0))
    sys.path[:] = [ours, *others]


def _is_current_folder(path: str) -> bool:
    try:
        return path == "" or Path(path) == Path.cwd()
    except FileNotFoundError:  # the current folder has been removed
        return False


def _known() -> Mapping[str, Verb]:
    """All verbs, those of packages included. Raises UserError where a package takes a name that is taken."""
    added = added_verbs()
    if added.clashes:
        raise UserError(added.clashes[0])
    return {**VERBS, **added.found}


def _is_verb(argument: str) -> bool:
    """Whether it is one; packages are asked only about what looks like one and is none of ours."""
    if argument in VERBS or not argument.isidentifier():
        return argument in VERBS
    if argument in added_verbs().left_out:
        raise UserError(f"verb {argument!r} is left out: {added_verbs().left_out[argument]}")
    return argument in added_verbs().found


def verb_first(arguments: Sequence[str]) -> list[str]:
    """The command line with its verb in front: options may come before it, and `run` need not be said."""
    if arguments and arguments[0] in {"-h", "--help", "--version"}:
        return list(arguments)
    after_flag = ("", *arguments)
    for index, argument in enumerate(arguments):
        if _is_verb(argument) and after_flag[index] not in _BEFORE_VALUES:
            return [argument, *arguments[:index], *arguments[index + 1 :]]
        if argument == "--" or ("=" in argument and not argument.startswith("-")):
            break
    return ["run", *arguments]


_BEFORE_VALUES = {"-cd", "--config-dir", "--outputs", "--benchmark", "--model", "--format", "--out"}
"""Options that a value follows, which may be a verb's word."""


_REST = {argparse.PARSER, argparse.REMAINDER}


def options_of(arguments: Sequence[str]) -> argparse.Namespace:
    """What a command line with its verb in front says. Options may stand anywhere, between overrides too."""
    name = arguments[0]
    if not _is_verb(name):
        return _parser().parse_args(arguments)
    verb = VERBS.get(name) or _known()[name]
    parser = _Parser(
        prog=f"python -m runner {name}",
        description=verb.summary,
        epilog=verb.epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=True,
    )
    verb.arguments(parser)
    options = argparse.Namespace(verb=name)
    if any(action.nargs in _REST for action in parser._actions):
        return parser.parse_args(arguments[1:], options)
    return parser.parse_intermixed_args(arguments[1:], options)


class _Parser(argparse.ArgumentParser):
    """A parser whose errors look like all others."""

    def error(self, message: str) -> NoReturn:
        """Raises UserError."""
        raise UserError(f"{message}; `{self.prog} --help` says what there is")


class _Version(argparse.Action):
    """Prints the version, which is looked up for it alone."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"embedmark {version('embedmark')}")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    """The parser of what stands in place of a verb: help and the version."""
    parser = _Parser(
        prog="python -m runner",
        usage="python -m runner [-h] [--version] [VERB] ...",
        description="Measure embedding models on benchmarks. Configs say what; results are kept by what decided them.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show program's version number and exit")
    parser.add_argument_group("verbs", _grouped_verbs())
    return parser


def _grouped_verbs() -> str:
    """Every verb under what one wants of it."""
    verbs = _known()
    widest = max(map(len, verbs))
    lines: list[str] = []
    for group, title in GROUPS.items():
        members = [f"  {name:<{widest}}  {verb.summary}" for name, verb in verbs.items() if verb.group == group]
        lines += [f"{title}:", *members] if members else []
    return "\n".join(lines)

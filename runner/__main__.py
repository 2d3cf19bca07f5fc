"""`python -m runner`: picks the verb, and imports nothing heavy before it knows which."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from runner.boundary import check_arguments, guarded
from runner.errors import OK, UserError

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

_GROUPS = {
    "measure": "measure",
    "look": "look at what there is",
    "compare": "compare what was measured",
    "check": "check",
    "exchange": "exchange results",
    "add": "add a model or task",
    "keep": "keep house",
}
"""What one wants of a verb, in the order in which help lists them."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit status; see runner/boundary.py for what happens to errors."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    return guarded(lambda: _command(arguments), arguments)


def _command(arguments: Sequence[str]) -> int:
    _own_installation_first()
    check_arguments(arguments)
    options = _options(_verb_first(arguments))
    return _VERBS[options.verb].handler(options)


def _own_installation_first() -> None:
    """Search the current folder last, which `python -m` searches first, and our own installation before all else.

    No `models` or `tasks` of the current folder takes the place of ours then, and no `datasets.py` of what we need.
    """
    ours = str(Path(__file__).resolve().parents[1])
    others = [path for path in sys.path if path != ours]
    if others and not sys.flags.safe_path and _is_current_folder(others[0]):
        others.append(others.pop(0))
    sys.path[:] = [ours, *others]


def _is_current_folder(path: str) -> bool:
    try:
        return path == "" or Path(path) == Path.cwd()
    except FileNotFoundError:  # the current folder has been removed
        return False


def _verb_first(arguments: Sequence[str]) -> list[str]:
    """The command line with its verb in front: options may come before it, and `run` need not be said."""
    if arguments and arguments[0] in {"-h", "--help", "--version"}:
        return list(arguments)
    after_flag = ("", *arguments)
    for index, argument in enumerate(arguments):
        if argument in _VERBS and after_flag[index] not in _BEFORE_VALUES:
            return [argument, *arguments[:index], *arguments[index + 1 :]]
        if argument == "--" or ("=" in argument and not argument.startswith("-")):
            break
    return ["run", *arguments]


_BEFORE_VALUES = {"-cd", "--config-dir", "--outputs", "--benchmark", "--model", "--format", "--out"}
"""Options that a value follows, which may be a verb's word."""


_REST = {argparse.PARSER, argparse.REMAINDER}


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    """What a command line with its verb in front says. Options may stand anywhere, between overrides too."""
    parser, verbs = _parser()
    verb = arguments[0]
    if verb not in verbs or any(action.nargs in _REST for action in verbs[verb]._actions):
        return parser.parse_args(arguments)
    return verbs[verb].parse_intermixed_args(arguments[1:], argparse.Namespace(verb=verb))


def _run(options: argparse.Namespace) -> int:
    from runner.commands.run import run

    return run(options.overrides, options.config_dir, sweep=options.multirun)


def _plan(options: argparse.Namespace) -> int:
    from runner.commands.plan import plan

    return plan(
        options.overrides,
        options.config_dir,
        as_json=options.json,
        cost=options.cost,
        sweep=options.multirun,
    )


def _list(options: argparse.Namespace) -> int:
    from runner.commands.catalogue import list_entries

    return list_entries(options.kind, options.pattern, options.config_dir, as_json=options.json)


def _show(options: argparse.Namespace) -> int:
    from runner.commands.catalogue import show

    return show(options.name, options.config_dir)


def _report(options: argparse.Namespace) -> int:
    from runner.commands.report import report
    from runner.report.report import Options

    asked = Options(options.benchmark, options.model, options.draws, options.older, options.ignore_failed)
    return report(options.outputs, asked, options.format, options.config_dir)


def _why(options: argparse.Namespace) -> int:
    from runner.commands.report import why

    return why(options.a, options.b, options.outputs)


def _forget(options: argparse.Namespace) -> int:
    from runner.commands.forget import forget

    return forget(
        options.outputs,
        options.jobs,
        failed=options.failed,
        model=options.model,
        task=options.task,
        confirmed=options.yes,
    )


def _store(options: argparse.Namespace) -> int:
    from runner.commands.store import prune, show

    if options.action == "prune":
        return prune(options.outputs, model=options.model, older=options.older, confirmed=options.yes)
    return show(options.outputs, as_json=options.json)


def _model(options: argparse.Namespace) -> int:
    from runner.commands.model import new

    return new(options.name, options.out, force=options.force)


def _completion(options: argparse.Namespace) -> int:
    from runner.commands.completion import script

    print(script(options.shell))
    return OK


def _complete(options: argparse.Namespace) -> int:
    from runner.commands.completion import candidates
    from runner.text import say

    say("\n".join(candidates(options.words, _VERBS)))
    return OK


class _Verb:
    """A verb: what it does, what it takes, who handles it, and the group of verbs that it is listed in, if any."""

    def __init__(
        self,
        summary: str,
        handler: Callable[[argparse.Namespace], int],
        arguments: Callable[[argparse.ArgumentParser], object],
        *,
        group: str,
        examples: Sequence[str] = (),
    ) -> None:
        self.summary, self.handler, self.arguments = summary, handler, arguments
        self.group, self.examples = group, examples

    @property
    def epilog(self) -> str:
        """Its examples, as its help ends."""
        return "\n".join(
            ["examples:" if len(self.examples) > 1 else "example:", *(f"  {line}" for line in self.examples)]
        )


def _takes_overrides(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="config groups and values, as in model=e5")
    _takes_config_dir(parser)


def _takes_run(parser: argparse.ArgumentParser) -> None:
    _takes_overrides(parser)
    parser.add_argument(
        "-m",
        "--multirun",
        action="store_true",
        help="sweep: a comma-separated value is tried one by one (Hydra multirun)",
    )


def _takes_plan(parser: argparse.ArgumentParser) -> None:
    _takes_run(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a job")
    parser.add_argument(
        "--cost", action="store_true", help="load the data, and say how many texts and tokens are left to encode"
    )


def _takes_config_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-cd", "--config-dir", action="append", default=[], type=Path, metavar="DIR",
        help="a folder of your own with model/, task/ or benchmark/ files; may be given several times",
    )  # fmt: skip


def _takes_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=["models", "tasks", "benchmarks"])
    parser.add_argument("pattern", nargs="?", default="", help="only what has this in its name, type or file")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    _takes_config_dir(parser)


def _takes_show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="a model, task or benchmark, by name or file")
    _takes_config_dir(parser)


def _takes_outputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--outputs", type=Path, default=Path("outputs"), help="where results lie (default: outputs)")


def _takes_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--benchmark", metavar="NAME", help="only this benchmark's tasks, with its means")
    parser.add_argument("--model", action="append", default=[], metavar="NAME", help="only this model; may be repeated")
    parser.add_argument("--draws", choices=["job", "mteb"], help="the benchmark as it was run with these draws")
    parser.add_argument(
        "--older", action="store_true", help="also what a change of version made old, in columns and rows marked so"
    )
    parser.add_argument("--ignore-failed", action="store_true", help="as if no job had failed")
    parser.add_argument(
        "--format",
        action="append",
        default=[],
        choices=["md", "csv", "json"],
        help="what to write (default: all three)",
    )
    _takes_outputs(parser)
    _takes_config_dir(parser)


def _takes_why(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("a", help="a job: its folder, or the first digits of its fingerprint")
    parser.add_argument("b", help="another job")
    _takes_outputs(parser)


def _takes_forget(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("jobs", nargs="*", metavar="JOB", help="a job: its folder, or digits of its fingerprint")
    parser.add_argument("--failed", action="store_true", help="every failure, in place of jobs by name")
    parser.add_argument("--model", metavar="NAME", help="with --failed: only of this model")
    parser.add_argument("--task", metavar="NAME", help="with --failed: only of this task")
    parser.add_argument("--yes", action="store_true", help="delete records too, where they are named")
    _takes_outputs(parser)


def _takes_store(parser: argparse.ArgumentParser) -> None:
    _takes_outputs(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object, in bytes")
    actions = parser.add_subparsers(dest="action", metavar="[prune]")
    what = "delete vectors, and never a record"
    prune = actions.add_parser("prune", help=what, description=what, allow_abbrev=False)
    prune.add_argument("--model", metavar="NAME", help="those of this model")
    prune.add_argument("--older", metavar="AGE", help="those not used for so long: 12h, 90d, 8w")
    prune.add_argument("--yes", action="store_true", help="without being asked")
    # Its default would take the place of what is given before `prune`.
    prune.add_argument("--outputs", type=Path, default=argparse.SUPPRESS, help="where results lie (default: outputs)")


def _takes_model(parser: argparse.ArgumentParser) -> None:
    _takes_new(parser, "ORGANISATION/NAME on the hub, or the folder of a checkpoint")


def _takes_new(parser: argparse.ArgumentParser, named: str) -> None:
    """`new NAME`, which writes a file into a config folder."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="new")
    new = actions.add_parser("new", description=f"{parser.description}; the file is yours to edit")
    new.add_argument("name", metavar="NAME", help=named)
    new.add_argument(
        "--out", type=Path, default=Path("mine"), metavar="FOLDER",
        help="the config folder to write into, to be given to other verbs as --config-dir (default: ./mine)",
    )  # fmt: skip
    new.add_argument("--force", action="store_true", help="write over a file that is there already")


def _takes_shell(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=["bash", "zsh", "fish"])


def _takes_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs=argparse.REMAINDER)


_VERBS = {
    "run": _Verb(
        "measure a model (the default verb)", _run, _takes_run, group="measure",
        examples=["python -m runner model=e5 benchmark=mteb_eng_v2", "python -m runner -m model=e5,bge task=sts/sts17"],
    ),
    "plan": _Verb(
        "show what a run would do, and what is already done", _plan, _takes_plan, group="measure",
        examples=["python -m runner plan model=e5 benchmark=mteb_eng_v2", "python -m runner plan model=e5 --cost"],
    ),
    "list": _Verb(
        "list models, tasks or benchmarks", _list, _takes_list, group="look",
        examples=["python -m runner list tasks clustering"],
    ),
    "show": _Verb(
        "print one model, task or benchmark as it is understood", _show, _takes_show, group="look",
        examples=["python -m runner show STSBenchmark"],
    ),
    "report": _Verb(
        "print and write the scores of what was run", _report, _takes_report, group="compare",
        examples=["python -m runner report", "python -m runner report --benchmark mteb_eng_v2 --model e5 --format csv"],
    ),
    "why": _Verb(
        "show why two jobs are not the same job", _why, _takes_why, group="compare",
        examples=["python -m runner why 3f9c0d 81ab22"],
    ),
    "model": _Verb(
        "draft the file of a new model from its checkpoint: model new NAME", _model, _takes_model, group="add",
        examples=["python -m runner model new intfloat/e5-base-v2 --out mine"],
    ),
    "forget": _Verb(
        "delete failures of earlier runs, or a record by name", _forget, _takes_forget, group="keep",
        examples=["python -m runner forget --failed --task STS17", "python -m runner forget 3f9c0d --yes"],
    ),
    "store": _Verb(
        "show what outputs take on disk, by model; store prune deletes vectors", _store, _takes_store, group="keep",
        examples=["python -m runner store", "python -m runner store prune --older 90d"],
    ),
    "completion": _Verb(
        "print a shell's completion script for `embedmark`", _completion, _takes_shell, group="keep",
        examples=["embedmark completion bash > ~/.local/share/bash-completion/completions/embedmark"],
    ),
    "__complete": _Verb("", _complete, _takes_words, group=""),
}  # fmt: skip


class _Parser(argparse.ArgumentParser):
    """A parser whose errors look like all others."""

    def error(self, message: str) -> NoReturn:
        """Raises UserError."""
        raise UserError(f"{message}; `{self.prog} --help` says what there is")


def _parser() -> tuple[argparse.ArgumentParser, Mapping[str, argparse.ArgumentParser]]:
    """The parser of whole command lines, and that of each verb."""
    parser = _Parser(
        prog="python -m runner",
        usage="python -m runner [-h] [--version] [VERB] ...",
        description="Measure embedding models on benchmarks. Configs say what; results are kept by what decided them.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"embedmark {_version()}")
    verbs = parser.add_subparsers(
        dest="verb", required=True, metavar="VERB", prog="python -m runner", help=argparse.SUPPRESS,
        title="verbs", description=_grouped_verbs(),
    )  # fmt: skip
    for name, verb in _VERBS.items():
        verb.arguments(
            verbs.add_parser(
                name,
                description=verb.summary,
                epilog=verb.epilog,
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
        )
    return parser, verbs.choices


def _grouped_verbs() -> str:
    """Every verb under what one wants of it."""
    widest = max(map(len, _VERBS))
    lines: list[str] = []
    for group, title in _GROUPS.items():
        members = [f"  {name:<{widest}}  {verb.summary}" for name, verb in _VERBS.items() if verb.group == group]
        lines += [f"{title}:", *members] if members else []
    return "\n".join(lines)


def _version() -> str:
    from importlib.metadata import version

    return version("embedmark")


if __name__ == "__main__":
    sys.exit(main())

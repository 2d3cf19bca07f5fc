"""The verbs, a row each: to add one, write runner/cli/verbs/<name>.py and a row here.

Packages add verbs through the entry-point group `embedmark.verbs`, whose values are `Verb` objects.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embedmark.runner.common.plugins import PlugIns

GROUPS = {
    "measure": "measure",
    "look": "look at what there is",
    "compare": "compare what was measured",
    "check": "check",
    "exchange": "exchange results",
    "add": "add a model or task",
    "keep": "keep house",
}
"""What one wants of a verb, in the order in which help lists them."""


@dataclass(frozen=True)
class Verb:
    """A verb of the command line.

    Args:
        name: What is typed.
        summary: What it does, as help lists it.
        group: One of GROUPS; empty for one that help does not list.
        examples: Command lines, as its help ends.
        module: Where `arguments(parser)` and `handle(options) -> int` are; imported when the verb is asked for.
    """

    name: str
    summary: str
    group: str
    examples: tuple[str, ...] = ()
    module: str = ""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what it takes to a parser."""
        self._module().arguments(parser)

    def handle(self, options: argparse.Namespace) -> int:
        """Do it, and return the exit status."""
        status: int = self._module().handle(options)
        return status

    @property
    def epilog(self) -> str:
        """Its examples, as its help ends."""
        return "\n".join(
            ["examples:" if len(self.examples) > 1 else "example:", *(f"  {line}" for line in self.examples)]
        )

    def _module(self) -> Any:
        return import_module(self.module or f"embedmark.runner.cli.verbs.{self.name.strip('_')}")


_BUILT_IN = [
    Verb(
        "run", "measure a model (the default verb)", "measure",
        ("python -m runner model=e5 benchmark=mteb_eng_v2", "python -m runner -m model=e5,bge task=sts/sts17",),
    ),
    Verb(
        "plan", "show what a run would do, and what is already done", "measure",
        ("python -m runner plan model=e5 benchmark=mteb_eng_v2", "python -m runner plan model=e5 --cost",),
    ),
    Verb(
        "list", "list models, tasks or benchmarks", "look",
        ("python -m runner list tasks clustering",),
    ),
    Verb(
        "show", "print one model, task or benchmark as it is understood", "look",
        ("python -m runner show STSBenchmark",),
    ),
    Verb(
        "report", "print and write the scores of what was run", "compare",
        ("python -m runner report", "python -m runner report --benchmark mteb_eng_v2 --model e5 --format csv",),
    ),
    Verb(
        "compare", "say whether one model is better than another, on the same items", "compare",
        (
            "python -m runner compare e5 minilm",
            "python -m runner compare new old --fail-if worse --json",
            "python -m runner compare 'checkpoint-*' --over revision --svg run.svg",
        ),
    ),
    Verb(
        "leaderboard", "build, serve or show a leaderboard of every benchmark, with one's own results in it", "compare",
        (
            "python -m runner leaderboard serve",
            "python -m runner leaderboard build --out site",
            "python -m runner leaderboard show benchmark=mteb_eng_v2 type=Retrieval --top 10",
        ),
    ),
    Verb(
        "why", "show why two jobs are not the same job", "compare",
        ("python -m runner why 3f9c0d 81ab22",),
    ),
    Verb(
        "inspect", "show the worst items of a job with their texts, or where two jobs part", "compare",
        ("python -m runner inspect 3f9c0d", "python -m runner inspect 3f9c0d 81ab22 --format html --out parted.html"),
    ),
    Verb(
        "verify", "check records: as they were written, by whom signed, and what they claim", "check",
        ("python -m runner verify", "python -m runner verify 3f9c0d --signers allowed_signers"),
    ),
    Verb(
        "lint", "show what looks wrong with scores: one's own, files, or imported ones", "check",
        ("python -m runner lint", "python -m runner lint imported", "python -m runner lint ~/results/org__model"),
    ),
    Verb(
        "reproduce", "run what is not done, and compare with what was published of the model", "check",
        ("python -m runner reproduce model=minilm tasks=[STSBenchmark]",),
    ),
    Verb(
        "export", "write records as mteb's result files, or all scores as one table", "exchange",
        ("python -m runner export --to mteb --model e5", "python -m runner export --to parquet"),
    ),
    Verb(
        "bundle", "put data, weights and configs of a plan into one archive, for a machine without network", "exchange",
        ("python -m runner bundle model=e5 benchmark=mteb_eng_v2 --out e5.tar", "python -m runner bundle --run e5.tar"),
    ),
    Verb(
        "submit", "check a model's records for a benchmark, and lay them out for a results repository", "exchange",
        ("python -m runner submit ~/results --model e5 --benchmark mteb_eng_v2",),
    ),
    Verb(
        "results", "make a repository that receives submissions: results new FOLDER", "exchange",
        ("python -m runner results new ~/our-results",),
    ),
    Verb(
        "review", "check the files of a pull request to a results repository", "exchange",
        ("python -m runner review head --changed changed --signers base/signers/allowed_signers",),
    ),
    Verb(
        "import", "read scores that others measured, kept apart from one's own", "exchange",
        ("python -m runner import ~/results", "python -m runner import main_scores.parquet colleague/outputs"),
    ),
    Verb(
        "sign", "vouch for a record with an SSH key", "exchange",
        ("python -m runner sign 3f9c0d --key ~/.ssh/id_ed25519",),
    ),
    Verb(
        "model", "draft the file of a new model from its checkpoint: model new NAME", "add",
        ("python -m runner model new intfloat/e5-base-v2 --out mine",),
    ),
    Verb(
        "benchmark", "choose a benchmark's most telling tasks for a budget: benchmark lite NAME", "add",
        ("python -m runner benchmark lite mteb_eng_v2 --minutes 20 --model minilm --out mine",),
    ),
    Verb(
        "forget", "delete failures of earlier runs, or a record by name", "keep",
        ("python -m runner forget --failed --task STS17", "python -m runner forget 3f9c0d --yes",),
    ),
    Verb(
        "store", "show what outputs take on disk, by model; store prune deletes vectors", "keep",
        ("python -m runner store", "python -m runner store prune --older 90d",),
    ),
    Verb(
        "completion", "print a shell's completion script for `embedmark`", "keep",
        ("embedmark completion bash > ~/.local/share/bash-completion/completions/embedmark",),
    ),
    Verb("__complete", "", ""),
]  # fmt: skip

VERBS = {verb.name: verb for verb in _BUILT_IN}
"""The verbs that embedmark has itself, by name."""


@cache
def added_verbs() -> PlugIns[Verb]:
    """Read the verbs of installed packages, which take no name of one that is built in."""
    from embedmark.runner.common.plugins import plug_ins

    return plug_ins("embedmark.verbs", "verb", Verb, VERBS, lambda verb: (str(verb.name),), _fault)


def _fault(verb: Verb) -> str | None:
    if not verb.module:
        return "which names no `module`"
    if verb.group not in GROUPS:
        return f"whose `group` is {verb.group!r}; expected one of {', '.join(GROUPS)}"
    return None

"""Families of tasks: tasks whose scores are not independent evidence, since they were made from the same data.

Two tasks are of one family where they share any of: the stem of their names, rows of one dataset, the page that they
refer to, or a task that they were adapted from. `about: family:` in a task's file says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from embedmark.runner.common.groups import grouped
from embedmark.runner.config.catalogue import Catalogue
from embedmark.runner.config.schema import HubDataset, PackageDataset, TaskConfig, TaskGroup

_FORM = re.compile(r"P2P|S2S|HardNegatives")
_VERSION = re.compile(r"[.-]?v\d+(\.\d+)*$", re.IGNORECASE)
_LANGUAGE = re.compile(r"-(VN|NL|PL|BR|DE|ES|FR|IT|JP|KO|RU|Fa|fa)(?=\W|$)")

COLLECTIONS = frozenset(
    {
        "https://aclanthology.org/2020.coling-main.233.pdf",  # named by tasks of other data, too
        "https://aclanthology.org/2021.emnlp-main.357",  # Chinese pairs of sentences
        "https://aclanthology.org/2022.emnlp-main.357.pdf",  # named by tasks of other data, too
        "https://aclanthology.org/2023.emnlp-main.338/",  # SciRepEval
        "https://aclanthology.org/2023.nodalida-1.20/",  # ScandEval
        "https://aclanthology.org/2025.acl-long.1528/",  # REAL-MM-RAG
        "https://aclanthology.org/2025.findings-acl.1371",  # skLEP
        "https://arxiv.org/abs/1306.5151",  # named by tasks of other data, too
        "https://arxiv.org/abs/1509.01626",  # eight tables of character-level networks
        "https://arxiv.org/abs/2004.03289",  # KorNLI and KorSTS
        "https://arxiv.org/abs/2009.08712",  # named by tasks of other data, too
        "https://arxiv.org/abs/2104.07081",  # Reddit and StackExchange
        "https://arxiv.org/abs/2105.09680",  # KLUE
        "https://arxiv.org/abs/2202.01747",  # named by tasks of other data, too
        "https://arxiv.org/abs/2203.03367",  # Multi-CPR
        "https://arxiv.org/abs/2212.05409",  # IndicXTREME
        "https://arxiv.org/abs/2402.08183/",  # sentences of seven years of STS, drawn as images
        "https://arxiv.org/abs/2404.06347",  # RAR-b
        "https://arxiv.org/abs/2407.02883",  # CoIR
        "https://arxiv.org/abs/2412.00532",  # ChemTEB
        "https://arxiv.org/abs/2503.04644",  # IFIR
        "https://arxiv.org/abs/2601.08620",  # ViDoRe V3
        "https://arxiv.org/abs/2605.06235",  # OBLIQ-Bench
        "https://arxiv.org/pdf/2406.14497",  # CodeRAG
        "https://arxiv.org/pdf/2407.01449",  # ViDoRe V1 and V2
        "https://gem-benchmark.com/data_cards/opusparcus",  # named by tasks of other data, too
        "https://github.com/BIRCO-benchmark/BIRCO",
        "https://github.com/sbintuitions/JMTEB",
        "https://github.com/whybe-choi/kovidore-data-generator",
        "https://huggingface.co/datasets/LiquidAI/nanobeir-multilingual-extended",
        "https://huggingface.co/datasets/antoinelb7/alloprof",  # named by tasks of other data, too
        "https://huggingface.co/datasets/dwzhu/LongEmbed",
        "https://huggingface.co/datasets/mangopy/ToolRet-Queries",
        "https://huggingface.co/datasets/nguha/legalbench",
        "https://huggingface.co/datasets/xlangai/BRIGHT",
        "https://huggingface.co/datasets/yale-nlp/Bright-Pro",
        "https://link.springer.com/chapter/10.1007/978-3-030-41505-1_39",  # named by tasks of other data, too
        "https://mcinext.com/",
        "https://proceedings.mlr.press/v162/bugliarello22a/bugliarello22a.pdf",  # IGLUE
        "https://spraakbanken.gu.se/en/resources/superlim",
        "https://www.cluebenchmarks.com/introduce.html",
    }
)
"""References of tasks of the catalogue that name a collection of unlike data. Each was looked at by a person."""


@dataclass(frozen=True)
class Families:
    """The families that some tasks fall into.

    Args:
        names: Of each family (n_families), in the order of its first task: what its tasks' files say, else what their
            names begin with.
        of: The number of each task's family (n_tasks), an index into `names`.
    """

    names: tuple[str, ...]
    of: NDArray[np.int32]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """How many tasks each family has: (n_families)."""
        return np.bincount(self.of, minlength=len(self.names))


def families(tasks: Sequence[str], catalogue: Catalogue) -> Families:
    """Find the families of tasks, through what they were adapted from and the members of aggregates as well.

    Args:
        tasks: Names of tasks of the catalogue, each once.
        catalogue: Where their files are; tasks that they were adapted from count where it has them.

    Raises:
        UserError: A task is not in the catalogue.
    """
    found = _Union()
    for name in tasks:
        _join(name, name, catalogue, found, set())
    numbers: dict[Hashable, int] = {}
    of = [numbers.setdefault(found.root(_task(name)), len(numbers)) for name in tasks]
    members = grouped(zip(of, tasks, strict=True))
    names = [_name(members[number], catalogue) for number in range(len(numbers))]
    return Families(tuple(names), np.array(of, dtype=np.int32))


def family_keys(tasks: Sequence[str], catalogue: Catalogue) -> list[list[int]]:
    """Say what tasks share with one another, so that whoever keeps some of them finds their families.

    Args:
        tasks: As of `families`.

    Returns:
        Of each task the numbers of what it shares with others. Tasks that are joined by these, in however many steps,
        are of one family; the families of some of the tasks are those of `families` of these alone.
    """
    holders: dict[Hashable, list[int]] = {}
    for place, name in enumerate(tasks):
        alone = _Union()
        _join(name, name, catalogue, alone, set())
        for thing in alone.things:
            holders.setdefault(thing, []).append(place)
    found: list[list[int]] = [[] for _ in tasks]
    shared = (places for places in holders.values() if len(places) > 1)
    for number, places in enumerate(dict.fromkeys(map(tuple, shared))):
        for place in places:
            found[place].append(number)
    return found


def families_of_keys(keys: Sequence[Sequence[int]]) -> NDArray[np.int32]:
    """Number the families of some tasks, in the order of their first task.

    Args:
        keys: Of each task what it shares with others: see `family_keys`.
    """
    found = _Union()
    for place, shared in enumerate(keys):
        for key in shared:
            found.merge(("place", place), ("key", key))
    numbers: dict[Hashable, int] = {}
    of = [numbers.setdefault(found.root(("place", place)), len(numbers)) for place in range(len(keys))]
    return np.array(of, dtype=np.int32)


class _Union:
    """Sets that are merged whenever two things in them turn out to be of one."""

    def __init__(self) -> None:
        self._above: dict[Hashable, Hashable] = {}

    def root(self, thing: Hashable) -> Hashable:
        """Return what stands for the set that a thing is in."""
        above = self._above.setdefault(thing, thing)
        while above != thing:
            self._above[thing] = self._above[above]
            thing, above = above, self._above[above]
        return thing

    @property
    def things(self) -> Iterable[Hashable]:
        """All that was merged with anything."""
        return self._above

    def merge(self, one: Hashable, other: Hashable) -> None:
        """Make the sets of two things one."""
        self._above[self.root(one)] = self.root(other)


def _task(name: str) -> Hashable:
    return ("task", name)


def _join(member: str, name: str, catalogue: Catalogue, found: _Union, seen: set[str]) -> None:
    """Put a task with all that its own keys name, and with those of the tasks that it goes back to."""
    if name in seen:
        return
    seen.add(name)
    found.merge(_task(member), _task(name))
    if name != member and not catalogue.has("task", name):
        found.merge(_task(member), ("stem", stem(name)))
        return
    task = catalogue.task(name)
    if task.about.family is not None:
        found.merge(_task(member), _task(task.about.family))
        return
    for key in _keys(task):
        found.merge(_task(member), key)
    sources = task.dataset.tasks if isinstance(task.dataset, TaskGroup) else ()
    for source in (*task.about.adapted_from, *sources):
        _join(member, source, catalogue, found, seen)


def _keys(task: TaskConfig) -> Iterator[Hashable]:
    """What a task shares with others of its family."""
    yield ("stem", stem(task.name))
    if task.about.reference is not None and task.about.reference not in COLLECTIONS:
        yield ("reference", task.about.reference)
    if isinstance(task.dataset, HubDataset):
        for subset in [task.dataset.config] if task.dataset.config else task.subsets:
            yield ("hub", task.dataset.hub, subset)
    elif isinstance(task.dataset, PackageDataset):
        yield ("package", task.dataset.package, task.dataset.reader)


def stem(name: str) -> str:
    """Return what a task's name is without its form (P2P, S2S), negatives, version and language; in lower case.

    >>> stem("StackExchangeClusteringP2P.v2")
    'stackexchangeclustering'
    """
    told = _FORM.sub("", name)
    previous = None
    while told != previous:
        previous, told = told, _LANGUAGE.sub("", _VERSION.sub("", told))
    return told.casefold()


_SHORTEST = 4


def _name(members: Sequence[str], catalogue: Catalogue) -> str:
    if len(members) == 1:
        return members[0]
    told = next((said for name in members if (said := catalogue.task(name).about.family)), None)
    common = "".join(one[0] for one in takewhile(lambda letters: len(set(letters)) == 1, zip(*members, strict=False)))
    while common and any(name[len(common) :][:1].islower() for name in members):  # not within a word
        common = common[:-1]
    common = common.rstrip("-_. ")
    return told or (common if len(common) >= _SHORTEST else members[0])

"""The shipped configs say what the facts of the field say, and in the same order."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from embedmark.runner.config.catalogue import SHIPPED, Catalogue
from tools.catalogue import pages
from tools.convert_facts import converted, own_files


@pytest.mark.slow
def test_files_say_what_the_facts_say_in_their_order(shared: Path) -> None:
    """Order counts: `draws: mteb` goes by the order of subsets and splits."""
    for group, configs in converted(shared / "facts").items():
        for choice, values in own_files(SHIPPED / group, configs).items():
            found = pages.read(SHIPPED / group / f"{choice}.yaml")
            assert json.dumps(found) == json.dumps(values), f"{group}/{choice}"


REFERENCE = SHIPPED.parent / ".venv-reference" / "bin" / "python"
ORDER = """
import json, mteb
from mteb.get_tasks import _gather_tasks
tasks = {task.metadata.name: [task.metadata.hf_subsets, list(task.metadata.eval_splits)] for task in _gather_tasks()}
benchmarks = {
    benchmark.name: [[task.metadata.name, list(task.hf_subsets), list(task.eval_splits)] for task in benchmark.tasks]
    for benchmark in mteb.get_benchmarks()
}
print(json.dumps([tasks, benchmarks]))
"""


@pytest.mark.reference
def test_subsets_and_splits_stand_in_the_order_of_the_reference() -> None:
    done = subprocess.run([REFERENCE, "-c", ORDER], capture_output=True, text=True, check=True)
    theirs, benchmarks = json.loads(done.stdout.splitlines()[-1])
    catalogue = Catalogue()
    tasks = [catalogue.task(name) for name in catalogue.tasks]
    ours = {task.name: [list(task.subsets), list(task.splits)] for task in tasks}
    both = ours.keys() & theirs.keys()
    assert len(both) > 1300
    assert {name: ours[name] for name in both} == {name: theirs[name] for name in both}

    listed = [catalogue.benchmark(name) for name in catalogue.benchmarks if name in benchmarks]
    assert len(listed) > 50
    for benchmark in listed:
        found = [
            [task.name, list(task.subsets or ours[task.name][0]), list(task.splits or ours[task.name][1])]
            for task in benchmark.tasks
        ]
        assert found == [task for task in benchmarks[benchmark.name] if task[0] not in benchmark.awaits], benchmark.name
        assert benchmark.awaits.keys() <= {name for name, _, _ in benchmarks[benchmark.name]}, benchmark.name

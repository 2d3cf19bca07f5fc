from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from embedmark.runner.execute.grouping import grouped

JOBS = st.lists(st.tuples(st.integers(0, 50), st.sampled_from("ab"), st.booleans()), max_size=30)


@given(JOBS, st.integers(0, 100))
def test_groups_are_of_one_kind_and_no_larger_than_they_have_to_be(
    jobs: list[tuple[int, str, bool]], least: int
) -> None:
    named = list(enumerate(jobs))
    groups = grouped(
        named, size=lambda job: job[1][0], kind=lambda job: job[1][1], alone=lambda job: job[1][2], least=least
    )
    assert sorted(job for group in groups for job in group) == named
    assert [group[0] for group in groups if group[0][1][2]] == [job for job in named if job[1][2]]
    small = 0
    for group in groups:
        assert len({kind for _, (_, kind, _) in group}) == 1
        assert len(group) == 1 or not any(alone for _, (_, _, alone) in group)
        sizes = [size for _, (size, _, _) in group]
        assert sum(sizes[:-1]) < max(least, 1), "the last job made it large enough"
        small += sum(sizes) < least and not group[0][1][2]
    assert small <= 2, "of each kind, one may be left over"


def test_small_ones_come_first() -> None:
    jobs = [("large", 9), ("a", 1), ("b", 2), ("c", 3)]
    groups = grouped(jobs, size=lambda job: job[1], kind=lambda _: 0, alone=lambda _: False, least=4)
    assert [[name for name, _ in group] for group in groups] == [["a", "b", "c"], ["large"]]
    groups = grouped(jobs, size=lambda job: job[1], kind=lambda _: 0, alone=lambda _: False, least=8)
    assert [[name for name, _ in group] for group in groups] == [["a", "b", "c"], ["large"]]

"""The sorted clocks: the same as a sorted set, whatever is added and taken."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from opsroom.alarms import deadlines
from opsroom.alarms.deadlines import Deadlines, Due

DUES = st.builds(
    Due,
    at=st.integers(0, 30).map(float),
    what=st.sampled_from(["climb", "settle"]),
    id=st.integers(0, 400).map(lambda number: f"alarm-{number}"),
)


@given(st.lists(st.tuples(st.booleans(), DUES), max_size=200))
def test_it_is_a_sorted_set_whatever_is_added_and_taken(steps: list[tuple[bool, Due]]) -> None:
    clocks, known = Deadlines(), set[Due]()
    for add, due in steps:
        clocks = clocks.add(due) if add else clocks.remove(due)
        known = known | {due} if add else known - {due}
        assert clocks.first == min(known, default=None)
    assert list(clocks) == sorted(known)
    assert len(clocks) == len(known)


def test_thousands_of_clocks_stay_in_leaves_that_are_cheap_to_copy() -> None:
    dues = [Due(float(number * 7919 % 10_000), "climb", f"alarm-{number}") for number in range(10_000)]
    clocks = Deadlines()
    for due in dues:
        clocks = clocks.add(due)
    assert list(clocks) == sorted(dues)
    assert max(len(leaf) for leaf in clocks._leaves) <= deadlines.LEAF
    for due in dues[:5_000]:
        clocks = clocks.remove(due)
    assert list(clocks) == sorted(dues[5_000:])


def test_an_older_list_is_not_changed_by_a_newer_one() -> None:
    one = Deadlines().add(Due(1.0, "climb", "alarm-1"))
    two = one.changed([Due(1.0, "climb", "alarm-1")], [Due(2.0, "climb", "alarm-1"), Due(3.0, "settle", "alarm-1")])
    assert list(one) == [Due(1.0, "climb", "alarm-1")]
    assert list(two) == [Due(2.0, "climb", "alarm-1"), Due(3.0, "settle", "alarm-1")]
    assert two.remove(Due(9.0, "climb", "alarm-9")) == two
    assert hash(two) == hash(two.remove(Due(9.0, "climb", "alarm-9")))
    assert "alarm-1" in repr(two)

"""One plant's numbers: each is next, waiting, doubled, late or too far, and comes out once, in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from telex_ingest.sequence import REMEMBERED_GAPS, Fate, Sequence


@given(numbers=st.lists(st.integers(1, 30), max_size=80))
def test_whatever_the_order_the_numbers_come_out_contiguous_and_once(numbers: list[int]) -> None:
    sequence: Sequence[int] = Sequence()
    out: list[int] = []
    for number in numbers:
        fate = sequence.fate(number, ahead=100)
        if fate is Fate.NEXT:
            sequence.next += 1
            out += [number, *sequence.drain()]
        elif fate is Fate.WAITS:
            sequence.waiting[number] = number
        else:
            assert fate is Fate.DUPLICATE
    assert out == list(range(1, len(out) + 1))
    assert set(out) | set(sequence.waiting) == set(numbers)


@given(waiting=st.sets(st.integers(2, 60), min_size=1), data=st.data())
def test_closing_gaps_gives_up_exactly_what_never_came(waiting: set[int], data: st.DataObject) -> None:
    sequence: Sequence[int] = Sequence()
    sequence.waiting = {number: number for number in waiting}
    out: list[int] = []
    given_up: list[int] = []
    while sequence.waiting:
        gap = sequence.close_gap()
        if gap is not None:
            given_up += range(gap[0], gap[1] + 1)
        out += sequence.drain()
    assert out == sorted(waiting)
    assert sorted(out + given_up) == list(range(1, max(waiting) + 1))
    late = data.draw(st.sampled_from(given_up))
    assert sequence.fate(late, ahead=10) is Fate.LATE
    assert sequence.fate(out[0], ahead=10) is Fate.DUPLICATE


def test_a_gap_is_closed_no_farther_than_is_known() -> None:
    sequence: Sequence[int] = Sequence()
    assert sequence.close_gap() is None
    assert sequence.close_gap(4) == (1, 4)
    assert sequence.close_gap(4) is None
    sequence.waiting[7] = 7
    assert sequence.close_gap(100) == (5, 6)


def test_the_memory_of_closed_gaps_is_bounded() -> None:
    sequence: Sequence[int] = Sequence()
    for number in range(1000):
        sequence.close_gap(number)
    assert len(sequence.closed) == REMEMBERED_GAPS
    assert sequence.fate(999, ahead=1) is Fate.LATE
    assert sequence.fate(1, ahead=1) is Fate.DUPLICATE
    assert sequence.fate(1002, ahead=1) is Fate.TOO_FAR

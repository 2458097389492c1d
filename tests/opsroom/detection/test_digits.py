"""Numbers written many at once are letter for letter what Python writes; times read many at once are what each says."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.detection.digits import fixed, letters, shortened, texts
from opsroom.detection.times import moment
from opsroom.detection.uniform import moments

NUMBERS = st.one_of(
    st.floats(),
    st.floats(-2e7, 2e7),
    st.decimals(-100, 100, places=7).map(float),
    st.integers(-(10**8), 10**8).map(lambda k: k / 1e4),
)


def written(field: object) -> list[str]:
    text, ends = texts([field])  # type: ignore[list-item] # one field
    return [text[a:b].decode() for a, b in pairwise([0, *ends.tolist()])]


@given(st.lists(NUMBERS, min_size=1, max_size=40))
def test_seven_digits_are_pythons_wherever_they_are_said_to_be_sure(numbers: list[float]) -> None:
    field = shortened(np.array(numbers))
    assert field.sure is not None
    for number, text, sure in zip(numbers, written(field), field.sure, strict=True):
        assert not sure or text == (f"{number:.7g}" if abs(number) < float("inf") else "")


@pytest.mark.parametrize("places", [4, 6])
@given(st.lists(st.one_of(NUMBERS, st.floats(0, 1)), min_size=1, max_size=40))
def test_fixed_places_are_pythons_wherever_they_are_said_to_be_sure(places: int, numbers: list[float]) -> None:
    field = fixed(np.array(numbers), places)
    assert field.sure is not None
    for number, text, sure in zip(numbers, written(field), field.sure, strict=True):
        assert not sure or text == f"{number:.{places}f}"


def test_nearly_all_numbers_of_a_usual_size_are_sure() -> None:
    rng = np.random.default_rng(0)
    ordinary = np.concatenate([rng.normal(size=5000), rng.normal(size=5000) * 1e5, rng.random(5000) / 100 + 1e-3])
    for field in (shortened(ordinary), fixed(rng.random(5000), 6), fixed(rng.random(5000), 4)):
        assert field.sure is not None
        assert field.sure.mean() > 0.999


def test_rows_set_aside_leave_no_letter() -> None:
    text, ends = texts([letters([b"one", b"two", b"three"])], np.array([False, True, False]))
    assert (text, ends.tolist()) == (b"onethree", [3, 3, 8])


@given(
    st.lists(st.datetimes(), min_size=1, max_size=20),
    st.sampled_from(["%m-%d", "%m-%d %H:%M", "%m-%dT%H:%M:%S", "%m-%d %H:%M:%S.%f", "%m-%dT%H:%M:%SZ"]),
)
def test_dates_of_one_form_are_read_as_each_by_itself(dates: list[datetime], form: str) -> None:
    stamps = [f"{date.year:04d}-{date:{form}}" for date in dates]
    said = moments(stamps)
    alone = [moment(stamp) for stamp in stamps]
    if said is None:
        assert any(not 1700 < date.year < 2250 for date in dates)
        return
    assert [
        (at, day, said.dated, said.zoned) for at, day in zip(said.at.tolist(), said.of_day.tolist(), strict=True)
    ] == [tuple(one) for one in alone if one is not None]


@given(st.lists(st.text("0123456789-:. TZ+", min_size=8, max_size=24), min_size=1, max_size=4))
def test_what_is_read_many_at_once_is_never_another_moment(stamps: list[str]) -> None:
    if (said := moments(stamps)) is not None:
        for stamp, at in zip(stamps, said.at.tolist(), strict=True):
            alone = moment(stamp)
            assert alone is not None
            assert alone.at == at


@pytest.mark.parametrize(
    "odd", ["2026-02-29", "2026-13-01", "0000-01-01", "2026-01-0x", "２026-01-01", "soon", "nan", ""]
)
def test_one_odd_timestamp_leaves_all_to_be_read_by_themselves(odd: str) -> None:
    assert moments(["2026-01-01", odd]) is None

"""The outlook goes on beyond its last step, and what is not known stays unknown."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from opsroom.council.effect import expected, outlook_of, recent_mean
from opsroom.room.events import Outlook
from opsroom.room.news import Evidence

finite = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(finite, finite, st.floats(0, 100)), min_size=1, max_size=8), finite)
def test_the_band_holds_the_mean_wherever_it_is_read(rows: list[tuple[float, float, float]], at: float) -> None:
    grid = tuple(sorted((time, mean, mean - half, mean + half) for time, mean, half in rows))
    found = expected(Outlook(signal="a/b", at=0.0, forecast=grid), at)
    assert found is not None
    mean, low, high = found
    assert low <= mean <= high
    assert all(math.isfinite(figure) for figure in found)


def test_beyond_the_last_step_the_slope_goes_on_and_the_band_widens() -> None:
    outlook = Outlook(signal="a/b", at=0.0, forecast=((1.0, 10.0, 9.0, 11.0), (2.0, 9.0, 7.0, 11.0)))
    assert expected(outlook, 3.0) == (8.0, 5.0, 11.0)
    assert expected(outlook, 10.0) == (1.0, -9.0, 11.0)


def test_no_forecast_no_expectation_and_no_evidence_no_outlook() -> None:
    assert expected(Outlook(signal="a/b", at=0.0), 1.0) is None
    assert outlook_of(None, 5) is None
    assert recent_mean(Evidence(signal="a/b", at=0.0), 5) is None


def test_forecast_rows_that_are_not_finite_are_left_out_of_the_outlook() -> None:
    seen = Evidence(signal="a/b", at=5.0, forecast=((1.0, 1.0, 0.0, 2.0), (2.0, math.nan, 0.0, 2.0)))
    outlook = outlook_of(seen, 5)
    assert outlook is not None
    assert outlook.forecast == ((1.0, 1.0, 0.0, 2.0),)
    assert expected(outlook, 99.0) == (1.0, 0.0, 2.0)


def test_only_readings_after_the_order_tell_its_effect() -> None:
    seen = Evidence(
        signal="a/b", at=9.0, readings=((1.0, 10.0, None, None), (2.0, 20.0, None, None), (3.0, math.nan, None, None))
    )
    assert recent_mean(seen, 5) == 15.0
    assert recent_mean(seen, 1) == 20.0
    assert recent_mean(seen, 5, since=1.0) == 20.0
    assert recent_mean(seen, 5, since=2.0) is None

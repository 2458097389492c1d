"""A screen shows whatever time a room tells, also one that no calendar has."""

from __future__ import annotations

import math

import pytest

from dashboards import evidence, printed


@pytest.mark.parametrize("far", [1.8e12, -1e18, 1e300, math.nan, math.inf, -math.inf])
def test_a_time_beyond_the_calendar_is_shown_on_screens(far: float) -> None:
    assert printed.time_of(far) == "00:00"
    assert printed.date_of(far)
    assert evidence.moment(far)

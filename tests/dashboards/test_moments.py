"""A screen shows whatever time a room tells, also one that no calendar has."""

from __future__ import annotations

import math

import pytest

from dashboards import evidence, moments, printed
from opsroom import moments as of_the_room


@pytest.mark.parametrize("far", [1.8e12, -1e18, 1e300, math.nan, math.inf, -math.inf])
def test_a_screen_and_the_room_tell_a_time_beyond_the_calendar_alike(far: float) -> None:
    assert moments.zoned(far) == of_the_room.zoned(far)
    assert printed.time_of(far) == "00:00"
    assert printed.date_of(far)
    assert evidence.moment(far)

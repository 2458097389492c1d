"""Times of views in the calendar: whatever a room tells is shown, also what no calendar has."""

from __future__ import annotations

import math
from datetime import UTC, datetime

EARLIEST, LATEST = -62_135_510_400.0, 253_402_214_400.0
"""The second day and the last of the calendar, epoch seconds UTC; the room's own words stop there too."""


def zoned(at: float) -> datetime:
    """Tell epoch seconds as a moment in UTC; what lies beyond the calendar is its end.

    >>> [f"{zoned(at):%Y-%m-%d}" for at in (0.0, 1.8e12, 1e300)]
    ['1970-01-01', '9999-12-31', '9999-12-31']
    """
    return datetime.fromtimestamp(LATEST if math.isnan(at) else min(max(at, EARLIEST), LATEST), UTC)

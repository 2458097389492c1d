"""Whether a naming tells of an alarm's own way back to its normal, which is no new trouble. Pure."""

from __future__ import annotations

from opsroom.room.events import Deviation
from opsroom.room.state import Alarm

MOVEMENTS = ("step", "slope", "drift")
"""The namings that tell where a signal goes."""


def goes_back(alarm: Alarm, told: Deviation) -> bool:
    """Tell whether a naming is of the movement back into the interval that an alarm froze, or of that movement's end.

    Outside the interval it is the one that leads inside; inside, any but a slope that has become steeper. The filter names
    the end of a rise like the beginning of a fall, as a change of the slope, although the readings stay where they should.
    """
    where = told.level if told.level is not None else told.value
    low, high = alarm.normal_low, alarm.normal_high
    if told.named not in MOVEMENTS or not alarm.by_interval or where is None or (low is None and high is None):
        return False
    if low is not None and where < low:
        return told.direction == "up"
    if high is not None and where > high:
        return told.direction == "down"
    return told.named != "slope" or _slower(told)


def _slower(told: Deviation) -> bool:
    return told.slope is not None and told.size is not None and abs(told.slope) < abs(told.slope - told.size)

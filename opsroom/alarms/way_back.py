"""Whether a naming tells of an alarm's own way back to its normal, which is no new trouble. Pure."""

from __future__ import annotations

from opsroom.room.events import Deviation
from opsroom.room.state import Alarm

MOVEMENTS = ("step", "slope", "drift")
"""The namings that tell where a signal goes."""

SMALL = 0.1
"""A slope below this share of its change is that of the time before, or none."""

SETTLES = 150
"""For so many readings after a return the filter may still settle: it had taken the way back for one that goes on."""


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
        return _leads(told) == "up"
    if high is not None and where > high:
        return _leads(told) == "down"
    return told.named != "slope" or _slower(told)


def _leads(told: Deviation) -> str:
    """Where a movement leads: a slope whose figure is small against its change rises anew, or has stopped to fall."""
    if told.named == "slope" and told.slope is not None and told.size and abs(told.slope) < SMALL * abs(told.size):
        return "up" if told.size > 0.0 else "down"
    return told.direction


def settles(alarm: Alarm | None, told: Deviation, now: float, period_s: float) -> bool:
    """Tell whether a drift is the filter's own, soon after the last alarm of its signal returned: the readings are normal.

    After a slow way back the filter expects the rise to go on, and readings that stay where they should look to it like a
    drift away from there. A drift that is one, of `kinds.FAR` deviations or more, has left the interval that the alarm froze.
    """
    if alarm is None or not alarm.by_interval or alarm.recovered_at is None or told.named != "drift":
        return False
    where = told.level if told.level is not None else told.value
    low, high = alarm.normal_low, alarm.normal_high
    if where is None or (low is None and high is None) or now - alarm.recovered_at > SETTLES * period_s:
        return False
    return (low is None or where >= low) and (high is None or where <= high)


def _slower(told: Deviation) -> bool:
    return told.slope is not None and told.size is not None and abs(told.slope) < abs(told.slope - told.size)

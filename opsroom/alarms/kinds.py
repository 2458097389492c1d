"""The kinds of trouble that are about how a signal is told rather than where it is, and what each means unless it is said. Pure.

A flat line, a spread that has changed, a slow drift and a reading that cannot be are told to the plant as alarms of their own:
whoever has the instrument can look at it. They are no reason to hurry the levels above, so the plant has at least the time of
their record.
"""

from __future__ import annotations

from collections.abc import Collection

from opsroom.alarms.rationale import Rationale, rationale

INSTRUMENT = ("variance", "stuck", "drift", "out_of_range")
"""The kinds that a room may choose to log alone (`[alarms] only_logged`)."""

CALM = 0.2
"""A spread that has shrunk to this part of what it was, or less, opens an alarm; to be calmer is no trouble, to be damped is."""

FAR = 3.0
"""A drift opens an alarm when it has come so far, in standard deviations of a normal reading; going on it is named again."""

NORMAL_SD = 2.5
"""How many standard deviations of the forecast before the onset count as normal to either side."""

USUAL = (
    Rationale(
        signal="*/*",
        kind="stuck",
        consequence="major",
        means="The instrument tells the same figure again and again: what really happens there is not seen.",
        response="Look at the instrument and its line; take it out of service while it is repaired.",
        respond_s=1800.0,
        owner="the plant's instrument fitter",
    ),
    Rationale(
        signal="*/*",
        kind="out_of_range",
        consequence="major",
        means="The instrument tells what cannot be: it is broken, or its range was declared wrongly.",
        response="Compare it with another instrument; mend it, or declare its range anew.",
        respond_s=1800.0,
        owner="the plant's instrument fitter",
    ),
    Rationale(
        signal="*/*",
        kind="drift",
        consequence="minor",
        means="The figure slowly leaves its normal: wear, fouling, or an instrument that has to be calibrated.",
        response="Compare it with another instrument and with the last service; plan a service in time.",
        respond_s=4 * 3600.0,
        owner="the plant's shift leader",
    ),
    Rationale(
        signal="*/*",
        kind="variance",
        consequence="minor",
        means="The readings swing much more, or much less, than before: a loose part, a hunting control, a damped instrument.",
        response="Look at the control loop and the instrument before it becomes more.",
        respond_s=4 * 3600.0,
        owner="the plant's shift leader",
    ),
)
"""What each means where neither the room nor its file has said so."""


def usual(signal: str, kind: str) -> Rationale | None:
    """The record of a kind as the program brings it; `None` for steps, slopes and silence, which only people can explain.

    >>> usual("mill-1/heat", "stuck").priority, usual("mill-1/heat", "step")
    ('medium', None)
    """
    return rationale(USUAL, signal, kind)


def only_logged(kind: str, size: float | None, spread: float | None, chosen: Collection[str]) -> bool:
    """Whether a trouble about an instrument is logged and opens no alarm: because the room says so, or it is too slight.

    `spread` is the standard deviation of a normal reading.

    >>> only_logged("variance", 0.5, 1.0, ()), only_logged("variance", 0.2, 1.0, ()), only_logged("drift", -2.0, 1.0, ())
    (True, False, True)
    """
    if kind in chosen or size is None:
        return kind in chosen
    return (kind == "variance" and CALM < size < 1.0) or (
        kind == "drift" and spread is not None and abs(size) < FAR * spread
    )


def plants_time(kind: str, agreed_s: float, record: Rationale | None) -> float:
    """The seconds that the plant has before an alarm of a kind climbs: for an instrument at least what its record gives.

    >>> plants_time("stuck", 900.0, usual("mill-1/heat", "stuck")), plants_time("step", 900.0, None)
    (1800.0, 900.0)
    """
    return max(agreed_s, record.respond_s) if kind in INSTRUMENT and record is not None else agreed_s

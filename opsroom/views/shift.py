"""The rows of the shift log and of the hand-over."""

from __future__ import annotations

from opsroom.views.view import View


class LogEntryView(View, frozen=True, kw_only=True):
    """One entry of a unit's shift log; `signed` are the bytes that the room's `signature` is over, by its public `key`."""

    id: str
    unit: str
    text: str
    by: str
    occupant: str
    at: float
    corrects: str = ""
    corrected_by: str = ""
    key: str = ""
    signature: str = ""
    signed: str = ""


class HandoverLine(View, frozen=True, kw_only=True):
    """Something that happened: when, about which unit, in a sentence; `about` is the alarm, motion or order, if it is one."""

    at: float
    unit: str
    text: str
    about: str = ""


class HandoverPart(View, frozen=True, kw_only=True):
    """What happened of one sort, oldest first; `more` lines are left out."""

    name: str
    lines: tuple[HandoverLine, ...]
    more: int = 0


class HandoverView(View, frozen=True, kw_only=True):
    """What has changed for a unit since a moment, what stands now, and the shift log; `taken_at` is one's own last take-over."""

    unit: str
    title: str
    since: float
    now: float
    taken_at: float | None
    standing: tuple[HandoverLine, ...]
    parts: tuple[HandoverPart, ...]
    log: tuple[LogEntryView, ...]

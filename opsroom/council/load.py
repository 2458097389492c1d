"""The council's load, measured like alarm load: motions a session, time to decide, expired, repeated, reversed. Pure.

A council that is asked too often decides by expiry, and one that decides in haste decides again. All figures come from the
journal's events alone, so that an export gives the same.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any, Protocol

import msgspec

REVERSED = frozenset({"order-revoked", "order-superseded"})
OUTCOMES = ("carried", "lost", "expired", "withdrawn")


class Written(Protocol):
    """The part of a journal's entry that is read."""

    @property
    def body(self) -> Any:
        """The event as plain JSON."""
        ...


class CouncilLoad(msgspec.Struct, frozen=True, kw_only=True):
    """The load over `days`: counts, and times in seconds (`None` where nothing was decided).

    `a_session` is motions opened a session of `session_s`, `busiest` the most in one; `decide_s` and `decide_s_90` are the median
    and the 90 % quantile from the deviation to the decision; `expired` are motions without a decision, `repeated` those on an
    alarm that had one before, `reversed` carried motions one of whose orders was revoked or superseded. `offered` are terms of
    agreements that carried motions proposed to plants, `agreed`, `refused` and `unanswered` what became of them.
    """

    days: float
    session_s: float
    motions: int = 0
    open: int = 0
    carried: int = 0
    lost: int = 0
    expired: int = 0
    withdrawn: int = 0
    a_session: float = 0.0
    busiest: int = 0
    decide_s: float | None = None
    decide_s_90: float | None = None
    repeated: int = 0
    reversed: int = 0
    amended: int = 0
    ballots: int = 0
    offered: int = 0
    agreed: int = 0
    refused: int = 0
    unanswered: int = 0
    by_seat: dict[str, int] = msgspec.field(default_factory=dict)


def council_load(entries: Iterable[Written], now: float, days: float, session_s: float) -> CouncilLoad:
    """Measure the load of the last `days` before `now`; a session is a stretch of `session_s` from the first of them on.

    >>> council_load([], now=0.0, days=1.0, session_s=3600.0).motions
    0
    """
    since = now - days * 86_400.0
    began: dict[str, float] = {}
    opened: dict[str, dict[str, Any]] = {}
    outcome: Counter[str] = Counter()
    decided: list[float] = []
    asked_before: set[str] = set()
    offers: Counter[str] = Counter()
    repeated = amended = ballots = closed = 0
    of_motion: dict[str, str] = {}
    reversed_: set[str] = set()
    for entry in entries:
        body = entry.body
        kind, at = body["kind"], float(body["at"])
        if kind == "alarm-opened":
            began[body["alarm"]] = float((body.get("deviation") or {}).get("since") or at)
        elif kind == "motion-opened":
            # A motion on an agreement answers no alarm: its signal stands for one.
            alarms = [body["alarm"] or body["signal"], *(one["alarm"] for one in body.get("also", ()))]
            if at >= since:
                opened[body["motion"]] = body
                repeated += any(alarm in asked_before for alarm in alarms)
            asked_before.update(alarms)
        elif body.get("motion") in opened and kind == "motion-closed":
            motion = opened[body["motion"]]
            outcome[body["outcome"]] += 1
            closed += 1
            if body["outcome"] in ("carried", "lost"):
                decided.append(at - began.get(motion["alarm"], float(motion["at"])))
        elif body.get("motion") in opened and kind == "order-issued":
            of_motion[body["order"]] = body["motion"]
        elif kind in REVERSED and body["order"] in of_motion:
            reversed_.add(of_motion[body["order"]])
        elif body.get("motion") in opened and kind == "amendment-settled":
            amended += body["how"] in ("friendly", "adopted")
        elif body.get("motion") in opened and kind in ("ballot-sealed", "ballot-cast"):
            ballots += 1
        elif body.get("motion") in opened and kind in ("offer-made", "offer-ended"):
            offers[body.get("ending", "made")] += 1
    sessions = Counter(math.floor((float(body["at"]) - since) / session_s) for body in opened.values())
    return CouncilLoad(
        days=days,
        session_s=session_s,
        motions=len(opened),
        open=len(opened) - closed,
        **{name: outcome[name] for name in OUTCOMES},
        a_session=len(opened) / max(days * 86_400.0 / session_s, 1.0),
        busiest=max(sessions.values(), default=0),
        decide_s=_quantile(decided, 0.5),
        decide_s_90=_quantile(decided, 0.9),
        repeated=repeated,
        reversed=len(reversed_),
        amended=amended,
        ballots=ballots,
        offered=offers["made"],
        agreed=offers["accepted"],
        refused=offers["refused"],
        unanswered=offers["unanswered"],
        by_seat={str(seat): count for seat, count in sorted(Counter(body["seat"] for body in opened.values()).items())},
    )


def _quantile(values: list[float], share: float) -> float | None:
    """The smallest value that at least this share of them do not exceed; `None` of none.

    >>> _quantile([30.0, 10.0, 20.0], 0.5), _quantile([], 0.5)
    (20.0, None)
    """
    if not values:
        return None
    return sorted(values)[max(math.ceil(share * len(values)) - 1, 0)]


def said(load: CouncilLoad) -> list[str]:
    """Tell the load in sentences."""
    many = f"{load.motions} motions in {load.days:g} days: {load.carried} carried, {load.lost} lost, {load.expired} expired, "
    lines = [
        f"{many}{load.withdrawn} withdrawn, {load.open} open.",
        f"{load.a_session:.2g} motions a session of {load.session_s / 3600:g} h, {load.busiest} in the busiest one.",
    ]
    if load.decide_s is not None and load.decide_s_90 is not None:
        middle, most = (f"{seconds / 60:.0f} min" for seconds in (load.decide_s, load.decide_s_90))
        lines.append(f"From the deviation to the decision: {middle} in the middle, {most} for nine of ten.")
    again = f"{load.repeated} repeated on an alarm that had one before, {load.reversed} reversed afterwards"
    lines.append(f"{again}, {load.amended} amended.")
    if load.offered:
        answers = f"{load.agreed} accepted, {load.refused} refused, {load.unanswered} without an answer in time"
        lines.append(f"{load.offered} terms of agreements were proposed to plants: {answers}.")
    if load.motions and load.expired / load.motions > 0.2:
        lines.append("More than one in five was decided by the clock: the council is asked too often, or too few come.")
    if load.by_seat:
        lines.append("Moved by " + ", ".join(f"seat {seat}: {count}" for seat, count in load.by_seat.items()) + ".")
    return lines

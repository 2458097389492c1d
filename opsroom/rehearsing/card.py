"""The score card of a drill: how soon the room noticed and decided, what its orders did. The room, never a person. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from statistics import median
from typing import Any

import msgspec

from opsroom.record.chain import Recorded
from opsroom.showing.foretelling import ENDINGS
from opsroom.showing.sentences import lasting


class Wrong(msgspec.Struct, frozen=True):
    """Something that really was wrong: which signal of which plant, since when (epoch seconds)."""

    signal: str
    onset: float


class ScoreCard(msgspec.Struct, frozen=True, kw_only=True):
    """How a room did: times in seconds of the room's clock, one for each thing that it noticed or decided.

    `faults` really were there; `missed` of them opened no alarm at their plant, `false` alarms stood where nothing was wrong.
    """

    faults: int
    noticed_s: tuple[float, ...]
    missed: int
    false: int
    decided_s: tuple[float, ...]
    undecided: int
    climbs: int
    outcomes: dict[str, int]
    endings: dict[str, int]
    inside90: int
    scored: int


NO_ALARM = ("transient", "duplicates", "out-of-order")
"""What opens no alarm by design: a single reading, and troubles of the line that the wire mends."""


def truth_of(document: Any) -> list[Wrong]:
    """What really was wrong, from the simulators' own book: what began by itself, was not good, and deserves an alarm."""
    return [
        Wrong(entry["signal"] or entry["plant"], datetime.fromisoformat(entry["onset"]).timestamp())
        for entry in document["entries"]
        if entry["primary"] and entry["bad"] is not False and entry["kind"] not in NO_ALARM
    ]


def disturbed_of(document: Any) -> dict[str, float]:
    """Since when each plant was off its undisturbed course, by itself or in consequence, good or bad (epoch seconds)."""
    since: dict[str, float] = {}
    for entry in document["entries"]:
        onset = datetime.fromisoformat(entry["onset"]).timestamp()
        since[entry["plant"]] = min(onset, since.get(entry["plant"], onset))
    return since


def card(
    recorded: Iterable[Recorded],
    wrong: Sequence[Wrong],
    disturbed: Mapping[str, float] | None = None,
    world: Collection[str] = (),
) -> ScoreCard:
    """Score a journal against what really was wrong.

    A fault is noticed by the first alarm at its plant after its onset; an alarm at a plant that was not `disturbed` before is
    false, as far as the plant is of the scenario's `world` (empty: all are). Time to decide runs from an alarm's opening to the
    close of the first motion on it.
    """
    opened: dict[str, tuple[str, float]] = {}
    moved: dict[str, str] = {}
    decided: dict[str, float] = {}
    outcomes: Counter[str] = Counter()
    endings: dict[str, str] = {}
    climbs = inside = scored = 0
    for one in recorded:
        body = one.body
        match one.kind:
            case "alarm-opened":
                opened[body["alarm"]] = (str(body["signal"]).partition("/")[0], float(body["at"]))
            case "alarm-climbed":
                climbs += 1
            case "motion-opened":
                moved[body["motion"]] = body["alarm"]
            case "motion-closed":
                outcomes[body["outcome"]] += 1
                decided.setdefault(moved.get(body["motion"], ""), float(body["at"]))
            case "order-ended":
                endings[body["order"]] = body["ending"]
            case "forecast-scored" if body.get("value") is not None:
                scored += 1
                inside += body["band90"][0] <= body["value"] <= body["band90"][1]
    noticed, missed = [], 0
    for fault in wrong:
        plant = fault.signal.partition("/")[0]
        after = [at for where, at in opened.values() if where == plant and at >= fault.onset]
        if after:
            noticed.append(min(after) - fault.onset)
        else:
            missed += 1
    since: dict[str, float] = dict(disturbed or {})
    for fault in wrong:
        plant = fault.signal.partition("/")[0]
        since[plant] = min(fault.onset, since.get(plant, fault.onset))
    judged = [(plant, at) for plant, at in opened.values() if not world or plant in world]
    return ScoreCard(
        faults=len(wrong),
        noticed_s=tuple(sorted(noticed)),
        missed=missed,
        false=sum(at < since.get(plant, float("inf")) for plant, at in judged),
        decided_s=tuple(sorted(decided[name] - opened[name][1] for name in decided if name in opened)),
        undecided=sum(name not in decided for name in moved.values()),
        climbs=climbs,
        outcomes=dict(sorted(outcomes.items())),
        endings=dict(sorted(Counter(endings.values()).items())),
        inside90=inside,
        scored=scored,
    )


def card_rows(told: ScoreCard) -> tuple[tuple[str, str], ...]:
    """A score card in words."""

    def times(seconds: tuple[float, ...]) -> str:
        if not seconds:
            return "none"
        if len(seconds) == 1:
            return lasting(seconds[0])
        return f"{lasting(median(seconds))} in the middle, {lasting(seconds[-1])} at worst, of {len(seconds)}"

    outcomes = ", ".join(f"{count} {name}" for name, count in told.outcomes.items()) or "none"
    endings = ", ".join(f"{count} {ENDINGS.get(name, name)}" for name, count in told.endings.items()) or "none"
    return (
        ("what went wrong", f"{told.faults}, of which {told.missed} opened no alarm at its plant"),
        ("time to notice", times(told.noticed_s)),
        ("alarms where nothing was wrong", str(told.false)),
        ("escalations", f"{told.climbs} times one level up"),
        ("motions", outcomes),
        ("time to decide, from the alarm", times(told.decided_s)),
        ("orders ended", endings),
        (
            "forecasts",
            f"{told.inside90} of {told.scored} scored fell in the 90 % band" if told.scored else "none scored yet",
        ),
    )

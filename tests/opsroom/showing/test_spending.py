"""The operator sees each budget and what of it was spent in the last day."""

from __future__ import annotations

from opsroom.constitution.charter import read
from opsroom.demo import Pace, charter_text
from opsroom.judgement.bank import Bank
from opsroom.showing.spending import budgets
from opsroom.views import Viewer
from telex_ingest.heard import Accepted
from telex_ingest.telex import PlantBirth, Reading, SignalBirth, TelexKind
from tests.journeys.offline import Offline, places_of

OPERATOR = Viewer(role="operator")


def test_an_alarm_is_spending_for_a_day_and_the_public_sees_nothing() -> None:
    declared = tuple(SignalBirth(id=k, name=f"s-{k}", unit="t", period_s=60.0) for k in (1, 2))
    birth = PlantBirth(plant="works", signals=declared)
    file = read(charter_text(Pace()) + "\n[[alarm_budget]]\nseat = 1\nepisodes_a_day = 3.0\n")
    room = Offline((birth,), 0.0)
    room.bank = Bank(said=file.judging, charter=file.charter)
    room.bank.admit(birth, places_of(birth, {}))
    (row,) = budgets(room.room, room.bank, OPERATOR, 0.0)
    assert (row.seat, row.episodes_a_day, row.spent, row.signals, row.learning) == (1, 3.0, 0, 2, 2)
    for t in range(200):
        wave = float((t * 7919) % 101) / 25.0
        readings = (Reading(1, 50.0 + wave - 20.0 * (t > 190)), Reading(2, 9.0 + wave))
        at = t * 60_000_000
        room.hear([Accepted("works", 1, t + 1, at, at, TelexKind.LIVE, (1, 2), readings)], t * 60.0)
    now = 200 * 60.0
    (row,) = budgets(room.room, room.bank, OPERATOR, now)
    assert row.spent == 1
    assert budgets(room.room, room.bank, OPERATOR, now + 90_000.0)[0].spent == 0
    assert budgets(room.room, room.bank, Viewer(role="viewer"), now) == ()
    assert budgets(room.room, room.bank, Viewer(role="unit", unit="works"), now) == ()

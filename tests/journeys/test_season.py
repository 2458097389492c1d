"""A plant with a daily swing in the room: with its season nobody is called on quiet days; without, many are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from opsroom.constitution.charter import check, read
from opsroom.demo import Pace, charter_text
from opsroom.detection.calibrate import fit_all, read_history, toml_of
from opsroom.judgement.bank import Bank
from opsroom.loop.calibrations import calibrated
from opsroom.room.events import AlarmOpened
from telex_ingest.heard import Accepted
from telex_ingest.telex import PlantBirth, Reading, SignalBirth, TelexKind
from tests.journeys.offline import Offline, places_of

PERIOD_S, A_DAY, QUIET_DAYS = 1800, 48, 10
START = 1_700_006_400
SIGNALS = ("load", "flow", "orders")


def readings(days: int, first: int, seed: int) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    day = 2 * np.pi * (first + np.arange(days * A_DAY)) / A_DAY
    load = 100 + 20 * np.sin(day) + rng.normal(size=len(day)) * 2
    flow = 40 + 6 * np.cos(day) + 3 * np.sin(2 * day) + rng.normal(size=len(day))
    orders = rng.poisson(30 * (1 + 0.6 * np.sin(day + 1))).astype(float)
    return np.stack([load, flow, orders], axis=1)


def birth() -> PlantBirth:
    signals = tuple(SignalBirth(id=k + 1, name=name, unit="t", period_s=PERIOD_S) for k, name in enumerate(SIGNALS))
    return PlantBirth(plant="works", signals=signals)


def history(folder: Path) -> Path:
    table = readings(12, 0, 1)
    stamps = START + PERIOD_S * np.arange(len(table))
    lines = ["timestamp," + ",".join(f"works/{name}" for name in SIGNALS)]
    lines += [f"{at}," + ",".join(f"{value:.4f}" for value in row) for at, row in zip(stamps, table, strict=True)]
    (folder / "history.csv").write_text("\n".join(lines))
    return folder / "history.csv"


def alarms(bank: Bank | None) -> list[str]:
    """The alarms of ten quiet days, and then of one reading far off."""
    room = Offline((birth(),), float(START))
    if bank is not None:
        room.bank = bank
        bank.admit(birth(), places_of(birth(), {}))
    first = 12 * A_DAY
    table = readings(QUIET_DAYS, first, 2)
    table[-4:, 0] -= 25.0
    opened = []
    for t, row in enumerate(table):
        at = START + PERIOD_S * (first + t)
        values = tuple(Reading(k + 1, float(value)) for k, value in enumerate(row))
        telex = Accepted("works", 1, t + 1, at * 1_000_000, at * 1_000_000, TelexKind.LIVE, (1, 2, 3), values)
        when = "broken" if t >= len(table) - 4 else "quiet"
        events = room.hear([telex], float(at))
        opened += [f"{event.signal} {when}" for event in events if isinstance(event, AlarmOpened)]
    return opened


@pytest.mark.long
def test_with_the_calibrated_season_quiet_days_stay_quiet_and_a_fault_is_found(tmp_path: Path) -> None:
    table = read_history(history(tmp_path))
    fits, refused = fit_all(table, lambda signal: None)
    assert not refused
    assert all(fit.seasons == (86400.0,) for fit in fits)
    (tmp_path / "room-calibration.toml").write_text(toml_of("history.csv", table, fits))
    text = charter_text(Pace()) + '\n[[calibration]]\nfile = "room-calibration.toml"\n'
    assert check(text) == []
    file = read(text)
    said, mistakes = calibrated(tmp_path, file.judging)
    assert mistakes == []
    assert alarms(Bank(said=said, charter=file.charter)) == ["works/load broken"]
    assert len([one for one in alarms(None) if one.endswith("quiet")]) > 5


def test_a_declared_season_is_learned_in_the_room() -> None:
    text = charter_text(Pace()) + "".join(f'\n[signal."works/{name}"]\nseasons = ["1 d"]\n' for name in SIGNALS)
    file = read(text)
    bank = Bank(said=file.judging, charter=file.charter)
    bank.admit(birth(), places_of(birth(), {}))
    table = readings(14, 0, 4)
    named = []
    for t, row in enumerate(table):
        values = tuple(Reading(k + 1, float(value)) for k, value in enumerate(row))
        at = (START + PERIOD_S * t) * 1_000_000
        judged = bank.judge([Accepted("works", 1, t + 1, at, at, TelexKind.LIVE, (1, 2, 3), values)], 0.0, {"works": 1})
        named += [t // A_DAY for one in judged.announced if one.verdict.named[one.row] > 2]
        if t == 7 * A_DAY:  # a restart in between changes nothing
            stored = bank.snapshot()
            bank = Bank(said=file.judging, charter=file.charter)
            bank.admit(birth(), places_of(birth(), {}))
            for part in stored.values():
                bank.restore(part)
    assert sum(day >= 9 for day in named) <= 2
    assert sum(day < 9 for day in named) > 5
    ahead = bank.ahead("works/load", [12.0, 24.0], (0.9,), START + PERIOD_S * 14 * A_DAY)
    assert ahead is not None
    assert abs(ahead.mean[0, 0] - ahead.mean[0, 1]) > 10

"""Twenty quiet days: nothing is wrong, so nobody is called."""

from __future__ import annotations

import pytest

from opsroom.room.events import AlarmOpened
from simulators.scenario import load
from simulators.stage import Stage
from tests.journeys.offline import play

WARM_S = 6 * 3600.0


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 21))
def test_a_quiet_day_opens_no_alarm(seed: int) -> None:
    stage = Stage(load("quiet-day"), seed=seed, warm_s=WARM_S, shadow=False)
    offline, minutes = play(stage, WARM_S)
    for events in minutes:
        opened = [event for event in events if isinstance(event, AlarmOpened)]
        assert not opened, [(event.signal, event.deviation.sentence) for event in opened]
    assert min(offline.bank.rings.count[: len(offline.bank)]) > 1400

"""One order of events: births before their telexes, every plant in sequence, no plant before the others for long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.clock import HandClock
from opsroom.commands import AcknowledgeAlarm, Actor, Asked, Role
from opsroom.loop import inbox as inbox_module
from opsroom.loop.inbox import DEPTH, Batch, Inbox
from opsroom.views import Answer
from telex_ingest.heard import MANY, Accepted, PlantBorn, PlantDied, PlantSilent, StripAccepted
from telex_ingest.telex import PlantBirth, Reading, SignalBirth, TelexKind


def telex(plant: str, seq: int, readings: int = 2, wire: int = 0) -> Accepted:
    figures = tuple(Reading(number, 1.0) for number in range(readings))
    return Accepted(plant, 1, seq, seq, seq, TelexKind.LIVE, tuple(range(readings)), figures, wire)


def born(plant: str, version: int = 1, wire: int = 0) -> PlantBorn:
    signals = (SignalBirth(id=0, name="a", unit="t", period_s=1.0), SignalBirth(id=1, name="b", unit="t", period_s=1.0))
    return PlantBorn("link", PlantBirth(plant=plant, version=version, signals=signals), 0.0, True, wire)


def strip(seqs: dict[str, int], wire: int = MANY) -> StripAccepted:
    one, at = np.ones(len(seqs), np.int64), np.array(list(seqs.values()))
    return StripAccepted(tuple(seqs), one, at, at, at, (0, 1), np.ones(2 * len(seqs)), 1, wire)


def rows(batch: Batch) -> list[Accepted]:
    """Every telex of a batch, those that were told together too."""
    return [
        row
        for item in batch.telexes
        if isinstance(item, Accepted | StripAccepted)
        for row in (item.rows() if isinstance(item, StripAccepted) else (item,))
    ]


def singles(batch: Batch, plant: str = "") -> list[Accepted]:
    return [t for t in batch.telexes if isinstance(t, Accepted) and plant in ("", t.plant)]


async def batches(inbox: Inbox, enough: int) -> list[Batch]:
    found = []
    async for batch in inbox.ticks():
        found.append(batch)
        if len(found) == enough:
            break
    return found


async def test_a_birth_comes_before_the_telexes_that_follow_it_and_after_those_before() -> None:
    inbox = Inbox(HandClock())
    for item in (born("mill-1"), telex("mill-1", 1), telex("mill-1", 2), born("mill-1", 2), telex("mill-1", 3)):
        assert inbox.offer(item)
    first, second = await batches(inbox, 2)
    assert ([b.birth.version for b in first.births], [t.seq for t in singles(first)]) == ([1], [1, 2])
    assert ([b.birth.version for b in second.births], [t.seq for t in singles(second)]) == ([2], [3])


async def test_a_plant_that_resends_a_day_does_not_hold_up_the_others() -> None:
    inbox = Inbox(HandClock())
    for seq in range(1, 20 * DEPTH):
        assert inbox.offer(telex("mill-1", seq))
    assert inbox.offer(telex("smelter", 1, wire=1))
    first, second = await batches(inbox, 2)
    assert [t.plant for t in singles(first)].count("mill-1") == DEPTH
    assert "smelter" in {t.plant for t in singles(first)}
    assert singles(second)[0].seq == DEPTH + 1


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(1, 5)),  # a plant tells so many telexes
            st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from([-1, -2, -3])),  # or is born on another wire
            st.sampled_from([("", 0), ("", 1)]),  # or a tick passes, or all tell one together
        ),
        max_size=200,
    )
)
def test_every_telex_comes_once_and_each_plant_in_sequence_whatever_wire_it_moves_to(
    spoken: list[tuple[str, int]],
) -> None:
    async def run() -> None:
        inbox, seqs, wires = Inbox(HandClock()), dict.fromkeys("abc", 0), dict.fromkeys("abc", 0)
        got: list[PlantBorn | Accepted] = []
        ticks = inbox.ticks()

        async def tick() -> None:
            batch = await anext(ticks)
            told = {t.plant for t in rows(batch)}
            # Births of a batch take effect before its telexes.
            assert all(seqs_before(got, b.plant) == b.birth.version for b in batch.births if b.plant in told)
            got.extend(batch.births)
            got.extend(rows(batch))

        for plant in "abc":
            assert inbox.offer(born(plant))
        for plant, many in spoken:
            if not many:
                await tick()
            elif not plant:
                for one in seqs:
                    seqs[one] += 1
                if inbox.together():
                    assert inbox.offer(strip(seqs))
                else:
                    assert all(inbox.offer(strip({one: seqs[one]}, wires[one])) for one in seqs)
            elif many < 0:
                wires[plant] = -many
                assert inbox.offer(born(plant, seqs[plant] + 1, wires[plant]))
            else:
                for _ in range(many):
                    seqs[plant] += 1
                    assert inbox.offer(telex(plant, seqs[plant], wire=wires[plant]))
        while inbox.waiting:
            await tick()
        for plant, last in seqs.items():
            assert [t.seq for t in got if isinstance(t, Accepted) and t.plant == plant] == list(range(1, last + 1))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inbox_module, "TICK_S", 0.0)
        asyncio.run(run())


async def test_what_several_tell_together_comes_before_what_one_of_them_tells_after_it() -> None:
    inbox = Inbox(HandClock())
    assert inbox.together() == inbox_module.ROWS
    assert inbox.offer(strip({"mill-1": 1, "mill-2": 1}))
    assert inbox.together() == 0, "something waits"
    for item in (telex("mill-1", 2, wire=1), born("mill-2", 2, wire=2), telex("mill-2", 2, wire=2)):
        assert inbox.offer(item)
    first, second = await batches(inbox, 2)
    assert [(row.plant, row.seq) for row in rows(first)] == [("mill-1", 1), ("mill-2", 1), ("mill-1", 2)]
    assert not first.births
    assert [b.birth.version for b in second.births] == [2]
    assert [(row.plant, row.seq) for row in rows(second)] == [("mill-2", 2)]
    assert inbox.together()


async def test_what_one_tells_after_others_waits_until_a_tick_has_taken_all_of_theirs() -> None:
    inbox = Inbox(HandClock())
    large = {f"plant-{n}": 1 for n in range(inbox_module.ROWS // 4)}
    assert inbox.offer(strip(large))
    assert inbox.offer(strip({"mill-1": 1}))
    assert inbox.offer(telex("mill-1", 2, wire=1))
    first, second = await batches(inbox, 2)
    assert [row.seq for row in (*rows(first), *rows(second)) if row.plant == "mill-1"] == [1, 2]


def seqs_before(got: list[PlantBorn | Accepted], plant: str) -> int:
    """The number that a plant would tell next after what was taken."""
    return 1 + sum(isinstance(one, Accepted) and one.plant == plant for one in got)


async def test_a_link_that_floods_fills_its_own_line_and_takes_nothing_from_the_others() -> None:
    inbox, taken = Inbox(HandClock()), 0
    while inbox.offer(telex("mill-1", taken + 1, readings=1000)):
        taken += 1
    assert taken * 1001 >= inbox_module.WAITING // inbox_module.LEAST_LINES - 1001
    assert not inbox.roomy(0)
    assert inbox.roomy(1)
    assert not inbox.pressed
    for seq in range(1, 20):
        assert inbox.offer(telex("smelter", seq, wire=1))
    (first,) = await batches(inbox, 1)
    assert [t.seq for t in singles(first, "smelter")] == list(range(1, DEPTH + 1))
    assert inbox.roomy(0)
    assert [t.seq for t in singles(first, "mill-1")] == list(range(1, 1 + len(singles(first, "mill-1"))))


async def test_many_full_lines_press_the_inbox_until_it_has_been_read() -> None:
    inbox = Inbox(HandClock())
    for wire in range(20):
        seq = 0
        while inbox.offer(telex(f"plant-{wire}", seq + 1, readings=1000, wire=wire)):
            seq += 1
    assert inbox.pressed
    assert inbox.waiting < 4 * inbox_module.WAITING
    while inbox.waiting >= inbox_module.WAITING:
        await batches(inbox, 1)
    assert not inbox.pressed


async def test_a_tick_is_bounded_in_readings() -> None:
    inbox = Inbox(HandClock())
    for plant in range(100):
        assert inbox.offer(telex(f"plant-{plant}", 1, readings=1000, wire=plant))
    first, second = await batches(inbox, 2)
    assert 0 < sum(len(t.readings) for t in first.telexes if isinstance(t, Accepted)) <= inbox_module.ROWS + 1000
    assert {t.plant for t in singles(first)}.isdisjoint(t.plant for t in singles(second))


async def test_a_silence_waits_for_the_birth_of_its_plant() -> None:
    inbox = Inbox(HandClock())
    many = 2 + inbox_module.ROWS // inbox_module.BIRTH_ROWS
    for number in range(many):
        inbox.offer(born(f"mill-{number}", wire=1))
    for number in range(many):
        inbox.offer(PlantSilent(f"mill-{number}", 0.0, 5.0))
    declared: set[str] = set()
    silent: list[str] = []
    for batch in await batches(inbox, 3):
        declared |= {one.plant for one in batch.births}
        silent += [one.plant for one in batch.messages if isinstance(one, PlantSilent)]
        assert declared >= set(silent)
    assert len(silent) == many


async def test_a_farewell_comes_after_what_was_told_before_it_and_before_the_next_birth() -> None:
    inbox = Inbox(HandClock())
    inbox.offer(born("mill-1"))
    for seq in range(1, DEPTH + 2):
        inbox.offer(telex("mill-1", seq))
    inbox.offer(PlantDied("mill-1", "the end", 1.0))
    inbox.offer(born("mill-1", 2))
    first, second, third = await batches(inbox, 3)
    assert [t.seq for t in singles(first)] == list(range(1, DEPTH + 1))
    assert first.messages == ()
    assert [t.seq for t in singles(second)] == [DEPTH + 1]
    assert [type(one) for one in second.messages] == [PlantDied]
    assert second.births == ()
    assert [b.birth.version for b in third.births] == [2]


async def test_messages_and_commands_keep_their_order_and_get_their_answers() -> None:
    inbox = Inbox(HandClock(7.0))
    actor = Actor(role=Role.SEAT, seat=1)
    asked = [Asked(command=AcknowledgeAlarm(alarm="alarm-1"), actor=actor, key=f"{n}") for n in range(3)]
    waiting = [asyncio.create_task(inbox.ask(one)) for one in asked]
    await asyncio.sleep(0)
    assert inbox.offer(PlantDied("mill-1", "the end", 1.0))
    (batch,) = await batches(inbox, 1)
    assert [ask.asked.key for ask in batch.asks] == ["0", "1", "2"]
    assert [type(message) for message in batch.messages] == [PlantDied]
    assert batch.at == 7.0
    for ask in batch.asks:
        ask.answer.set_result(Answer(ok=True, key=ask.asked.key))
    assert [(await task).key for task in waiting] == ["0", "1", "2"]


async def test_a_closed_inbox_gives_one_last_batch_and_refuses_what_comes_later() -> None:
    inbox = Inbox(HandClock())
    assert inbox.offer(telex("mill-1", 1))
    inbox.close()
    found = [batch async for batch in inbox.ticks()]
    assert [t.seq for batch in found for t in singles(batch)] == [1]
    assert not inbox.offer(telex("mill-1", 2))
    answer = await inbox.ask(Asked(command=AcknowledgeAlarm(alarm="a"), actor=Actor(role=Role.OPERATOR), key="k"))
    assert answer.code == "busy"


class Settling(asyncio.Future[None]):
    """What becomes durable once somebody waits for it."""

    def add_done_callback(self, fn: Callable[[Any], object], *, context: Context | None = None) -> None:
        super().add_done_callback(fn, context=context)
        self.get_loop().call_soon(self.set_result, None)


@pytest.mark.parametrize(("kind", "durable"), [(Settling, True), (asyncio.Future, False)], ids=["soon", "never"])
async def test_a_tick_that_comes_in_time_lets_the_one_before_become_durable_first_but_not_for_ever(
    kind: type[asyncio.Future[None]], durable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, found = Inbox(HandClock(0.0)), list[bool]()
    ticks = inbox.ticks()
    await anext(ticks)
    inbox.settling = settling = kind()
    inbox.before = lambda: found.append(settling.done())
    monkeypatch.setattr(inbox_module, "TICK_S", 60.0)  # so that it comes in time on a busy machine too
    inbox._wake.set()
    await anext(ticks)
    assert found == [durable]


async def test_ticks_come_in_time_when_nothing_comes() -> None:
    inbox = Inbox(HandClock())
    loop, times = asyncio.get_running_loop(), []
    began = loop.time()
    async for _ in inbox.ticks():
        times.append(loop.time() - began)
        if len(times) == 5:
            break
    # One that was woken late may be followed sooner; none comes before its turn.
    assert all(at >= 0.95 * turn * inbox_module.TICK_S for turn, at in enumerate(times, 1))


def test_a_slow_machine_gets_smaller_ticks_and_a_quick_one_large_ones_again() -> None:
    inbox = Inbox(HandClock())
    for wire in range(200):
        for _ in range(10):
            inbox.offer(telex(f"mill-{wire}", 1, readings=199, wire=wire))

    def taken() -> int:
        batch = inbox._gather()
        return sum(len(t.readings) + 1 for t in singles(batch))

    whole = taken()
    assert whole >= inbox_module.ROWS
    for _ in range(8):
        inbox._bound(10 * inbox_module.BUSY_TICK_S * inbox._gathered / inbox_module.ROWS)
        small = taken()
    assert inbox_module.LEAST_ROWS <= small <= inbox_module.ROWS // 6
    inbox._bound(0.0)
    assert inbox._rows > 2 * small


def test_a_small_tick_says_nothing_of_the_machine_unless_it_was_slow() -> None:
    inbox = Inbox(HandClock())
    inbox.offer(telex("mill-1", 1))
    inbox._gather()
    inbox._bound(inbox_module.BUSY_TICK_S / 100)
    assert inbox._rows == inbox_module.ROWS
    inbox._bound(10 * inbox_module.BUSY_TICK_S)
    assert inbox._rows < inbox_module.ROWS

"""What was agreed and how a signal is worded shape beliefs too: a room killed at any moment has them again, bit for bit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
import structlog

from opsroom import commands as c
from opsroom.clock import HandClock
from opsroom.commands import Asked
from opsroom.loop.hall import Hall, open_hall
from opsroom.loop.tick import Message, Tick, fold
from opsroom.loop.writer import Writer
from opsroom.record.store import Block
from opsroom.room.news import PlantBorn
from telex_ingest import heard
from telex_ingest.heard import Accepted
from telex_ingest.telex import PlantBirth, Reading, SignalBirth, TelexKind
from tests.journeys.test_restart import crash_image, until
from tests.opsroom.play import OPERATOR, people
from tests.opsroom.rooms import TOML, make_folder, served

START = 1_800_000_000.0
BIRTH = PlantBirth(plant="mill-1", signals=(SignalBirth(id=1, name="output", unit="t", period_s=1.0),))
SEEDED = '\n[[agreement]]\nsignal = "mill-1/output"\nnormal = [90.0, 120.0]\n'


def opened(folder: Path) -> Hall:
    return open_hall(folder, lambda _: HandClock(START), structlog.wrap_logger(structlog.ReturnLogger()))


def telex(seq: int) -> Accepted:
    value = 100.0 + seq % 3
    return Accepted("mill-1", 1, seq, at := seq * 1_000_000, at, TelexKind.LIVE, (1,), (Reading(1, value),))


class Run:
    """A room that is told one thing a tick, as its loop would."""

    def __init__(self, folder: Path, *, kept: bool) -> None:
        self.folder, self.kept = folder, kept
        self.hall = opened(folder)
        self.writer = Writer(self.hall)
        self.seq = 0

    async def tick(self, *messages: Message, telexes: Sequence[Accepted] = ()) -> Tick:
        hall = self.hall
        judged = hall.bank.judge(telexes, START, hall.numbers)
        tick = fold(hall.room, messages, START, hall.sight)
        assert not tick.refused
        await self.writer.write((), judged, tick, START)
        hall.become(tick)
        return tick

    async def told(self, n: int) -> None:
        for _ in range(n):
            self.seq += 1
            await self.tick(telexes=[telex(self.seq)])

    async def agree(self, low: float, high: float) -> None:
        """Agree on an interval; the room is killed before it has kept what follows from it, unless `kept`."""
        figures = c.ProposeAgreement(signal="mill-1/output", normal_low=low, normal_high=high, reason="new spindles")
        await self.tick(Asked(command=figures, actor=OPERATOR, key=f"asked-{low}"))
        [proposal] = self.hall.room.proposals
        answer = c.AnswerAgreement(proposal=proposal, accept=True)
        agreed = await self.tick(Asked(command=answer, actor=people("mill-1"), key=f"agreed-{low}"))
        if self.kept:
            await self.writer.keep_beliefs(shards=self.hall.agreed(agreed.events))

    def killed(self, to: Path) -> dict[int, bytes]:
        """End it, leaving the folder as a kill at this moment would, and tell what it believed."""
        crash_image(self.folder, to)
        knew = self.hall.bank.snapshot()
        self.writer.close()
        self.hall.close()
        return knew


@pytest.mark.parametrize("seeds", ["", SEEDED], ids=["nothing", "an interval in the file"])
async def test_an_agreement_in_a_room_that_never_kept_its_beliefs_holds_from_its_moment_on(
    tmp_path: Path, seeds: str
) -> None:
    run = Run(make_folder(tmp_path / "room", TOML + seeds), kept=False)
    run.hall.store.save_births([BIRTH])
    run.hall.admit(BIRTH)
    await run.tick(PlantBorn(birth=BIRTH))
    await run.told(30)
    await run.agree(100.0, 102.0)
    knew = run.killed(tmp_path / "killed")
    again = opened(tmp_path / "killed")
    assert again.bank.snapshot() == knew
    again.close()


async def test_a_room_that_is_killed_again_after_an_agreement_believes_what_it_believed(tmp_path: Path) -> None:
    run = Run(make_folder(tmp_path / "room"), kept=False)
    run.hall.store.save_births([BIRTH])
    run.hall.admit(BIRTH)
    await run.tick(PlantBorn(birth=BIRTH))
    await run.told(30)
    await run.writer.keep_beliefs(now=True)
    await run.told(3)
    await run.agree(100.0, 102.0)
    run.killed(tmp_path / "once")
    second = Run(tmp_path / "once", kept=False)
    second.seq = run.seq
    await second.told(20)
    knew = second.killed(tmp_path / "twice")
    again = opened(tmp_path / "twice")
    assert again.bank.snapshot() == knew
    again.close()


async def test_the_readings_of_a_births_own_tick_are_judged_by_what_the_file_agrees(tmp_path: Path) -> None:
    async with served(make_folder(tmp_path / "room", TOML + SEEDED), HandClock(START)) as room:
        inbox, store = room.hall.inbox, room.hall.store
        inbox.offer(heard.PlantBorn("mill", BIRTH, START, changed=True))
        for seq in range(1, 9):
            inbox.offer(telex(seq))
        await until(room, lambda: store.telex_counts().stored == 8 and "mill-1" in room.hall.room.plants)
        crash_image(tmp_path / "room", tmp_path / "killed")
        knew = room.hall.bank.snapshot()
    again = opened(tmp_path / "killed")
    assert again.bank.snapshot() == knew
    again.close()


async def test_what_was_judged_under_an_old_wording_is_not_judged_again_under_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quicker = msgspec.structs.replace(BIRTH, version=2, signals=(msgspec.structs.replace(BIRTH.signals[0], low=101.0),))
    async with served(make_folder(tmp_path / "room"), HandClock(START)) as room:
        inbox, store = room.hall.inbox, room.hall.store
        inbox.offer(heard.PlantBorn("mill", BIRTH, START, changed=True))
        for seq in range(1, 31):
            inbox.offer(telex(seq))
        await until(room, lambda: store.telex_counts().stored == 30)

        append, copied = store.append, list[int]()

        def then_killed(blocks: Sequence[Block]) -> int:
            mark = append(blocks)
            crash_image(tmp_path / "room", tmp_path / "killed")
            copied.append(mark)  # on the writer's thread: the room must not end before
            return mark

        monkeypatch.setattr(store, "append", then_killed)
        inbox.offer(heard.PlantBorn("mill", quicker, START, changed=True))
        inbox.offer(telex(31))
        await until(room, lambda: store.telex_counts().stored == 31 and bool(copied))
        knew = room.hall.bank.snapshot()
    again = opened(tmp_path / "killed")
    assert again.bank.snapshot() == knew
    again.close()


@pytest.mark.parametrize("end", [150.0, None], ids=["wider", "none any more"])
async def test_a_new_range_holds_for_the_readings_after_it_and_before_a_kill_as_after_it(
    tmp_path: Path, end: float | None
) -> None:
    narrow, wide = (
        msgspec.structs.replace(
            BIRTH, version=version, signals=(msgspec.structs.replace(BIRTH.signals[0], high=high, low=low),)
        )
        for version, low, high in ((1, None, 110.0), (2, 90.0, end))
    )
    words: list[str] = []
    async with served(make_folder(tmp_path / "room"), HandClock(START)) as room:
        inbox, store, bank = room.hall.inbox, room.hall.store, room.hall.bank

        async def told(seq: int, value: float) -> None:
            inbox.offer(msgspec.structs.replace(telex(seq), readings=(Reading(1, value),)))
            await until(room, lambda: store.telex_counts().stored == seq)
            words.append(bank.word(0))

        inbox.offer(heard.PlantBorn("mill", narrow, START, changed=True))
        for seq in range(1, 31):
            inbox.offer(telex(seq))
        await until(room, lambda: store.telex_counts().stored == 30)
        await told(31, 130.0)
        await told(32, 70.0)
        await told(33, 101.0)
        inbox.offer(heard.PlantBorn("mill", wide, START, changed=True))
        await told(34, 130.0)
        await told(35, 70.0)
        await until(room, lambda: room.hall.journal.judged_up_to == store.last_mark)
        knew = room.hall.bank.snapshot()
        crash_image(tmp_path / "room", tmp_path / "killed")
    assert [word == "out_of_range" for word in words] == [True, False, False, False, True]
    again = opened(tmp_path / "killed")
    assert again.bank.snapshot() == knew
    again.close()

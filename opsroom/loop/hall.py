"""The parts of one running room, opened from its folder and taken up where the last run ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from cyberstride import NAMES
from opsroom import ready
from opsroom.alarms import recovery
from opsroom.alarms.algedonic import TABLE
from opsroom.alarms.recovery import Recovery
from opsroom.clock import Clock, SystemClock, processor_ns
from opsroom.constitution.charter import CharterError, RoomFile, read
from opsroom.doors.watch import Watchers
from opsroom.entry.ballot_box import BallotBox
from opsroom.entry.links import Links
from opsroom.entry.people import People
from opsroom.entry.tally import Tally
from opsroom.judgement.bank import Announced, Bank, Judged
from opsroom.judgement.filter import cores
from opsroom.judgement.rings import KEPT
from opsroom.judgement.sight import evidence, news_of
from opsroom.loop.calibrations import calibrated
from opsroom.loop.faults import shortly
from opsroom.loop.inbox import Inbox
from opsroom.loop.pulse import Pulse
from opsroom.loop.relearning import Again, restored
from opsroom.loop.tick import Tick, fold, replay, touched
from opsroom.proof.keys import Keyring
from opsroom.record import blocks
from opsroom.record.absorbed import Absorbed
from opsroom.record.backup_note import refuse_half
from opsroom.record.disk import StoreError, private_folder
from opsroom.record.journal import Journal
from opsroom.record.looks import Looks
from opsroom.record.opening import READINGS as READINGS
from opsroom.record.opening import open_store
from opsroom.record.store import KINDS, Block, Held, Store
from opsroom.recursion.flowchart import redrawn
from opsroom.recursion.recursion import Agreement
from opsroom.recursion.wholes import Wholes
from opsroom.room.events import AgreementAccepted, AnyEvent, PlantJoined
from opsroom.room.news import AnyNews, CharterRead, Evidence
from opsroom.room.refusal import RoomError
from opsroom.room.room import Room, newborn
from opsroom.showing.scene import Scene
from telex_ingest import lockstep, scanner
from telex_ingest.telex import PlantBirth, TelexKind
from telex_ingest.ticket import Ticket
from telex_ingest.toll import Toll

ROOM, JOURNAL, PEOPLE, LOOKS, BALLOTS = (
    "room.toml",
    "journal.sqlite",
    "people.sqlite",
    "looks.sqlite",
    "ballots.sqlite",
)
"""The files of a room's folder, beside the readings."""

REMEMBERED_TICKS = 6_000
"""How many of the newest ticks are read at start for the last readings of each signal."""

LOOKED_UP = 2_000
"""The most signals whose last readings are looked up one by one at start instead."""

_LIVE = KINDS.index(TelexKind.LIVE)
_UNHEARD = frozenset(
    code for code, word in enumerate(NAMES) if set(TABLE.get(word, {"": "log"}).values()) <= {"nothing", "mark"}
)
"""The filter's words that no event follows."""


class NoRoomError(RoomError):
    """There is no room in a folder: `folder`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.folder = folder

    def __str__(self) -> str:
        return f"there is no {ROOM} in {self.folder}: `opsroom init --data {self.folder}` makes a room there"


@dataclass
class Hall:
    """All parts of one room. `room` and `recovery` are what the journal holds: they change only once it is written."""

    folder: Path
    file: RoomFile
    clock: Clock
    store: Store
    journal: Journal
    people: People
    links: Links
    box: BallotBox
    keys: Keyring
    room: Room
    bank: Bank
    inbox: Inbox
    scene: Scene
    watchers: Watchers
    wholes: Wholes
    looks: Looks
    absorbed: Absorbed
    recovery: Recovery = field(default_factory=Recovery)
    numbers: dict[str, int] = field(default_factory=dict)
    trouble: str = ""
    """What does not work now, in a sentence; empty when all is well."""
    pulse: Pulse = field(default_factory=Pulse)
    tally: Tally = field(default_factory=Tally)
    """What the web server has answered."""
    held: Held | None = None
    """What the store holds, looked at now and then."""
    log: Any = None
    errand: str = ""
    """The secret of this run by which the room's own command line may look; empty while nobody may."""
    software: str = ""
    failure: BaseException | None = None
    """What stopped the loop, if it stopped by itself."""
    on_stop: Callable[[], None] = lambda: None
    """Called when the loop has stopped by itself."""
    at_rest: Callable[[], None] = lambda: None
    """Called when a flood of births is over: what they brought stays, and is no garbage to look for."""
    _watched: NDArray[np.bool_] | None = None
    """By lane whether somebody waits for the signal to recover; None when that must be looked up anew."""

    def sight(self, key: str) -> Evidence | None:
        """What the filter knows of a signal now."""
        return evidence(self.bank, key, self.clock.now(), self.software)

    def ticket(self, link: str, token: str) -> str:
        """The line to hand to a link: its token, and the key by which its plants know this room's orders."""
        return Ticket(link, token, self.file.id, self.keys.key("orders")).line()

    def admit(self, birth: PlantBirth) -> None:
        """Give a plant's signals their places in store and bank; what the file agrees holds from a signal's first reading on."""
        self._watched = None
        keys = [f"{birth.plant}/{signal.name}" for signal in birth.signals]
        self.numbers[birth.plant] = self.store.number(birth.plant)
        self.absorbed.names[self.numbers[birth.plant]] = birth.plant
        self.bank.admit(birth, self.store.place(keys))
        seeds = self.room.charter.agreements
        for key in keys if seeds else ():
            if key in seeds and key not in self.room.signals:
                self._anchor(key, seeds[key])
        self.pulse.loop.charge("births")

    def heard(
        self, announced: Sequence[Announced], readings: Iterable[tuple[str, float, float | None]]
    ) -> tuple[AnyNews, ...]:
        """News of a tick: verdicts first, then what the recovery watch saw."""
        self.recovery, returned = recovery.look(self.recovery, readings)
        return (*news_of(self.bank, announced), *returned)

    def listen(self, judged: Judged) -> tuple[AnyNews, ...]:
        """News of a tick's verdicts, and of the signals that somebody waits for to recover."""
        if not self.recovery.watches:
            return self.heard(judged.announced, ())
        signals = self.bank.signals
        if self._watched is None:
            by_key = self.bank.by_key
            self._watched = np.zeros(len(signals), np.bool_)
            self._watched[[by_key[key].lane for key in self.recovery.watches if key in by_key]] = True
        places = np.flatnonzero(judged.live & self._watched[judged.lane])
        columns = (
            judged.lane[places].tolist(),
            (judged.source_us[places] / 1e6).tolist(),
            judged.value[places].tolist(),
        )
        return self.heard(
            judged.announced,
            ((signals[lane].key, at, value) for lane, at, value in zip(*columns, strict=True)),
        )

    @staticmethod
    def anchors(events: Iterable[AnyEvent]) -> bool:
        """Whether events may freeze an interval as a signal's reference: no reading may be judged before they are in force."""
        return any(isinstance(event, AgreementAccepted | PlantJoined) for event in events)

    def agreed(self, events: Iterable[AnyEvent]) -> set[int]:
        """The shards in which an accepted agreement changes a reference: no stored reading tells of that, only beliefs."""
        keys = {event.signal for event in events if isinstance(event, AgreementAccepted)}
        return {self.bank.by_key[key].place.shard for key in keys & self.bank.by_key.keys()}

    def anchor(self, events: Iterable[AnyEvent]) -> None:
        """Freeze an agreed interval as a signal's reference when an agreement brings one."""
        for event in events:
            if isinstance(event, AgreementAccepted):
                self._anchor(event.signal, event.agreement)
            elif isinstance(event, PlantJoined):
                for name, agreement in ((one.name, one.agreement) for one in event.seeded):
                    self._anchor(f"{event.plant}/{name}", agreement)

    def _anchor(self, key: str, agreed: Agreement) -> bool:
        low, high = agreed.normal_low, agreed.normal_high
        if low is not None and high is not None and high > low and key in self.bank.by_key:
            return self.bank.anchor(key, low, high)
        return False

    def become(self, tick: Tick) -> None:
        """Take the room as it is after a tick that the journal holds."""
        self.room = self.scene.room = tick.room
        self.anchor(tick.events)
        if alarms := touched(tick.events, "alarm"):
            self.recovery, self._watched = recovery.follow(self.recovery, tick.room, alarms), None

    def ended(self, how: BaseException | bool | None) -> None:
        """The loop ended: by its own defect, unless the inbox was closed."""
        by_itself = not self.inbox.closed
        self.inbox.abandon()
        if by_itself or isinstance(how, BaseException):
            self.trouble = f"the room has stopped: {how!r}"
            self.failure = how if isinstance(how, BaseException) else None
            self.log.critical("the room has stopped", exc_info=self.failure)
            self.on_stop()

    def close(self) -> None:
        """Close every file."""
        due = self.absorbed.due(self.clock.now(), at_once=True)
        if due is not None:
            self.absorbed.write(due)
        for part in (self.bank, self.looks, self.people, self.links, self.box, self.store, self.journal):
            part.close()


def read_file(folder: Path) -> RoomFile:
    """Read a folder's room.toml; raises `NoRoomError`, `StoreError` (half a backup), or `CharterError` with every mistake."""
    refuse_half(folder)
    try:
        text = (folder / ROOM).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise NoRoomError(folder) from None
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(
            "the file cannot be read", folder / ROOM, str(error), "Check its owner and that it is UTF-8 text."
        ) from None
    file = read(text)
    judging, mistakes = calibrated(folder, file.judging)
    if mistakes:
        raise CharterError(tuple(mistakes))
    return msgspec.structs.replace(file, judging=judging)


def open_hall(
    folder: Path, clock_from: Callable[[float], Clock], log: Any, software: str = "", store_at: str = ""
) -> Hall:
    """Open a room and take it up where it ended: fold the journal, restore beliefs, judge again what came after.

    `clock_from` makes the room's clock from the last moment that its journal knows; `store_at` is the address of its readings,
    the one in room.toml, or else the file in the folder, if it is left out.
    """
    file = read_file(folder)
    private_folder(folder)
    keys = Keyring.open(folder, file.id, SystemClock().now())
    journal = Journal.open(folder / JOURNAL, file.id, keys.sign_journal)
    closing: list[Any] = [journal]
    pulse = Pulse(loop=Toll(processor_ns), writer=Toll(processor_ns))
    try:
        clock = clock_from(journal.last_at)
        store = open_store(folder, store_at or file.keeping.store)
        closing.append(store)
        store.toll = pulse.writer
        world = SystemClock()  # sessions and tokens belong to people, whatever the room's clock does
        people = People.open(folder / PEOPLE, world)
        closing.append(people)
        links = Links.open(folder / PEOPLE, world)
        closing.append(links)
        box = BallotBox(folder / BALLOTS)
        closing.append(box)
        room = newborn(file.id, file.charter)
        room = replay(room, ((event.kind, event.version, event.body) for event in journal.read()))
        bank = Bank(said=file.judging, charter=file.charter, unheard=_UNHEARD, threads=cores())
        closing.append(bank)
        looks = Looks(folder / LOOKS)
        closing.append(looks)
        wholes = Wholes(file.charter.charts, store.durable())
        scene = Scene(room, bank, clock.speed, wholes)
        scene.noted = looks.note
        hall = Hall(
            folder=folder,
            file=file,
            clock=clock,
            store=store,
            journal=journal,
            people=people,
            links=links,
            box=box,
            keys=keys,
            room=room,
            bank=bank,
            inbox=Inbox(clock, pulse.loop),
            pulse=pulse,
            scene=scene,
            watchers=Watchers(scene, clock.now, pulse.loop),
            wholes=wholes,
            looks=looks,
            absorbed=Absorbed(looks.ledger),
            recovery=recovery.newborn(room),
            log=log,
            software=software,
        )
        bank.toll = pulse.loop
        log.info("filter is made ready", hint="the first time on a machine it is compiled, which takes a minute or two")
        ready.judgement()
        blocks.warm()
        scanner.warm()
        lockstep.warm()
        log.info("the record is taken up", events=journal.events, ticks=store.last_mark, signals=len(store.signals))
        _take_up(hall)
        return hall
    except BaseException:
        for part in reversed(closing):
            part.close()
        raise


def _take_up(hall: Hall) -> None:
    bank, store = hall.bank, hall.store
    hall.absorbed.names.update(store.plants())
    hall.absorbed.take(store.after(hall.absorbed.mark), store.last_mark)
    for birth in (*store.births().values(), *hall.wholes.births()):
        hall.admit(birth)
    for key, place in store.signals.items():
        if key not in bank.by_key:
            bank.retire(key, place)
    for key, signal in hall.room.signals.items():
        hall._anchor(key, signal.agreement)
    reached = restored(hall)
    newest = min((reached.get(shard, 0) for shard in bank.shards), default=0)
    few = len(bank) <= LOOKED_UP
    _recall(hall, few)
    now, drawn = hall.clock.now(), hall.room.charter.charts
    _settle(hall, fold(hall.room, [CharterRead(charter=hall.file.charter)], now, hall.sight), None)
    again = Again(bank)
    for block in store.after(newest if few else min(newest, max(0, store.last_mark - REMEMBERED_TICKS))):
        if block.mark <= reached.get(block.shard, 0):
            if not few:
                bank.remember(block)
        elif block.mark <= hall.journal.judged_up_to:
            again.take(block)
        else:
            again.judge()
            news = hall.heard(bank.replay(block, hear=True), _readings(bank, block))
            _settle(hall, fold(hall.room, news, block.at, hall.sight), None)
    again.judge()
    # What was accepted in the last moment is in no snapshot yet, and no stored reading tells of it; nor of another chart.
    anew = [hall.wholes.charts[unit].key for unit in redrawn(drawn, hall.room.charter.charts)]
    bank.renew(anew)
    moved = [key for key, one in hall.room.signals.items() if hall._anchor(key, one.agreement)]
    fresh = {bank.by_key[key].place.shard for key in (*anew, *moved)}
    if fresh:
        store.save_beliefs(store.last_mark, bank.snapshot(fresh))
    _recall(hall, few)
    _settle(hall, fold(hall.room, [], now, hall.sight), store.last_mark)
    hall.box.take_up(hall.room)


def _recall(hall: Hall, few: bool) -> None:
    """Take the last readings of every signal from the store: exact, and quick enough for a room with few signals."""
    for signal in hall.bank.signals if few else ():
        hall.bank.recall(signal, hall.store.last(signal.key, KEPT))


def _settle(hall: Hall, tick: Tick, judged_up_to: int | None) -> None:
    """Write what a restart decided and take it; a message that the room cannot decide on is told, as it is when it comes live."""
    for fault in tick.faults:
        hall.pulse.faults += 1
        hall.log.error("a message could not be decided on", message=shortly(fault.message), exc_info=fault.error)
    hall.journal.append(tick.entries, judged_up_to=judged_up_to)
    hall.become(tick)


def _readings(bank: Bank, block: Block) -> Iterator[tuple[str, float, float | None]]:
    for place, row in enumerate(block.row):
        telex = block.telex[place]
        if block.kind[telex] == _LIVE:
            value = float(block.value[place])
            yield bank.at(block.shard, int(row)).key, float(block.source_us[telex]) / 1e6, value

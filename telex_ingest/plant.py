"""One plant on the line: the place of each of its telexes, its gaps, its silence. Pure.

Sequence state belongs to the plant, not to the link: a plant may come back over another link and goes on where it was.
"""

from __future__ import annotations

from operator import itemgetter
from typing import NamedTuple

from telex_ingest.desk import Desk, Link
from telex_ingest.heard import Accepted, GapClosed, Heard, PlantSilent, PlantSpeaks
from telex_ingest.line import PlantLine
from telex_ingest.refusals import show
from telex_ingest.sequence import Fate, Sequence
from telex_ingest.standing import Keeper, Standing
from telex_ingest.states import PLANT, PlantEvent, PlantState
from telex_ingest.telex import PlantBirth, Quality, Reading, Spool, Telex, TelexKind

SHAPES = 64
"""Different sets of signals in a plant's telexes that are remembered; more are checked one by one."""

_signal_of = itemgetter(0)


class Spent(NamedTuple):
    """A number whose telex was refused: it takes its place without readings."""

    seq: int


class Arrived(NamedTuple):
    """A telex and when it came."""

    telex: Telex
    received_us: int


class Plant:
    """What the session knows of one plant, whichever link speaks for it.

    While its telexes simply follow one another a `keeper` keeps its standing together with that of others, and what stands here
    is of the moment when that began. Whoever changes a plant, or goes by its place in the order, takes it `apart` first;
    `standing` only looks.
    """

    __slots__ = (
        "asked_at", "birth", "births", "delay_us", "desk", "duplicates", "gap_since", "gaps", "given_up", "heard_at",
        "ids", "keeper", "late", "name", "place", "refused", "sequence", "shape", "shapes", "silent_after",
        "source_us", "speaker", "spool", "state", "telexes", "wire",
    )  # fmt: skip

    def __init__(self, name: str, epoch: int, durable: int, desk: Desk, now: float) -> None:
        self.name = name
        self.desk = desk
        self.state = PlantState.UNBORN
        self.sequence: Sequence[Arrived | Spent] = Sequence(epoch, durable)
        self.birth: PlantBirth | None = None
        self.ids: dict[int, str] = {}
        self.shapes: dict[tuple[int, ...], tuple[int, ...]] = {}
        self.shape: tuple[int, ...] | None = None
        """The one of them that it told last in a strip."""
        self.silent_after = float("inf")
        self.speaker: Link | None = None
        self.wire = 0
        """Number of the websocket that it spoke by last."""
        self.heard_at = now
        self.source_us: int | None = None
        self.gap_since: float | None = None
        self.asked_at: float | None = None
        self.spool: Spool | None = None
        self.delay_us: int | None = None
        self.refused: dict[str, int] = {}
        self.keeper: Keeper | None = None
        self.place = 0
        """Its row there."""
        self.telexes = self.duplicates = self.late = self.gaps = self.given_up = self.births = 0

    def apart(self) -> None:
        """Stand for itself again."""
        if self.keeper is not None:
            self.keeper.part(self)

    @property
    def standing(self) -> Standing:
        """How the plant stands now, whoever keeps it."""
        own, keeper = Standing.of(self), self.keeper
        return own if keeper is None else keeper.standing(self.place, own)

    @property
    def spooled(self) -> int:
        """How many telexes the plant's spool still holds: what it told last, less what was acknowledged since."""
        spool = self.spool
        return 0 if spool is None else max(0, spool.last - max(spool.first - 1, self.standing.durable))

    @property
    def known(self) -> bool:
        """Whether the room has heard a telex of it, in this epoch or an earlier one."""
        return self.sequence.next > 1 or self.sequence.epoch > 1 or bool(self.sequence.waiting)

    def describe(self, birth: PlantBirth) -> None:
        """Take a birth's wording; nothing of the sequence changes."""
        self.birth = birth
        self.ids = {signal.id: signal.name for signal in birth.signals}
        self.shapes, self.shape = {}, None
        period = min(signal.period_s for signal in birth.signals) / birth.pace
        self.silent_after = max(self.desk.limits.silence_floor_s, self.desk.limits.silence_periods * period)

    def begin(self, epoch: int, now: float, heard: list[Heard]) -> None:
        """Begin a higher epoch; what waited in the old one is taken first."""
        self.close_all(now, heard)
        self.sequence = Sequence(epoch)
        self.spool = None

    def take(self, telex: Telex, received_us: int, now: float, heard: list[Heard]) -> None:
        """Take a telex whose number is the one awaited and has just been counted: the hot path."""
        readings = telex.readings
        source_us = telex.source_us
        shape = self.shapes.get(tuple(map(_signal_of, readings)))
        if shape is None:
            fitted = self._fit(telex, now)
            if fitted is None:
                self._give_up(telex.seq, telex.seq, now, "refused", heard)
                return
            shape, readings = fitted
        ahead = source_us - received_us
        if ahead > self.desk.skew_us:
            self.desk.tally.skewed += 1
            if ahead > self.desk.future_us:
                reason = f"{ahead / 1e6:.0f} s ahead of the room's clock: {telex.time.isoformat()}"
                self._refuse(now, "future", reason, telex.seq)
                readings = tuple([_doubted(reading) for reading in readings])
                source_us = received_us
        if telex.kind is TelexKind.LIVE:
            if self.source_us is not None and source_us < self.source_us:
                self.desk.tally.backward += 1
            self.source_us = source_us
            self.delay_us = -ahead
        if self.state is not PlantState.SPEAKING:
            self._speak(now, heard)
        self.heard_at = now
        self.telexes += 1
        tally = self.desk.tally
        tally.telexes += 1
        tally.readings += len(readings)
        heard.append(
            Accepted(
                self.name,
                self.sequence.epoch,
                telex.seq,
                source_us,
                received_us,
                telex.kind,
                shape,
                readings,
                self.wire,
            )
        )

    def out_of_turn(self, link: Link, seq: int, item: Arrived | Spent, now: float, heard: list[Heard]) -> None:
        """Judge a number that need not be the one awaited."""
        sequence, desk = self.sequence, self.desk
        fate = sequence.fate(seq, desk.limits.ahead)
        if fate is Fate.DUPLICATE:
            self.duplicates += 1
            desk.tally.duplicates += 1
            if seq <= sequence.durable:
                desk.ack(link, self.name, sequence.epoch, sequence.durable)
        elif fate is Fate.LATE:
            self.late += 1
            desk.tally.late += 1
            self._refuse(now, "late", f"number {seq} was given up", seq)
        elif self.state is PlantState.DEAD:
            self._refuse(now, str(PLANT[self.state, PlantEvent.TELEX]), f"{self.name} said farewell", seq)
        elif fate is Fate.TOO_FAR:
            self._refuse(now, "too-far-ahead", f"expected {sequence.next}, got {seq}", seq)
        elif fate is Fate.NEXT:
            sequence.next += 1
            self._place(item, now, heard)
            self.drain(now, heard)
        elif desk.tally.waiting >= desk.limits.reorder_total:
            self._refuse(now, "overloaded", f"{desk.tally.waiting} telexes wait", seq)
        else:
            sequence.waiting[seq] = item
            desk.tally.waiting += 1
            if isinstance(item, Arrived) and self.state in (PlantState.BORN, PlantState.SPEAKING):
                self.heard_at = now  # it speaks, though what it says has to wait
            if self.gap_since is None:
                self.gap_since, self.asked_at = now, None
            if len(sequence.waiting) > desk.limits.reorder:
                self._close_gap(now, "overflow", heard)

    def drain(self, now: float, heard: list[Heard]) -> None:
        """Take what waited, as far as it is contiguous now."""
        for item in self.sequence.drain():
            self.desk.tally.waiting -= 1
            self._place(item, now, heard)
        self.gap_since, self.asked_at = (now if self.sequence.waiting else None), None

    def spool_holds(self, spool: Spool, now: float, heard: list[Heard]) -> None:
        """Learn what the plant still has: numbers below `first` are gone for ever."""
        if spool.epoch != self.sequence.epoch:
            return
        self.spool = spool
        while spool.first > self.sequence.next:
            gap = self.sequence.close_gap(spool.first - 1)
            if gap is not None:
                self._gap_closed(gap, now, "gone", heard)
            self.drain(now, heard)

    def close_all(self, now: float, heard: list[Heard]) -> None:
        """Close every gap: nothing more will come in this epoch, or before the next birth."""
        while self.sequence.waiting:
            self._close_gap(now, "never-came", heard)

    def look_at_gap(self, now: float, heard: list[Heard]) -> None:
        """Ask for missing numbers, or give them up; only while a link speaks for the plant, since else nobody can answer."""
        if self.gap_since is None or self.speaker is None:
            return
        limits = self.desk.limits
        if now - self.gap_since >= limits.gap_s:
            self._close_gap(now, "never-came", heard)
        elif now - (self.gap_since if self.asked_at is None else self.asked_at) >= limits.ask_s:
            self.asked_at = now
            first, last = self.sequence.next, min(self.sequence.waiting) - 1
            missing = f"number {first} is missing" if first == last else f"numbers {first} to {last} are missing"
            self._refuse(now, "gap", missing, first)

    def look_for_silence(self, now: float, heard: list[Heard]) -> None:
        """Say that the plant is silent when nothing came for longer than its periods allow."""
        if self.keeper is not None:
            self.heard_at = self.keeper.heard(self.place)
        if now - self.heard_at > self.silent_after and self.state in (PlantState.BORN, PlantState.SPEAKING):
            self.apart()
            self.state = PlantState.SILENT
            heard.append(PlantSilent(self.name, self.heard_at, now))

    def line(self) -> PlantLine:
        """Tell how the plant stands on the line."""
        standing = self.standing
        return PlantLine(
            plant=self.name,
            link="" if self.speaker is None else self.speaker.name,
            state=self.state.value,
            epoch=self.sequence.epoch,
            heard=standing.next - 1,
            durable=standing.durable,
            waiting=len(self.sequence.waiting),
            spooled=self.spooled,
            heard_at=standing.heard_at,
            telexes=standing.telexes,
            duplicates=self.duplicates,
            late=self.late,
            gaps=self.gaps,
            given_up=self.given_up,
            births=self.births,
            version=0 if self.birth is None else self.birth.version,
            delay_s=None if standing.delay_us is None else standing.delay_us / 1e6,
            silent_since=standing.heard_at if self.state is PlantState.SILENT else None,
            refused=dict(self.refused),
        )

    def _speak(self, now: float, heard: list[Heard]) -> None:
        if self.state is PlantState.SILENT:
            heard.append(PlantSpeaks(self.name, self.heard_at, now))
        following = PLANT[self.state, PlantEvent.TELEX]
        if isinstance(following, PlantState):
            self.state = following

    def _place(self, item: Arrived | Spent, now: float, heard: list[Heard]) -> None:
        if isinstance(item, Spent):
            self._give_up(item.seq, item.seq, now, "refused", heard)
        else:
            self.take(item.telex, item.received_us, now, heard)

    def _fit(self, telex: Telex, now: float) -> tuple[tuple[int, ...], tuple[Reading, ...]] | None:
        """Keep the readings of declared signals, each once; None when the telex is too long to be looked at."""
        if len(telex.readings) > self.desk.limits.readings_per_telex:
            reason = f"{len(telex.readings)} readings, at most {self.desk.limits.readings_per_telex}"
            self._refuse(now, "too-many-readings", reason, telex.seq)
            return None
        good: dict[int, Reading] = {}
        odd: list[int] = []
        for reading in telex.readings:
            if reading.signal in self.ids and reading.signal not in good:
                good[reading.signal] = reading
            else:
                odd.append(reading.signal)
        if odd:
            reason = f"ids {show(odd[:5])} of {self.name} are not declared, or stand twice"
            self._refuse(now, "unknown-signal", reason, telex.seq)
        shape = tuple(good)
        if not odd and len(self.shapes) < SHAPES:
            self.shapes[shape] = shape
        return self.shapes.get(shape, shape), tuple(good.values())

    def _close_gap(self, now: float, why: str, heard: list[Heard]) -> None:
        gap = self.sequence.close_gap()
        if gap is not None:
            self._gap_closed(gap, now, why, heard)
        self.drain(now, heard)

    def _give_up(self, first: int, last: int, now: float, why: str, heard: list[Heard]) -> None:
        self.sequence.remember((first, last))
        self._gap_closed((first, last), now, why, heard)

    def _gap_closed(self, gap: tuple[int, int], now: float, why: str, heard: list[Heard]) -> None:
        self.gaps += 1
        self.given_up += gap[1] - gap[0] + 1
        self.desk.tally.gaps += 1
        self.desk.tally.given_up += gap[1] - gap[0] + 1
        heard.append(GapClosed(self.name, self.sequence.epoch, gap[0], gap[1], now, why, self.wire))

    def _refuse(self, now: float, code: str, reason: str, seq: int) -> None:
        self.desk.refuse(self.speaker, now, code, reason, self.name, self.sequence.epoch, seq)


def _doubted(reading: Reading) -> Reading:
    return reading if reading.quality is Quality.BAD else Reading(reading.signal, reading.value, Quality.UNCERTAIN)

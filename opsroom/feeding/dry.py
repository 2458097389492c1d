"""A room in the dry: what would become of each reading of a feed, and what the filter would say of it, without any room. Pure.

The readings take the very path of a real one: encoded and decoded as telexes, heard by a session, judged by a bank.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from cyberstride import NAMES
from opsroom.judgement.bank import Bank
from opsroom.record.store import Place
from telex_ingest.feed import FeedReading, readings_of
from telex_ingest.heard import Accepted, Heard
from telex_ingest.line import Limits
from telex_ingest.refusals import TelexError, show
from telex_ingest.session import Session
from telex_ingest.telex import FromPlant, Hello, PlantBirth, Quality, Telex, TelexKind, moment
from telex_ingest.told import Births, Told
from telex_ingest.wire import decode, encode


class Fate(NamedTuple):
    """What became of one reading: a word, and why when it is not `accepted`."""

    word: str
    why: str = ""


class Echo(NamedTuple):
    """One reading of one signal as a room would have it, its fate, and the verdict that stands after it."""

    source_us: int
    signal: str
    value: float | None
    unit: str
    quality: str
    fate: Fate
    verdict: str
    sure: float


class DryRoom:
    """Hears one plant, acknowledges nothing, keeps nothing."""

    def __init__(self, birth: PlantBirth, now: float) -> None:
        self._session = Session("dry", Limits())
        self._link = self._session.open()
        self._session.greet(self._link, Hello(link="dry"), frozenset({"*"}), now)
        self._bank = Bank()
        self._seq = 0
        self._newest: dict[str, int] = {}
        self._rows: dict[str, int] = {}
        self.fates: dict[str, int] = {}
        """How many readings had which fate."""
        self._hear(FromPlant(hello=Hello(link="dry")), now)
        self.born(birth, now)

    def born(self, birth: PlantBirth, now: float) -> None:
        """Take a birth, the first or a changed one. Raises `TelexError` for one that a room would refuse."""
        self._births = Births([birth])
        self._birth = birth
        self._units = {signal.name: signal.unit for signal in birth.signals}
        self._ids = {signal.name: signal.id for signal in birth.signals}
        self._hear(FromPlant(births=(birth,)), now)
        for refused in self._session.desk.attempts:
            raise TelexError(f"a room would refuse the birth ({refused.code}): {refused.reason}")
        places = {f"{birth.plant}/{name}": Place(0, self._rows.setdefault(name, len(self._rows))) for name in self._ids}
        self._bank.admit(birth, places)

    def tell(self, given: FeedReading, now: float) -> list[Echo]:
        """Tell what became of one reading of the feed, signal by signal."""
        plant = self._birth.plant
        try:
            told = self._births.to_spool(Told(plant, given.source_us, readings_of(given, self._birth), given.kind))
        except TelexError as error:
            return self._refused(given, str(error))
        self._seq += 1
        telex = Telex(plant=plant, seq=self._seq, time=moment(told.source_us), readings=told.readings, kind=told.kind)
        heard = self._hear(FromPlant(telexes=(telex,)), now)
        refused = list(self._session.desk.attempts)
        accepted = [item for item in heard if isinstance(item, Accepted)]
        self._bank.judge(accepted, now, {plant: 1})
        taken = {reading.signal: reading for item in accepted for reading in item.readings}
        echoes: list[Echo] = []
        for name, value in given.values.items():
            reading = taken.get(self._ids[name])
            if reading is None:
                fate = Fate("refused", "; ".join(one.reason for one in refused) or "the room took no such reading")
            else:
                value, fate = reading.value, self._fate(given, name, reading.quality, [one.code for one in refused])
            echoes.append(self._echo(given, name, value, fate))
        return echoes

    def _refused(self, given: FeedReading, why: str) -> list[Echo]:
        """Tell what no room would be told, whatever stands in it."""
        if not isinstance(given.values, Mapping):
            given = given._replace(values={"": None})
        return [self._echo(given, str(name), value, Fate("refused", why)) for name, value in given.values.items()]

    def _fate(self, given: FeedReading, name: str, quality: Quality, codes: list[str]) -> Fate:
        newest = self._newest.get(name)
        if given.kind is TelexKind.CORRECTION:
            return Fate("corrected", "stored and shown, not judged again")
        if given.kind is TelexKind.BACKFILL:
            return Fate("backfilled", "it warms the filter and opens no alarm")
        if newest is not None and given.source_us < newest:
            return Fate("late", f"{(newest - given.source_us) / 1e6:g} s before the newest reading of this signal")
        if "future" in codes:
            return Fate("future", "far ahead of the clock: taken at its received time, and as uncertain")
        self._newest[name] = given.source_us
        if given.values[name] is None or quality is Quality.BAD:
            return Fate("missing", "the filter predicts over it")
        return Fate("accepted")

    def _echo(self, given: FeedReading, name: str, value: float | None, fate: Fate) -> Echo:
        self.fates[fate.word] = self.fates.get(fate.word, 0) + 1
        signal = self._bank.by_key.get(f"{self._birth.plant}/{name}")
        verdict, sure = "", 0.0
        if signal is not None and fate.word != "refused":
            verdict = NAMES[int(self._bank.named[signal.lane])]
            sure = float(max(self._bank.p_now[signal.lane]))
        quality = str(given.qualities.get(name, given.quality))
        value = value if isinstance(value, int | float) else None
        return Echo(given.source_us, name, value, self._units.get(name, ""), quality, fate, verdict, sure)

    def _hear(self, frame: FromPlant, now: float) -> list[Heard]:
        self._link.outbox.take()
        self._session.desk.attempts.clear()
        return self._session.hear(self._link, decode(encode(frame)), now)


def _clock(source_us: int) -> str:
    try:
        return moment(source_us).isoformat()
    except (TypeError, ValueError, OverflowError):
        return show(source_us)


def members(echo: Echo) -> Mapping[str, object]:
    """Tell an echo as the members of a JSON object."""
    return {
        "time": _clock(echo.source_us),
        "signal": echo.signal,
        "value": echo.value,
        "unit": echo.unit,
        "quality": echo.quality,
        "fate": echo.fate.word,
        "why": echo.fate.why,
        "verdict": echo.verdict,
        "sure": round(echo.sure, 4),
    }

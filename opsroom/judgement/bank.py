"""Which signal is which row of the filter's arrays; judges all readings of a tick, in sequence order, exactly once.

A signal lives for ever at the place (shard, row) that the store gave it, and in a lane of the bank's own arrays. The
readings of a tick are judged in rounds: in one round every signal has at most one reading, so that each round is one
vectorised call of `cyberstride.step`. `elapsed` is source time over the signal's nominal period. Rules:

- a reading of bad quality or without a value is missing to the filter, and is stored as it came;
- backfill warms the filter as long as it is in source order, makes no news, and is only stored when it comes behind;
- a correction changes what is stored and shown, never what was judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from cyberstride import DEFAULT, NAMES, Regimes, Verdicts, step
from cyberstride.belief import Belief, from_bytes, grow, newborn, put, take, to_bytes
from cyberstride.reference import anchor
from cyberstride.regimes import paced
from cyberstride.verdict import STEADY, SUSPECTED
from opsroom.judgement.rings import Rings
from opsroom.record.store import KINDS, QUALITIES, Block, Place, Readings, shard_of
from telex_ingest.heard import Accepted
from telex_ingest.telex import PlantBirth, Quality, SignalBirth, TelexKind

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LIVE, _CORRECTION, _BACKFILL = (
    KINDS.index(kind) for kind in (TelexKind.LIVE, TelexKind.CORRECTION, TelexKind.BACKFILL)
)
_BAD = QUALITIES.index(Quality.BAD)
_QUALITY = {quality: code for code, quality in enumerate(QUALITIES)}
_KIND = {kind: code for code, kind in enumerate(KINDS)}
_NEVER = np.iinfo(np.int64).min


class Signal(NamedTuple):
    """One signal of the bank: its lane in the arrays, its key "plant/name", its place, and what its plant declared."""

    lane: int
    key: str
    plant: str
    place: Place
    birth: SignalBirth


class Announced(NamedTuple):
    """A verdict that somebody should hear: which signal, the verdict, and the moments that belong to it (source time, µs).

    `low` and `high` is the 90 % forecast that held for the onset, made before it; `suspected_us` the first suspicion.
    """

    lane: int
    at_us: int
    value: float
    verdict: Verdicts
    row: int
    onset_us: int
    suspected_us: int | None
    normal: tuple[float, float]


class Judged(NamedTuple):
    """What one tick gave: blocks for the store, verdicts to hear, and which signals have a new reading, in order."""

    blocks: tuple[Block, ...]
    announced: tuple[Announced, ...]
    lane: Ints
    """(n,) the signal of every live or backfilled reading, in the order of judging."""
    source_us: Ints
    value: Floats
    live: NDArray[np.bool_]
    readings: int
    """How many readings came, corrections included."""


class _Columns(NamedTuple):
    lane: Ints
    source_us: Ints
    kind: Ints
    value: Floats
    quality: Ints


class _Words(NamedTuple):
    """Verdict columns beside readings, as a block stores them."""

    named: Ints
    p: Floats
    level: Floats
    low: Floats
    high: Floats


class Bank:
    """The beliefs about all signals of a room, their last readings, and the registry between keys and rows."""

    def __init__(self, regimes: Regimes = DEFAULT) -> None:
        self._regimes = regimes
        self._paces: dict[int, Regimes] = {}
        self.signals: list[Signal] = []
        self.by_key: dict[str, Signal] = {}
        self.by_plant: dict[str, dict[int, Signal]] = {}
        self.rings = Rings()
        self.heard_us: dict[str, int] = {}
        """When each plant was heard last, received time in microseconds."""
        self._shards: dict[int, dict[int, int]] = {}
        self._lane_of: dict[str, dict[int, int]] = {}
        self._belief: Belief = newborn(64)
        self._period_us = np.ones(64)
        self._row = np.zeros(64, np.int64)
        self.last_us = np.full(64, _NEVER, np.int64)
        self._suspected_us = np.full(64, _NEVER, np.int64)
        self.since_us = np.full(64, _NEVER, np.int64)
        """Source time of the onset of what is named or suspected now."""
        self.named = np.zeros(64, np.int64)
        self.p_now = np.zeros((64, 4))
        self.level = np.full(64, np.nan)
        self.slope = np.full(64, np.nan)

    def __len__(self) -> int:
        return len(self.signals)

    def admit(self, birth: PlantBirth, places: Mapping[str, Place]) -> None:
        """Give every signal of a birth its lane; a signal that is known keeps it, under its new wording."""
        mine: dict[int, Signal] = {}
        for declared in birth.signals:
            key = f"{birth.plant}/{declared.name}"
            mine[declared.id] = self._place(key, places[key], declared)
        self.by_plant[birth.plant] = mine
        self._lane_of[birth.plant] = {number: signal.lane for number, signal in mine.items()}

    def retire(self, key: str, place: Place) -> None:
        """Keep the place of a signal that no birth declares any more, so that its old blocks can be read."""
        self._place(key, place, SignalBirth(id=0, name=key.partition("/")[2], unit="", period_s=1.0))

    def _place(self, key: str, place: Place, declared: SignalBirth) -> Signal:
        known = self.by_key.get(key)
        lane = known.lane if known else len(self.signals)
        signal = Signal(lane, key, key.partition("/")[0], place, declared)
        if known:
            self.signals[lane] = signal
        else:
            self.signals.append(signal)
            self._shards.setdefault(place.shard, {})[place.row] = lane
            self._reserve(len(self.signals))
        self.by_key[key] = signal
        self._period_us[lane] = declared.period_s * 1e6
        self._row[lane] = place.row
        return signal

    @property
    def shards(self) -> Iterable[int]:
        """The shards that hold a signal."""
        return self._shards.keys()

    def at(self, shard: int, row: int) -> Signal:
        """The signal that lives at a place; raises KeyError."""
        return self.signals[self._shards[shard][row]]

    def _reserve(self, n: int) -> None:
        have = len(self.last_us)
        if n <= have:
            return
        size = max(n, 2 * have)
        more = size - have
        self._belief = grow(self._belief, size)
        self.rings.grow(size)
        for name, empty in (
            ("_period_us", 1),
            ("_row", 0),
            ("last_us", _NEVER),
            ("_suspected_us", _NEVER),
            ("since_us", _NEVER),
            ("named", 0),
        ):
            old = getattr(self, name)
            setattr(self, name, np.concatenate((old, np.full(more, empty, old.dtype))))
        self.p_now = np.concatenate((self.p_now, np.zeros((more, 4))))
        self.level = np.concatenate((self.level, np.full(more, np.nan)))
        self.slope = np.concatenate((self.slope, np.full(more, np.nan)))

    def judge(self, telexes: Sequence[Accepted], at: float, numbers: Mapping[str, int]) -> Judged:
        """Judge the readings of a tick; `numbers` are the store's numbers of the plants, `at` the room's time."""
        kept = [telex for telex in telexes if telex.plant in self._lane_of]
        # Stable, so that the telexes of one plant keep the order of their sequence inside their shard.
        kept.sort(key=lambda telex: shard_of(telex.plant))
        columns, number_of = self._columns(kept)
        words, announced, order = self._absorb(columns, hear=True)
        for telex in kept:
            self.heard_us[telex.plant] = telex.received_us
        for row in np.flatnonzero(columns.kind == _CORRECTION):
            self.rings.correct(int(columns.lane[row]), int(columns.source_us[row]), float(columns.value[row]))
        blocks = self._blocks(kept, columns, number_of, words, at, numbers)
        live = columns.kind[order] == _LIVE
        return Judged(
            blocks,
            announced,
            columns.lane[order],
            columns.source_us[order],
            columns.value[order],
            live,
            len(columns.lane),
        )

    def replay(self, block: Block, *, hear: bool) -> tuple[Announced, ...]:
        """Judge a stored block again, as it was judged the first time; `hear` says whether verdicts are announced."""
        columns = self._columns_of(block)
        _, announced, _ = self._absorb(columns, hear=hear)
        return announced

    def remember(self, block: Block) -> None:
        """Put the readings of a stored block among the last readings, without judging: the belief has seen them."""
        columns = self._columns_of(block)
        judged = np.flatnonzero(columns.kind != _CORRECTION)
        for rows in _rounds(columns.lane[judged]):
            these = judged[rows]
            self.rings.write(
                columns.lane[these],
                columns.source_us[these],
                _seen(columns.value[these], columns.quality[these]),
                block.low[these],
                block.high[these],
                block.named[these],
            )
            self.p_now[columns.lane[these]] = block.p[these]
            self.level[columns.lane[these]] = block.level[these]
            self.named[columns.lane[these]] = block.named[these]

    def recall(self, signal: Signal, last: Readings) -> None:
        """Take the last readings of a signal as the store kept them, in place of what is remembered."""
        lane, judged = np.array([signal.lane]), np.isfinite(last.p).all(axis=1)
        self.rings.fill(signal.lane, last.source_us, _seen(last.value, last.quality), last.low, last.high, last.named)
        if judged.any():
            newest = np.flatnonzero(judged)[-1]
            self.p_now[lane], self.level[lane], self.named[lane] = (
                last.p[newest],
                last.level[newest],
                last.named[newest],
            )

    def anchor(self, key: str, low: float, high: float) -> None:
        """Freeze an agreed interval as the reference of a signal: its middle, and a sixth of its width as the spread."""
        lane = np.array([self.by_key[key].lane])
        anchor(self._belief, lane, np.array([(low + high) / 2]), np.array([(high - low) / 6]))

    def _columns(self, telexes: Sequence[Accepted]) -> tuple[_Columns, Ints]:
        lane: list[int] = []
        value: list[float] = []
        quality: list[int] = []
        counts: list[int] = []
        nan = float("nan")
        for telex in telexes:
            # The session has refused what the birth does not declare, so every id is known here.
            lane_of = self._lane_of[telex.plant]
            lane += [lane_of[number] for number in telex.signals]
            value += [nan if reading[1] is None else reading[1] for reading in telex.readings]
            quality += [_QUALITY[reading[2]] for reading in telex.readings]
            counts.append(len(telex.readings))
        telex_of = np.repeat(np.arange(len(telexes)), counts)
        source = np.fromiter((telex.source_us for telex in telexes), np.int64, len(telexes))
        kind = np.fromiter((_KIND[telex.kind] for telex in telexes), np.int64, len(telexes))
        columns = _Columns(
            np.array(lane, np.int64), source[telex_of], kind[telex_of], np.array(value), np.array(quality, np.int64)
        )
        return columns, telex_of

    def _columns_of(self, block: Block) -> _Columns:
        rows = self._shards.get(block.shard, {})
        lane = np.fromiter((rows[int(row)] for row in block.row), np.int64, len(block.row))
        return _Columns(
            lane,
            np.asarray(block.source_us, np.int64)[block.telex],
            np.asarray(block.kind, np.int64)[block.telex],
            np.asarray(block.value, np.float64),
            np.asarray(block.quality, np.int64),
        )

    def _absorb(self, columns: _Columns, *, hear: bool) -> tuple[_Words, tuple[Announced, ...], Ints]:
        n = len(columns.lane)
        words = _Words(
            np.zeros(n, np.int64), np.full((n, 4), np.nan), np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
        )
        announced: list[Announced] = []
        candidates = np.flatnonzero(columns.kind != _CORRECTION)
        taken: list[Ints] = []
        for rows in _rounds(columns.lane[candidates]):
            these = candidates[rows]
            behind = (columns.kind[these] == _BACKFILL) & (
                columns.source_us[these] <= self.last_us[columns.lane[these]]
            )
            these = these[~behind]
            for pace, those in self._by_pace(columns, these):
                taken.append(those)
                verdicts = self._round(columns, those, words, pace)
                if hear:
                    announced += self._hear(columns, those, verdicts)
        return words, tuple(announced), np.concatenate(taken) if taken else np.empty(0, np.int64)

    def _by_pace(self, columns: _Columns, these: Ints) -> Iterable[tuple[Regimes, Ints]]:
        """Part readings by the regimes of their signals' nominal periods, to the nearest power of two seconds."""
        octave = self._octave(columns.lane[these])
        for number in np.unique(octave).tolist():
            yield self._at_octave(number), these[octave == number]

    def _octave(self, lane: Ints) -> Ints:
        return np.round(np.log2(self._period_us[lane] / 1e6)).astype(np.int64)

    def _at_octave(self, number: int) -> Regimes:
        if number not in self._paces:
            self._paces[number] = paced(self._regimes, 2.0**number)
        return self._paces[number]

    def regimes_of(self, lane: int) -> Regimes:
        """The regimes under which a signal is judged: those of its nominal period."""
        return self._at_octave(int(self._octave(np.array([lane]))[0]))

    def _round(self, columns: _Columns, these: Ints, words: _Words, pace: Regimes) -> Verdicts:
        lane, source = columns.lane[these], columns.source_us[these]
        value = _seen(columns.value[these], columns.quality[these])
        last = self.last_us[lane]
        first = last == _NEVER
        elapsed = np.where(first, 1.0, (source - np.where(first, 0, last)) / self._period_us[lane])
        part, verdicts = step(take(self._belief, lane), value, elapsed, pace)
        put(self._belief, lane, part)
        self.last_us[lane] = np.maximum(last, source)
        self.rings.write(lane, source, value, verdicts.low, verdicts.high, verdicts.named)
        self.named[lane], self.p_now[lane] = verdicts.named, verdicts.p_now
        self.level[lane], self.slope[lane] = verdicts.level, verdicts.slope
        words.named[these], words.p[these] = verdicts.named, verdicts.p_now
        words.level[these], words.low[these], words.high[these] = verdicts.level, verdicts.low, verdicts.high
        onset = self.rings.times(lane, verdicts.onset_back)
        self.since_us[lane] = np.where(verdicts.onset_back >= 0, onset, _NEVER)
        fresh = (verdicts.named == SUSPECTED) & (self._suspected_us[lane] == _NEVER)
        self._suspected_us[lane[fresh]] = source[fresh]
        calm = verdicts.named <= STEADY
        self._suspected_us[lane[calm]] = _NEVER
        return verdicts

    def _hear(self, columns: _Columns, these: Ints, verdicts: Verdicts) -> Iterable[Announced]:
        for row in np.flatnonzero(verdicts.announced & (columns.kind[these] == _LIVE)):
            place = int(these[row])
            lane, source = int(columns.lane[place]), int(columns.source_us[place])
            past = self.rings.past(lane)
            back = min(max(int(verdicts.onset_back[row]), 0), len(past.value) - 1)
            onset = len(past.value) - 1 - back
            bands = np.flatnonzero(np.isfinite(past.low[: onset + 1]))
            normal = (float(past.low[bands[-1]]), float(past.high[bands[-1]])) if len(bands) else (np.nan, np.nan)
            suspected = int(self._suspected_us[lane])
            yield Announced(
                lane,
                source,
                float(columns.value[place]),
                verdicts,
                int(row),
                int(past.source_us[onset]),
                None if suspected == _NEVER else suspected,
                normal,
            )

    def _blocks(
        self,
        telexes: Sequence[Accepted],
        columns: _Columns,
        telex_of: Ints,
        words: _Words,
        at: float,
        numbers: Mapping[str, int],
    ) -> tuple[Block, ...]:
        if not telexes:
            return ()
        shard = np.fromiter((shard_of(telex.plant) for telex in telexes), np.int64, len(telexes))
        plant = np.fromiter((numbers[telex.plant] for telex in telexes), np.int64, len(telexes))
        epoch = np.fromiter((telex.epoch for telex in telexes), np.int64, len(telexes))
        seq = np.fromiter((telex.seq for telex in telexes), np.int64, len(telexes))
        source = np.fromiter((telex.source_us for telex in telexes), np.int64, len(telexes))
        received = np.fromiter((telex.received_us for telex in telexes), np.int64, len(telexes))
        kind = np.fromiter((_KIND[telex.kind] for telex in telexes), np.int64, len(telexes))
        blocks = []
        for number in np.unique(shard):
            first, last = np.searchsorted(shard, (number, number + 1))
            start, end = np.searchsorted(telex_of, (first, last))
            blocks.append(
                Block(
                    shard=int(number),
                    at=at,
                    plant=plant[first:last],
                    epoch=epoch[first:last],
                    seq=seq[first:last],
                    source_us=source[first:last],
                    received_us=received[first:last],
                    kind=kind[first:last],
                    telex=telex_of[start:end] - first,
                    row=self._row[columns.lane[start:end]],
                    value=columns.value[start:end],
                    quality=columns.quality[start:end],
                    named=words.named[start:end],
                    p=words.p[start:end],
                    level=words.level[start:end],
                    low=words.low[start:end],
                    high=words.high[start:end],
                )
            )
        return tuple(blocks)

    def belief_of(self, key: str) -> Belief | None:
        """The belief about one signal, n = 1; None for a signal that is not known."""
        signal = self.by_key.get(key)
        return None if signal is None else take(self._belief, np.array([signal.lane]))

    def since(self, lane: int) -> float | None:
        """Source time in epoch seconds of the onset of what is named or suspected now, None when nothing is."""
        onset = int(self.since_us[lane])
        return None if onset == _NEVER else onset / 1e6

    def word(self, lane: int) -> str:
        """The filter's word for a signal now."""
        return NAMES[int(self.named[lane])]

    def snapshot(self) -> dict[int, bytes]:
        """The beliefs of every shard as bytes, with the source times that `elapsed` counts from."""
        parts = {}
        for shard, rows in self._shards.items():
            lane = np.array([rows[row] for row in sorted(rows)], np.int64)
            keys = [self.signals[i].key for i in lane]
            parts[shard] = msgspec.msgpack.encode(
                _Kept(
                    keys,
                    to_bytes(take(self._belief, lane)),
                    self.last_us[lane].tobytes(),
                    self._suspected_us[lane].tobytes(),
                )
            )
        return parts

    def restore(self, data: bytes) -> None:
        """Take a shard's beliefs as `snapshot` wrote them; every signal in it must have been admitted."""
        kept = msgspec.msgpack.decode(data, type=_Kept)
        lane = np.array([self.by_key[key].lane for key in kept.keys], np.int64)
        put(self._belief, lane, from_bytes(kept.belief))
        self.last_us[lane] = np.frombuffer(kept.last_us, np.int64)
        self._suspected_us[lane] = np.frombuffer(kept.suspected_us, np.int64)


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    keys: list[str]
    belief: bytes
    last_us: bytes
    suspected_us: bytes


def _seen(value: Floats, quality: Ints) -> Floats:
    return np.where(quality == _BAD, np.nan, value)


def _rounds(lane: Ints) -> Iterable[Ints]:
    """Part the places of `lane` so that no signal stands twice in a part, and each keeps its order over the parts.

    >>> [part.tolist() for part in _rounds(np.array([7, 8, 7, 7, 8]))]
    [[0, 1], [2, 4], [3]]
    """
    n = len(lane)
    if n == 0:
        return
    order = np.argsort(lane, kind="stable")
    ordered = lane[order]
    start = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    occurrence = np.empty(n, np.int64)
    occurrence[order] = np.arange(n) - np.repeat(start, np.diff(np.r_[start, n]))
    by_round = np.argsort(occurrence, kind="stable")
    ends = np.cumsum(np.bincount(occurrence))
    yield from np.split(by_round, ends[:-1])

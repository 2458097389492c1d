"""Which signal is which row of the filter's arrays; judges all readings of a tick, in sequence order, exactly once.

A signal lives for ever at the place (shard, row) that the store gave it, and in a lane of the bank's own arrays. The
readings of a tick are judged in rounds: in one round every signal has at most one reading, so that each round is one
vectorised call of `cyberstride.judge`. `elapsed` is source time over the signal's nominal period. Rules:

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

from cyberstride import DEFAULT, NAMES, Regimes, Verdicts
from cyberstride import budget as budgets
from cyberstride import judge as judging
from cyberstride.belief import Belief, newborn, take
from cyberstride.forecast import Forecast
from cyberstride.kernel import Kernel
from cyberstride.reference import anchor
from cyberstride.scales import NONE, judged_in
from cyberstride.verdict import STEADY, SUSPECTED
from opsroom.constitution.judging import AlarmBudget, Judging
from opsroom.judgement import tuning
from opsroom.judgement.intake import Columns, Intake, Telexes
from opsroom.judgement.rings import Rings
from opsroom.record.store import KINDS, QUALITIES, Block, Place, Readings
from opsroom.recursion.recursion import Charter
from telex_ingest.heard import Accepted, SheetAccepted
from telex_ingest.telex import PlantBirth, Quality, SignalBirth, TelexKind

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.int8]

_LIVE, _CORRECTION, _BACKFILL = (
    KINDS.index(kind) for kind in (TelexKind.LIVE, TelexKind.CORRECTION, TelexKind.BACKFILL)
)
LEARNED = 1000
"""Readings after which a signal's own tail is known well enough."""
_BAD = QUALITIES.index(Quality.BAD)
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
    received_us: Ints
    """(t,) when each telex came."""


class _Words(NamedTuple):
    """Verdict columns beside readings, as a block stores them."""

    named: Codes
    p: Floats
    level: Floats
    low: Floats
    high: Floats


class Bank:
    """The beliefs about all signals of a room, their last readings, and the registry between keys and rows."""

    def __init__(self, regimes: Regimes = DEFAULT, said: Judging | None = None, charter: Charter | None = None) -> None:
        self._regimes = regimes
        self._said = said or Judging()
        self._charter = charter
        self._paces: list[Regimes] = []
        self._kernels: dict[int, Kernel] = {}
        self.signals: list[Signal] = []
        self.by_key: dict[str, Signal] = {}
        self.by_plant: dict[str, dict[int, Signal]] = {}
        self.rings = Rings()
        self.heard_us: dict[str, int] = {}
        """When each plant was heard last, received time in microseconds."""
        self._shards: dict[int, dict[int, int]] = {}
        self._lane_of: dict[str, dict[int, int]] = {}
        self._intake: Intake | None = None
        self._mark = np.zeros(64, np.int64)
        self._state = judging.newborn(64)
        self._pace = np.zeros(64, np.int64)
        self._scale = np.zeros(64, np.int8)
        self._tuned = np.zeros(64, np.bool_)
        """Which signals have a season, a scale or a budget, and are judged with all that."""
        self._agreed: set[int] = set()
        self.account = np.full(64, -1, np.int64)
        """Which of the room's alarm budgets a signal spends; -1 none."""
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
        self._afford(birth.plant)
        lanes = {number: signal.lane for number, signal in mine.items()}
        if self._lane_of.get(birth.plant, lanes) != lanes and self._intake is not None:
            self._intake.forget()
        self._lane_of[birth.plant] = lanes

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
        if not known or known.birth != declared:
            self._settle(signal, known is None)
        self._period_us[lane] = declared.period_s * 1e6
        self._row[lane] = place.row
        return signal

    def _settle(self, signal: Signal, fresh: bool) -> None:
        """Let a signal be judged as room.toml, its history and its birth say."""
        lane, said = signal.lane, self._said.signals.get(signal.key, tuning.PLAIN)
        regimes = tuning.regimes_for(said, signal.birth.period_s, self._regimes)
        if regimes not in self._paces:
            self._paces.append(regimes)
        self._pace[lane] = self._paces.index(regimes)
        if fresh:
            limits = (signal.birth.low, signal.birth.high)
            self._state, self._scale[lane] = tuning.prepared(self._state, lane, said, signal.birth.period_s, limits)
            self._tuned[lane] = bool(said.seasons_s) or self._scale[lane] != NONE

    def _afford(self, plant: str = "") -> None:
        """Share the room's alarm budgets out anew over the signals of all plants that were born."""
        if not self._said.budgets or self._charter is None:
            return
        found = tuning.accounts(self._charter, self._said.budgets, list(self.by_plant))
        self.account[:] = -1
        for name, signals in self.by_plant.items():
            self.account[[signal.lane for signal in signals.values()]] = found.get(name, -1)
        if self._state.budget is None:
            self._state = self._state._replace(budget=budgets.newborn(len(self.last_us)))
        assert self._state.budget is not None
        for number, rule in enumerate(self._said.budgets):
            lanes = np.flatnonzero(self.account == number)
            if (plant and found.get(plant, -1) != number) or not len(lanes):
                continue
            keys = [self.signals[lane].key for lane in lanes]
            a_day = float((86400e6 / self._period_us[lanes]).sum())
            tuning.afforded(self._state.budget, lanes, keys, rule.episodes_a_day, a_day, self._said)
            self._tuned[lanes] = True

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
        self._state = judging.grow(self._state, size)
        self.rings.grow(size)
        for name, empty in (
            ("_period_us", 1),
            ("_row", 0),
            ("last_us", _NEVER),
            ("_suspected_us", _NEVER),
            ("since_us", _NEVER),
            ("named", 0),
            ("_mark", 0),
            ("_pace", 0),
            ("_scale", 0),
            ("_tuned", False),
            ("account", -1),
        ):
            old = getattr(self, name)
            setattr(self, name, np.concatenate((old, np.full(more, empty, old.dtype))))
        self.p_now = np.concatenate((self.p_now, np.zeros((more, 4))))
        self.level = np.concatenate((self.level, np.full(more, np.nan)))
        self.slope = np.concatenate((self.slope, np.full(more, np.nan)))

    def judge(self, telexes: Sequence[Accepted | SheetAccepted], at: float, numbers: Mapping[str, int]) -> Judged:
        """Judge the readings of a tick; `numbers` are the store's numbers of the plants, `at` the room's time."""
        if self._intake is None:
            self._intake = Intake(self._lane_of, numbers)
        said, columns = self._intake.columns(telexes)
        words, announced, order = self._absorb(columns, hear=True)
        for item in telexes:
            if isinstance(item, Accepted):
                self.heard_us[item.plant] = item.received_us
            else:
                self.heard_us.update(dict.fromkeys(item.plants, item.received_us))
        for row in np.flatnonzero(columns.kind == _CORRECTION):
            self.rings.correct(int(columns.lane[row]), int(columns.source_us[row]), float(columns.value[row]))
        blocks = self._blocks(said, columns, words, at)
        if order is None:
            lane, source_us, value, live = columns.lane, columns.source_us, columns.value, columns.kind == _LIVE
        else:
            lane, source_us, value = columns.lane[order], columns.source_us[order], columns.value[order]
            live = columns.kind[order] == _LIVE
        return Judged(blocks, announced, lane, source_us, value, live, len(columns.lane), said.received_us)

    def replay(self, block: Block, *, hear: bool) -> tuple[Announced, ...]:
        """Judge a stored block again, as it was judged the first time; `hear` says whether verdicts are announced."""
        columns = self._columns_of(block)
        _, announced, _ = self._absorb(columns, hear=hear)
        return announced

    def remember(self, block: Block) -> None:
        """Put the readings of a stored block among the last readings, without judging: the belief has seen them."""
        columns = self._columns_of(block)
        judged = np.flatnonzero(columns.kind != _CORRECTION)
        for rows in self._rounds(columns.lane[judged]):
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
        scale = self._scale[lane]
        low, high = (float(judged_in(scale, [end])[0]) for end in (low, high))
        if scale[0] != NONE and low < tuning.BOTTOM:
            low = high - 1.0
        anchor(self._belief, lane, np.array([(low + high) / 2]), np.array([(high - low) / 6]))
        self._agreed.add(int(lane[0]))

    def _columns_of(self, block: Block) -> Columns:
        rows = self._shards.get(block.shard, {})
        lane = np.fromiter((rows[int(row)] for row in block.row), np.int64, len(block.row))
        return Columns(
            np.asarray(block.telex, np.int64),
            lane,
            np.asarray(block.source_us, np.int64)[block.telex],
            np.asarray(block.kind, np.int64)[block.telex],
            np.asarray(block.value, np.float64),
            np.asarray(block.quality, np.int64),
        )

    def _absorb(self, columns: Columns, *, hear: bool) -> tuple[_Words, tuple[Announced, ...], Ints | None]:
        """Judge columns; gives the words beside them, what is announced, and the order of judging (None: as they stand)."""
        n = len(columns.lane)
        announced: list[Announced] = []
        if n and not columns.kind.any() and (pace := self._one_pace(columns.lane)) is not None:
            rounds = list(self._rounds(columns.lane))
            if len(rounds) == 1:  # live readings, one a signal, of one pace: nothing has to be picked out
                verdicts = self._round(columns, slice(None), pace)
                if hear:
                    announced += self._hear(columns, rounds[0], verdicts)
                v = verdicts
                return _Words(v.named, v.p_now, v.level, v.low, v.high), tuple(announced), None
        words = _Words(
            np.zeros(n, np.int8), np.full((n, 4), np.nan), np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
        )
        candidates = np.flatnonzero(columns.kind != _CORRECTION)
        taken: list[Ints] = []
        for rows in self._rounds(columns.lane[candidates]):
            these = candidates[rows]
            behind = (columns.kind[these] == _BACKFILL) & (
                columns.source_us[these] <= self.last_us[columns.lane[these]]
            )
            these = these[~behind]
            for pace, those in self._by_pace(columns, these):
                taken.append(those)
                v = self._round(columns, those, pace)
                words.named[those], words.p[those] = v.named, v.p_now
                words.level[those], words.low[those], words.high[those] = v.level, v.low, v.high
                if hear:
                    announced += self._hear(columns, those, v)
        return words, tuple(announced), np.concatenate(taken) if taken else np.empty(0, np.int64)

    def _one_pace(self, lane: Ints) -> int | None:
        """The number of these signals' regimes; None when there are several."""
        pace = self._pace[lane]
        return int(pace[0]) if (pace == pace[0]).all() else None

    def _by_pace(self, columns: Columns, these: Ints) -> Iterable[tuple[int, Ints]]:
        """Part readings by their signals' regimes."""
        pace = self._pace[columns.lane[these]]
        for number in np.unique(pace).tolist():
            yield number, these[pace == number]

    def regimes_of(self, lane: int) -> Regimes:
        """The regimes under which a signal is judged: those of its nominal period, and what its history says."""
        return self._paces[int(self._pace[lane])]

    @property
    def budgets(self) -> tuple[AlarmBudget, ...]:
        """The room's alarm budgets; `account` tells which of them a signal spends."""
        return self._said.budgets

    def learning(self, lanes: Ints) -> int:
        """How many of these signals have no tail of their own yet."""
        budget = self._state.budget
        return 0 if budget is None else int((budget.known[lanes] < LEARNED).sum())

    @property
    def _belief(self) -> Belief:
        return self._state.belief

    def warm(self) -> None:
        """Judge something that nobody told, so that the compiled filter is there before the first reading."""
        Kernel(self._regimes, threads=1).advance(newborn(2), np.zeros(2), np.ones(2), rows=np.arange(2))

    def _step(self, lane: Ints, value: Floats, elapsed: Floats, source: Ints, pace: int) -> Verdicts:
        """One reading of each of these signals through the filter, every signal once."""
        kernel = self._kernels.get(pace)
        if kernel is None:
            kernel = self._kernels[pace] = Kernel(self._paces[pace], threads=1)
        if not self._tuned[lane].any():
            return kernel.advance(self._belief, value, elapsed, rows=lane)
        state = judging.take(self._state, lane)
        settings = judging.plain(len(lane), self._paces[pace])._replace(transform=self._scale[lane])
        state, verdicts = judging.judge(
            state, value, elapsed, source / 1e6, settings, lambda belief, x, t, _: kernel.step(belief, x, t)
        )
        judging.put(self._state, lane, state)
        return verdicts

    def ahead(self, key: str, steps: Sequence[float], coverage: tuple[float, ...], at: float) -> Forecast | None:
        """Where a signal will be `steps` periods after `at` (epoch seconds), in its own unit, with its season."""
        signal = self.by_key.get(key)
        if signal is None:
            return None
        lane = np.array([signal.lane])
        settings = judging.plain(1, self.regimes_of(signal.lane))._replace(transform=self._scale[lane])
        state = judging.take(self._state, lane)
        return judging.ahead(state, steps, coverage, at, signal.birth.period_s, settings)

    def _round(self, columns: Columns, these: Ints | slice, pace: int) -> Verdicts:
        lane, source = columns.lane[these], columns.source_us[these]
        value = _seen(columns.value[these], columns.quality[these])
        last = self.last_us[lane]
        first = last == _NEVER
        elapsed = np.where(first, 1.0, (source - np.where(first, 0, last)) / self._period_us[lane])
        verdicts = self._step(lane, value, elapsed, source, pace)
        self.last_us[lane] = np.maximum(last, source)
        self.rings.write(lane, source, value, verdicts.low, verdicts.high, verdicts.named)
        self.named[lane], self.p_now[lane] = verdicts.named, verdicts.p_now
        self.level[lane], self.slope[lane] = verdicts.level, verdicts.slope
        self.since_us[lane] = _NEVER
        begun = np.flatnonzero(verdicts.onset_back >= 0)
        self.since_us[lane[begun]] = self.rings.times(lane[begun], verdicts.onset_back[begun])
        fresh = (verdicts.named == SUSPECTED) & (self._suspected_us[lane] == _NEVER)
        self._suspected_us[lane[fresh]] = source[fresh]
        calm = verdicts.named <= STEADY
        self._suspected_us[lane[calm]] = _NEVER
        return verdicts

    def _rounds(self, lane: Ints) -> Iterable[Ints]:
        """Part the places of `lane` so that no signal stands twice in a part, and each keeps its order over the parts."""
        left = np.arange(len(lane))
        while len(left):
            backwards = left[::-1]
            self._mark[lane[backwards]] = backwards  # what is written last stays: the first place of each signal
            first = self._mark[lane[left]] == left
            yield left[first]
            left = left[~first]

    def _hear(self, columns: Columns, these: Ints, verdicts: Verdicts) -> Iterable[Announced]:
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

    def _blocks(self, said: Telexes, columns: Columns, words: _Words, at: float) -> tuple[Block, ...]:
        """One block a shard; telexes stand sorted by shard, so that each is a span."""
        if not len(said):
            return ()
        row = self._row[columns.lane]
        first = np.flatnonzero(np.r_[True, said.shard[1:] != said.shard[:-1]])
        last = np.append(first[1:], len(said))
        blocks = []
        for a, b in zip(first.tolist(), last.tolist(), strict=True):
            start, end = (int(said.ends[a - 1]) if a else 0), int(said.ends[b - 1])
            blocks.append(
                Block(
                    shard=int(said.shard[a]),
                    at=at,
                    plant=said.plant[a:b],
                    epoch=said.epoch[a:b],
                    seq=said.seq[a:b],
                    source_us=said.source_us[a:b],
                    received_us=said.received_us[a:b],
                    kind=said.kind[a:b],
                    telex=columns.telex[start:end] - a,
                    row=row[start:end],
                    value=columns.value[start:end],
                    quality=columns.quality[start:end],
                    named=words.named[start:end],  # type: ignore[arg-type] # any width is taken
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
                    judging.to_bytes(judging.take(self._state, lane)),
                    self.last_us[lane].tobytes(),
                    self._suspected_us[lane].tobytes(),
                )
            )
        return parts

    def restore(self, data: bytes) -> None:
        """Take a shard's beliefs as `snapshot` wrote them; every signal in it must have been admitted."""
        kept = msgspec.msgpack.decode(data, type=_Kept)
        lane = np.array([self.by_key[key].lane for key in kept.keys], np.int64)
        judging.put(self._state, lane, judging.from_bytes(kept.belief))
        # What room.toml says now goes before what the snapshot knew.
        for i in set(lane.tolist()) - self._agreed:
            tuning.referenced(self._belief, i, self._said.signals.get(self.signals[i].key, tuning.PLAIN))
        self._afford()
        self.last_us[lane] = np.frombuffer(kept.last_us, np.int64)
        self._suspected_us[lane] = np.frombuffer(kept.suspected_us, np.int64)


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    keys: list[str]
    belief: bytes
    last_us: bytes
    suspected_us: bytes


def _seen(value: Floats, quality: Ints) -> Floats:
    return np.where(quality == _BAD, np.nan, value)

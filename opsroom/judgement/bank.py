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

import numpy as np
from numpy.typing import NDArray

from cyberstride import DEFAULT, NAMES, Regimes, Verdicts
from cyberstride import budget as budgets
from cyberstride import judge as judging
from cyberstride.belief import Belief, take
from cyberstride.forecast import Forecast
from cyberstride.reference import anchor
from cyberstride.scales import NONE, judged_in
from cyberstride.whole import Whole
from opsroom.constitution.judging import AlarmBudget, Judging, SignalSettings
from opsroom.judgement import passes, tuning
from opsroom.judgement.intake import Columns, Intake
from opsroom.judgement.judged import Announced, Judged, Words, announced, blocks_of
from opsroom.judgement.lanes import Lanes
from opsroom.judgement.passes import NEVER
from opsroom.judgement.rings import Rings
from opsroom.judgement.snapshots import Snapshot, SnapshotError, pack, unpack
from opsroom.record.store import KINDS, QUALITIES, Block, Place, Readings
from opsroom.recursion.recursion import Charter
from telex_ingest.heard import Accepted, SheetAccepted, StripAccepted
from telex_ingest.telex import PlantBirth, Quality, Reading, SignalBirth, TelexKind
from telex_ingest.toll import Toll

__all__ = ["LEARNED", "Announced", "Bank", "Judged", "Signal"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LIVE, _CORRECTION, _BACKFILL = (
    KINDS.index(kind) for kind in (TelexKind.LIVE, TelexKind.CORRECTION, TelexKind.BACKFILL)
)
LEARNED = 1000
"""Readings after which a signal's own tail is known well enough."""
_BAD = QUALITIES.index(Quality.BAD)


class Signal(NamedTuple):
    """One signal of the bank: its lane in the arrays, its key "plant/name", its place, and what its plant declared."""

    lane: int
    key: str
    plant: str
    place: Place
    birth: SignalBirth


class Bank:
    """The beliefs about all signals of a room, their last readings, and the registry between keys and rows."""

    def __init__(
        self,
        regimes: Regimes = DEFAULT,
        said: Judging | None = None,
        charter: Charter | None = None,
        unheard: Iterable[int] = (),
    ) -> None:
        """Make the bank; verdicts of the words `unheard` (codes) are stored and shown, but not announced: nothing follows."""
        self._unheard = np.array(sorted(unheard), np.int64)
        self.toll = Toll()
        """What judging costs."""
        self._regimes = regimes
        self._said = said or Judging()
        self._charter = charter
        self._paces: list[Regimes] = []
        self._pace_by_period: dict[float, int] = {}
        self.signals: list[Signal] = []
        self.by_key: dict[str, Signal] = {}
        self.by_plant: dict[str, dict[int, Signal]] = {}
        self.lanes = Lanes()
        self.heard_us: dict[str, int] = {}
        """When each plant was heard last, received time in microseconds."""
        self._shards: dict[int, dict[int, int]] = {}
        self._lane_of: dict[str, dict[int, int]] = {}
        self._intake: Intake | None = None
        self._whole = Whole(judging.newborn(len(self.lanes)), regimes, threads=1)
        self._agreed: set[int] = set()

    def __len__(self) -> int:
        return len(self.signals)

    @property
    def rings(self) -> Rings:
        """The last readings."""
        return self.lanes.rings

    @property
    def named(self) -> Ints:
        """(n,) the filter's word for each signal now."""
        return self.lanes.named

    @property
    def p_now(self) -> Floats:
        """(n, 4) how probable each regime is now."""
        return self.lanes.p

    @property
    def level(self) -> Floats:
        """(n,) where each signal is now."""
        return self.lanes.level

    @property
    def slope(self) -> Floats:
        """(n,) how it moves."""
        return self.lanes.slope

    @property
    def account(self) -> Ints:
        """(n,) which of the room's alarm budgets each signal spends; -1 none."""
        return self.lanes.account

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
            if len(self.signals) > len(self.lanes):
                self._state = judging.grow(self._state, self.lanes.reserve(len(self.signals)))
        self.by_key[key] = signal
        if not known or known.birth != declared:
            self._settle(signal, known is None)
        self.lanes.period_us[lane] = declared.period_s * 1e6
        self.lanes.row[lane] = place.row
        return signal

    def _settle(self, signal: Signal, fresh: bool) -> None:
        """Let a signal be judged as room.toml, its history and its birth say."""
        lane, said, birth = signal.lane, self._said.signals.get(signal.key, tuning.PLAIN), signal.birth
        self.lanes.pace[lane] = self._pace_of(said, birth.period_s)
        limits = (birth.low, birth.high)
        if fresh and (said is not tuning.PLAIN or limits != (None, None)):
            self._state, self.lanes.scale[lane] = tuning.prepared(self._state, lane, said, birth.period_s, limits)
            self.lanes.tuned[lane] = bool(said.seasons_s) or self.lanes.scale[lane] != NONE

    def _pace_of(self, said: SignalSettings, period_s: float) -> int:
        """The number of the regimes of a signal that is read every `period_s` seconds; most signals share theirs."""
        known = self._pace_by_period.get(period_s) if said is tuning.PLAIN else None
        if known is not None:
            return known
        regimes = tuning.regimes_for(said, period_s, self._regimes)
        if regimes not in self._paces:
            self._paces.append(regimes)
        number = self._paces.index(regimes)
        if said is tuning.PLAIN:
            self._pace_by_period[period_s] = number
        return number

    def _afford(self, plant: str = "") -> None:
        """Share the room's alarm budgets out anew over the signals of all plants that were born."""
        if not self._said.budgets or self._charter is None:
            return
        found = tuning.accounts(self._charter, self._said.budgets, list(self.by_plant))
        self.lanes.account[:] = -1
        for name, signals in self.by_plant.items():
            self.lanes.account[[signal.lane for signal in signals.values()]] = found.get(name, -1)
        if self._state.budget is None:
            self._state = self._state._replace(budget=budgets.newborn(len(self.lanes.last_us)))
        assert self._state.budget is not None
        for number, rule in enumerate(self._said.budgets):
            lanes = np.flatnonzero(self.lanes.account == number)
            if (plant and found.get(plant, -1) != number) or not len(lanes):
                continue
            keys = [self.signals[lane].key for lane in lanes]
            a_day = float((86400e6 / self.lanes.period_us[lanes]).sum())
            tuning.afforded(self._state.budget, lanes, keys, rule.episodes_a_day, a_day, self._said)
            self.lanes.tuned[lanes] = True

    @property
    def shards(self) -> Iterable[int]:
        """The shards that hold a signal."""
        return self._shards.keys()

    def at(self, shard: int, row: int) -> Signal:
        """The signal that lives at a place; raises KeyError."""
        return self.signals[self._shards[shard][row]]

    def judge(
        self, telexes: Sequence[Accepted | SheetAccepted | StripAccepted], at: float, numbers: Mapping[str, int]
    ) -> Judged:
        """Judge the readings of a tick; `numbers` are the store's numbers of the plants, `at` the room's time."""
        if self._intake is None:
            self._intake = Intake(self._lane_of, numbers)
        toll = self.toll
        toll.begin()
        said, columns = self._intake.columns(telexes)
        sizes = np.diff(said.ends, prepend=0)
        starts, order = said.ends - sizes, np.empty(len(columns.lane), np.int64)
        # Signals that are neighbours in memory are judged together: the filter then reads and writes long runs.
        some = np.flatnonzero(sizes)
        passes.spread(some[np.argsort(columns.lane[starts[some]], kind="stable")], starts, sizes, order)
        toll.charge("columns")
        words, heard, order = self._absorb(columns, order, hear=True)
        for item in telexes:
            if isinstance(item, Accepted):
                self.heard_us[item.plant] = item.received_us
            elif isinstance(item, SheetAccepted):
                self.heard_us.update(dict.fromkeys(item.plants, item.received_us))
            else:
                self.heard_us.update(zip(item.plants, item.received_us.tolist(), strict=True))
        for row in np.flatnonzero(columns.kind == _CORRECTION):
            self.lanes.rings.correct(int(columns.lane[row]), int(columns.source_us[row]), float(columns.value[row]))
        toll.charge("rings and bookkeeping")
        blocks = blocks_of(said, columns, words, self.lanes.row[columns.lane], at)
        lane, source_us, value = columns.lane[order], columns.source_us[order], columns.value[order]
        live = columns.kind[order] == _LIVE
        toll.charge("blocks")
        return Judged(blocks, heard, lane, source_us, value, live, len(columns.lane), said.received_us)

    def replay(self, block: Block, *, hear: bool) -> tuple[Announced, ...]:
        """Judge a stored block again, as it was judged the first time; `hear` says whether verdicts are announced."""
        columns = self._columns_of(block)
        _, heard, _ = self._absorb(columns, np.arange(len(columns.lane)), hear=hear)
        return heard

    def remember(self, block: Block) -> None:
        """Put the readings of a stored block among the last readings, without judging: the belief has seen them."""
        columns = self._columns_of(block)
        judged = np.flatnonzero(columns.kind != _CORRECTION)
        known = self.lanes
        for these in self._rounds(columns.lane, judged):
            lane = columns.lane[these]
            known.rings.write(
                lane,
                columns.source_us[these],
                _seen(columns.value[these], columns.quality[these]),
                block.low[these],
                block.high[these],
                block.named[these],
            )
            known.p[lane], known.level[lane], known.named[lane] = block.p[these], block.level[these], block.named[these]

    def recall(self, signal: Signal, last: Readings) -> None:
        """Take the last readings of a signal as the store kept them, in place of what is remembered."""
        lane, known, judged = signal.lane, self.lanes, np.isfinite(last.p).all(axis=1)
        known.rings.fill(lane, last.source_us, _seen(last.value, last.quality), last.low, last.high, last.named)
        if judged.any():
            new = np.flatnonzero(judged)[-1]
            known.p[lane], known.level[lane], known.named[lane] = last.p[new], last.level[new], last.named[new]

    def anchor(self, key: str, low: float, high: float) -> None:
        """Freeze an agreed interval as the reference of a signal: its middle, and a sixth of its width as the spread."""
        lane = np.array([self.by_key[key].lane])
        scale = self.lanes.scale[lane]
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

    def _absorb(self, columns: Columns, order: Ints, *, hear: bool) -> tuple[Words, tuple[Announced, ...], Ints]:
        """Judge columns; gives the words beside them, what is announced, and the places in the order of judging.

        `order` are the places as they may be judged within a round; the readings of one signal keep the order of the columns.
        """
        heard: list[Announced] = []
        words = Words.none(len(columns.lane))
        plainly = not columns.kind.any()
        candidates = order if plainly else order[columns.kind[order] != _CORRECTION]
        taken: list[Ints] = []
        for these in self._rounds(columns.lane, candidates):
            if not plainly:
                behind = (columns.kind[these] == _BACKFILL) & (
                    columns.source_us[these] <= self.lanes.last_us[columns.lane[these]]
                )
                these = these[~behind]
            for pace, those in self._by_pace(columns, these):
                taken.append(those)
                verdicts = self._round(columns, those, pace, words)
                loud = np.flatnonzero(verdicts.announced) if hear else ()
                if len(loud) and len(self._unheard):
                    loud = loud[~np.isin(verdicts.named[loud], self._unheard)]
                if len(loud):
                    loud = loud[columns.kind[those[loud]] == _LIVE]
                    loud = loud[np.argsort(those[loud])]
                    heard += announced(
                        self.lanes, columns.lane[those], columns.source_us[those], columns.value[those], loud, verdicts
                    )
                    self.toll.charge("verdicts")
        return words, tuple(heard), np.concatenate(taken) if taken else np.empty(0, np.int64)

    def _by_pace(self, columns: Columns, these: Ints) -> Iterable[tuple[int, Ints]]:
        """Part readings by their signals' regimes."""
        if not len(these):
            return
        pace = self.lanes.pace[columns.lane[these]]
        if (pace == pace[0]).all():
            yield int(pace[0]), these
            return
        for number in np.unique(pace).tolist():
            yield number, these[pace == number]

    def regimes_of(self, lane: int) -> Regimes:
        """The regimes under which a signal is judged: those of its nominal period, and what its history says."""
        return self._paces[int(self.lanes.pace[lane])]

    @property
    def budgets(self) -> tuple[AlarmBudget, ...]:
        """The room's alarm budgets; `account` tells which of them a signal spends."""
        return self._said.budgets

    def learning(self, lanes: Ints) -> int:
        """How many of these signals have no tail of their own yet."""
        return int((self._whole.known(lanes) < LEARNED).sum()) if self._said.budgets else 0

    @property
    def _state(self) -> judging.State:
        return self._whole.state

    @_state.setter
    def _state(self, state: judging.State) -> None:
        self._whole.state = state

    @property
    def _belief(self) -> Belief:
        return self._whole.belief

    def warm(self) -> None:
        """Judge something that nobody told, so that what is compiled is there before the first reading."""
        nobody = Bank(self._regimes)
        nobody.admit(
            PlantBirth(plant="nobody", signals=(SignalBirth(id=1, name="nothing", unit="", period_s=1.0),)),
            {"nobody/nothing": Place(0, 0)},
        )
        nothing = Accepted("nobody", 1, 1, 0, 0, TelexKind.LIVE, (1,), (Reading(1, 0.0),))
        nobody.judge([nothing], 0.0, {"nobody": 1})
        passes.onset(0, 0, *(nobody.lanes.rings.arrays[k] for k in (0, 1, 3, 4)))

    def _step(self, lane: Ints, value: Floats, elapsed: Floats, source: Ints, pace: int) -> Verdicts:
        """One reading of each of these signals through the filter, every signal once."""
        if not self.lanes.tuned[lane].any():
            return self._whole.kernel.advance(self._belief, value, elapsed, rows=lane, regimes=self._paces[pace])
        settings = judging.plain(len(lane), self._paces[pace])._replace(transform=self.lanes.scale[lane])
        return self._whole.advance(value, elapsed, source / 1e6, settings, rows=lane)

    def ahead(self, key: str, steps: Sequence[float], coverage: tuple[float, ...], at: float) -> Forecast | None:
        """Where a signal will be `steps` periods after `at` (epoch seconds), in its own unit, with its season."""
        signal = self.by_key.get(key)
        if signal is None:
            return None
        lane = np.array([signal.lane])
        settings = judging.plain(1, self.regimes_of(signal.lane))._replace(transform=self.lanes.scale[lane])
        state = judging.take(self._whole.unlimited, lane)
        return judging.ahead(state, steps, coverage, at, signal.birth.period_s, settings)

    def _round(self, columns: Columns, these: Ints, pace: int, words: Words) -> Verdicts:
        m, known = len(these), self.lanes
        lane, source, value, elapsed = np.empty(m, np.int64), np.empty(m, np.int64), np.empty(m), np.empty(m)
        passes.prepare(
            these, columns.lane, columns.value, columns.quality, columns.source_us, known.period_us, known.last_us,
            lane, value, elapsed, source,
        )  # fmt: skip
        self.toll.charge("rings and bookkeeping")
        verdicts = self._step(lane, value, elapsed, source, pace)
        self.toll.charge("filter")
        known.absorb(these, lane, source, value, verdicts, words)
        self.toll.charge("rings and bookkeeping")
        return verdicts

    def _rounds(self, lane: Ints, places: Ints) -> Iterable[Ints]:
        """Part `places` so that no signal stands twice in a part, and each keeps over the parts the order of `lane`."""
        number = np.empty(len(lane), np.int64)
        most = passes.rounds(lane, self.lanes.seen, number)
        if most == 1:
            yield places
            return
        for turn in range(most):
            yield places[number[places] == turn]

    def belief_of(self, key: str) -> Belief | None:
        """The belief about one signal, n = 1; None for a signal that is not known."""
        signal = self.by_key.get(key)
        return None if signal is None else take(self._belief, np.array([signal.lane]))

    def since(self, lane: int) -> float | None:
        """Source time in epoch seconds of the onset of what is named or suspected now, None when nothing is."""
        onset = int(self.lanes.since_us[lane])
        return None if onset == NEVER else onset / 1e6

    def word(self, lane: int) -> str:
        """The filter's word for a signal now."""
        return NAMES[int(self.lanes.named[lane])]

    def snapshot(self) -> dict[int, bytes]:
        """The beliefs of every shard as bytes, with the source times that `elapsed` counts from."""
        parts = {}
        for shard, rows in self._shards.items():
            lane = np.array([rows[row] for row in sorted(rows)], np.int64)
            keys = [self.signals[i].key for i in lane]
            known = Snapshot(
                keys, judging.take(self._state, lane), self.lanes.last_us[lane], self.lanes.suspected_us[lane]
            )
            parts[shard] = pack(known)
        return parts

    def restore(self, data: bytes) -> None:
        """Take a shard's beliefs as `snapshot` wrote them; raises `SnapshotError`, and nothing has changed.

        Every signal in it must have been admitted.
        """
        kept = unpack(data)
        if not self.by_key.keys() >= set(kept.keys):
            raise SnapshotError("it is of signals that the store does not know")
        lane = np.array([self.by_key[key].lane for key in kept.keys], np.int64)
        judging.put(self._state, lane, kept.state)
        # What room.toml says now goes before what the snapshot knew.
        for i in set(lane.tolist()) - self._agreed:
            tuning.referenced(self._belief, i, self._said.signals.get(self.signals[i].key, tuning.PLAIN))
        self._afford()
        self.lanes.last_us[lane] = kept.last_us
        self.lanes.suspected_us[lane] = kept.suspected_us


def _seen(value: Floats, quality: Ints) -> Floats:
    return np.where(quality == _BAD, np.nan, value)

"""Which signal is which row of the filter's arrays; judges all readings of a tick, in sequence order, exactly once.

A signal lives for ever at the place (shard, row) that the store gave it, and in a lane of the bank's own arrays. The
readings of a tick are judged as tables (`opsroom.judgement.layout`), a row of which has one reading of each of its signals.
`elapsed` is source time over the signal's nominal period. Rules:

- a reading of bad quality or without a value is missing to the filter, and is stored as it came;
- backfill warms the filter as long as it is in source order, makes no news, and is only stored when it comes behind;
- a correction changes what is stored and shown, never what was judged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from cyberstride import DEFAULT, NAMES, Regimes, Verdicts
from cyberstride import budget as budgets
from cyberstride import judge as judging
from cyberstride.belief import Belief, take
from cyberstride.forecast import Forecast
from cyberstride.scales import NONE
from opsroom.constitution.judging import AlarmBudget, Judging
from opsroom.judgement import tuning
from opsroom.judgement.filter import Filter
from opsroom.judgement.intake import Columns, Intake, heard_at
from opsroom.judgement.judged import Announced, InOrder, Judged, announced, blocks_of, in_order
from opsroom.judgement.lanes import Lanes, Loud
from opsroom.judgement.layout import apart, by_neighbours, laid
from opsroom.judgement.paces import Paces
from opsroom.judgement.passes import NEVER
from opsroom.judgement.places import Places
from opsroom.judgement.rings import Rings
from opsroom.judgement.signal import Signal
from opsroom.judgement.snapshots import Snapshot, SnapshotError, pack, unpack
from opsroom.judgement.table import Table, Words
from opsroom.record.store import KINDS, QUALITIES, Block, Place, Readings
from opsroom.recursion.recursion import Charter
from telex_ingest.heard import Accepted, SheetAccepted, StripAccepted
from telex_ingest.telex import PlantBirth, Quality, SignalBirth, TelexKind
from telex_ingest.toll import Toll

__all__ = ["LEARNED", "Announced", "Bank", "Judged", "Signal"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LIVE, _CORRECTION = KINDS.index(TelexKind.LIVE), KINDS.index(TelexKind.CORRECTION)
LEARNED = 1000
"""Readings after which a signal's own tail is known well enough."""
_BAD = QUALITIES.index(Quality.BAD)


class Bank:
    """The beliefs about all signals of a room, their last readings, and the registry; `close` ends its `threads`."""

    def __init__(
        self,
        regimes: Regimes = DEFAULT,
        said: Judging | None = None,
        charter: Charter | None = None,
        unheard: Iterable[int] = (),
        threads: int = 1,
    ) -> None:
        """Make the bank; verdicts of the words `unheard` (codes) are stored and shown, but not announced: nothing follows."""
        self._unheard = np.array(sorted(unheard), np.int64)
        self.toll = Toll()
        """What judging costs."""
        self._regimes = regimes
        self._said = said or Judging()
        self._charter = charter
        self._paces = Paces(regimes)
        self.signals: list[Signal] = []
        self.by_key: dict[str, Signal] = {}
        self.by_plant: dict[str, dict[int, Signal]] = {}
        self.lanes = Lanes()
        self.heard_us: dict[str, int] = {}
        """When each plant was heard last, received time in microseconds."""
        self._places = Places()
        self._lane_of: dict[str, dict[int, int]] = {}
        self._intake: Intake | None = None
        self._filter = Filter(regimes, len(self.lanes), threads)
        self._agreed: set[int] = set()

    def __len__(self) -> int:
        return len(self.signals)

    def close(self) -> None:
        """End the threads."""
        self._filter.close()

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
            self._places.put(place, lane)
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
        self.lanes.pace[lane] = self._paces.of(said, birth.period_s)
        limits = (birth.low, birth.high)
        if not fresh:
            self._bound((signal,))
        elif said is not tuning.PLAIN or limits != (None, None):
            self._state, self.lanes.scale[lane] = tuning.prepared(self._state, lane, said, birth.period_s, limits)
            self.lanes.tuned[lane] = bool(said.seasons_s) or self.lanes.scale[lane] != NONE
        self.lanes.alike = len(self._paces.regimes) == 1 and not self.lanes.tuned.any()

    def renew(self, keys: Iterable[str]) -> None:
        """Forget what is believed of signals that tell another figure from now on; their readings stay."""
        for signal in (self.by_key[key] for key in keys):
            self._filter.put(np.array([signal.lane]), judging.newborn(1))
            self.lanes.suspected_us[signal.lane] = self.lanes.since_us[signal.lane] = NEVER
            self._settle(signal, fresh=True)

    def _bound(self, signals: Sequence[Signal]) -> None:
        """Let the physical ranges of signals be those of their births."""
        lanes = [signal.lane for signal in signals]
        ranges = [(signal.birth.low, signal.birth.high) for signal in signals]
        tuning.bounded(self._belief, lanes, self.lanes.scale[lanes].tolist(), ranges)

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
            self.lanes.alike = False

    @property
    def shards(self) -> Collection[int]:
        """The shards that hold a signal."""
        return self._places.shards

    def at(self, shard: int, row: int) -> Signal:
        """The signal that lives at a place; raises KeyError."""
        return self.signals[self._places.at(shard, row)]

    def judge(
        self, telexes: Sequence[Accepted | SheetAccepted | StripAccepted], at: float, numbers: Mapping[str, int]
    ) -> Judged:
        """Judge the readings of a tick; `numbers` are the store's numbers of the plants, `at` the room's time."""
        if self._intake is None:
            self._intake = Intake(self._lane_of, numbers, self._filter.crew)
        toll = self.toll
        toll.begin()
        said, columns = self._intake.columns(telexes)
        words, heard, judged = self._absorb(columns, by_neighbours(said, columns), hear=True)
        self.heard_us.update(heard_at(telexes))
        for row in np.flatnonzero(columns.kind == _CORRECTION):
            self.lanes.rings.correct(int(columns.lane[row]), int(columns.source_us[row]), float(columns.value[row]))
        toll.charge("rings and bookkeeping")
        blocks = blocks_of(said, columns, words, self.lanes.row[columns.lane], at)
        toll.charge("blocks")
        return Judged(blocks, tuple(heard), *judged, len(columns.lane), said.received_us)

    def replay(self, *blocks: Block, hear: bool) -> tuple[Announced, ...]:
        """Judge stored blocks again, as they were judged the first time; `hear` says whether verdicts are announced.

        Those of one signal in the order of their ticks; many at once are judged much quicker than one by one.
        """
        columns = self._places.columns(blocks)
        _, heard, _ = self._absorb(columns, np.argsort(columns.lane, kind="stable"), hear=hear)
        return tuple(heard)

    def remember(self, block: Block) -> None:
        """Put the readings of a stored block among the last readings, without judging: the belief has seen them."""
        columns = self._places.columns((block,))
        judged = np.flatnonzero(columns.kind != _CORRECTION)
        known = self.lanes
        for these in apart(columns.lane, judged):
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

    def anchor(self, key: str, low: float, high: float) -> bool:
        """Freeze an agreed interval as the reference of a signal; tell whether that changes anything."""
        lane = self.by_key[key].lane
        self._agreed.add(lane)
        return tuning.agreed(self._belief, lane, int(self.lanes.scale[lane]), low, high)

    def _absorb(self, columns: Columns, order: Ints, *, hear: bool) -> tuple[Words, list[Announced], InOrder]:
        """Judge columns; gives the words beside them, what is announced, and what was judged, in that order.

        `order` are the places as their signals may lie in a table; the readings of one signal keep the order of the columns.
        """
        heard: list[tuple[int, int, Announced]] = []
        words, judged = Words.room(len(columns.lane)), list[Table]()
        self.toll.charge("columns")
        for table in laid(columns, order, self.lanes, self._filter.crew):
            self.toll.charge("columns")
            verdicts = self._judge(table)
            self.toll.charge("filter")
            for row, loud in self.lanes.absorb(table, verdicts, words, self._filter.crew):
                if not hear:
                    continue
                place = table.place[row][loud.at]
                news = (columns.kind[place] == _LIVE) & ~np.isin(verdicts.named[row][loud.at], self._unheard)
                place, loud = place[news], Loud(*(column[news] for column in loud))
                told = announced(table, row, verdicts, loud)
                heard += [(row, at, one) for at, one in zip(place.tolist(), told, strict=True)]
            judged.append(table)
            self.toll.charge("rings and bookkeeping")
        words.unsaid([table.place for table in judged])
        heard.sort(key=itemgetter(0, 1))
        return words, [one for _, _, one in heard], in_order(judged, columns.kind)

    def _judge(self, table: Table) -> Verdicts:
        """One reading or more of each of these signals through the filter."""
        lanes = table.lane[0]
        regimes = self._paces.regimes[int(self.lanes.pace[lanes[0]])]
        return self._filter.judge(table, regimes, self.lanes.scale[lanes] if self.lanes.tuned[lanes[0]] else None)

    def regimes_of(self, lane: int) -> Regimes:
        """The regimes under which a signal is judged: those of its nominal period, and what its history says."""
        return self._paces.regimes[int(self.lanes.pace[lane])]

    @property
    def budgets(self) -> tuple[AlarmBudget, ...]:
        """The room's alarm budgets; `account` tells which of them a signal spends."""
        return self._said.budgets

    def learning(self, lanes: Ints) -> int:
        """How many of these signals have no tail of their own yet."""
        return int((self._filter.whole.known(lanes) < LEARNED).sum()) if self._said.budgets else 0

    @property
    def _state(self) -> judging.State:
        return self._filter.whole.state

    @_state.setter
    def _state(self, state: judging.State) -> None:
        self._filter.whole.state = state

    @property
    def _belief(self) -> Belief:
        return self._filter.whole.belief

    def ahead(self, key: str, steps: Sequence[float], coverage: tuple[float, ...], at: float) -> Forecast | None:
        """Where a signal will be `steps` periods after `at` (epoch seconds), in its own unit, with its season."""
        signal = self.by_key.get(key)
        if signal is None:
            return None
        lane = np.array([signal.lane])
        settings = judging.plain(1, self.regimes_of(signal.lane))._replace(transform=self.lanes.scale[lane])
        state = judging.take(self._filter.whole.unlimited, lane)
        return judging.ahead(state, steps, coverage, at, signal.birth.period_s, settings)

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

    def taken(self, shards: Iterable[int]) -> dict[int, Snapshot]:
        """What is known in some shards now, as copies that may be packed beside the loop."""
        copies = {}
        for shard in shards:
            lane, keys = self._places.order(shard, self.signals)
            copies[shard] = Snapshot(
                keys, judging.take(self._state, lane), self.lanes.last_us[lane], self.lanes.suspected_us[lane]
            )
        return copies

    def snapshot(self, shards: Iterable[int] | None = None) -> dict[int, bytes]:
        """The beliefs of some shards, or of every one, as bytes, with the source times that `elapsed` counts from."""
        wanted = self._places.shards if shards is None else shards
        return {shard: pack(known) for shard, known in self.taken(wanted).items()}

    def restore(self, data: bytes) -> None:
        """Take a shard's beliefs as `snapshot` wrote them; raises `SnapshotError`, and nothing has changed.

        Every signal in it must have been admitted.
        """
        kept = unpack(data)
        if not self.by_key.keys() >= set(kept.keys):
            raise SnapshotError("it is of signals that the store does not know")
        lane = np.array([self.by_key[key].lane for key in kept.keys], np.int64)
        self._filter.put(lane, kept.state)
        # What room.toml and the births say now goes before what the snapshot knew.
        known = [self.signals[i] for i in lane.tolist()]
        self._bound([one for one in known if self._lane_of.get(one.plant, {}).get(one.birth.id) == one.lane])
        for i in set(lane.tolist()) - self._agreed:
            tuning.referenced(self._belief, i, self._said.signals.get(self.signals[i].key, tuning.PLAIN))
        self._afford()
        self.lanes.last_us[lane] = kept.last_us
        self.lanes.suspected_us[lane] = kept.suspected_us


def _seen(value: Floats, quality: Ints) -> Floats:
    return np.where(quality == _BAD, np.nan, value)

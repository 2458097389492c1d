"""What every store promises: subclass `StoreContract` and give `fresh` and `reopen`."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from opsroom.record.retention import Retention
from opsroom.record.slices import SLICE
from opsroom.record.store import SHARDS, Block, Readings, Store, TelexCounts, corrected, shard_of
from telex_ingest.heard import GapClosed
from telex_ingest.telex import PlantBirth, SignalBirth

LIVE, CORRECTION, BACKFILL = 0, 1, 2
Said = tuple[str, int, int, int, dict[str, float]]
"""One telex: plant, epoch, seq, source_us, {signal name: value}."""


def tick(store: Store, said: list[Said], at: float = 0.0, kind: int = LIVE) -> list[Block]:
    """The blocks of one tick, with verdicts that can be told from the values."""
    blocks = []
    for shard in range(SHARDS):
        here = [one for one in said if shard_of(one[0]) == shard]
        if not here:
            continue
        rows, values, telex = [], [], []
        for index, (plant, _, _, _, readings) in enumerate(here):
            places = store.place([f"{plant}/{name}" for name in readings])
            rows += [place.row for place in places.values()]
            values += list(readings.values())
            telex += [index] * len(readings)
        value = np.array(values, float)
        n = len(rows)
        blocks.append(
            Block(
                shard=shard,
                at=at,
                plant=np.array([store.number(plant) for plant, *_ in here]),
                epoch=np.array([one[1] for one in here]),
                seq=np.array([one[2] for one in here]),
                source_us=np.array([one[3] for one in here]),
                received_us=np.array([one[3] + 7 for one in here]),
                kind=np.full(len(here), kind),
                telex=np.array(telex, np.int64),
                row=np.array(rows, np.int64),
                value=value,
                quality=np.zeros(n, np.int64),
                named=np.full(n, 3),
                p=np.tile([0.1, 0.2, 0.3, 0.4], (n, 1)),
                level=value + 0.5,
                low=value - 1.0,
                high=value + 2.0,
            )
        )
    return blocks


def birth(plant: str, version: int = 1) -> PlantBirth:
    return PlantBirth(plant=plant, version=version, signals=(SignalBirth(id=0, name="s", unit="t/h", period_s=1.0),))


class StoreContract:
    @abstractmethod
    def fresh(self, folder: Path) -> Store: ...

    @abstractmethod
    def reopen(self, store: Store, folder: Path) -> Store: ...

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return self.fresh(tmp_path)

    def test_marks_count_ticks_and_an_empty_tick_is_none(self, store: Store) -> None:
        assert store.last_mark == 0
        assert store.append(tick(store, [("a", 1, 1, 10, {"s": 1.0})])) == 1
        assert store.append([]) == 1
        assert store.append(tick(store, [("a", 1, 2, 20, {"s": 2.0})])) == 2
        assert store.last_mark == 2
        store.close()

    def test_blocks_come_back_as_they_were_judged(self, store: Store, tmp_path: Path) -> None:
        said: list[Said] = [
            ("a", 1, 1, -(10**15), {"s": 0.1 + 0.2, "t": float("nan")}),
            ("b", 2, 2**40, 2**60, {"s": -1e300, "u": 5e-324}),
            ("a", 1, 2, 30, {}),
        ]
        before = tick(store, said, at=123.25)
        store.append(before)
        store.append(tick(store, [("a", 1, 3, 40, {"s": 9.0})], at=124.0))
        store = self.reopen(store, tmp_path)
        after = [block for block in store.after(0) if block.mark == 1]
        assert [block.shard for block in after] == sorted(block.shard for block in before)
        for block, read in zip(sorted(before, key=lambda block: block.shard), after, strict=True):
            assert read.at == 123.25
            for name in (
                "plant",
                "epoch",
                "seq",
                "source_us",
                "received_us",
                "kind",
                "telex",
                "row",
                "quality",
                "named",
            ):
                assert np.array_equal(getattr(block, name), getattr(read, name)), name
            assert block.value.tobytes() == read.value.tobytes()
        assert [block.mark for block in store.after(1)] == [2]
        assert list(store.after(2)) == []
        store.close()

    def test_the_verdict_comes_back_near_enough_to_show(self, store: Store, tmp_path: Path) -> None:
        store.append(tick(store, [("a", 1, 1, 10, {"s": 1234.5})]))
        store = self.reopen(store, tmp_path)
        read = store.last("a/s", 5)
        np.testing.assert_allclose(read.p, [[0.1, 0.2, 0.3, 0.4]], atol=1 / 200)
        np.testing.assert_allclose([read.level, read.low, read.high], [[1235.0], [1233.5], [1236.5]], rtol=1e-5)
        assert read.named.tolist() == [3]
        store.close()

    def test_a_reading_without_a_verdict_has_none_afterwards(self, store: Store, tmp_path: Path) -> None:
        (block,) = tick(store, [("a", 1, 1, 10, {"s": 1.0})])
        nothing = np.full(1, np.nan)
        store.append([replace(block, p=np.full((1, 4), np.nan), level=nothing, low=nothing, high=nothing)])
        store = self.reopen(store, tmp_path)
        read = store.last("a/s", 1)
        assert np.isnan([read.level, read.low, read.high]).all()
        assert np.isnan(read.p).all()
        assert read.value.tolist() == [1.0]
        store.close()

    def test_names_last(self, store: Store, tmp_path: Path) -> None:
        places = store.place(["a/s", "b/s", "a/t"])
        assert places["a/s"].shard == shard_of("a") == places["a/t"].shard
        assert places["a/s"].row != places["a/t"].row
        numbers = {plant: store.number(plant) for plant in ("a", "b")}
        store.append(tick(store, [("b", 1, 1, 1, {"s": 1.0})]))
        store = self.reopen(store, tmp_path)
        assert store.place(["b/s", "a/t", "a/s"]) == places
        assert {plant: store.number(plant) for plant in ("b", "a")} == numbers
        assert dict(store.signals) == places
        assert store.place(["a/new"])["a/new"].row not in {places["a/s"].row, places["a/t"].row}
        assert store.number("c") not in numbers.values()
        store.close()

    def test_the_durable_place_of_each_plant_is_its_newest_epoch(self, store: Store, tmp_path: Path) -> None:
        store.append(tick(store, [("a", 1, 1, 1, {"s": 1.0}), ("a", 1, 2, 2, {"s": 1.0}), ("b", 1, 7, 1, {"s": 1.0})]))
        store.append(tick(store, [("a", 2, 1, 3, {"s": 1.0})]))
        assert store.durable() == {"a": (2, 1), "b": (1, 7)}
        store = self.reopen(store, tmp_path)
        assert store.durable() == {"a": (2, 1), "b": (1, 7)}
        store.close()

    def test_a_doubled_telex_is_counted_as_one(self, store: Store, tmp_path: Path) -> None:
        seqs = [1, 2, 3, 3, 9, 8, 2, 10]
        for seq in seqs:
            store.append(tick(store, [("a", 1, seq, seq, {"s": 1.0}), ("b", seq, 1, seq, {"s": 1.0})]))
        expected = TelexCounts(16, 12, 4)
        assert store.telex_counts() == store.recount() == expected
        store = self.reopen(store, tmp_path)
        assert store.telex_counts() == store.recount() == expected
        store.append(tick(store, [("a", 1, 9, 1, {"s": 1.0})]))
        assert store.telex_counts() == store.recount() == TelexCounts(17, 12, 5)
        store.close()

    def test_the_last_readings_of_a_signal_are_its_own_in_order(self, store: Store, tmp_path: Path) -> None:
        for seq in range(1, 60):
            said: list[Said] = [(f"p{k}", 1, seq, 100 * seq + k, {"s": 1000.0 * k + seq, "t": -1.0}) for k in range(20)]
            if seq % 3 == 0:
                said.append(("rare", 1, seq // 3, 100 * seq, {"s": float(seq)}))
            store.append(tick(store, said, at=float(seq)))
        for again in (False, True):
            store = self.reopen(store, tmp_path) if again else store
            assert store.last("p7/s", 5).value.tolist() == [7055.0, 7056.0, 7057.0, 7058.0, 7059.0]
            assert store.last("p7/s", 1000).value.tolist() == [7000.0 + seq for seq in range(1, 60)]
            assert store.last("rare/s", 3).value.tolist() == [51.0, 54.0, 57.0]
            assert (
                len(store.last("rare/s", 0)) == len(store.last("nobody/s", 3)) == len(store.last("p7/unknown", 3)) == 0
            )
            assert store.last("p7/s", 1).source_us.tolist() == [5907]
        store.close()

    def test_a_span_of_time_holds_what_was_measured_in_it_whenever_it_came(self, store: Store, tmp_path: Path) -> None:
        for seq in range(1, 40):
            store.append(tick(store, [("a", 1, seq, 1000 * seq, {"s": float(seq)}), ("b", 1, seq, 5, {"s": 0.0})]))
        store.append(tick(store, [("a", 1, 40, 4500, {"s": 4.5})], kind=BACKFILL))
        store.append(tick(store, [("a", 1, 41, 6000, {"s": 66.0})], kind=CORRECTION))
        for again in (False, True):
            store = self.reopen(store, tmp_path) if again else store
            found = store.between("a/s", 4000, 7000)
            assert found.value.tolist() == [4.0, 4.5, 5.0, 6.0, 66.0]
            assert found.kind.tolist() == [0, 2, 0, 0, 1]
            assert corrected(found).value.tolist() == [4.0, 4.5, 5.0, 66.0]
            assert store.last("a/s", 2).value.tolist() == [39.0, 4.5]
            assert len(store.between("a/s", 7000, 7000)) == len(store.between("a/s", 9, 5)) == 0
            assert len(store.between("b/s", 0, 10)) == 39
            assert store.between("a/s", 4000, 7000, most=3).value.tolist() == [4.5, 6.0, 66.0]
            assert len(store.between("a/s", 0, 10**9, most=0)) == 0
        store.close()

    def test_the_newest_birth_and_the_newest_beliefs_are_kept(self, store: Store, tmp_path: Path) -> None:
        store.save_births([birth("a"), birth("b")])
        store.save_births([birth("a", version=2)])
        store.save_beliefs(3, {0: b"old", 5: b"five"})
        store.save_beliefs(4, {0: b"new"})
        store = self.reopen(store, tmp_path)
        assert store.births() == {"a": birth("a", version=2), "b": birth("b")}
        assert store.beliefs() == {0: (4, b"new"), 5: (3, b"five")}
        store.close()

    def test_beliefs_in_slices_count_from_the_last_step_on_and_give_way_to_what_is_written_later(
        self, store: Store, tmp_path: Path
    ) -> None:
        first, second, third = (np.random.default_rng(seed).bytes(2 * SLICE + 3) for seed in range(3))
        store.save_beliefs(3, {0: b"old", 5: b"five"})
        steps = store.saving_beliefs(4, 0, first)
        for _ in range(3):
            next(steps)
            assert store.beliefs() == {0: (3, b"old"), 5: (3, b"five")}
        assert [*steps] == []
        assert store.beliefs() == {0: (4, first), 5: (3, b"five")}
        begun = store.saving_beliefs(5, 0, second)
        next(begun)  # here the room is killed
        store = self.reopen(store, tmp_path)
        assert store.beliefs() == {0: (4, first), 5: (3, b"five")}
        assert len([*store.saving_beliefs(6, 0, third[:5])]) == 1
        assert store.beliefs() == {0: (6, third[:5]), 5: (3, b"five")}, "fewer slices than were there before"
        assert len([*store.saving_beliefs(7, 0, second)]) == 3
        assert store.beliefs() == {0: (7, second), 5: (3, b"five")}
        store.save_beliefs(7, {0: b"whole"})
        assert store.beliefs() == {0: (7, b"whole"), 5: (3, b"five")}
        assert len([*store.saving_beliefs(8, 0, first)]) == 3
        assert store.beliefs() == {0: (8, first), 5: (3, b"five")}
        store.close()

    def test_closed_gaps_are_kept_once_and_the_newest_are_told(self, store: Store, tmp_path: Path) -> None:
        old, new = GapClosed("b", 1, 7, 9, 100.5, "never-came"), GapClosed("a", 2, 3, 3, 200.25, "refused")
        store.save_gaps([old])
        store.save_gaps([new, GapClosed("b", 1, 7, 9, 300.0, "gone")])
        store = self.reopen(store, tmp_path)
        assert store.gaps() == [new, old]
        assert store.gaps(1) == [new]
        store.close()

    def test_nothing_is_forgotten_that_no_snapshot_has_seen(self, store: Store, tmp_path: Path) -> None:
        for seq in range(1, 30):
            store.append(tick(store, [("a", 1, seq, seq, {"s": float(seq)})], at=float(seq)))
        assert store.forget_before(20.0) == 0
        next(store.saving_beliefs(9, 0, b""))
        assert store.forget_before(20.0) == 0
        assert len([*store.saving_beliefs(10, 0, b"")]) == 1
        assert store.forget_before(5.0) == 4
        assert store.forget_before(20.0) == 6
        store = self.reopen(store, tmp_path)
        assert [block.mark for block in store.after(0)] == list(range(11, 30))
        assert store.last("a/s", 100).value.tolist() == [float(seq) for seq in range(11, 30)]
        assert store.telex_counts().stored == 29
        assert store.durable() == {"a": (1, 29)}
        assert store.append(tick(store, [("a", 1, 30, 30, {"s": 30.0})])) == 30
        store.close()

    def test_rollups_count_by_source_time_what_came_late_and_what_was_corrected(
        self, store: Store, tmp_path: Path
    ) -> None:
        minute = 60_000_000
        for seq in range(1, 61):
            said: list[Said] = [
                ("a", 1, seq, 20_000_000 * seq, {"s": float(seq), "t": float("nan")}),
                ("b", 1, seq, 7, {"s": 1.0}),
            ]
            store.append(tick(store, said, at=float(seq)))
        store.append(tick(store, [("a", 1, 61, 30_000_000, {"s": -5.0})], kind=BACKFILL))
        store.append(tick(store, [("a", 1, 62, 120_000_000, {"s": 600.0})], kind=CORRECTION))
        for again in (False, True):
            store = self.reopen(store, tmp_path) if again else store
            every = {name: store.rollups("a/s", name, 0, 10**12) for name in ("1min", "15min", "1h", "1d")}
            assert every["1min"].at_us[:3].tolist() == [0, minute, 2 * minute]
            assert every["1min"].count[:3].tolist() == [3, 3, 3]
            assert every["1min"].mean[:3].tolist() == [-2 / 3, 4.0, 205.0]
            assert every["1min"].least[:3].tolist() == [-5.0, 3.0, 7.0]
            assert every["1min"].most[:3].tolist() == [2.0, 5.0, 600.0]
            assert every["15min"].count.tolist() == [45, 16]
            assert every["1h"].count.tolist() == every["1d"].count.tolist() == [61]
            assert every["1d"].most.tolist() == [600.0]
            assert every["1d"].worst.tolist() == [3]
            none = store.rollups("a/t", "1d", 0, 10**12)
            assert none.count.tolist() == [0]
            assert np.isnan([none.mean, none.least, none.most]).all()
            assert store.rollups("a/s", "1min", minute, 3 * minute).at_us.tolist() == [minute, 2 * minute]
            assert len(store.rollups("nobody/s", "1h", 0, 10**12)) == len(store.rollups("a/s", "1h", 5, 5)) == 0
        store.close()

    def test_rollups_outlive_the_readings_that_retention_forgets(self, store: Store, tmp_path: Path) -> None:
        for seq in range(1, 30):
            store.append(tick(store, [("a", 1, seq, 10_000_000 * seq, {"s": float(seq)})], at=float(seq)))
        rule = Retention(readings_s=10.0)
        assert not store.tend(29.0, rule)
        assert store.held().let_go is None
        assert len(store.last("a/s", 99)) == 29
        store.save_beliefs(25, {0: b""})
        while store.tend(29.0, rule):
            continue
        assert store.held().oldest == 19.0
        assert store.held().forgotten == 18
        store = self.reopen(store, tmp_path)
        assert store.held().let_go == 180.0, "also who did not forget them can tell"
        assert store.last("a/s", 99).value.tolist() == [float(seq) for seq in range(19, 30)]
        assert store.rollups("a/s", "1d", 0, 10**12).count.tolist() == [29]
        store.append(tick(store, [("a", 1, 30, 20_000_000, {"s": 900.0})], kind=CORRECTION))
        rollups = store.rollups("a/s", "1min", 0, 10**12)
        assert rollups.count[:2].tolist() == [5, 6]
        assert rollups.most[0] == 5.0
        store.close()

    def test_a_tick_that_does_not_fit_together_is_refused_whole(self, store: Store) -> None:
        (block,) = tick(store, [("a", 1, 1, 1, {"s": 1.0})])
        with pytest.raises(ValueError, match="shard"):
            store.append([block, block])
        with pytest.raises(ValueError, match="column"):
            store.append([replace(block, seq=np.array([1, 2]))])
        assert store.last_mark == 0
        assert store.append([block]) == 1
        store.close()


def same(one: Readings, other: Readings) -> bool:
    """Whether two answers hold the same readings, their verdicts apart."""
    names = ("source_us", "received_us", "kind", "value", "quality")
    return all(np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True) for name in names)

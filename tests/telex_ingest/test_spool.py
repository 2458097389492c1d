"""The spool as a file: numbers, epochs, answers, and what is wrong with a file that is none."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from telex_ingest.spool import ANSWERS, SpoolError, SpoolFile
from telex_ingest.telex import Ack, Reading, Receipt, ReceiptState, Spool, TelexKind, moment
from telex_ingest.told import ToSpool


def told(value: float, plant: str = "mill-1", cursor: str | None = None) -> ToSpool:
    return ToSpool(plant, int(value) * 1_000_000, (Reading(1, value),), TelexKind.LIVE, cursor)


@pytest.fixture
def spool(tmp_path: Path) -> SpoolFile:
    spool = SpoolFile(tmp_path / "spool", limit=100)
    spool.enrol("mill-1", 1)
    spool.enrol("mill-2", 1)
    return spool


def test_each_plant_is_numbered_from_one_and_read_in_the_order_of_telling(spool: SpoolFile) -> None:
    spool.put([told(1.0), told(2.0, "mill-2"), told(3.0)])
    assert [(row.telex.plant, row.telex.seq) for row in spool.after(0, 10)] == [
        ("mill-1", 1),
        ("mill-2", 1),
        ("mill-1", 2),
    ]
    assert [row.telex.readings[0].value for row in spool.after(1, 1)] == [2.0]
    assert spool.pending == 3
    spool.close()


def test_what_is_acknowledged_is_forgotten_and_never_numbered_again(spool: SpoolFile) -> None:
    spool.put([told(1.0), told(2.0), told(3.0)])
    spool.forget([Ack(plant="mill-1", epoch=1, seq=2), Ack(plant="mill-1", epoch=7, seq=9)])
    assert [row.telex.seq for row in spool.after(0, 10)] == [3]
    assert spool.holds("mill-1") == Spool(plant="mill-1", epoch=1, first=3, last=3)
    spool.forget([Ack(plant="mill-1", epoch=1, seq=3)])
    assert spool.holds("mill-1") == Spool(plant="mill-1", epoch=1, first=4, last=3)
    assert [row.telex.seq for row in spool.put([told(4.0)])] == [4]
    assert (spool.pending, spool.forgotten) == (1, 3)
    spool.close()


def test_the_cursor_is_the_last_that_was_told(spool: SpoolFile) -> None:
    spool.put([told(1.0, cursor="row-1"), told(2.0)])
    assert spool.standing("mill-1").cursor == "row-1"
    spool.close()


@pytest.mark.parametrize(
    ("settled", "resume", "epoch", "left"),
    [
        (False, None, 1, [1, 2, 3]),
        (False, Ack(plant="mill-1", epoch=1, seq=0), 2, [1, 2, 3]),
        (False, Ack(plant="mill-1", epoch=4, seq=9), 5, [1, 2, 3]),
        (True, None, 1, [1, 2, 3]),
        (True, Ack(plant="mill-1", epoch=1, seq=2), 1, [3]),
        (True, Ack(plant="mill-1", epoch=1, seq=8), 2, []),
        (True, Ack(plant="mill-1", epoch=3, seq=1), 4, [1, 2, 3]),
    ],
)
def test_epochs_are_agreed_with_what_the_room_knows(
    tmp_path: Path, settled: bool, resume: Ack | None, epoch: int, left: list[int]
) -> None:
    first = SpoolFile(tmp_path / "spool", limit=100)
    first.enrol("mill-1", 1)
    if settled:
        first.settle({"mill-1": None})
    first.put([told(1.0), told(2.0), told(3.0)])
    first.close()
    again = SpoolFile(tmp_path / "spool", limit=100)
    again.enrol("mill-1", 1)
    assert again.settle({"mill-1": resume})["mill-1"].epoch == epoch
    assert [(row.telex.epoch, row.telex.seq) for row in again.after(0, 10)] == [(epoch, seq) for seq in left]
    assert again.pending == len(left)
    again.close()


def test_the_oldest_answers_are_forgotten() -> None:
    spool = SpoolFile(None, limit=100)
    for number in range(ANSWERS + 5):
        spool.remember(Receipt(order=f"o-{number}", plant="mill-1", state=ReceiptState.DONE, time=moment(number)))
    assert spool.answered("o-0") == (None, False)
    assert spool.answered(f"o-{ANSWERS + 4}")[0] is not None
    assert len(spool.answers_since(ANSWERS)) == 5
    spool.close()


def test_a_file_that_is_no_spool_is_said_with_its_cure(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database at all, but long enough to be taken for one" * 50)
    with pytest.raises(SpoolError) as caught:
        SpoolFile(tmp_path / "text", limit=1)
    assert "text" in str(caught.value)
    newer = sqlite3.connect(tmp_path / "newer")
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(SpoolError) as caught:
        SpoolFile(tmp_path / "newer", limit=1)
    assert caught.value.what == "it is of version 99"


def test_a_spool_is_its_owners_alone(tmp_path: Path, spool: SpoolFile) -> None:
    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o600
    spool.close()
    with pytest.raises(SpoolError) as caught:
        SpoolFile(tmp_path / "nowhere" / "spool", limit=1)
    assert caught.value.cure == "check the folder and its rights"

"""Whatever wrote a table: it is opened, or refused with the cure."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from opsroom.detection.counts import Counts, TableError
from opsroom.detection.opening import opened

ROWS = [["2026-01-01T00:00:00", "20.5"], ["2026-01-01T00:10:00", "21.0"]]
TEXT = "timestamp,load\n" + "".join(f"{stamp},{value}\n" for stamp, value in ROWS)


def read(path: Path, content: bytes, time: str | None = None) -> tuple[list[str], list[list[str]], Counts]:
    path.write_bytes(content)
    counts = Counts()
    with opened(path, counts, time) as table:
        return table.names, list(table.rows), counts


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
        TEXT.encode("utf-16"),
        gzip.compress(TEXT.encode()),
        b"# from the historian\n\n" + TEXT.encode(),
        b"sep=|\n" + TEXT.replace(",", "|").encode(),
        TEXT.replace(",", "\t").encode(),
        TEXT.replace("\n", "\n\n").encode(),
    ],
    ids=["plain", "mark and crlf", "cr", "utf-16", "gzip", "comment", "sep", "tab", "blank lines"],
)
def test_every_dialect_holds_the_same_rows(tmp_path: Path, content: bytes) -> None:
    names, rows, counts = read(tmp_path / "in.csv", content)
    assert (names, rows) == (["timestamp", "load"], ROWS)
    assert counts.sentences() == []


def test_a_name_that_is_no_utf_8_is_read_as_windows_wrote_it(tmp_path: Path) -> None:
    assert read(tmp_path / "in.csv", TEXT.replace("load", "Kälte").encode("cp1252"))[0] == ["timestamp", "Kälte"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\n \n# nothing\n", "is empty"),
        (b"PK\x03\x04rest", "spreadsheet or an archive"),
        (b"PAR1 and no more", "no Parquet file"),
        (b"time\x00stamp,a\n", "no plain text"),
        (bytes(range(32)) * 9, "no plain text"),
        (b"\x1f\x8b\x08 broken", "cannot be unpacked"),
    ],
)
def test_what_is_no_table_is_refused_by_name(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(TableError, match=f"in.csv .*{says}|in.csv {says}"):
        read(tmp_path / "in.csv", content)


def test_of_a_packed_file_that_breaks_off_what_came_before_is_read(tmp_path: Path) -> None:
    text = TEXT + "".join(f"2026-01-02T{i // 60:02d}:{i % 60:02d}:00,{i * 7 % 13}\n" for i in range(900))
    _, rows, counts = read(tmp_path / "in.csv.gz", gzip.compress(text.encode())[:-40])
    assert 500 < len(rows) < 902
    assert "breaks off" in counts.sentences()[0]


def test_a_quote_that_nobody_closed_spoils_its_own_line_alone(tmp_path: Path) -> None:
    lines = [f"{i},{i + 0.5}" for i in range(60)]
    lines[20] = '20,"20.5'
    _, rows, counts = read(tmp_path / "in.csv", ("timestamp,a\n" + "\n".join(lines)).encode())
    assert [row[0] for row in rows] == [str(i) for i in range(60) if i != 20]
    assert counts.sentences() == ["1 line that is no CSV, left out (first in row 21: '20,\"20.5')"]


def test_a_comment_over_two_lines_is_one_cell(tmp_path: Path) -> None:
    _, rows, counts = read(tmp_path / "in.csv", b'timestamp,a,note\n1,2,"pump off,\nthen on"\n2,3,\n')
    assert rows == [["1", "2", "pump off,\nthen on"], ["2", "3", ""]]
    assert counts.damaged_lines == 0


def test_a_time_column_of_another_name_is_taken_and_said(tmp_path: Path) -> None:
    assert "the column Time was taken" in read(tmp_path / "in.csv", b"Time,a\n1,2\n")[2].sentences()[0]
    assert read(tmp_path / "in.csv", b"stamp,a\n1,2\n", time="Stamp")[1] == [["1", "2"]]


def test_parquet_is_a_table_like_any_other(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    from pyarrow import parquet

    at = pa.array([1_767_225_600_000_000, 1_767_226_200_000_000], pa.timestamp("us", "UTC"))
    columns = {
        "when": at,
        "load": pa.array([0.1, None]),
        "parts": pa.array([[1], [2, 3]]),
        "unit": pa.array(["a", 'b"c']),
    }
    parquet.write_table(pa.table(columns), tmp_path / "in.parquet")
    counts = Counts()
    with opened(tmp_path / "in.parquet", counts) as table:
        assert table.names == ["timestamp", "load", "unit"]
        rows = list(table.rows)
    assert [row[1:] for row in rows] == [["0.1", "a"], ["", 'b"c']]
    assert rows[0][0].startswith("2026-01-01 00:00:00")

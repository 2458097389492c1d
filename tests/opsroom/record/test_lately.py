"""The journal since a moment: what is told is what a whole reading would tell, and what is older is not read."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.record import lately as module
from opsroom.record.chain import Entry
from opsroom.record.journal import Journal, read
from opsroom.record.lately import SLACK_S, lately


def filled(folder: Path, moments: list[float]) -> Path:
    path = folder / "journal.sqlite"
    path.unlink(missing_ok=True)
    journal = Journal.open(path, "test")
    journal.append(
        [
            Entry(kind="odd" if n % 2 else "even", version=1, body={"n": n}, actor="room", at=at)
            for n, at in enumerate(moments)
        ]
    )
    journal.close()
    return path


@settings(max_examples=25)
@given(
    steps=st.lists(st.floats(-SLACK_S / 20, 3000.0), max_size=30),
    since=st.floats(-1000.0, 60_000.0),
)
def test_it_tells_what_a_whole_reading_would_tell(tmp_path_factory: object, steps: list[float], since: float) -> None:
    folder = tmp_path_factory.mktemp("journal")  # type: ignore[attr-defined] # pytest's own
    moments, now = [], 0.0
    for step in steps:
        now += step
        moments.append(now)
    path = filled(folder, moments)
    whole = [(one.kind, one.at) for one in read(path) if one.at >= since and one.kind == "odd"]
    begin, told = lately(path, since, {"odd"})
    assert begin == since
    assert [(one.kind, one.at) for one in told] == whole


def test_of_too_many_events_the_newest_are_told_and_since_when(tmp_path: Path) -> None:
    path = filled(tmp_path, [float(n) for n in range(1000)])
    begin, told = lately(path, 0.0, {"odd", "even"}, most=100)
    assert (begin, len(told), told[0].at) == (900.0, 100, 900.0)


def test_only_a_handful_of_older_events_is_looked_at(tmp_path: Path, monkeypatch: object) -> None:
    path = filled(tmp_path, [float(n) * 60.0 for n in range(4000)])
    looked: list[bytes] = []
    usual = module._read

    def counting(line: bytes) -> object:
        looked.append(line)
        return usual(line)

    monkeypatch.setattr(module, "_read", counting)  # type: ignore[attr-defined] # pytest's own
    _, told = lately(path, 3990 * 60.0, {"odd", "even"})
    assert len(told) == 10
    assert len(looked) < 10 + SLACK_S / 60.0 + 16

"""The ballot box on a real disk: what it keeps outlives a kill, what is over is thrown away and lies nowhere."""

from __future__ import annotations

from pathlib import Path

import msgspec

from opsroom import commands as ask
from opsroom.doors.ballot_routes import own
from opsroom.entry.ballot_box import BallotBox
from opsroom.room import events as happened
from opsroom.room.news import BallotsFound
from opsroom.views import Viewer
from tests.opsroom.play import Play, seat

REASON = "a reason that nobody is to read"


def sealed(play: Play, motion: str, *seats: int) -> None:
    for number in seats:
        play.ask(ask.CastBallot(motion=motion, options=("a",), reason=REASON), seat(number))


def anywhere(folder: Path) -> bool:
    return any(REASON.encode() in path.read_bytes() for path in folder.iterdir())


def found(box: BallotBox) -> dict[str, str]:
    [news] = box.opened()
    assert isinstance(news, BallotsFound)
    return {one.commitment: one.said for one in news.ballots}


def test_what_was_kept_is_there_after_a_kill_and_opens_its_round(tmp_path: Path) -> None:
    play = Play()
    motion = play.motion()
    sealed(play, motion, 1, 2, 3)
    killed = BallotBox(tmp_path / "ballots.sqlite")
    killed.keep(play.box)
    assert (tmp_path / "ballots.sqlite").stat().st_mode & 0o777 == 0o600
    over = happened.RoundEnded(at=play.now, motion=motion, round=1, reason="its time is over")
    play.room = msgspec.structs.replace(
        play.room,
        motions=play.room.motions.set(motion, msgspec.structs.replace(play.room.motions[motion], phase="opening")),
    )
    box = BallotBox(tmp_path / "ballots.sqlite")
    box.take_up(play.room)
    assert found(box) == {row[0]: row[4] for row in play.box}
    assert box.opened() == (), "a round is opened once"
    box.watch([over])
    assert len(found(box)) == 3
    box.close()
    killed.close()


def test_the_ballots_of_a_motion_that_is_over_lie_nowhere(tmp_path: Path) -> None:
    play = Play()
    motion = play.motion()
    sealed(play, motion, 1, 2)
    box = BallotBox(tmp_path / "ballots.sqlite")
    box.keep(play.box)
    assert anywhere(tmp_path)
    box.forget(box.watch(play.ask(ask.WithdrawMotion(motion=motion), seat(1))))
    assert not anywhere(tmp_path), "withdrawn before they were opened"
    box.keep(play.box)
    box.take_up(play.room)
    assert not anywhere(tmp_path), "a room that was killed in between throws them away when it opens"
    box.close()


def test_a_sealed_ballot_is_read_again_by_its_seat_and_by_who_cast_it_alone(tmp_path: Path) -> None:
    play = Play()
    motion = play.motion()
    play.ask(ask.NameSubstitute(substitute=5), seat(4))
    sealed(play, motion, 1, 2)
    play.ask(ask.CastBallot(motion=motion, options=("b",), reason=REASON, for_seat=4), seat(5))
    box = BallotBox(tmp_path / "ballots.sqlite")
    box.keep(play.box)

    def read(number: int) -> list[tuple[int, tuple[str, ...], str]]:
        rows = own(play.room, box, motion, Viewer(role="seat", seat=number))
        return [(row.seat, row.options, row.reason) for row in rows]

    assert read(1) == [(1, ("a",), REASON)]
    assert read(4) == read(5) == [(4, ("b",), REASON)]
    assert read(3) == []
    for other in (Viewer(role="operator"), Viewer(role="unit", unit="mill-1"), Viewer(role="viewer")):
        assert own(play.room, box, motion, other) == []
    closed = msgspec.structs.replace(play.room.motions[motion], state="expired")
    room = msgspec.structs.replace(play.room, motions=play.room.motions.set(motion, closed))
    assert own(room, box, motion, Viewer(role="seat", seat=1)) == []
    box.close()

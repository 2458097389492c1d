"""Sealed ballots: the journal holds commitments until a round opens, and what does not fit them does not count."""

from __future__ import annotations

import pytest

from opsroom import commands as ask
from opsroom.commands import Asked
from opsroom.proof.commitments import commit
from opsroom.room import events as happened
from opsroom.room.events import encode
from opsroom.room.news import BallotsFound, SealedBallot
from opsroom.room.room import evolve
from tests.opsroom.play import Play, only, seat


def test_the_journal_holds_no_choice_and_no_reason_before_the_round_opens() -> None:
    play = Play()
    motion = play.motion()
    secret = "because-of-the-flywheel"
    play.ask(ask.CastBallot(motion=motion, options=("c", "a"), reason=secret), seat(6))
    (event,) = [raw for kind, raw in play.journal if kind == "ballot-sealed"]
    assert secret.encode() not in event
    assert b'"options"' not in event
    for _, raw in play.journal:
        assert secret.encode() not in raw
    assert secret not in repr(play.room)
    asked = Asked(
        command=ask.CastBallot(motion=motion, options=("a",), reason=secret), actor=seat(6), key="k", salt=b"s"
    )
    assert secret not in repr(asked)
    assert secret not in repr(SealedBallot(commitment="0" * 64, salt=bytes(32), said=secret))


def test_a_ballot_whose_text_is_lost_or_another_does_not_count_and_is_told() -> None:
    play = Play()
    motion = play.motion()
    for number in range(1, 7):
        play.cast(motion, "yes", number)
    honest = list(play.box)
    forged = (honest[0][0], *honest[0][1:4], honest[0][4].replace('"a"', '"c"'))
    swapped = (honest[1][0], *honest[1][1:3], honest[2][3], honest[2][4])
    play.box = [forged, swapped, *honest[2:5]]
    events = play.cast(motion, "yes", 7)
    opened = only(happened.BallotsOpened, events)
    assert opened.missing == (1, 2, 6)
    assert [one.seat for one in opened.ballots] == [3, 4, 5, 7]
    assert play.replayed() == play.room


def test_a_journal_whose_opening_does_not_fit_its_commitment_stops_the_replay() -> None:
    play = Play()
    motion = play.motion()
    play.vote(motion, ["yes"] * 7)
    place, raw = next((n, raw) for n, (kind, raw) in enumerate(play.journal) if kind == "ballots-opened")
    play.journal[place] = ("ballots-opened", raw.replace(b'\\"a\\"', b'\\"c\\"', 1))
    assert play.journal[place][1] != raw
    with pytest.raises(ValueError, match="not the one that was sealed"):
        play.replayed()


def test_the_box_may_be_opened_twice_around_a_restart_and_a_round_opens_once() -> None:
    play = Play()
    motion = play.motion()
    for number in range(1, 8):
        play.cast(motion, "yes", number)
    found = BallotsFound(motion=motion, round=1)
    assert play.hear(found) == ()
    assert play.hear(BallotsFound(motion="motion-9", round=1)) == ()


def test_the_same_choice_of_two_seats_leaves_two_commitments() -> None:
    play = Play()
    motion = play.motion()
    play.cast(motion, "yes", 3)
    play.cast(motion, "yes", 4)
    sealed = [ballot.commitment for ballot in play.room.motions[motion].ballots.values()]
    assert len(set(sealed)) == 2
    (row, _) = play.box
    assert commit(row[3], row[4].encode()) == row[0]


def test_an_older_journal_with_one_order_and_open_ballots_is_read_and_decided_as_it_was() -> None:
    play = Play()
    name = play.arrived()
    birth = play.room.plants["loom-1"].orders["rest"]
    old: list[happened.AnyEvent] = [
        happened.MotionOpened(
            at=play.now, motion="motion-1", seat=1, alarm=name, signal="loom-1/output", title="Rest", plant="loom-1",
            order=birth, deadline=play.now + 900.0, quorum=4,
        ),
        *(
            happened.BallotCast(at=play.now, motion="motion-1", seat=number, choice=choice, reason="so")
            for number, choice in enumerate(("yes", "yes", "yes", "no", "recuse"), start=1)
        ),
    ]  # fmt: skip
    for event in old:
        assert b'"options"' not in encode(event)
    play.room = evolve(play.room, old)
    play.cast("motion-1", "yes", 6)
    play.now += 900.0
    events = play.wait(0)
    closed = only(happened.MotionClosed, events)
    assert (closed.outcome, closed.yes, closed.no, closed.recused) == ("carried", 4, 1, 1)
    assert only(happened.OrderIssued, events).name == "rest"

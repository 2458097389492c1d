"""Amendments: the mover takes one over, or the seats do, and ballots on the old words are cast again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from opsroom import commands as ask
from opsroom.council.amendments import diff
from opsroom.room import events as happened
from opsroom.showing.motion_rows import motion_view
from opsroom.views import Viewer
from tests.opsroom.play import Play, kinds, only, seat


def proposed(title: str = "Slower", rpm: int = 80) -> ask.ProposedOption:
    order = ask.ProposedOrder(plant="loom-1", name="set-speed", parameters={"rpm": rpm})
    return ask.ProposedOption(title=title, orders=(order,))


def test_the_mover_takes_a_friendly_amendment_over_and_ballots_on_the_old_words_are_cast_again() -> None:
    play = Play()
    motion = play.motion()
    play.cast(motion, "yes", 4)
    amend = ask.AmendMotion(motion=motion, option="a", to=proposed(), reason="90 is too fast")
    play.ask(amend, seat(3))
    assert play.room.motions[motion].ballots
    events = play.ask(ask.AnswerAmendment(motion=motion, amendment="amendment-1", aye=True), seat(1))
    assert only(happened.AmendmentSettled, events).how == "friendly"
    row = play.room.motions[motion]
    assert not row.ballots
    assert (row.options[0].title, row.options[0].orders[0].parameters) == ("Slower", {"rpm": 80})
    assert play.refusal(amend, seat(3)).code == "nothing-new"
    play.cast(motion, "yes", 4)
    assert play.replayed() == play.room


def test_more_than_half_of_the_seats_adopt_what_the_mover_does_not_want_and_half_reject_it() -> None:
    play = Play()
    motion = play.motion()
    play.ask(ask.AmendMotion(motion=motion, option="a", to=proposed(), reason="90 is too fast"), seat(3))
    play.ask(ask.AmendMotion(motion=motion, option="a", to=proposed(rpm=50), reason="still"), seat(4))

    def answer(amendment: str, number: int, aye: bool) -> tuple[happened.AnyEvent, ...]:
        return play.ask(ask.AnswerAmendment(motion=motion, amendment=amendment, aye=aye), seat(number))

    answer("amendment-1", 1, False)
    for number in (2, 3, 4):
        assert kinds(answer("amendment-1", number, True)) == ["amendment-answered"]
    assert only(happened.AmendmentSettled, answer("amendment-1", 5, True)).how == "adopted"
    for number in (2, 3, 4):
        answer("amendment-2", number, False)
    assert only(happened.AmendmentSettled, answer("amendment-2", 5, False)).how == "rejected"
    assert play.refusal(ask.AnswerAmendment(motion=motion, amendment="amendment-2", aye=True), seat(6)).code == (
        "amendment-over"
    )


def test_a_seat_that_steps_back_lets_what_the_others_have_said_settle_an_amendment() -> None:
    play = Play()
    motion = play.motion()
    play.ask(ask.AmendMotion(motion=motion, option="a", to=proposed(), reason="90 is too fast"), seat(3))
    play.ask(ask.AmendMotion(motion=motion, option="a", to=proposed(rpm=50), reason="still"), seat(4))
    for number, aye in ((2, True), (3, True), (4, True), (5, False), (6, False)):
        play.ask(ask.AnswerAmendment(motion=motion, amendment="amendment-1", aye=aye), seat(number))
        play.ask(ask.AnswerAmendment(motion=motion, amendment="amendment-2", aye=not aye), seat(number))
    play.cast(motion, "yes", 5)
    assert kinds(play.ask(ask.RecuseSeat(motion=motion, reason="my own mill"), seat(7))) == [
        "seat-recused",
        "amendment-settled",
    ], "three noes of six seats"
    assert [one.state for one in play.room.motions[motion].amendments] == ["open", "rejected"]
    events = play.ask(ask.RecuseSeat(motion=motion, reason="my own loom"), seat(6))
    assert only(happened.AmendmentSettled, events).how == "adopted", "three ayes of five seats"
    row = play.room.motions[motion]
    assert row.options[0].title == "Slower"
    assert not row.ballots
    assert play.replayed() == play.room


def test_an_amendment_is_compared_with_the_words_that_it_would_replace_by_now() -> None:
    play = Play()
    motion = play.motion()
    play.ask(ask.AmendMotion(motion=motion, option="a", to=proposed("Speed it up gently", rpm=90), reason="x"), seat(3))
    play.ask(ask.AmendMotion(motion=motion, option="a", to=proposed("Speed it up", rpm=50), reason="slower"), seat(1))

    def told() -> list[str]:
        shown = motion_view(play.room, motion, Viewer(role="seat", seat=2)).amendments[0]
        return [words for how, words in shown.diff if how != "same"]

    assert told() == ["gently", "50", "90"], "nobody takes the old speed back unseen"
    play.ask(ask.AnswerAmendment(motion=motion, amendment="amendment-1", aye=True), seat(1))
    assert told() == ["gently", "50", "90"], "the record says what it replaced"
    assert play.replayed() == play.room


def test_the_first_ballot_of_the_last_round_closes_the_list_and_what_was_voted_before_an_amendment_counts_no_more() -> (
    None
):
    play = Play()
    motion = play.motion()
    for number in range(1, 8):
        play.cast(motion, "yes", number)
    play.ask(ask.AmendMotion(motion=motion, option="a", to=proposed(), reason="90 is too fast"), seat(1))
    assert all(ballot.void for ballot in play.room.motions[motion].first.values())
    play.ask(ask.AmendMotion(motion=motion, option="a", to=proposed(rpm=40), reason="x"), seat(3))
    events = play.cast(motion, "yes", 2)
    assert only(happened.AmendmentSettled, events).how == "fell"
    late = ask.AmendMotion(motion=motion, option="a", to=proposed(rpm=30), reason="x")
    assert play.refusal(late, seat(3)).code == "list-closed"
    play.wait(99_999.0)
    assert play.room.motions[motion].state == "expired", "one seat voted on the new words"


def test_half_of_an_even_number_of_seats_reject_an_amendment() -> None:
    play = Play()
    motion = play.motion()
    play.cast(motion, "recuse", 7)
    play.ask(ask.AmendMotion(motion=motion, option="a", to=proposed(), reason="90 is too fast"), seat(3))
    for number, how in ((4, "open"), (5, "open"), (6, "rejected")):
        play.ask(ask.AnswerAmendment(motion=motion, amendment="amendment-1", aye=False), seat(number))
        assert play.room.motions[motion].amendments[0].state == how


def test_an_amendment_keeps_to_what_plants_declared() -> None:
    play = Play()
    motion = play.motion()
    bad = ask.AmendMotion(motion=motion, option="a", to=proposed(rpm=101), reason="x")
    assert play.refusal(bad, seat(3)).code == "bad-parameters"
    for option in ("b", "c", "z"):
        command = ask.AmendMotion(motion=motion, option=option, to=proposed(), reason="x")
        assert play.refusal(command, seat(3)).code == "no-option"


@given(st.lists(st.sampled_from("abcd"), max_size=12), st.lists(st.sampled_from("abcd"), max_size=12))
def test_a_diff_holds_both_wordings_word_for_word(old: list[str], new: list[str]) -> None:
    pieces = diff(" ".join(old), " ".join(new))
    assert " ".join(words for how, words in pieces if how != "new") == " ".join(old)
    assert " ".join(words for how, words in pieces if how != "gone") == " ".join(new)
    assert all(words for _, words in pieces)


def test_a_phrase_that_is_written_anew_is_told_as_one_and_a_figure_by_itself() -> None:
    pieces = diff(
        "Add twelve people to the late shift: people 12", "Take nine hands to look at the late shift: people 9"
    )
    assert ("gone", "Add twelve people to the late shift: people 12") not in pieces
    assert pieces[-2:] == (("gone", "12"), ("new", "9"))
    whole = diff("Restaff a shift: people to add 12, shift late", "Nine hands to the late shift, and look again")
    assert [how for how, _ in whole] == ["gone", "new"]

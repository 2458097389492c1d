"""A motion may propose other terms of a plant's agreement; nothing holds before the plant itself has consented."""

from __future__ import annotations

import msgspec
import pytest

from opsroom import commands as ask
from opsroom.council.invitations import invited
from opsroom.recursion.offers import offer_of
from opsroom.recursion.pact_events import OfferEnded, OfferMade
from opsroom.recursion.recursion import CouncilRules
from opsroom.recursion.sights import declined, ground
from opsroom.recursion.wire_answers import asked
from opsroom.room import events as happened
from opsroom.room.news import CallCame, PlantBorn
from opsroom.room.room import evolve
from opsroom.showing.motion_rows import motion_view
from opsroom.views import Viewer
from telex_ingest.telex import moment
from tests.opsroom.play import OPERATOR, Play, birth, charter, only, people, seat

VALID_S = 7 * 86_400.0
SIGNAL = "loom-1/output"
FIGURES = ask.ProposedFigures(signal=SIGNAL, capability=55.0, recovery_s=900.0)


def option(*terms: ask.ProposedTerms, title: str = "Ask less of it") -> ask.ProposedOption:
    return ask.ProposedOption(title=title, terms=terms or (FIGURES,))


def opened(play: Play, *options: ask.ProposedOption) -> str:
    """A seconded motion on agreements alone."""
    command = ask.OpenMotion(title="It alarms too often", options=options or (option(),))
    motion = only(happened.MotionOpened, play.ask(command, seat(1))).motion
    play.second(motion)
    return motion


def carried(play: Play, *options: ask.ProposedOption) -> str:
    motion = opened(play, *options)
    play.vote(motion, ["yes"] * 7)
    assert play.room.motions[motion].state == "carried"
    return motion


def waiting(play: Play) -> str:
    """The proposal of the room that waits for Loom 1."""
    return next(one.id for one in play.room.proposals.values() if one.signal == SIGNAL)


def terms_of(play: Play, motion: str, letter: str = "a") -> list[tuple[str, str, str]]:
    view = motion_view(play.room, motion, Viewer(role="seat", seat=1))
    shown = next(one for one in view.options if one.id == letter)
    return [(one.plant, one.state, one.reason) for one in shown.terms]


def test_a_motion_on_an_agreement_needs_no_alarm_and_holds_more_time_and_nothing() -> None:
    play = Play()
    name = opened(play)
    motion = play.room.motions[name]
    assert motion.alarms == ()
    assert motion.signal == SIGNAL
    assert [one.kind for one in motion.options] == ["agreement", "time", "nothing"]
    assert motion.mode == "majority"
    assert invited(play.room, motion) == ("loom-1",), "its plant is invited to say what it knows"


def test_what_is_carried_is_proposed_and_holds_only_with_the_plants_consent() -> None:
    play = Play()
    before = play.room.signals[SIGNAL].agreement
    motion = carried(play)
    assert play.room.signals[SIGNAL].agreement == before
    assert terms_of(play, motion) == [("loom-1", "waiting", "")]
    proposal = waiting(play)
    play.refusal(ask.AnswerAgreement(proposal=proposal, accept=True), seat(2))
    play.refusal(ask.AnswerAgreement(proposal=proposal, accept=True), people("textiles"))
    play.ask(ask.AnswerAgreement(proposal=proposal, accept=True, reason="we can live with it"), people("loom-1"))
    agreed = play.room.signals[SIGNAL].agreement
    assert (agreed.capability, agreed.recovery_s, agreed.potentiality) == (55.0, 900.0, before.potentiality)
    assert agreed.version == before.version + 1
    assert terms_of(play, motion) == [("loom-1", "accepted", "we can live with it")]
    view = motion_view(play.room, motion, Viewer(role="seat", seat=1)).options[0].terms[0]
    assert (view.agreed_version, view.answered_by) == (agreed.version, "People of loom-1")
    assert play.replayed() == play.room


def test_a_plant_refuses_over_the_wire_with_a_reason_and_the_old_agreement_stands() -> None:
    play = Play()
    motion = carried(play)
    before = play.room.signals[SIGNAL].agreement
    events = play.hear(CallCame(plant="loom-1", alarm=waiting(play), call="refuse", reason="the motor is as it was"))
    assert only(OfferEnded, events).ending == "refused"
    assert terms_of(play, motion) == [("loom-1", "refused", "the motor is as it was")]
    assert play.room.signals[SIGNAL].agreement == before
    assert all(one.signal != SIGNAL for one in play.room.proposals.values())


def test_nobody_answers_and_the_proposal_is_over_with_its_time() -> None:
    play = Play()
    motion = carried(play)
    play.wait(VALID_S - 1)
    assert terms_of(play, motion)[0][1] == "waiting"
    events = play.wait(1)
    assert only(OfferEnded, events).ending == "unanswered"
    assert terms_of(play, motion)[0][1] == "unanswered"
    assert all(one.signal != SIGNAL for one in play.room.proposals.values())
    assert play.replayed() == play.room


def test_an_answer_after_its_time_is_none_even_before_a_tick() -> None:
    play = Play()
    carried(play)
    play.now += VALID_S
    refused = play.refusal(ask.AnswerAgreement(proposal=waiting(play), accept=True), people("loom-1"))
    assert refused.code == "offer-over"


def test_a_look_for_two_hours_counts_from_the_asking_and_its_offer_ends_with_it() -> None:
    play = Play()
    end = play.now + 7200.0
    carried(play, option(ask.ProposedSight(unit="loom-1", purpose="an audit", until=end), title="Look into it"))
    ((offer,), (request,)) = play.room.offers.values(), play.room.requests.values()
    assert (offer.until, request.over()) == (end, False)
    play.now = end
    late = ask.AnswerRequest(request=request.id, accept=True)
    assert play.refusal(late, people("loom-1")).code == "offer-over", "not even before a tick"
    assert [(one.ending, one.at) for one in play.wait(0.0) if isinstance(one, OfferEnded)] == [("unanswered", end)]
    assert play.room.requests[request.id].over()
    assert not play.room.grants


def test_a_grant_that_an_offer_brought_ends_at_the_end_that_was_asked_for() -> None:
    play = Play()
    end = play.now + 7200.0
    carried(play, option(ask.ProposedSight(unit="loom-1", purpose="an audit", until=end), title="Look into it"))
    play.now = end - 1.0
    (request,) = play.room.requests
    play.ask(ask.AnswerRequest(request=request, accept=True), people("loom-1"))
    assert ground(play.room, "seat", "", SIGNAL, play.now) is not None
    assert ground(play.room, "seat", "", SIGNAL, end) is None
    play.wait(1.0)
    assert all(one.over() for one in play.room.grants.values())


def test_a_plant_that_is_born_anew_leaves_what_is_offered_about_its_orders_alone() -> None:
    play = Play()
    look = ask.ProposedSight(unit="loom-1", purpose="an audit")
    carried(play, option(ask.ProposedAcceptance(unit="loom-1", declines=("rest",)), look))
    known = birth("loom-1", version=2)
    play.hear(PlantBorn(birth=msgspec.structs.replace(known, signals=known.signals[1:]), link="test"))
    offers = sorted((one.about, one.state) for one in play.room.offers.values())
    assert offers == [("orders", "waiting"), ("sight", "waiting")]


def test_an_offer_that_is_over_waits_on_nothing_and_ends_once() -> None:
    play = Play()
    carried(play)
    proposal = waiting(play)
    over = only(OfferEnded, play.wait(VALID_S))
    assert offer_of(play.room, proposal) is None
    with pytest.raises(ValueError, match="ends twice"):
        evolve(play.room, (over,))


def test_a_newer_proposal_of_the_room_takes_its_place() -> None:
    play = Play()
    motion = carried(play)
    play.ask(ask.ProposeAgreement(signal=SIGNAL, capability=58.0, reason="rather so"), OPERATOR)
    assert terms_of(play, motion)[0][1] == "superseded"
    assert play.room.proposals[waiting(play)].terms.capability == 58.0


def test_a_plant_that_is_born_without_the_signal_makes_it_void() -> None:
    play = Play()
    motion = carried(play)
    fewer = msgspec.structs.replace(birth("loom-1"), signals=birth("loom-1").signals[1:], version=2)
    play.hear(PlantBorn(birth=fewer, link="test"))
    assert terms_of(play, motion)[0][1] == "void"
    assert play.replayed() == play.room


def test_what_is_agreed_already_when_it_is_carried_is_void_with_the_reason() -> None:
    play = Play()
    motion = opened(play)
    play.ask(ask.ProposeAgreement(signal=SIGNAL, capability=55.0, recovery_s=900.0, reason="so"), people("loom-1"))
    play.ask(ask.AnswerAgreement(proposal=waiting(play), accept=True), OPERATOR)
    events = play.vote(motion, ["yes"] * 7)
    assert only(OfferEnded, events).ending == "void"
    assert "agreed already" in terms_of(play, motion)[0][2]
    assert all(one.signal != SIGNAL for one in play.room.proposals.values())


def test_one_option_changes_figures_accepted_orders_and_sight_of_two_plants() -> None:
    play = Play()
    motion = carried(
        play,
        option(
            FIGURES,
            ask.ProposedFigures(signal="loom-1/scrap", normal_low=0.0, normal_high=4.0),
            ask.ProposedAcceptance(unit="loom-2", declines=("rest",)),
            ask.ProposedSight(unit="loom-2", purpose="to see why"),
        ),
    )
    assert [state for _, state, _ in terms_of(play, motion)] == ["waiting"] * 4
    assert len({offer.proposal for offer in play.room.offers.values()}) == 4, "each waits under an id of its own"
    play.hear(CallCame(plant="loom-2", alarm="request-1", call="accept", reason=""))
    play.hear(CallCame(plant="loom-2", alarm="request-2", call="refuse", reason="our own affair"))
    assert declined(play.room, "loom-2") == ("rest",)
    assert [state for _, state, _ in terms_of(play, motion)] == ["waiting", "waiting", "accepted", "refused"]
    assert not play.room.grants


def test_the_plant_is_told_over_the_wire_what_is_proposed_and_until_when() -> None:
    play = Play()
    motion = opened(play)
    events = play.vote(motion, ["yes"] * 7)
    told = asked(play.room, events)
    assert [(one.plant, one.alarm, one.asks) for one in told] == [("loom-1", waiting(play), "agreement")]
    assert told[0].deadline == moment(round(only(OfferMade, events).until * 1e6))
    assert "the council proposes" in told[0].text
    assert told == asked(play.room, (), {"loom-1"}), "and again when it comes back"


def test_orders_and_terms_may_stand_in_one_option_on_an_alarm() -> None:
    play = Play()
    alarm = play.arrived()
    both = ask.ProposedOption(
        title="Slower, and with more time",
        orders=(ask.ProposedOrder(plant="loom-1", name="set-speed", parameters={"rpm": 45}),),
        terms=(FIGURES,),
    )
    motion = only(
        happened.MotionOpened,
        play.ask(ask.OpenMotion(alarms=(alarm,), title="Do both", options=(both,)), seat(1)),
    )
    assert motion.options[0].kind == "orders"
    events = play.vote(motion.motion, ["yes"] * 7)
    only(happened.OrderIssued, events)
    only(OfferMade, events)


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (ask.ProposedFigures(signal="loom-9/output", capability=1.0), "unknown-signal"),
        (ask.ProposedFigures(signal=SIGNAL), "nothing-proposed"),
        (ask.ProposedFigures(signal=SIGNAL, capability=60.0), "nothing-proposed"),
        (ask.ProposedFigures(signal=SIGNAL, recovery_s=-1.0), "bad-terms"),
        (ask.ProposedFigures(signal=SIGNAL, capability=float("nan")), "bad-terms"),
        (ask.ProposedAcceptance(unit="loom-1", declines=("fly",)), "unknown-order"),
        (ask.ProposedSight(unit="loom-1", purpose=" "), "reason-missing"),
        (ask.ProposedSight(unit="loom-1", purpose="so", until=1.0), "bad-time"),
    ],
)
def test_what_could_not_be_proposed_is_not_put_to_the_vote(wanted: ask.ProposedTerms, code: str) -> None:
    play = Play()
    command = ask.OpenMotion(title="It alarms too often", options=(option(wanted),))
    assert play.refusal(command, seat(1)).code == code


def test_what_orders_something_answers_an_alarm() -> None:
    play = Play()
    order = ask.ProposedOrder(plant="loom-1", name="rest")
    both = ask.ProposedOption(title="Both", orders=(order,), terms=(FIGURES,))
    assert play.refusal(ask.OpenMotion(title="Do it", options=(both,)), seat(1)).code == "bad-alarms"
    assert play.refusal(ask.OpenMotion(title="Do it"), seat(1)).code == "bad-alarms"
    motion = opened(play)
    amended = ask.AmendMotion(motion=motion, option="a", to=both, reason="so")
    assert play.refusal(amended, seat(1)).code == "bad-option"


def test_one_open_motion_on_an_agreement_and_two_proposals_about_the_same_are_refused() -> None:
    play = Play()
    opened(play)
    assert play.refusal(ask.OpenMotion(title="Again", options=(option(),)), seat(3)).code == "motion-open"
    twice = option(FIGURES, FIGURES)
    assert play.refusal(ask.OpenMotion(title="Twice", options=(twice,)), seat(3)).code == "bad-option"


def test_an_amendment_of_terms_shows_the_words_that_change() -> None:
    play = Play()
    motion = opened(play)
    other = option(ask.ProposedFigures(signal=SIGNAL, capability=50.0, recovery_s=900.0))
    play.ask(ask.AmendMotion(motion=motion, option="a", to=other, reason="55 is too much"), seat(2))
    view = motion_view(play.room, motion, Viewer(role="seat", seat=1)).amendments[0]
    assert [piece for piece in view.diff if piece[0] != "same"] == [("gone", "55"), ("new", "50")]


def test_an_amendment_of_nothing_but_the_orders_it_replaces_shows_them() -> None:
    play = Play()
    order = play.order()
    alarm = play.alarm("loom-2/output")
    play.wait(600.0)
    motion = play.motion(alarm, plant="loom-2")
    known = play.room.motions[motion].options[0]
    to = ask.ProposedOption(
        title=known.title,
        orders=(ask.ProposedOrder(plant="loom-2", name="set-speed", parameters={"rpm": 90}),),
        supersedes=(order,),
    )
    play.ask(ask.AmendMotion(motion=motion, option="a", to=to, reason="one is enough"), seat(2))
    view = motion_view(play.room, motion, Viewer(role="seat", seat=1)).amendments[0]
    assert view.diff[-1] == ("new", "· In place of “Set the speed” at Loom 1")
    assert order not in str(view.diff)


def test_more_time_without_an_alarm_is_a_date_at_which_the_council_looks_again() -> None:
    play = Play()
    motion = opened(play)
    play.vote(motion, ["b"] * 7)
    known = play.room.motions[motion]
    assert (known.state, known.chosen, known.offers) == ("carried", "b", ())
    assert known.review_at == pytest.approx(play.now + VALID_S)
    assert not [one for one in _events(play) if isinstance(one, happened.TimeGranted)]


def test_how_it_is_counted_is_the_charters_to_say() -> None:
    play = Play(rules=charter(council=CouncilRules(unit="textiles", mode_agreement="two-thirds")))
    motion = opened(play)
    assert play.room.motions[motion].mode == "two-thirds"
    play.vote(motion, ["yes"] * 4 + ["no"] * 3)
    assert play.room.motions[motion].state == "lost"
    assert not play.room.offers


def _events(play: Play) -> list[happened.AnyEvent]:
    return [happened.decode(kind, happened.VERSIONS[kind], raw) for kind, raw in play.journal]


def test_a_motion_and_a_charter_of_an_older_journal_are_read_as_they_were() -> None:
    old = b'{"kind":"motion-opened","at":1.0,"motion":"motion-1","seat":1,"alarm":"alarm-1","signal":"loom-1/output",'
    old += (
        b'"title":"So","deadline":2.0,"quorum":4,"mode":"majority","options":[{"id":"a","title":"Rest","orders":[]}]}'
    )
    event = happened.decode("motion-opened", 1, old)
    assert isinstance(event, happened.MotionOpened)
    assert (event.options[0].kind, event.options[0].terms) == ("orders", ())
    plain = msgspec.json.decode(msgspec.json.encode(charter()))
    plain["council"] = {"unit": "textiles", "quorum": 3}
    rules = msgspec.convert(plain, type(charter())).council
    assert (rules.mode_agreement, rules.agreement_valid_s) == ("majority", VALID_S)

"""What an option would change in an agreement is shown word by word, with how it ended; who was invited is listed."""

from __future__ import annotations

import msgspec
import pytest

from dashboards import agreement, options, sheet
from opsroom.views import InvitedView, OptionView, StatementView, TermsView
from tests.dashboards.rows import BAD, MOTION

TERMS = TermsView(
    about="figures",
    plant="mill-1",
    plant_title="The mill",
    title="Output, the mill",
    diff=(("same", "capability"), ("gone", "80"), ("new", "75"), ("same", "t/h")),
    signal="mill-1/output",
    version=2,
)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("waiting", "has until 09 Jan, 00:00 to answer"),
        ("accepted", "agreed: so be it. Version 3 holds"),
        ("refused", "refused: so be it. What was agreed before holds"),
        ("unanswered", "did not answer in time"),
        ("superseded", "newer proposal"),
        ("void", "Nothing was proposed"),
    ],
)
def test_every_end_of_a_proposal_is_told_in_a_sentence(state: str, said: str) -> None:
    row = msgspec.structs.replace(TERMS, state=state, reason="so be it", until=8 * 86_400.0, agreed_version=3)
    assert said in agreement.ended(row)


def test_an_option_shows_what_goes_and_what_is_new_and_nobodys_words_are_markup() -> None:
    row = msgspec.structs.replace(TERMS, title=BAD, state="refused", reason=BAD)
    option = OptionView(id="a", kind="agreement", title="Ask less", terms=(row,))
    motion = msgspec.structs.replace(MOTION, options=(option, *MOTION.options[1:]), state="carried", chosen="a")
    shown = str(options.option(option, motion, None, None).to_plotly_json())
    assert "Del('80')" in shown
    assert "Ins('75')" in shown
    assert BAD in shown, "as text"
    assert agreement.outcome(motion)
    assert not agreement.outcome(MOTION)


def test_more_time_on_an_agreement_is_a_date_to_look_again() -> None:
    time = OptionView(id="b", kind="time", title="Give the unit more time", extra_s=604_800.0)
    motion = msgspec.structs.replace(MOTION, alarm="", options=(time,))
    assert "After 7 days the council looks" in str(options.option(time, motion, None, None))
    assert "After 7 days" not in str(options.option(time, MOTION, None, None))


def test_every_plant_that_was_invited_is_listed_with_how_it_answered() -> None:
    rows = (
        InvitedView(plant="mill-1", plant_title="The mill", stated=2),
        InvitedView(plant="mill-2", plant_title="The other mill", away=True),
        InvitedView(plant="mill-3", plant_title="The third"),
    )
    own = StatementView(seat=0, occupant="", stance="answer", text="a seal broke", at=1.0, plant="mill-1", wire=True)
    page = StatementView(seat=0, occupant="", stance="answer", text="we see it", at=1.0, plant="mill-3")
    motion = msgspec.structs.replace(MOTION, invited=rows, statements=(own, page))
    listed = str(agreement.invited(motion))
    assert "over the wire, 2 times" in listed
    assert "has said nothing" in listed
    assert "not on the line" in listed
    assert "at its page" in listed
    assert "signed with the room's key" in listed
    assert "ticket" in str(sheet.statements(motion))
    assert agreement.invited(MOTION) is None

"""Minutes are written from the journal alone, tell what happened, can be verified, and cannot be injected into."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest

from opsroom import commands as ask
from opsroom.council.attribution import Attribution
from opsroom.loop.tick import entry_of
from opsroom.minutes.blocks import Document, Drawn, Heading
from opsroom.minutes.compose import minutes
from opsroom.minutes.gather import NothingToTellError, gather, told_events
from opsroom.minutes.page import page
from opsroom.minutes.writing import compared, written
from opsroom.proof.keys import Keyring
from opsroom.proof.verify_journal import BrokenError
from opsroom.record.carrying import ship_verifier
from opsroom.record.chain import Recorded
from opsroom.record.journal import Journal, read
from opsroom.room import events as happened
from opsroom.room.events import VERSIONS, decode, encode
from opsroom.room.news import EffectReckoned, Evidence, ReceiptCame, StatementCame
from opsroom.showing.sentences import alarm_sentence
from telex_ingest.telex import ReceiptState
from tests.opsroom.play import START, Play, moving, only, seat

HOSTILE = '<script>alert(1)</script><img src=x onerror="x()"> & </p> ]]>'


def evidence(at: float, value: float = 40.0) -> Evidence:
    return Evidence(
        signal="loom-1/output",
        at=at,
        uom="m/h",
        level=40.0,
        verdict={"named": "step", "p": {"step": 0.97}},
        readings=tuple((at - 60.0 * back, value + back % 3, 38.0, 44.0) for back in range(60, -1, -1)),
        forecast=tuple((at + 60.0 * step, 40.0, 37.0, 43.0) for step in range(1, 25)),
        ahead=tuple((at + 60.0 * step, 40.0, 1.0 + 0.05 * step) for step in (1, 2, 4, 8, 16, 32, 64)),
        dof=20.0,
        software="opsroom test",
    )


def told(play: Play) -> None:
    """A motion with words from people who mean ill, an order that is refused, another that is obeyed."""
    play.evidence["loom-1/output"] = evidence(START)
    alarm = play.arrived()
    order = ask.ProposedOrder(plant="loom-1", name="set-speed", parameters={"rpm": 90})
    motion = only(happened.MotionOpened, play.ask(moving(alarm, order, title=HOSTILE), seat(1))).motion
    play.ask(ask.Speak(motion=motion, stance="against", text=f"No. {HOSTILE}"), seat(2))
    play.hear(StatementCame(plant="loom-1", motion=motion, text="The belt is worn."))
    play.vote(motion, ["yes"] * 5 + ["no"] * 2)
    play.ask(ask.StateMinority(motion=motion, text="The belt first."), seat(7))
    first = play.room.motions[motion].orders[0]
    play.hear(
        ReceiptCame(order=first, plant="loom-1", state=ReceiptState.REFUSED, at=play.now, reason="the belt is worn")
    )
    second = only(happened.MotionOpened, play.ask(moving(alarm, order, title="Speed it up"), seat(3))).motion
    play.vote(second, ["yes"] * 7)
    done = play.room.motions[second].orders[0]
    play.hear(ReceiptCame(order=done, plant="loom-1", state=ReceiptState.DONE, at=play.now))
    play.evidence["loom-1/output"] = evidence(play.now + 1200, 50.0)
    play.wait(1200)
    band = tuple((play.now - 1200 + 60.0 * n, 40.0, 38.0, 42.0) for n in range(20))
    found = Attribution(word="told", reason="so", mean=10.0, low=8.0, high=12.0, after=20, dates=4, band=band)
    play.hear(EffectReckoned(motion=second, order=done, signal="loom-1/output", told=found, until=play.now, final=True))


def kept_of(play: Play) -> list[Recorded]:
    """A play's events as its journal would give them back."""
    return [
        Recorded(
            room_id="opsroom-x", event_id=number, kind=kind, version=VERSIONS[kind], actor="", cause="", at=play.now,
            prev="", hash=f"{number:064x}", body=json.loads(raw),
        )
        for number, (kind, raw) in enumerate(play.journal, 1)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    play = Play()
    told(play)
    folder = tmp_path_factory.mktemp("room")
    keys = Keyring.open(folder, "opsroom-x", START)
    book = Journal.open(folder / "journal.sqlite", "opsroom-x", keys.sign_journal)
    for kind, raw in play.journal:
        book.append([entry_of(decode(kind, VERSIONS[kind], raw), "")], judged_up_to=None)
    book.close()
    return folder / "journal.sqlite"


@pytest.fixture(scope="module")
def document(journal: Path) -> Document:
    return written(journal)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def test_minutes_tell_both_motions_the_refusal_with_its_reason_and_the_effect(document: Document) -> None:
    text = page(document)
    for words in (
        "motion-1",
        "motion-2: Speed it up",
        "the plant says refused, because: the belt is worn",
        "ended: refused",
        "ended: obeyed",
        "If nothing is done: likely",
        "as the plant declares it",
        "5 for it, 2 not",
        "In the minority",
        "The belt first.<footer>seat 7, Person 7, ",
        "seat 2, Person 2, seconds it; the first ballot runs until ",
        "raised Output of Loom 1 by about 10 m/h",
        "not an effect, the rest of the world went on too",
        "seat 2, Person 2",
        "Loom 1 itself, over the wire, answer",
        "Concerned, and said nothing: Loom 1.",
    ):
        assert words in text, words
    assert sum(isinstance(block, Drawn) for block in document.blocks) >= 5


def test_an_alarm_is_told_as_it_stood_when_its_motion_was_opened(journal: Path) -> None:
    session = gather(read(journal))
    for matter in session.matters:
        assert matter.then is not None
        assert matter.then.motions[matter.motion].state == "open"
        alarm = matter.opened.alarm
        changed = msgspec.structs.replace(session.room.alarms[alarm], at_unit="loom-2")
        later = msgspec.structs.replace(session.room, alarms=session.room.alarms.set(alarm, changed))
        text = page(minutes(session._replace(room=later)))
        assert html.escape(alarm_sentence(matter.then, matter.then.alarms[alarm])) in text
        assert html.escape(alarm_sentence(later, changed)) not in text
    assert not re.search(r"\d{10}\.\d", page(minutes(session))), "no time is told in epoch seconds"


def test_no_word_of_people_or_plants_becomes_markup_and_nothing_is_fetched(document: Document) -> None:
    text = page(document)
    tags = Tags()
    tags.feed(text)
    assert {tag for tag, _ in tags.seen} <= {
        *("html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "dl", "dt", "dd", "table", "thead"),
        *("tbody", "tr", "th", "td", "blockquote", "footer", "figure", "figcaption", "pre", "script"),
        *("svg", "polyline", "polygon", "circle", "text"),
    }
    scripts = [attrs for tag, attrs in tags.seen if tag == "script"]
    assert scripts == [{"type": "application/json", "id": "opsroom-proofs"}]
    assert not any(name.startswith("on") or name in {"src", "href"} for _, attrs in tags.seen for name in attrs)
    assert not re.search(r"url\(|@import", text)
    assert "&lt;script&gt;alert(1)" in text


def test_a_reader_can_verify_what_the_minutes_tell_and_a_changed_word_is_found(
    document: Document, tmp_path: Path
) -> None:
    program = ship_verifier(tmp_path)
    path = tmp_path / "minutes.html"
    path.write_text(page(document), encoding="utf-8")

    def verify() -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, program, "--proof", path], capture_output=True, text=True, check=False)

    whole = verify()
    assert whole.returncode == 0, whole.stdout
    *proven, about_the_key = whole.stdout.splitlines()
    assert len(proven) == len(document.proofs) > 10
    assert "only a --key tells" in about_the_key
    before, held, proofs = path.read_text(encoding="utf-8").partition('id="opsroom-proofs">')
    path.write_text(before + held + proofs.replace("the belt is worn", "the belt is fine"), encoding="utf-8")
    broken = verify()
    assert broken.returncode == 1
    assert "is not in the journal" in broken.stdout
    assert "not the words printed above" in before, "the page says what the proofs do not cover"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("The belt first.<footer>", "The belt last.<footer>", "The belt last."),
        ("5 for it, 2 not", "7 for it, 0 not", "7 for it"),
        ("<h2>In the record</h2>", "<p>All agreed.</p>\n<h2>In the record</h2>", "All agreed."),
        ("raised Output of Loom 1 by about 10 m/h", "raised Output of Loom 1 by about 90 m/h", "about 90 m/h"),
    ],
)
def test_a_word_that_was_changed_on_the_minutes_is_found_beside_the_journal(
    journal: Path, document: Document, old: str, new: str, said: str
) -> None:
    text = page(document)
    assert "every word is that of the journal" in compared(text.encode(), journal)
    assert old in text
    with pytest.raises(BrokenError, match=r"of the page was changed: it says .*, the journal says") as broken:
        compared(text.replace(old, new, 1).encode(), journal)
    assert said in str(broken.value)


def test_minutes_are_compared_as_of_their_own_head_and_in_their_own_journal(journal: Path, tmp_path: Path) -> None:
    folder = tmp_path / "room"
    shutil.copytree(journal.parent, folder)
    old = page(written(folder / "journal.sqlite", motion="motion-2")).encode()
    keys = Keyring.open(folder, "opsroom-x", START)
    book = Journal.open(folder / "journal.sqlite", "opsroom-x", keys.sign_journal)
    spoken = happened.StatementMade(at=START + 9e5, motion="motion-2", seat=1, stance="for", text="Later.")
    book.append([entry_of(spoken, "")], judged_up_to=None)
    book.close()
    new = page(written(folder / "journal.sqlite", motion="motion-2")).encode()
    assert b"Later." in new
    assert b"Later." not in old
    for kept in (old, new):
        assert "every word" in compared(kept, folder / "journal.sqlite", motion="motion-2")
    with pytest.raises(BrokenError, match="that this journal does not contain"):
        compared(new, journal, motion="motion-2")
    with pytest.raises(BrokenError, match="carries no proofs"):
        compared(old.replace(b"opsroom-proofs", b"nothing"), journal)


def test_one_motion_one_session_or_a_span_can_be_chosen(journal: Path) -> None:
    recorded = list(read(journal))

    def chosen(**asked: Any) -> list[str]:
        return [matter.motion for matter in gather(recorded, **asked).matters]

    assert chosen() == chosen(session=1) == chosen(since=START) == ["motion-1", "motion-2"]
    assert chosen(motion="motion-2") == ["motion-2"]
    for asked in ({"motion": "motion-9"}, {"session": 2}, {"until": START}):
        with pytest.raises(NothingToTellError, match="no motion"):
            chosen(**asked)


def test_a_kind_of_event_that_is_not_known_is_told_in_its_own_words(journal: Path) -> None:
    recorded = list(read(journal))
    last = recorded[-1]
    strange = Recorded(
        room_id=last.room_id, event_id=last.event_id + 1, kind="motion-sung", version=1, actor="seat-1", cause="",
        at=last.at, prev=last.hash, hash="0" * 64, body={"kind": "motion-sung", "motion": "motion-2", "song": "<b>la</b>"},
    )  # fmt: skip
    text = page(minutes(gather([*recorded, strange])))
    assert "motion sung (song: &lt;b&gt;la&lt;/b&gt;)" in text


def test_while_a_motion_is_open_minutes_do_not_open_its_ballots() -> None:
    play = Play()
    motion = play.motion()
    play.vote(motion, ["yes"])
    text = page(minutes(gather(kept_of(play))))
    assert "Ballots so far: 1." in text
    assert "as I see it" not in text


def test_a_rehearsal_is_marked_on_top_and_in_the_title(document: Document) -> None:
    text = page(document._replace(marked="REHEARSAL"))
    assert '<div class="mark">REHEARSAL</div>' in text
    assert "<title>REHEARSAL: Minutes" in text


def test_the_pdf_has_the_same_bytes_each_time_and_carries_text(document: Document) -> None:
    pytest.importorskip("reportlab")
    from opsroom.minutes.sheet import sheet

    once = sheet(document)
    assert once.startswith(b"%PDF-")
    assert once == sheet(document)
    assert len(once) > 20_000
    # A picture that fits below its heading does not wait for the next page.
    short = document._replace(
        blocks=(Heading(2, "Seen"), next(one for one in document.blocks if isinstance(one, Drawn)))
    )
    assert len(re.findall(rb"/Type /Page\b", sheet(short))) == 1


def test_an_old_ballot_of_an_open_motion_is_neither_told_nor_proven() -> None:
    play = Play()
    motion = play.motion()
    ballot = happened.BallotCast(at=play.now, motion=motion, seat=1, choice="yes", reason="my secret")
    events = [*play.journal, ("ballot-cast", encode(ballot))]
    recorded = [
        Recorded(
            room_id="opsroom-x", event_id=number, kind=kind, version=VERSIONS[kind], actor="", cause="", at=play.now,
            prev="", hash=f"{number:064x}", body=json.loads(raw),
        )
        for number, (kind, raw) in enumerate(events, 1)
    ]  # fmt: skip
    found = gather(recorded)
    assert "my secret" not in page(minutes(found))
    assert "ballot-cast" not in {kept.kind for kept in told_events(found.matters[0])}
    closed = recorded[-1].body | {"kind": "motion-closed", "outcome": "lost"}
    closing = Recorded(
        room_id="opsroom-x", event_id=len(events) + 1, kind="motion-closed", version=1, actor="", cause="", at=play.now,
        prev="", hash="f" * 64, body={name: closed[name] for name in ("kind", "at", "motion", "outcome")},
    )  # fmt: skip
    assert "my secret" in page(minutes(gather([*recorded, closing])))


def test_an_amendment_stands_in_words_with_who_wanted_it_and_what_was_carried_is_what_it_made() -> None:
    play = Play()
    motion = play.motion()
    slower = ask.ProposedOption(
        title="Slow it down",
        orders=(ask.ProposedOrder(plant="loom-1", name="set-speed", parameters={"rpm": 70}),),
    )
    play.ask(ask.AmendMotion(motion=motion, option="a", to=slower, reason="90 is too fast"), seat(3))
    play.ask(ask.AnswerAmendment(motion=motion, amendment="amendment-1", aye=False), seat(1))
    for number in (2, 3, 4, 5):
        play.ask(ask.AnswerAmendment(motion=motion, amendment="amendment-1", aye=True), seat(number))
    play.vote(motion, ["yes"] * 5 + ["no", "recuse"])
    text = page(minutes(gather(kept_of(play))))
    for words in (
        "Speed it up · Set the speed at Loom 1: rpm 90",
        "Slow it down · Set the speed at Loom 1: rpm 70",
        "option A, seat 3, Person 3: 90 is too fast",
        "adopted by the seats; wanted by seats: 2, 3, 4, 5; not wanted by seats: 1",
        "Carried: option a, Slow it down.",
        "A was named by 5 of 6 votes; 4 were needed.",
    ):
        assert words in html.unescape(text), words
    assert "amendment answered" not in text

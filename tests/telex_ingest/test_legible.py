"""A plant's words are shown in one line that no terminal obeys, and nobody's id looks like another's."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telex_ingest.heard import PlantBorn, PlantDied, ReceiptCame
from telex_ingest.legible import JOINERS, MOST, legible, legible_birth
from telex_ingest.telex import Death, FromPlant, PlantBirth, Receipt, ReceiptState, moment
from telex_ingest.wire import Subprotocol, decode, encode
from tests.telex_ingest.conftest import birth
from tests.telex_ingest.session_line import Line

EVIL = "Mill \u202e1\x1b[2J\x00\r\nSet-Cookie: a=b"


@given(st.text())
def test_whatever_a_plant_writes_is_one_line_without_commands(text: str) -> None:
    shown = legible(text)
    assert len(shown) <= MOST
    assert all(c.isprintable() or c in JOINERS for c in shown)
    assert legible(shown) == shown
    if text.isprintable() and len(text) <= MOST:
        assert shown == text


def test_a_title_of_a_megabyte_is_cut() -> None:
    assert legible("x" * 1_000_000) == "x" * (MOST - 1) + "\u2026"


def test_a_birth_that_can_be_shown_stays_what_it_is() -> None:
    said = birth(title="Mühle Nº 1")
    assert legible_birth(said) is said


def test_what_a_plant_calls_itself_its_signals_and_its_orders_and_what_it_answers_reaches_nobody_as_a_command() -> None:
    line, plain = Line(), birth()
    evil: PlantBirth = msgspec.structs.replace(
        plain,
        title=EVIL,
        signals=tuple(msgspec.structs.replace(one, title=EVIL, unit=EVIL) for one in plain.signals),
        orders=tuple(msgspec.structs.replace(one, title=EVIL) for one in plain.orders),
    )
    link = line.link()
    [born] = [one for one in line.says(link, births=[evil]) if isinstance(one, PlantBorn)]
    assert born.birth == legible_birth(evil) != evil
    [came, died] = line.says(
        link,
        receipts=[Receipt(order="o-1", plant="mill-1", state=ReceiptState.REFUSED, time=moment(0), reason=EVIL)],
        deaths=[Death(plant="mill-1", reason=EVIL)],
    )
    assert isinstance(came, ReceiptCame)
    assert isinstance(died, PlantDied)
    for said in (born, came, died):
        assert "\\u" not in json.dumps(msgspec.to_builtins(said)).replace("\\u00b7", "")


@pytest.mark.parametrize("subprotocol", list(Subprotocol))
@pytest.mark.parametrize("plant", ["mill-1\n", "m\u0456ll-1", "mill-1\u200b", "\uff4dill-1", "mill-1 ", "Mill-1"])
def test_an_id_that_looks_like_anothers_is_no_id(plant: str, subprotocol: Subprotocol) -> None:
    said = json.loads(encode(FromPlant(births=(birth(),)), Subprotocol.JSON))
    said["births"][0]["plant"] = plant
    frame = json.dumps(said) if subprotocol is Subprotocol.JSON else msgspec.msgpack.encode(said)
    decoded = decode(frame, subprotocol)
    assert (decoded.frame.births, [one.code for one in decoded.refusals]) == ((), ["malformed"])

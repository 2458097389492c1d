"""An order is obeyed on its proof alone: anything altered, old, foreign, unsigned or come twice is refused with its reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from telex_ingest.canonical import CanonicalError
from telex_ingest.proof import CHAIN, Pin, follow, hand_over, name_of, prove, sign, signed, verify
from telex_ingest.telex import FromRoom, Handover, Order, Proof, moment
from telex_ingest.wire import Subprotocol, decode_room, encode
from tests.telex_ingest.strategies import orders

KEYS = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in range(1, 6)]
NAMES = [name_of(key.public_key()) for key in KEYS]
PIN = Pin(room="room-1", key=NAMES[0])
NOW = 1_000.0


def an_order(**more: Any) -> Order:
    members: dict[str, Any] = {
        "id": "room-1-7",
        "room": "room-1",
        "plant": "mill-1",
        "motion": "motion-3",
        "name": "restaff",
        "parameters": {"hours": 4, "share": 0.5, "who": ["late", "night"]},
        "not_before": moment(900_000_000),
        "expires": moment(2_000_000_000),
        "tally": {"yes": 5, "no": 1, "abstain": 0, "recused": 1, "quorum": 4},
    }
    return Order(**members | more)


def handed_over(giver: int, taker: int, **more: Any) -> Handover:
    said = Handover(room="room-1", purpose="orders", old=NAMES[giver], new=NAMES[taker], at=moment(0))
    return hand_over(msgspec.structs.replace(said, **more), KEYS[giver])


def code(order: Order, pin: Pin | None = PIN, seen: frozenset[tuple[str, bool]] = frozenset(), now: float = NOW) -> str:
    refused = verify(order, pin, seen, now)
    if refused is not None:
        assert refused.reason
        assert refused.cure
    return "" if refused is None else refused.code


def test_a_signed_order_in_its_window_is_obeyed() -> None:
    assert code(prove(an_order(), KEYS[0])) == ""


@pytest.mark.parametrize("subprotocol", Subprotocol)
def test_an_order_keeps_its_proof_on_the_wire(subprotocol: Subprotocol) -> None:
    sent = prove(an_order(parameters={"share": 1.0, "tiny": 1e-7, "name": "Göteborg"}), KEYS[0])
    (heard,) = decode_room(encode(FromRoom(orders=(sent,)), subprotocol), subprotocol).orders
    assert code(heard) == ""


@pytest.mark.parametrize(
    "change",
    [
        {"id": "room-1-8"},
        {"plant": "mill-2"},
        {"motion": "motion-4"},
        {"name": "repair"},
        {"parameters": {"hours": 5, "share": 0.5, "who": ["late", "night"]}},
        {"parameters": {}},
        {"tally": {"yes": 7}},
        {"not_before": moment(800_000_000)},
        {"expires": moment(3_000_000_000)},
        {"revoked": True},
    ],
    ids=str,
)
def test_whatever_is_altered_is_refused(change: dict[str, Any]) -> None:
    order = msgspec.structs.replace(prove(an_order(), KEYS[0]), **change)
    assert code(order) == "altered"


@given(orders, orders)
def test_a_signature_fits_one_order_alone(one: Order, other: Order) -> None:
    try:
        mine, others = prove(one, KEYS[0]), prove(other, KEYS[0])
    except CanonicalError:
        return
    assert mine.proof is not None
    assert others.proof is not None
    same = msgspec.structs.replace(one, proof=None) == msgspec.structs.replace(other, proof=None)
    assert same or mine.proof.signature != others.proof.signature


@given(orders)
def test_no_order_of_a_stranger_is_obeyed_and_none_breaks_the_check(order: Order) -> None:
    assert verify(order, PIN, frozenset(), NOW) is not None


def test_an_unsigned_order_is_refused() -> None:
    assert code(an_order()) == "unsigned"


def test_a_plant_that_pinned_nothing_obeys_nobody() -> None:
    assert code(prove(an_order(), KEYS[0]), pin=None) == "unpinned"


def test_an_order_of_another_room_or_key_is_foreign() -> None:
    assert code(prove(an_order(room="room-2"), KEYS[0])) == "foreign"
    assert code(prove(an_order(), KEYS[1])) == "foreign"


def test_an_order_for_a_plant_that_is_not_here_is_foreign() -> None:
    refused = verify(prove(an_order(), KEYS[0]), PIN, frozenset(), NOW, plants={"mill-9"})
    assert refused is not None
    assert refused.code == "foreign"


@pytest.mark.parametrize(
    ("now", "expected"),
    [(800.0, "not-yet-valid"), (896.0, ""), (900.0, ""), (1_999.9, ""), (2_000.0, "expired"), (1e9, "expired")],
)
def test_an_order_is_obeyed_in_its_window_alone(now: float, expected: str) -> None:
    assert code(prove(an_order(), KEYS[0]), now=now) == expected


def test_a_revocation_is_heard_after_the_window_too() -> None:
    assert code(prove(an_order(revoked=True), KEYS[0]), now=3_000.0) == ""


def test_an_order_that_came_before_is_refused() -> None:
    order = prove(an_order(), KEYS[0])
    assert code(order, seen=frozenset({(order.id, False)})) == "replayed"
    assert code(order, seen=frozenset({(order.id, True)})) == "replayed", "one that was revoked does not come back"
    revoked = prove(an_order(revoked=True), KEYS[0])
    assert code(revoked, seen=frozenset({(order.id, False)})) == ""


def test_a_plant_follows_the_keys_that_hand_over() -> None:
    chain = (handed_over(0, 1), handed_over(1, 2))
    assert code(prove(an_order(), KEYS[2], chain)) == ""
    pin = follow(PIN, chain)
    assert (pin.key, pin.retired) == (NAMES[2], (NAMES[0], NAMES[1]))
    assert follow(pin, chain) == pin


def test_a_key_that_has_handed_over_signs_nothing_any_more() -> None:
    pin = follow(PIN, (handed_over(0, 1),))
    assert code(prove(an_order(), KEYS[0]), pin) == "retired"
    assert code(prove(an_order(), KEYS[3], (handed_over(0, 3),)), pin) == "foreign", "a thief of the old key forks it"


@pytest.mark.parametrize(
    "forged",
    [
        msgspec.structs.replace(handed_over(0, 1), new=NAMES[2]),
        msgspec.structs.replace(handed_over(2, 1), old=NAMES[0]),
        msgspec.structs.replace(handed_over(0, 1), signature=""),
        handed_over(0, 1, room="room-2"),
        handed_over(0, 1, purpose="journal"),
        handed_over(0, 1, new="no key"),
    ],
    ids=lambda forged: f"{forged.room}-{forged.purpose}-{forged.new[:6]}",
)
def test_a_handover_that_the_pinned_key_did_not_sign_changes_nothing(forged: Handover) -> None:
    assert follow(PIN, (forged,)) == PIN
    assert code(prove(an_order(), KEYS[1], (forged,))) == "foreign"


def test_a_chain_without_end_is_not_followed_for_ever() -> None:
    assert follow(PIN, [handed_over(2, 3)] * CHAIN + [handed_over(0, 1)]) == PIN


def test_a_chain_in_a_circle_ends() -> None:
    pin = follow(PIN, (handed_over(0, 1), handed_over(1, 0), handed_over(0, 2)))
    assert pin.key == NAMES[1]


@given(st.text(max_size=90), st.binary(max_size=40), st.text(max_size=90))
def test_what_is_no_key_or_no_signature_signs_nothing(key: str, said: bytes, signature: str) -> None:
    assert not signed(key, said, signature)
    assert not signed(NAMES[0], said, signature)


def test_a_signature_has_one_spelling() -> None:
    good = sign(KEYS[0], b"said")
    assert signed(NAMES[0], b"said", good)
    assert not any(signed(NAMES[0], b"said", other) for other in (good + "=", f" {good}", good[:-1] + "_", good + "AA"))


def test_huge_numbers_are_refused_when_they_are_signed_not_misread_when_they_are_obeyed() -> None:
    with pytest.raises(CanonicalError):
        prove(an_order(parameters={"count": 2**60}), KEYS[0])
    smuggled = an_order(parameters={"count": 2**60}, proof=Proof(key=NAMES[0], signature="A" * 86))
    assert code(smuggled) == "altered"


def test_an_order_long_after_its_window_says_how_long_ago() -> None:
    order = prove(an_order(expires=moment(900_000_000) + timedelta(seconds=60)), KEYS[0])
    refused = verify(order, PIN, frozenset(), NOW)
    assert refused is not None
    assert "40 s ago" in refused.reason

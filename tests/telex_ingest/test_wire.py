"""Frames in both writings: what is encoded comes back, and nothing else than a telex or a WireError comes out of any bytes."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from telex_ingest.refusals import GROUNDS, WireError
from telex_ingest.salvage import MISTAKES, SAID
from telex_ingest.telex import FromPlant, FromRoom, Quality, Reading, Telex, moment
from telex_ingest.wire import Decoded, Subprotocol, decode, decode_room, encode
from tests.telex_ingest.strategies import plant_frames, room_frames

both = pytest.mark.parametrize("subprotocol", list(Subprotocol))
GOOD = {"plant": "mill-1", "seq": 1, "time": "1972-11-01T08:00:00Z", "readings": [[1, 17.5]]}


def telexed(*telexes: object) -> Decoded:
    return decode(json.dumps({"telexes": telexes}))


@both
@given(frame=plant_frames)
@settings(max_examples=25, deadline=None)
def test_what_a_plant_encodes_comes_back(subprotocol: Subprotocol, frame: FromPlant) -> None:
    assert decode(encode(frame, subprotocol), subprotocol) == Decoded(frame)


@both
@given(frame=room_frames)
@settings(max_examples=25, deadline=None)
def test_what_a_room_encodes_comes_back(subprotocol: Subprotocol, frame: FromRoom) -> None:
    assert decode_room(encode(frame, subprotocol), subprotocol) == frame


shapes = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["mill-1", "1972-11-01T08:00:00Z"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "hello",
                    "births",
                    "telexes",
                    "receipts",
                    "plant",
                    "seq",
                    "epoch",
                    "time",
                    "readings",
                    "signals",
                    "kind",
                    "x",
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


def is_a_frame_or_a_wire_error(frame: str | bytes, subprotocol: Subprotocol) -> None:
    for end in (decode, decode_room):
        try:
            decoded: Decoded | FromRoom | WireError = end(frame, subprotocol)
        except WireError as error:
            decoded = error
        if isinstance(decoded, WireError):
            assert decoded.code in GROUNDS
            encode(FromRoom(refusals=(decoded.refusal(),)))
        elif isinstance(decoded, Decoded):
            assert isinstance(decoded.frame, FromPlant)
            encode(FromRoom(refusals=decoded.refusals))
        else:
            assert isinstance(decoded, FromRoom)


@both
@given(frame=st.binary(max_size=300))
@example(b"[" * 5000)
@example(b"\x91" * 5000)
@example(b'{"telexes": [' + b"9" * 5000 + b"]}")
@example(b'{"hello": {"link": "\\ud800", "token": "\\udfff"}}')
@example(b"\x81\x90\x01")
@settings(max_examples=150, deadline=None)
def test_any_bytes_give_a_frame_or_a_wire_error(subprotocol: Subprotocol, frame: bytes) -> None:
    is_a_frame_or_a_wire_error(frame, subprotocol)


@given(shape=shapes)
@settings(max_examples=100, deadline=None)
def test_any_json_gives_a_frame_or_a_wire_error(shape: object) -> None:
    is_a_frame_or_a_wire_error(json.dumps(shape), Subprotocol.JSON)


@given(shape=shapes)
@settings(max_examples=80, deadline=None)
def test_any_messagepack_gives_a_frame_or_a_wire_error(shape: object) -> None:
    try:
        packed = msgspec.msgpack.encode(shape)
    except (OverflowError, ValueError):
        return
    is_a_frame_or_a_wire_error(packed, Subprotocol.MSGPACK)


@both
@given(frame=plant_frames, data=st.data())
@settings(max_examples=25, deadline=None)
def test_a_damaged_frame_gives_a_frame_or_a_wire_error(
    subprotocol: Subprotocol, frame: FromPlant, data: st.DataObject
) -> None:
    written = encode(frame, subprotocol)
    raw = bytearray(written.encode() if isinstance(written, str) else written)
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] = data.draw(st.integers(0, 255))
    is_a_frame_or_a_wire_error(bytes(raw[: data.draw(st.integers(1, len(raw)))]), subprotocol)


def test_a_good_reading_is_two_figures_on_the_wire() -> None:
    frame = FromPlant(
        telexes=(
            Telex(plant="mill-1", seq=1, time=moment(0), readings=(Reading(1, 2.5), Reading(2, None, Quality.BAD))),
        )
    )
    written = encode(frame)
    assert '"readings":[[1,2.5],[2,null,"bad"]]' in written


def test_one_bad_telex_does_not_lose_the_good_ones_beside_it() -> None:
    decoded = telexed(GOOD, {**GOOD, "seq": 2, "time": "yesterday"}, {**GOOD, "seq": 3}, {"seq": 4}, 5)
    assert [telex.seq for telex in decoded.frame.telexes] == [1, 3]
    assert [(one.code, one.plant, one.seq) for one in decoded.refusals] == [
        ("malformed", "mill-1", 2),
        ("malformed", "", None),
        ("malformed", "", None),
    ]
    assert decoded.spent == (("mill-1", 1, 2),)
    assert all(refused.cure for refused in decoded.refusals)


def test_one_bad_reading_does_not_lose_its_telex() -> None:
    decoded = telexed(
        {**GOOD, "readings": [[1, 1.5], [2, "high"], [3], [4, None], [5, 5.0, "doubtful"], [6, 6, "bad"]]}
    )
    assert decoded.frame.telexes[0].readings == (Reading(1, 1.5), Reading(4, None), Reading(6, 6.0, Quality.BAD))
    assert [refused.code for refused in decoded.refusals] == ["bad-reading"] * 3
    assert decoded.spent == ()


@both
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_value_that_is_not_finite_is_missing_and_said(subprotocol: Subprotocol, value: float) -> None:
    telex = {**GOOD, "readings": [[1, value], [2, 1.0]]}
    packed = subprotocol is Subprotocol.MSGPACK
    written = msgspec.msgpack.encode({"telexes": [telex]}) if packed else json.dumps({"telexes": [telex]})
    decoded = decode(written, subprotocol)
    assert decoded.frame.telexes[0].readings == (Reading(1, None, Quality.BAD), Reading(2, 1.0))
    assert [refused.code for refused in decoded.refusals] == ["not-finite"]


def test_a_number_that_only_looks_infinite_in_its_bytes_is_taken_as_it_is() -> None:
    frame = FromPlant(telexes=(Telex(plant="mill-1", seq=0xCB7FF0, time=moment(0), readings=(Reading(1, 1.0),)),))
    assert decode(encode(frame, Subprotocol.MSGPACK), Subprotocol.MSGPACK) == Decoded(frame)


@pytest.mark.parametrize(
    ("frame", "named"),
    [
        ({"telexes": [GOOD], "telex": []}, "'telex' in the frame"),
        ({"telexes": [{**GOOD, "reading": []}]}, "'reading' in telexes[0]"),
        ({"hello": {"link": "a", "tokn": "b"}}, "'tokn' in hello"),
        (
            {"births": [{"plant": "a", "signals": [{"id": 1, "name": "b", "unit": "t", "period_s": 1, "lo": 1}]}]},
            "'lo' in births[0].signals[0]",
        ),
    ],
)
def test_a_misspelt_member_is_named_and_the_rest_is_taken(frame: dict[str, object], named: str) -> None:
    decoded = decode(json.dumps(frame))
    assert [refused.code for refused in decoded.refusals] == ["unknown-member"]
    assert named in decoded.refusals[0].reason
    assert decoded.frame != FromPlant()


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("", "unreadable"),
        ("{", "unreadable"),
        ("[]", "unreadable"),
        ("17", "unreadable"),
        ("{}", "empty"),
        ('{"telex": []}', "empty"),
        (b"\xff\xfe", "unreadable"),
    ],
)
def test_a_frame_that_is_none_is_refused_with_a_cure(frame: str | bytes, code: str) -> None:
    with pytest.raises(WireError) as caught:
        decode(frame)
    assert caught.value.code == code
    assert caught.value.cure in str(caught.value)
    assert caught.value.refusal().code == code


def test_the_work_of_a_hostile_frame_is_bounded() -> None:
    decoded = decode(json.dumps({"telexes": [GOOD, *[0] * 100_000]}))
    assert [telex.seq for telex in decoded.frame.telexes] == [1]
    assert len(decoded.refusals) == SAID + 1
    assert decoded.refusals[-1].code == "too-many-mistakes"
    assert decoded.unsaid == MISTAKES - SAID


HALF = "\ud800"


@pytest.mark.parametrize(
    ("member", "part"),
    [
        (
            "births",
            {
                "plant": "mill-1",
                "signals": [{"id": 1, "name": "output", "unit": "kg", "period_s": 60}],
                "orders": [{"name": "service", "title": "Service", "parameters": {"type": "object", "title": HALF}}],
            },
        ),
        ("receipts", {"plant": "mill-1", "order": HALF, "state": "done", "time": "1972-11-01T08:00:00Z"}),
        ("calls", {"plant": "mill-1", "alarm": "a", "call": "refuse", "reason": f"we {HALF} cannot"}),
        ("statements", {"plant": "mill-1", "motion": "m", "text": HALF}),
        ("deaths", {"plant": "mill-1", "reason": HALF}),
        ("sheets", {"plants": [HALF], "signals": [1], "seqs": "", "times": "", "values": ""}),
        ("hello", {"link": "link-1", "token": HALF}),
    ],
)
def test_a_part_with_half_a_character_is_refused_since_nobody_could_write_it_down(member: str, part: object) -> None:
    decoded = decode(json.dumps({"telexes": [GOOD], member: part if member == "hello" else [part]}))
    assert [telex.seq for telex in decoded.frame.telexes] == [1]
    assert [refused.code for refused in decoded.refusals] == ["malformed"]
    assert "half a character" in decoded.refusals[0].reason
    assert decode(encode(decoded.frame)) == Decoded(decoded.frame)


def test_a_text_frame_is_json_under_either_subprotocol() -> None:
    written = json.dumps({"telexes": [GOOD]})
    assert decode(written, Subprotocol.MSGPACK) == decode(written) == decode(written.encode())


def test_what_cannot_be_written_is_a_wire_error() -> None:
    with pytest.raises(WireError):
        encode(FromRoom(refusals=(WireError("empty", "frame", "\ud800").refusal(),)))


@both
@pytest.mark.parametrize("time", ["1871-12-31T00:00:00Z", "1969-12-31T23:59:59.999999-05:00"])
def test_times_before_1970_are_times(subprotocol: Subprotocol, time: str) -> None:
    telex = telexed({**GOOD, "time": time}).frame.telexes[0]
    frame = FromPlant(telexes=(telex,))
    assert decode(encode(frame, subprotocol), subprotocol).frame.telexes[0].source_us == telex.source_us < 1e11

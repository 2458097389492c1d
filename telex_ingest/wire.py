"""Encode and decode frames: JSON text and MessagePack. Pure; the only error that leaves this module is `WireError`.

A frame in good order is decoded in one typed pass. Only when that fails is it read loosely, part by part (`salvage.py`), so that
one bad telex never loses the good ones beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import cast

import msgspec

from telex_ingest.refusals import WireError, show
from telex_ingest.salvage import UNDECODABLE, Decoded, salvage
from telex_ingest.telex import FromPlant, FromRoom, Quality, Reading, Telex

__all__ = ["Decoded", "Subprotocol", "WireError", "decode", "decode_room", "encode", "encode_acks"]


class Subprotocol(StrEnum):
    """How frames are written; the name that the websocket handshake agrees on."""

    JSON = "telex.v1.json"
    MSGPACK = "telex.v1.msgpack"

    @classmethod
    def agree(cls, offered: list[str]) -> tuple[Subprotocol, str | None] | None:
        """Choose the first offered name that is known, and the name to answer with; no offer at all means JSON.

        >>> Subprotocol.agree(["telex.v9", "telex.v1"])
        (<Subprotocol.JSON: 'telex.v1.json'>, 'telex.v1')
        """
        if not offered:
            return cls.JSON, None
        for name in offered:
            if name in ("telex.v1", cls.JSON):
                return cls.JSON, name
            if name == cls.MSGPACK:
                return cls.MSGPACK, name
        return None


_json_from_plant = msgspec.json.Decoder(FromPlant)
_pack_from_plant = msgspec.msgpack.Decoder(FromPlant)
_json_from_room = msgspec.json.Decoder(FromRoom)
_pack_from_room = msgspec.msgpack.Decoder(FromRoom)
_json_encoder = msgspec.json.Encoder()
_encode_json = _json_encoder.encode
_pack_encoder = msgspec.msgpack.Encoder()

# A MessagePack float64 (cb) or float32 (ca) whose exponent is all ones. It may hit by chance inside other bytes: then the loose
# reading, which looks at every value, gives the same telexes a little later.
_perhaps_not_finite = re.compile(rb"\xcb[\x7f\xff][\xf0-\xff]|\xca[\x7f\xff][\x80-\xff]").search


def decode(frame: str | bytes, subprotocol: Subprotocol = Subprotocol.JSON) -> Decoded:
    """Decode a frame of a link: its good parts and the refusals of the others. A text frame is always JSON.

    Raises `WireError` when the frame as a whole cannot be read.

    >>> telex = '{"plant": "mill-1", "seq": 1, "time": "1972-11-01T08:00:00Z", "readings": [[1, 17.5]]}'
    >>> decode(f'{{"telexes": [{telex}]}}').frame.telexes[0].readings[0].value
    17.5
    """
    packed = subprotocol is Subprotocol.MSGPACK and not isinstance(frame, str)
    try:
        said = _pack_from_plant.decode(cast(bytes, frame)) if packed else _json_from_plant.decode(frame)
    except UNDECODABLE:
        return salvage(frame, packed=packed)
    if not (said.hello or said.births or said.receipts or said.calls or said.statements or said.deaths or said.spools):
        if said.telexes:
            if packed and _perhaps_not_finite(cast(bytes, frame)):
                return salvage(frame, packed=packed)
            return Decoded(said)
        if said.sheets:  # their values are bytes, in which NaN is a missing reading
            return Decoded(said)
    # The rare frames can afford a second look, for misspelt members that the typed pass lets through.
    return salvage(frame, packed=packed)


def decode_room(frame: str | bytes, subprotocol: Subprotocol = Subprotocol.JSON) -> FromRoom:
    """Decode a frame of the room; members that this version does not know are ignored. Raises `WireError`."""
    try:
        if subprotocol is Subprotocol.MSGPACK and not isinstance(frame, str):
            return _pack_from_room.decode(frame)
        return _json_from_room.decode(frame)
    except UNDECODABLE as error:
        raise WireError("unreadable", "frame of the room", show(error)) from error


def encode(frame: FromPlant | FromRoom, subprotocol: Subprotocol = Subprotocol.JSON) -> str | bytes:
    """Encode a frame: `str` for JSON (a text frame), `bytes` for MessagePack.

    Raises `WireError` for what cannot be written.
    """
    if isinstance(frame, FromPlant) and frame.telexes:
        frame = msgspec.structs.replace(frame, telexes=tuple([_shortened(telex) for telex in frame.telexes]))
    try:
        if subprotocol is Subprotocol.MSGPACK:
            return _pack_encoder.encode(frame)
        return _json_encoder.encode(frame).decode()
    except UNDECODABLE as error:
        raise WireError("malformed", "frame to send", show(error)) from error


def encode_acks(acks: Mapping[str, tuple[int, int]]) -> bytes:
    """Encode the JSON frame that says nothing but how far plants are durable, as `encode` writes it.

    Raises `WireError` for what cannot be written.

    >>> encode_acks({"mill-1": (1, 7)})
    b'{"acks":[{"plant":"mill-1","epoch":1,"seq":7}]}'
    """
    said = [{"plant": plant, "epoch": epoch, "seq": seq} for plant, (epoch, seq) in acks.items()]
    try:
        return _encode_json({"acks": said})
    except UNDECODABLE as error:
        raise WireError("malformed", "frame to send", show(error)) from error


def _shortened(telex: Telex) -> Telex:
    """Leave out the quality of good readings."""
    short = tuple([reading[:2] if reading[2] is Quality.GOOD else reading for reading in telex.readings])
    return msgspec.structs.replace(telex, readings=cast(tuple[Reading, ...], short))

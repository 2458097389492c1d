"""Frames that come together are taken off the socket as the library would take them one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from telex_ingest.mailbag import openings

MOST = 300


def masked(opcode: Opcode, payload: bytes, *, whole: bool = True) -> bytes:
    return Frame(opcode, payload, fin=whole).serialize(mask=True)


@given(
    st.lists(st.binary(max_size=400), max_size=8),
    st.sampled_from(
        [
            b"",
            masked(Opcode.PING, b"p"),
            masked(Opcode.BINARY, b"b"),
            masked(Opcode.TEXT, b"part", whole=False),
            b"\x81\x04open",
        ]
    ),
    st.integers(0, 12),
)
def test_whole_text_frames_are_taken_up_to_the_first_that_is_something_else(
    texts: list[bytes], other: bytes, lacking: int
) -> None:
    frames = [masked(Opcode.TEXT, text) for text in texts]
    sent = b"".join(frames) + other + b"".join(frames)
    sent = sent[: len(sent) - lacking]
    payload, sizes, _, _, rests, _ = openings(sent, np.array([0, len(sent)]), np.array([MOST]))
    told: list[bytes] = []
    come = 0
    for text, frame in zip(texts if other else texts * 2, frames if other else frames * 2, strict=True):
        come += len(frame)
        if len(text) > MOST or come > len(sent):
            break
        told.append(text)
    assert sizes.tolist() == [len(text) for text in told]
    assert payload.tobytes() == b"".join(told)
    assert int(rests[0]) == sum(len(frame) for frame in (frames * 2)[: len(told)])

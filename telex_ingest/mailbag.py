"""What came off many websockets and waits to be opened together: text frames are found and unmasked in one compiled pass. Pure.

A websocket puts its bytes in as they come. Taking each frame by itself would cost most of what a telex costs; together they
cost the pass, and a little for each websocket.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from telex_ingest.compiled import compiled

TEXT = 0x81
"""How a whole frame of text begins."""

FULL = 1 << 19
"""From so many bytes on the bag is not let wait."""

LOOK = 1 << 21
"""So many bytes are fetched at one look at most, and what one websocket has lying there: the others lead the next look."""


class Sender(Protocol):
    """A websocket whose bytes wait in a bag."""

    def held(self) -> tuple[list[bytes], list[float], int]:
        """What waits of it in pieces, when each came, and how large a frame may be."""
        ...

    def opened(self, texts: bytes, sizes: list[int], ats: list[float], held: bytes, rest: int) -> None:
        """Its whole text frames one behind the other, their sizes and times; `held` is all of it, taken as far as `rest`."""
        ...

    def fetch(self) -> bool:
        """Take what lies in its socket; False when it is to be asked no more, and says by itself when something comes."""
        ...


class Mailbag:
    """The bytes of many websockets, in the order in which each sent them."""

    def __init__(self, now: Callable[[], float], soon: Callable[[bool], None]) -> None:
        """`now` is the room's clock; `soon` is told when the first bytes wait, and (True) when there are too many."""
        self.now, self._soon = now, soon
        self._senders: list[Sender] = []
        self._bytes = self._fetched = 0
        self._round: list[Sender] = []
        self._emptying = False
        warm()

    @property
    def waits(self) -> bool:
        """Whether something came while the bag was emptied."""
        return bool(self._senders)

    @property
    def goes_round(self) -> bool:
        """Whether there are websockets that must be asked for what came."""
        return bool(self._round)

    def ask(self, sender: Sender) -> None:
        """Ask a websocket for what came whenever the bag is emptied: waking up for each of its words would cost more."""
        self._round.append(sender)

    def put(self, sender: Sender, size: int, first: bool) -> None:
        """Note that so many bytes more of a websocket wait, the first of it or not."""
        if first:
            self._senders.append(sender)
        self._bytes += size
        self._fetched += size
        if not self._emptying and (self._bytes >= FULL or len(self._senders) == 1):
            self._soon(self._bytes >= FULL)

    def empty(self) -> None:
        """Ask who must be asked, and open everything; nothing, while it does so already: bytes must not overtake each other."""
        if self._emptying:
            return
        self._emptying = True
        try:
            self._fetch()
            self._open()
        finally:
            self._emptying = False

    def _fetch(self) -> None:
        asked, self._round, self._fetched = iter(self._round), [], 0
        again: list[Sender] = []
        try:
            for sender in asked:
                if sender.fetch():
                    again.append(sender)
                if self._bytes >= FULL:
                    self._open()
                if self._fetched >= LOOK:
                    break
        finally:  # the defect of one is not the silence of those behind it
            self._round = [*asked, *self._round, *again]

    def _open(self) -> None:
        senders, self._senders, self._bytes = self._senders, [], 0
        if not senders:
            return
        pieces: list[bytes] = []
        ats: list[float] = []
        counts, most = [0], []
        for sender in senders:
            some, times, bound = sender.held()
            pieces += some
            ats += times
            counts.append(len(pieces))
            most.append(bound)
        whole = b"".join(pieces)
        piece_ends = np.cumsum([0, *map(len, pieces)])
        spans = piece_ends[counts]
        payload, sizes, ends, found, rests, texts = openings(whole, spans, np.array(most, np.int64))
        came = np.array(ats)[np.searchsorted(piece_ends[1:], ends)].tolist()
        said, starts, sized = payload.tobytes(), spans.tolist(), sizes.tolist()
        frame = at = 0
        for k, (sender, many, rest, size) in enumerate(
            zip(senders, found.tolist(), rests.tolist(), texts.tolist(), strict=True)
        ):
            sender.opened(
                said[at : at + size],
                sized[frame : frame + many],
                came[frame : frame + many],
                whole[starts[k] : starts[k + 1]],
                rest,
            )
            frame, at = frame + many, at + size


def openings(whole: bytes, spans: Any, most: Any) -> tuple[Any, Any, Any, Any, Any, Any]:
    """Take whole text frames off the front of each span, up to the first that is something else.

    Gives their payload, the size of each, where each ends in `whole`; for each span how many, how many bytes of it they were
    and how many bytes of payload they had. `spans` (k + 1,) are the bounds, `most` (k,) how large a frame may be.
    """
    data, k = np.frombuffer(whole, np.uint8), len(spans) - 1
    payload = np.empty(len(whole), np.uint8)
    sizes, ends = np.empty(len(whole) // 6 + 1, np.int64), np.empty(len(whole) // 6 + 1, np.int64)
    found, rests, texts = np.zeros(k, np.int64), np.zeros(k, np.int64), np.zeros(k, np.int64)
    frames, size = _open(data, spans, most, payload, sizes, ends, found, rests, texts)
    return payload[:size], sizes[:frames], ends[:frames], found, rests, texts


def warm() -> None:
    """Compile, or load what was compiled, before the first frame comes."""
    openings(b"\x81\x80\x00\x00\x00\x00", np.array([0, 6]), np.array([1]))


@compiled
def _open(
    data: Any, spans: Any, most: Any, payload: Any, sizes: Any, ends: Any, found: Any, rests: Any, texts: Any
) -> tuple[int, int]:
    """Fill the columns; tells how many frames there are and how many bytes of payload."""
    frames = to = 0
    size: Any
    for k in range(len(spans) - 1):
        at, stop, begun = spans[k], spans[k + 1], to
        while stop - at >= 6 and data[at] == TEXT and data[at + 1] & 0x80:
            size, start = np.int64(data[at + 1] & 0x7F), at + 6
            if size == 126:
                size, start = np.int64(data[at + 2]) << 8 | np.int64(data[at + 3]), at + 8
            elif size == 127:
                break  # so long a frame is not worth company
            if size > most[k] or start + size > stop:
                break
            for byte in range(size):
                payload[to + byte] = data[start + byte] ^ data[start - 4 + (byte & 3)]
            at, to = start + size, to + size
            sizes[frames], ends[frames] = size, at
            frames += 1
            found[k] += 1
        rests[k], texts[k] = at - spans[k], to - begun
    return frames, to

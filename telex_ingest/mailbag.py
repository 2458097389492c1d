"""What came off many websockets and waits to be opened together: text frames are found and unmasked in one compiled pass. Pure.

A websocket puts its bytes in as they come. Taking each frame by itself would cost most of what a telex costs; together they
cost the pass, and a little for each websocket.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np

from telex_ingest.compiled import compiled
from telex_ingest.sockets import read_all

TEXT = 0x81
"""How a whole frame of text begins."""

FULL = 1 << 19
"""From so many bytes on the bag is not let wait."""

LOOK = 1 << 21
"""So many bytes are fetched at one look at most, and what one websocket has lying there: the others lead the next look."""


AT_ONCE = 1 << 16
"""So many bytes are taken from a socket at once."""

RUN = 1024
"""So many sockets are read together at most."""


class Sender(Protocol):
    """A websocket whose bytes wait in a bag."""

    def held(self) -> tuple[list[bytes], list[float], int]:
        """What waits of it in pieces, when each came, and how large a frame may be."""
        ...

    def opened(self, texts: bytes, sizes: list[int], ats: list[float]) -> bool:
        """Take its whole text frames one behind the other, their sizes and times; False: they shall come one by one."""
        ...

    def take(self, held: bytes) -> None:
        """Take frame by frame what it sent."""
        ...

    def fail(self, error: Exception) -> None:
        """End: what it sent met a defect."""
        ...

    def plain(self) -> bool:
        """Whether its socket may be read with those of others: it listens, nothing of it waits, nothing has begun."""
        ...

    def fetch(self) -> bool:
        """Take what lies in its socket; False when it is to be asked no more, and says by itself when something comes."""
        ...


class _Asked(NamedTuple):
    """A websocket that is asked for what came, its socket as the system numbers it, and how large a frame may be."""

    sender: Sender
    number: int
    most: int


class Mailbag:
    """The bytes of many websockets, in the order in which each sent them."""

    def __init__(self, now: Callable[[], float], soon: Callable[[bool], None]) -> None:
        """`now` is the room's clock; `soon` is told when the first bytes wait, and (True) when there are too many."""
        self.now, self._soon = now, soon
        self._senders: list[Sender] = []
        self._bytes = self._fetched = 0
        self._round: list[_Asked] = []
        self._emptying = False
        self._into, self._scratch = np.empty(FULL + AT_ONCE, np.uint8), _scratch(FULL + AT_ONCE)
        """What is read of all, and what it says: the same memory at every look, for the system gives out other page by page."""
        warm()

    @property
    def waits(self) -> bool:
        """Whether something came while the bag was emptied."""
        return bool(self._senders)

    @property
    def goes_round(self) -> bool:
        """Whether there are websockets that must be asked for what came."""
        return bool(self._round)

    def ask(self, sender: Sender, number: int, most: int) -> None:
        """Ask a websocket for what came whenever the bag is emptied: waking up for each of its words would cost more.

        `number` is the system's of its socket, `most` how large a frame may be.
        """
        self._round.append(_Asked(sender, number, most))

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
        asked, self._round, self._fetched = self._round, [], 0
        odd, again = deque[_Asked](), list[_Asked]()
        try:
            while (odd or asked) and self._fetched < LOOK:
                if odd:
                    one = odd.popleft()
                    if one.sender.fetch():
                        again.append(one)
                    if self._bytes >= FULL:
                        self._open()
                else:
                    heard, odd, asked = self._read(asked)
                    again += heard
        finally:  # the defect of one is not the silence of those behind it
            self._round = [*odd, *asked, *self._round, *again]

    def _read(self, asked: list[_Asked]) -> tuple[list[_Asked], deque[_Asked], list[_Asked]]:
        """Read the first of those together and hand on what they sent.

        Tells those that were heard, those that must be asked by themselves, because of what they are or because no more or not
        all came, and those behind.
        """
        some = asked[:RUN]
        numbers = np.array([one.number if one.sender.plain() else -1 for one in some], np.int64)
        came = np.empty(len(some), np.int64)
        met, size = read_all(numbers, self._into, AT_ONCE, min(FULL, LOOK - self._fetched), came)
        self._fetched += size
        met_sizes: list[int] = came[:met].tolist()
        sizes = [size for size in met_sizes if size > 0]
        if len(sizes) == met and max(sizes) < AT_ONCE:
            sent = heard = some[:met]
            odd = deque[_Asked]()
        else:
            sent = [one for one, size in zip(some, met_sizes, strict=False) if size > 0]
            heard = [one for one, size in zip(some, met_sizes, strict=False) if 0 < size < AT_ONCE]
            odd = deque([one for one, size in zip(some, met_sizes, strict=False) if not 0 < size < AT_ONCE])
        if sent:
            spans = np.cumsum([0, *sizes])
            opened = openings(self._into[:size], spans, np.array([one.most for one in sent], np.int64), self._scratch)
            ats = [self.now()] * len(opened[1])
            _hand_on([one.sender for one in sent], self._into.data, spans, opened, ats)
        return heard, odd, asked[met:]

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
        opened = openings(whole, spans, np.array(most, np.int64))
        came = np.array(ats)[np.searchsorted(piece_ends[1:], opened[2])].tolist()
        _hand_on(senders, memoryview(whole), spans, opened, came)


def _hand_on(senders: list[Sender], whole: memoryview, spans: Any, opened: tuple[Any, ...], ats: list[float]) -> None:
    """Give each sender the text frames of its span, together if it takes them so, and the rest of it."""
    payload, sizes, _, found, rests, texts = opened
    said, bounds, sized = payload.tobytes(), spans.tolist(), sizes.tolist()
    frame = at = 0
    for sender, (begins, ends), many, rest, size in zip(
        senders, pairwise(bounds), found.tolist(), rests.tolist(), texts.tolist(), strict=True
    ):
        behind, to = frame + many, at + size
        try:
            if many and sender.opened(said[at:to], sized[frame:behind], ats[frame:behind]):
                begins += rest
            if begins < ends:
                sender.take(bytes(whole[begins:ends]))
        except Exception as error:  # what one line meets ends that line alone, as it does where the event loop reads
            sender.fail(error)
        frame, at = behind, to


def openings(whole: Any, spans: Any, most: Any, scratch: tuple[Any, Any, Any] | None = None) -> tuple[Any, ...]:
    """Take whole text frames off the front of each span, up to the first that is something else.

    Gives their payload, the size of each, where each ends in `whole`; for each span how many, how many bytes of it they were
    and how many bytes of payload they had. `spans` (k + 1,) are the bounds, `most` (k,) how large a frame may be; the first three
    lie in `scratch` where there is some.
    """
    data, k = np.frombuffer(whole, np.uint8), len(spans) - 1
    payload, sizes, ends = scratch or _scratch(len(data))
    found, rests, texts = np.zeros(k, np.int64), np.zeros(k, np.int64), np.zeros(k, np.int64)
    frames, size = _open(data, spans, most, payload, sizes, ends, found, rests, texts)
    return payload[:size], sizes[:frames], ends[:frames], found, rests, texts


def _scratch(size: int) -> tuple[Any, Any, Any]:
    """Memory for what so many bytes say, and for the sizes and ends of their frames."""
    return np.empty(size, np.uint8), np.empty(size // 6 + 1, np.int64), np.empty(size // 6 + 1, np.int64)


def warm() -> None:
    """Compile, or load what was compiled, before the first frame comes."""
    read_all(np.array([-1]), np.empty(1, np.uint8), 1, 1, np.empty(1, np.int64))
    openings(b"\x81\x80\x00\x00\x00\x00", np.array([0, 6]), np.array([1]))
    openings(np.empty(0, np.uint8), np.array([0, 0]), np.array([1]), _scratch(0))


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
            first, second, third, fourth = data[start - 4], data[start - 3], data[start - 2], data[start - 1]
            masked, plain = data[start : start + size], payload[to : to + size]
            for word in range(size >> 2):  # written so, the compiler takes many words at a time
                byte = word << 2
                plain[byte] = masked[byte] ^ first
                plain[byte + 1] = masked[byte + 1] ^ second
                plain[byte + 2] = masked[byte + 2] ^ third
                plain[byte + 3] = masked[byte + 3] ^ fourth
            for byte in range(size & ~3, size):
                plain[byte] = masked[byte] ^ data[start - 4 + (byte & 3)]
            at, to = start + size, to + size
            sizes[frames], ends[frames] = size, at
            frames += 1
            found[k] += 1
        rests[k], texts[k] = at - spans[k], to - begun
    return frames, to

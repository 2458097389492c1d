"""What the room answers when it will not do something: to the asker alone, with the reason and the cure."""

from __future__ import annotations


class RoomError(Exception):
    """The root of what the room itself raises."""


class Refused(RoomError):  # noqa: N818 a refusal is an answer, not an error
    """The room will not do what was asked: `code` for programs, `reason` and `cure` for people; nothing has changed.

    >>> str(Refused("already-voted", "seat 3 has voted on motion-1 already", "a ballot stands; speak on the motion instead"))
    'seat 3 has voted on motion-1 already: a ballot stands; speak on the motion instead'
    """

    def __init__(self, code: str, reason: str, cure: str = "") -> None:
        self.code, self.reason, self.cure = code, reason, cure
        super().__init__(code, reason, cure)

    def __str__(self) -> str:
        return f"{self.reason}: {self.cure}" if self.cure else self.reason

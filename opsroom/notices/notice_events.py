"""What has happened to notices outside the wall (see `events`)."""

from __future__ import annotations

from opsroom.room.event import Event


class NoticeRaised(Event, frozen=True, kw_only=True, omit_defaults=True, tag="notice-raised"):
    """An alarm is to be told outside the wall, or that it is `back` to normal. `dedup` is the visible key of every copy."""

    notice: str
    alarm: str
    dedup: str
    unit: str
    priority: str
    title: str
    text: str
    back: bool = False


class NoticeAddressed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="notice-addressed"):
    """It is somebody's turn: `who` is told through `channels`, and if nobody looks until `deadline` the next in the rota is.

    `turn` counts from 1; nobody is left when `who` is empty.
    """

    notice: str
    turn: int
    who: str
    channels: tuple[str, ...]
    deadline: float | None = None


class NoticeDelivered(Event, frozen=True, kw_only=True, omit_defaults=True, tag="notice-delivered"):
    """A channel took a notice; it is not sent there again for this turn."""

    notice: str
    turn: int
    channel: str
    attempts: int = 1


class NoticeFailed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="notice-failed"):
    """A channel did not take a notice, and why; it is tried again. Written when the reason is new."""

    notice: str
    turn: int
    channel: str
    reason: str
    attempts: int = 1


class NoticeSeen(Event, frozen=True, kw_only=True, omit_defaults=True, tag="notice-seen"):
    """Somebody has opened or acknowledged the alarm: the notice is not passed on."""

    notice: str


class NoticeEnded(Event, frozen=True, kw_only=True, omit_defaults=True, tag="notice-ended"):
    """There is nothing left to tell: the alarm is back or quiet, or the rota has come to its end."""

    notice: str
    reason: str

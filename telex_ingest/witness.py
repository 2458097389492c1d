"""The witness at a plant's end of the wire: hears the council's invitations, keeps what the plant states until they are over."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from telex_ingest.invitation import STATEMENT, doubt
from telex_ingest.legible import legible_invitation
from telex_ingest.proof import Pin
from telex_ingest.refusals import TelexError
from telex_ingest.telex import Invitation, PlantStatement, microseconds

OnInvitation = Callable[[Invitation], Awaitable[None] | None]

INVITATIONS = 256
"""The invitations, and the statements, that are remembered; the oldest make room."""

K = TypeVar("K")
V = TypeVar("V")
_log = logging.getLogger(__name__)


class StatementError(TelexError):
    """A statement that the room would not take: `plant`, `what` is wrong."""

    def __init__(self, plant: str, what: str) -> None:
        super().__init__(plant, what)
        self.plant = plant
        self.what = what

    def __str__(self) -> str:
        return f"cannot state for {self.plant}: {self.what}"


class Witness:
    """Knows which invitations were heard, and says each statement again after every cut: the room knows a second copy.

    Kept in memory: a plant that starts anew is invited anew while the motion is open. `now` is the room's clock as the plant
    reads it, epoch seconds; an invitation whose proof is not good never reaches the plant's program.
    """

    def __init__(
        self, on_invitation: OnInvitation | None, pin: Callable[[], Pin | None], now: Callable[[], float]
    ) -> None:
        self.doubts: dict[str, int] = {}
        """Invitations that were not believed, by reason."""
        self._on_invitation = on_invitation
        self._pin = pin
        self._now = now
        self._heard: dict[tuple[str, str], Invitation] = {}
        self._stated: dict[tuple[str, str, str], PlantStatement] = {}

    async def hear(self, invitation: Invitation) -> None:
        """Bring an invitation to the plant's program when it is new, its options are, or its motion is over."""
        why = doubt(invitation, self._pin(), self._now())
        if why:
            self.doubts[why] = self.doubts.get(why, 0) + 1
            _log.warning("invitation to %.100r is not believed: %s", invitation.motion, why)
            return
        name = (invitation.plant, invitation.motion)
        before = self._heard.pop(name, None)
        _room(self._heard)
        self._heard[name] = invitation
        if invitation.state != "open":
            for key in [key for key in self._stated if key[:2] == name]:
                del self._stated[key]
        same = before is not None and (before.state, before.options) == (invitation.state, invitation.options)
        if self._on_invitation is None or same:
            return
        try:
            waiting = self._on_invitation(legible_invitation(invitation))
            if waiting is not None:
                await waiting
        except Exception:
            _log.exception("invitation to %s failed", invitation.motion)

    def keep(self, statement: PlantStatement) -> None:
        """Remember a statement, to say it again. Raises `StatementError` for what the room would refuse anyway."""
        size = len(statement.text.strip())
        if not 0 < size <= STATEMENT:
            raise StatementError(statement.plant, f"{size} characters; say it in 1 to {STATEMENT}")
        _room(self._stated)
        self._stated[statement.plant, statement.motion, statement.text] = statement

    def recent(self) -> tuple[PlantStatement, ...]:
        """The statements to say again after a cut: those on motions that are not over, as far as the plant knows."""
        return tuple(one for (plant, motion, _), one in self._stated.items() if self._open(plant, motion))

    def _open(self, plant: str, motion: str) -> bool:
        heard = self._heard.get((plant, motion))
        return heard is None or (heard.state == "open" and self._now() < microseconds(heard.until) / 1e6)


def _room(kept: dict[K, V]) -> None:
    """Make room for one more."""
    if len(kept) >= INVITATIONS:
        del kept[next(iter(kept))]

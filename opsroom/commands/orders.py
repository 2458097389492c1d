"""What may be asked about orders."""

from __future__ import annotations

from opsroom.commands.command import Command


class HoldOrders(Command, frozen=True, kw_only=True, tag="hold-orders"):
    """Hold all orders of the room at once: nothing leaves until they are released. Takes the operator, or two seats."""

    reason: str


class ReleaseOrders(Command, frozen=True, kw_only=True, tag="release-orders"):
    """Let held orders go out again. Takes the operator, or two seats."""

    reason: str = ""


class ConfirmOrder(Command, frozen=True, kw_only=True, tag="confirm-order"):
    """Confirm an order that the plant marked dangerous, as a seat that neither moved nor owns it: only then does it leave."""

    order: str


class RevokeOrder(Command, frozen=True, kw_only=True, tag="revoke-order"):
    """Revoke one order that is not done yet."""

    order: str
    reason: str


class RefuseOrder(Command, frozen=True, kw_only=True, tag="refuse-order"):
    """A plant's own people refuse an order, with a reason; a legitimate, recorded outcome."""

    order: str
    reason: str

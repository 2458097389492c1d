"""The root of all events: what every one of them carries (see `events`)."""

from __future__ import annotations

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """The root of all events: `at` on the room's clock; `by` the account that asked and its idempotency `key`, if one did.

    `by` is "operator", "seat-3", "unit-mill-1", or "wire-mill-1" for a plant that spoke itself; empty when a rule acted.
    """

    at: float
    by: str = ""
    occupant: str = ""
    key: str = ""

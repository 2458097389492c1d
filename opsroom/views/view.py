"""The root of all rows that a screen can show."""

from __future__ import annotations

import msgspec


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The root of all rows that a screen can show."""

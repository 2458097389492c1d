"""What the room's web server has answered and whom it turned away, counted. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

REASONS = (
    "bad-callback", "certificate-early", "certificate-ended", "certificate-revoked", "certificate-untrusted",
    "does-not-read", "foreign-host", "foreign-origin", "head-too-large", "no-http", "tls-clear", "tls-failed",
    "tls-room-untrusted", "tls-unspoken", "too-large", "too-many-asking", "too-slow", "unknown-file",
)  # fmt: skip
"""Every reason for which the door turns somebody away."""


@dataclass
class Tally:
    """Counts since the process began; every key is a word of the room's own, never one from the wire."""

    answers: Counter[int] = field(default_factory=Counter)
    """Answers by their HTTP status."""

    turned_away: Counter[str] = field(default_factory=Counter)
    """Requests and connections that nobody inside heard of, by the reason."""

    faults: int = 0
    """Requests that ended in a defect of the room's own; each stands in the log with its traceback."""

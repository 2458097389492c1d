"""What the doctor found: one thing looked at, how it stands, and how to mend it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

Verdict = Literal["well", "watch", "ill"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing looked at: `what`, how it stands, what was seen, and the cure when it is not well."""

    what: str
    verdict: Verdict
    seen: str
    cure: str = ""


def well(what: str, seen: str) -> Finding:
    """Nothing is wrong."""
    return Finding(what=what, verdict="well", seen=seen)


def watch(what: str, seen: str, cure: str) -> Finding:
    """It works, and needs an eye."""
    return Finding(what=what, verdict="watch", seen=seen, cure=cure)


def ill(what: str, seen: str, cure: str) -> Finding:
    """It does not work, or soon will not."""
    return Finding(what=what, verdict="ill", seen=seen, cure=cure)


def measured(what: str, value: float, unit: str, watch_at: float, ill_at: float, cure: str) -> Finding:
    """Judge a figure that is worse the larger it is.

    >>> measured("disk speed", 3.0, "ms a write", 20, 50, "").verdict, measured("x", 60, "ms", 20, 50, "buy").verdict
    ('well', 'ill')
    """
    seen = f"{value:.3g} {unit}"
    if value < watch_at:
        return well(what, seen)
    return (ill if value >= ill_at else watch)(what, seen, cure)


def exit_code(findings: Iterable[Finding]) -> int:
    """1 when something is ill, else 0."""
    return int(any(finding.verdict == "ill" for finding in findings))

"""Times as people write them: "90 s", "15 min", "2 h", "1 d", or a number of seconds."""

from __future__ import annotations

import math
import re

_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_WRITTEN = re.compile(r"\s*([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*(s|min|h|d)\s*")


def seconds(written: object) -> float:
    """Tell a written time in seconds; raises ValueError for what is none.

    >>> seconds("15 min"), seconds("1.5h"), seconds(90)
    (900.0, 5400.0, 90.0)
    """
    if isinstance(written, str) and (found := _WRITTEN.fullmatch(written)):
        return float(found.group(1)) * _SECONDS[found.group(2)]
    if isinstance(written, (int, float)) and not isinstance(written, bool) and abs(written) < 1e12:
        return float(written)
    raise ValueError(f"{written!r} is no time")


def written(time_s: float) -> str:
    """Tell a time in the largest unit that needs no fraction.

    >>> written(900), written(5400), written(172800), written(0.5)
    ('15 min', '90 min', '2 d', '0.5 s')
    """
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if time_s >= size and math.fmod(time_s, size) == 0:
            return f"{int(time_s // size)} {unit}"
    return f"{time_s:.6f}".rstrip("0").rstrip(".") + " s"

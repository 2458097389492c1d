"""Stored readings as plain rows for people and programs. Pure."""

from __future__ import annotations

import math
from typing import Any

from cyberstride import NAMES, REGIMES
from opsroom.record.store import KINDS, QUALITIES, Readings, corrected


def corrected_rows(readings: Readings, most: int) -> list[dict[str, Any]]:
    """Rows with corrections applied, the newest `most`: times in epoch seconds, figures None where nothing is known."""
    readings = corrected(readings)
    rows = []
    for place in range(max(0, len(readings) - most), len(readings)):
        p = readings.p[place].tolist()
        judged = all(map(math.isfinite, p))
        rows.append(
            {
                "at": int(readings.source_us[place]) / 1e6,
                "received": int(readings.received_us[place]) / 1e6,
                "kind": str(KINDS[int(readings.kind[place])]),
                "value": _known(readings.value[place]),
                "quality": str(QUALITIES[int(readings.quality[place])]),
                "named": NAMES[int(readings.named[place])] if judged else None,
                "p": dict(zip(REGIMES, (round(x, 4) for x in p), strict=True)) if judged else None,
                "level": _known(readings.level[place]),
                "low": _known(readings.low[place]),
                "high": _known(readings.high[place]),
            }
        )
    return rows


def _known(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None

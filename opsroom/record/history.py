"""Stored readings as plain rows for people and programs. Pure."""

from __future__ import annotations

import math
from typing import Any

from cyberstride import NAMES, REGIMES
from opsroom.record.store import KINDS, QUALITIES, Floats, Readings, Rollups, corrected


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


def rollup_rows(rollups: Rollups) -> list[dict[str, Any]]:
    """Buckets as rows: `at` in epoch seconds, figures None in a bucket where nothing was counted."""
    mean, least, most = known(rollups.mean), known(rollups.least), known(rollups.most)
    return [
        {"at": at, "count": count, "mean": mean[place], "min": least[place], "max": most[place], "worst": NAMES[worst]}
        for place, (at, count, worst) in enumerate(
            zip((rollups.at_us / 1e6).tolist(), rollups.count.tolist(), rollups.worst.tolist(), strict=True)
        )
    ]


def known(figures: Floats) -> list[float | None]:
    """Figures as a list, None where there is none."""
    return [figure if math.isfinite(figure) else None for figure in figures.tolist()]


def _known(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None

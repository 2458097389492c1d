"""Attributes that Python cannot spell as arguments: `data-` and `aria-`."""

from __future__ import annotations

from typing import Any


def facts(**named: Any) -> dict[str, Any]:
    """Spell `data_state="alarm"` as the attribute `data-state`.

    >>> facts(data_state="alarm", aria_hidden="true")
    {'data-state': 'alarm', 'aria-hidden': 'true'}
    """
    return {name.replace("_", "-"): value for name, value in named.items()}

"""What of the alarm budgets was spent: the operator's view. Pure."""

from __future__ import annotations

import numpy as np

from opsroom.judgement.bank import Bank
from opsroom.room.room import Room
from opsroom.views import BudgetView, Viewer

__all__ = ["budgets"]

DAY_S = 86400.0


def budgets(room: Room, bank: Bank, viewer: Viewer, now: float) -> tuple[BudgetView, ...]:
    """The budgets with the alarms that opened under each in the last day; a unit's people see that of their own unit.

    Every alarm of a signal counts, the true ones too: which were false is known only afterwards. Silence is no spending.
    """
    if not bank.budgets or viewer.role == "viewer":
        return ()
    n = len(bank)
    spent = np.zeros(len(bank.budgets), int)
    for alarm in room.alarms.values():
        signal = bank.by_key.get(alarm.signal)
        if signal is not None and alarm.opened_at > now - DAY_S and bank.account[signal.lane] >= 0:
            spent[bank.account[signal.lane]] += 1
    rows = []
    for number, rule in enumerate(bank.budgets):
        unit = rule.unit or room.council
        if viewer.role == "unit" and viewer.unit != unit:
            continue
        lanes = np.flatnonzero(bank.account[:n] == number)
        rows.append(
            BudgetView(
                unit=unit,
                seat=rule.seat,
                episodes_a_day=rule.episodes_a_day,
                spent=int(spent[number]),
                signals=len(lanes),
                learning=bank.learning(lanes),
            )
        )
    return tuple(rows)

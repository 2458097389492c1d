"""The alarm budget in people's words: how many false alarms a day were allowed, and how many alarms came."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboards.words import say
from opsroom.views import Snapshot


def budgets(snapshot: Snapshot) -> list[Component]:
    """List the budgets that the viewer sees; nothing where none was stated.

    Every alarm of the last day counts as spent, the true ones too: which were false is known only afterwards.
    """
    if not snapshot.budgets:
        return []
    units = {unit.id: unit.title for unit in snapshot.units}
    rows = []
    for one in snapshot.budgets:
        about = say("budget.unit", unit=units.get(one.unit, one.unit), signals=one.signals)
        if one.learning:
            about += " · " + say("budget.learning", learning=one.learning)
        spent = html.Strong(say("budget.spent", spent=one.spent, most=f"{one.episodes_a_day:g}"))
        over = "over" if one.spent > one.episodes_a_day else ""
        bar = html.Meter(value=f"{min(one.spent, one.episodes_a_day):g}", min="0", max=f"{one.episodes_a_day:g}")
        rows.append(html.Li([spent, bar, html.Span(about, className="line")], className=over))
    return [html.H2(say("budget.title")), html.Ul(rows)]

"""The flowcharts of `room.toml`: the tables [[chart]], [[part]], [[flow]], and who may look at readings, [visibility]."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, cast

import msgspec

from opsroom.constitution.tables import Reading, Sheet, nearest
from opsroom.recursion.flow import unit_of
from opsroom.recursion.flowchart import Chart, Flow, Missing, Part, parts_first
from opsroom.recursion.recursion import Tree, Unit

MOST_PARTS, MOST_FLOWS = 60, 120
"""The most boxes and lines of one chart: more belong into charts of units below."""

Charts = tuple[tuple[Chart, ...], tuple[Flow, ...]]


def charts_of(sheet: Sheet, units: Mapping[str, Unit], plants: Collection[str]) -> Charts:
    """Tell the charts, and the flows that are in none of them (feeds); mistakes are noted in the sheet."""
    tree = Tree.of(units.values()) if any(not unit.parent for unit in units.values()) else None
    charts: dict[str, tuple[Reading, Chart]] = {}
    for table in sheet.tables("chart"):
        usual = Chart(unit="", measure="", parts=())
        chart = Chart(
            unit=table.slug("unit", needed=True),
            measure=table.text("measure", needed=True, example="t/h"),
            title=table.text("title"),
            parts=(),
            period_s=table.duration("period", usual.period_s),
            horizon_s=table.duration("horizon", usual.horizon_s),
            per_s=table.duration("rates_per", usual.per_s),
            patience_s=table.duration("patience", usual.patience_s),
            missing=cast(Missing, table.word("missing", ("unknown", "nothing", "hold"))),
        )
        table.done()
        if chart.unit and chart.unit not in units:
            table.wrong("unit", "there is no such unit", nearest(chart.unit, units))
        elif chart.unit in plants:
            table.wrong("unit", "a plant has no chart", "Draw the chart of the unit above; its parts are signals.")
        elif chart.unit in charts:
            table.wrong("unit", "there are two charts of this unit", "Write one [[chart]] for each unit.")
        elif chart.unit:
            charts[chart.unit] = (table, chart)
    parts = _parts(sheet, tree, {unit: chart for unit, (_, chart) in charts.items()}, plants)
    flows = _flows(sheet, units, plants, parts)
    whole = tuple(
        msgspec.structs.replace(chart, parts=tuple(parts[unit]), flows=tuple(flows[unit]))
        for unit, (_, chart) in charts.items()
    )
    for chart in whole:
        _check(charts[chart.unit][0], chart)
    for unit in {chart.unit for chart in whole} - {chart.unit for chart in parts_first(whole)}:
        charts[unit][0].wrong(
            "unit", "this chart counts on itself", "Leave one of the parts that lead in a circle out."
        )
    return whole, tuple(flows[""])


def readings_of(sheet: Sheet) -> Literal["home", "room"]:
    """Tell who may look at a plant's readings until the plant says otherwise."""
    table = sheet.table("visibility")
    word = table.word("readings", ("home", "room"))
    table.done()
    return cast(Literal["home", "room"], word)


def _parts(
    sheet: Sheet, tree: Tree | None, charts: Mapping[str, Chart], plants: Collection[str]
) -> dict[str, list[Part]]:
    parts: dict[str, list[Part]] = {unit: [] for unit in charts}
    for table in sheet.tables("part"):
        of, name = table.slug("chart", needed=True), table.text("part", needed=True, example="mill-1/output")
        worth = table.number("worth")
        table.done()
        plant = unit_of(name)
        if of and of not in charts:
            table.wrong("chart", "there is no chart of such a unit", nearest(of, charts))
        elif not of or not name:
            continue
        elif "/" in name and plant not in plants:
            table.wrong("part", f"there is no plant {plant!r} in this file", nearest(plant, plants))
        elif "/" not in name and name in plants:
            cure = f'Name the signal that stands for it: part = "{name}/output".'
            table.wrong("part", "a plant counts by one of its signals", cure)
        elif "/" not in name and name not in charts:
            table.wrong("part", "no unit with a chart has this name", nearest(name, charts))
        elif tree is None or plant == of or not tree.covers(of, plant):
            table.wrong("part", f"it is not below {of}", f"Name a signal or a charted unit below {of}.")
        elif worth is not None and worth < 0.0:
            table.wrong("worth", "nothing is worth less than nothing", "Write 0 for a part that only feeds others.")
        elif any(part.part == name for part in parts[of]):
            table.wrong("part", "it stands in this chart already", "Write each part once.")
        else:
            parts[of].append(Part(part=name, worth=1.0 if worth is None else worth))
    return parts


def _flows(
    sheet: Sheet, units: Mapping[str, Unit], plants: Collection[str], parts: Mapping[str, list[Part]]
) -> dict[str, list[Flow]]:
    """The flows of each chart; under "" those that are in none."""
    flows: dict[str, list[Flow]] = {unit: [] for unit in (*parts, "")}
    boxes = {unit: {part.part for part in listed} for unit, listed in parts.items()}
    for table in sheet.tables("flow"):
        source, target = (table.text(key, needed=True, example="mill-1/output") for key in ("from", "to"))
        product, of = table.text("product", needed=True, example="yarn"), table.text("chart")
        per, share, stock = table.number("per"), table.number("share"), table.text("stock")
        delay_s = table.duration("delay", 0.0, least=0.0)
        table.done()
        sound = True
        for key, end in (("from", source), ("to", target)):
            if end and unit_of(end) not in units:
                table.wrong(key, "there is no such unit", nearest(unit_of(end), units))
                sound = False
        if source and source == target:
            table.wrong("to", "nothing feeds itself", "Name another part.")
        elif per is not None and per <= 0.0:
            table.wrong("per", "this must be more than nothing", "Write how much of `from` one unit of `to` takes.")
        elif share is not None and not 0.0 <= share <= 1.0:
            table.wrong("share", "a share is from 0 to 1", "Write share = 0.4 for four tenths.")
        elif stock and unit_of(stock) not in plants:
            table.wrong("stock", f"there is no plant {unit_of(stock)!r} in this file", nearest(unit_of(stock), plants))
        elif of and (of not in boxes or not {source, target} <= boxes[of]):
            table.wrong(
                "chart", f"{source} and {target} are not both parts of it", "Write a [[part]] for each of them."
            )
        elif sound and source and target and product:
            inside = [unit for unit, names in boxes.items() if {source, target} <= names]
            if not of and len(inside) > 1:
                table.wrong("chart", f"both stand in the charts of {', '.join(inside)}", "Say which: chart = ...")
                continue
            flow = Flow(source=source, target=target, product=product, per=per or 1.0, share=share, stock=stock)
            flow = msgspec.structs.replace(flow, delay_s=delay_s)
            flows[of or (inside[0] if inside else "")].append(flow)
    return flows


def _check(table: Reading, chart: Chart) -> None:
    if not chart.parts:
        table.wrong("unit", "this chart has no parts", f'Write a [[part]] with chart = "{chart.unit}" for each.')
    elif not any(part.worth > 0.0 for part in chart.parts):
        table.wrong("unit", "nothing in this chart is worth anything", "Give what leaves it a worth above 0.")
    if len(chart.parts) > MOST_PARTS or len(chart.flows) > MOST_FLOWS:
        what = f"{len(chart.parts)} parts and {len(chart.flows)} flows are too many"
        table.wrong("unit", what, f"At most {MOST_PARTS} and {MOST_FLOWS}: draw charts of the units below.")
    shared: dict[str, float] = {}
    for flow in chart.flows:
        shared[flow.source] = shared.get(flow.source, 0.0) + (flow.share or 0.0)
    for source, total in shared.items():
        if total > 1.0 + 1e-9:
            table.wrong("unit", f"the shares of {source} are {total:g} together", "Let them be at most 1.")

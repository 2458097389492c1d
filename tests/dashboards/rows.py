"""Rows of a room for the tests of the screens."""

from __future__ import annotations

import msgspec

from opsroom.views import (
    AlarmView,
    BallotView,
    ClimbView,
    LineView,
    MotionView,
    OptionOrderView,
    OptionView,
    OrderChoice,
    OrderView,
    SeatView,
    SignalView,
    Snapshot,
    StatementView,
    UnitView,
    Viewer,
)

BAD = '<img src=x onerror="alert(1)">'
ALARM = AlarmView(
    id="alarm-1",
    signal="mill-1/output",
    unit="mill-1",
    title="Output of the mill",
    kind="step",
    direction="down",
    state="unacknowledged",
    sentence="Output has fallen.",
    probability=0.97,
    size=-18.4,
    uom="t/h",
    since=1000.0,
    opened_at=1060.0,
    at_unit="works",
    at_level="total",
    clock_s=3600.0,
    deadline=5000.0,
    climbs=(ClimbView(source="mill-1", target="works", at=1500.0, reason="expired"),),
    arrived=True,
    normal_low=78.0,
    normal_high=90.0,
)
MOTION = MotionView(
    id="motion-1",
    title="Twelve more hands",
    alarm="alarm-1",
    signal="mill-1/output",
    options=(
        OptionView(
            id="a",
            kind="orders",
            title="Twelve more hands",
            orders=(
                OptionOrderView(
                    plant="mill-1",
                    plant_title="The mill",
                    name="restaff-shift",
                    title="Restaff a shift",
                    parameters={"people": 12},
                ),
            ),
        ),
        OptionView(id="b", kind="time", title="Give the unit more time", extra_s=3600.0),
        OptionView(id="c", kind="nothing", title="Do nothing"),
    ),
    opened_by=2,
    opened_at=2000.0,
    deadline=4000.0,
    state="open",
    statements=(StatementView(seat=5, occupant="L. Soto", stance="for", text="Half strength.", at=2100.0),),
    ballots=(BallotView(seat=2, occupant="R. Muñoz", choice="sealed", reason="", at=2200.0),),
    evidence={
        "readings": [[900.0, 82.0, 79.0, 85.0], [960.0, 64.0, 79.0, 85.0]],
        "verdict": {"named": "step", "since": 950.0},
        "forecast": [[1020.0, 64.0, 60.0, 68.0], [1080.0, 64.0, 59.0, 69.0]],
    },
)
ORDER = OrderView(
    id="order-1",
    motion="motion-1",
    plant="mill-1",
    name="restaff-shift",
    title="Restaff a shift",
    parameters={"people": 12},
    state="refused",
    issued_at=2300.0,
    expires_at=9000.0,
    reason="nobody is left",
)
SIGNAL = SignalView(
    key="mill-1/output",
    unit="mill-1",
    name="output",
    title="Output",
    uom="t/h",
    good="up",
    period_s=60.0,
    recent=((900.0, 82.0, 79.0, 85.0), (960.0, 64.0, 79.0, 85.0), (2500.0, 81.0, 78.0, 86.0)),
)
SEAT = Viewer(role="seat", seat=3, occupant="S. Bravo")
UNITS = (
    UnitView(id="works", title="The works", level="total", parent="", children=("mill-1",), state="called"),
    UnitView(id="mill-1", title="The mill", level="plant", parent="works", state="alarm"),
)


def snapshot(viewer: Viewer = SEAT, **changes: object) -> Snapshot:
    """A room with one alarm at the council, as a viewer sees it."""
    base = Snapshot(
        n=0,
        room="test",
        now=3000.0,
        speed=1.0,
        council="works",
        focus="works",
        held=False,
        viewer=viewer,
        units=UNITS,
        signals=(SIGNAL,),
        alarms=(ALARM,),
        motions=(),
        orders=(),
        choices=(
            OrderChoice(plant="mill-1", name="restaff-shift", title="Restaff a shift", parameters={}, danger="none"),
        ),
        seats=tuple(SeatView(seat=number, occupant=f"Person {number}") for number in range(1, 8)),
        stops=(),
        proposals=(),
        ticker=(),
        line=LineView(),
    )
    return msgspec.structs.replace(base, **changes)

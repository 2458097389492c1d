"""Energy and transport: the power and coal company, the railways and ports."""

from __future__ import annotations

from simulators.branches.orders import change_set_point, restaff_shift, service_machine
from simulators.factory import Effect, Indicator, Works
from telex_ingest.telex import Direction

UP, DOWN, STAY = Direction.UP, Direction.DOWN, Direction.NONE

POWER_STATION = Works(
    id="power-station",
    title="Power station",
    uses={"coal": 0.42},
    holds={"coal": 62_000.0},
    indicators=(
        Indicator("generation", "Power generated", "MW", UP, 905, 9, (0, 1200), (985, 1100), kind="rate"),
        Indicator(
            "coal-stock", "Coal in the bunkers", "t", UP, 62000, 420, (0, 120000), (70000, 80000), gauge="stock:coal"
        ),
        Indicator("coal-burnt", "Coal burnt", "t/h", DOWN, 380, 5, (0, 700), (365, 340), gauge="use:coal", kind="rate"),
        Indicator("exchange", "Power from abroad", "MW", STAY, 20, 4, (-400, 400), (20, 20), gauge="exchange"),
        Indicator("steam-temperature", "Steam temperature", "degC", STAY, 538, 1.2, (0, 700), (538, 538)),
        Indicator("steam-pressure", "Steam pressure", "bar", STAY, 166, 0.8, (0, 250), (166, 166)),
        Indicator("condenser-vacuum", "Condenser pressure", "mbar", DOWN, 52, 0.9, (0, 1000), (46, 40), day=0.5),
        Indicator("availability", "Units available", "%", UP, 93.5, 0.4, (0, 100), (96, 98.5), kind="ratio"),
        Indicator("absence", "Absence", "%", DOWN, 3.6, 0.19, (0, 100), (2.8, 2.0), day=0.1),
        Indicator(
            "sulphur-out", "Sulphur dioxide at the stack", "mg/m3", DOWN, 690, 12, (0, 4000), (580, 380), follows=0.3
        ),
        Indicator("ash-carried", "Ash carried off", "t/h", STAY, 49, 0.7, (0, 150), (49, 49), follows=0.9, kind="rate"),
    ),
    orders=(
        service_machine(
            ("boiler-1", "boiler-2", "feed-pump", "coal-mill"),
            Effect(signal="generation", change=50, promised=True),
            title="Service a boiler or its machines",
            work_s=1800.0,
        ),
        restaff_shift("generation", 12, hands=6),
        change_set_point(
            "steam-temperature",
            520,
            545,
            538,
            title="Change the steam temperature",
            danger="dangerous",
        ),
    ),
)

COAL_MINE = Works(
    id="coal-mine",
    title="Coal mine",
    makes="coal",
    yard=21_000.0,
    power_mw=9.0,
    indicators=(
        Indicator("coal-raised", "Coal raised", "t/h", UP, 492, 6, (0, 900), (540, 610), kind="rate"),
        Indicator("coal-yard", "Coal at the pithead", "t", STAY, 21000, 190, (0, 60000), (21000, 21000), gauge="yard"),
        Indicator("coal-ash", "Ash in the coal", "%", DOWN, 13.4, 0.25, (0, 100), (12, 10), kind="ratio"),
        Indicator("methane", "Methane in the return air", "%", DOWN, 0.46, 0.015, (0, 5), (0.4, 0.3), day=0.2),
        Indicator("pumped-water", "Water pumped", "m3/h", DOWN, 310, 5, (0, 900), (290, 250), kind="rate"),
        Indicator("power-draw", "Power drawn", "MW", DOWN, 9.0, 0.11, (0, 25), (8.5, 7.8), follows=0.5),
        Indicator("absence", "Absence", "%", DOWN, 7.2, 0.3, (0, 100), (5.8, 4.2), day=0.1),
        Indicator("face-stops", "Face stopped", "min/h", DOWN, 7.5, 0.33, (0, 60), (6, 4), kind="rate"),
        Indicator("pit-props", "Pit props in store", "m3", UP, 540, 7, (0, 1500), (600, 720)),
        Indicator("winding-cycles", "Winding cycles", "1/h", UP, 41, 0.6, (0, 80), (45, 50), follows=0.8, kind="rate"),
    ),
    orders=(
        service_machine(
            ("winding-engine", "shearer", "pump"),
            Effect(signal="coal-raised", change=35, promised=True),
            title="Service a machine of the pit",
            work_s=1500.0,
        ),
        restaff_shift("coal-raised", 12, hands=10),
    ),
)

RAILWAY = Works(
    id="railway",
    title="Railway",
    uses={"coal": 0.004},
    holds={"coal": 620.0},
    power_mw=1.2,
    indicators=(
        Indicator("freight", "Freight hauled", "t/h", UP, 1450, 17, (0, 2600), (1580, 1760), kind="rate"),
        Indicator("coal-stock", "Coal at the sheds", "t", UP, 620, 7, (0, 1600), (690, 820), gauge="stock:coal"),
        Indicator("punctuality", "Trains on time", "%", UP, 88.5, 0.6, (0, 100), (92, 96), kind="ratio"),
        Indicator("wagon-turn", "Wagon turn-round", "h", DOWN, 31.5, 0.5, (0, 200), (28, 23)),
        Indicator("engines-down", "Locomotives out of service", "%", DOWN, 14.2, 0.5, (0, 100), (12, 8), kind="ratio"),
        Indicator("empty-runs", "Empty wagon kilometres", "%", DOWN, 33.0, 0.6, (0, 100), (30, 25), kind="ratio"),
        Indicator("absence", "Absence", "%", DOWN, 4.4, 0.21, (0, 100), (3.4, 2.4), day=0.1),
        Indicator("track-restrictions", "Speed restrictions", "km", DOWN, 62, 1.1, (0, 600), (52, 30)),
        Indicator(
            "coal-rate", "Coal for 1000 tonne-kilometres", "kg", DOWN, 29.5, 0.4, (0, 200), (27, 23), kind="ratio"
        ),
        Indicator("yard-wait", "Wait in the yards", "min", DOWN, 74, 1.6, (0, 900), (62, 45), day=0.4),
    ),
    orders=(
        service_machine(
            ("locomotive", "signal-box", "crane"),
            Effect(signal="freight", change=100, promised=True),
            title="Service a locomotive or a signal box",
        ),
        restaff_shift("freight", 35, hands=12, title="Call reserve train crews"),
    ),
)

PORT = Works(
    id="port",
    title="Port",
    power_mw=2.1,
    indicators=(
        Indicator("cargo", "Cargo handled", "t/h", UP, 620, 8, (0, 1200), (690, 780), kind="rate"),
        Indicator("ship-wait", "Ships' wait in the roads", "h", DOWN, 17.5, 0.4, (0, 300), (14, 9)),
        Indicator(
            "grain-store", "Wheat in the sheds", "t", STAY, 9000, 75, (0, 20000), (9000, 9000), gauge="imports:wheat"
        ),
        Indicator(
            "cotton-store", "Cotton in the sheds", "t", STAY, 500, 6, (0, 1500), (500, 500), gauge="imports:cotton"
        ),
        Indicator("crane-stops", "Cranes stopped", "min/h", DOWN, 6.1, 0.28, (0, 60), (4.8, 3.0), kind="rate"),
        Indicator("damage", "Damaged cargo", "kg/t", DOWN, 0.94, 0.035, (0, 100), (0.75, 0.5), kind="ratio"),
        Indicator("absence", "Absence", "%", DOWN, 5.9, 0.27, (0, 100), (4.6, 3.4), day=0.1),
        Indicator("power-draw", "Power drawn", "kW", DOWN, 2080, 30, (0, 5000), (1950, 1780), follows=0.4),
        Indicator("gang-size", "Dockers at the quay", "people", UP, 212, 2.6, (0, 600), (230, 250)),
        Indicator("quay-used", "Quay occupied", "%", STAY, 71, 0.8, (0, 100), (71, 71)),
    ),
    orders=(
        service_machine(
            ("quay-crane", "grain-elevator"),
            Effect(signal="cargo", change=45, promised=True),
            title="Service a crane or the grain elevator",
        ),
        restaff_shift("cargo", 15, hands=10, title="Call another gang of dockers"),
    ),
)

PLANTS = (POWER_STATION, COAL_MINE, RAILWAY, PORT)

"""Heavy industry: the copper company and the building materials company."""

from __future__ import annotations

from simulators.branches.orders import change_set_point, reallot_power, restaff_shift, service_machine
from simulators.factory import Effect, Indicator, Works
from telex_ingest.telex import Direction

UP, DOWN, STAY = Direction.UP, Direction.DOWN, Direction.NONE

COPPER_MINE = Works(
    id="copper-mine",
    title="Copper mine",
    makes="concentrate",
    yard=3000.0,
    power_mw=42.0,
    indicators=(
        Indicator("concentrate", "Concentrate shipped from the mill", "t/h", UP, 96, 1.2, (0, 160), (106, 120)),
        Indicator("ore-grade", "Copper in the ore", "%", UP, 1.12, 0.014, (0, 5), (1.2, 1.3), day=0.0),
        Indicator("recovery", "Copper recovered", "%", UP, 86.4, 0.4, (0, 100), (88.5, 91), kind="ratio"),
        Indicator(
            "concentrate-yard", "Concentrate in the yard", "t", STAY, 3000, 30, (0, 9000), (3000, 3000), gauge="yard"
        ),
        Indicator("power-draw", "Power drawn", "MW", DOWN, 42.0, 0.45, (0, 80), (40, 36), follows=0.6),
        Indicator("absence", "Absence", "%", DOWN, 5.4, 0.25, (0, 100), (4.2, 3.0), day=0.1),
        Indicator("trucks-down", "Trucks out of service", "%", DOWN, 11.5, 0.5, (0, 100), (9, 6), kind="ratio"),
        Indicator("water-drawn", "Water drawn", "m3/h", DOWN, 640, 8, (0, 1500), (600, 540), follows=0.5, kind="rate"),
        Indicator("mill-load", "Load of the ball mill", "%", STAY, 78.0, 0.7, (0, 120), (78, 78)),
        Indicator("dust", "Dust at the crusher", "mg/m3", DOWN, 3.1, 0.15, (0, 50), (2.4, 1.5), day=0.4),
    ),
    orders=(
        service_machine(
            ("ball-mill", "crusher", "shovel"),
            Effect(signal="concentrate", change=7.0, promised=True),
            title="Service a machine of the mine",
            work_s=1500.0,
        ),
        restaff_shift("concentrate", 2.4, hands=8),
        reallot_power("concentrate", 2.0, megawatts=2.0),
        change_set_point(
            "mill-load",
            70,
            86,
            78,
            title="Change the load of the ball mill",
        ),
    ),
)

COPPER_SMELTER = Works(
    id="copper-smelter",
    title="Copper smelter",
    makes="copper",
    uses={"concentrate": 3.45, "coal": 0.5},
    holds={"concentrate": 5200.0, "coal": 900.0},
    yard=700.0,
    power_mw=35.0,
    indicators=(
        Indicator("copper-cast", "Copper cast", "t/h", UP, 26.5, 0.33, (0, 45), (29, 33), kind="rate"),
        Indicator(
            "concentrate-stock",
            "Concentrate in store",
            "t",
            UP,
            5200,
            52,
            (0, 12000),
            (5800, 6800),
            gauge="stock:concentrate",
        ),
        Indicator("coal-stock", "Coal in store", "t", UP, 900, 10, (0, 2500), (1000, 1200), gauge="stock:coal"),
        Indicator("furnace-temperature", "Furnace temperature", "degC", STAY, 1228, 4.0, (0, 1600), (1228, 1228)),
        Indicator("slag-copper", "Copper lost in the slag", "%", DOWN, 0.82, 0.02, (0, 10), (0.7, 0.55), kind="ratio"),
        Indicator("power-draw", "Power drawn", "MW", DOWN, 35.0, 0.4, (0, 70), (33, 30), follows=0.5),
        Indicator("absence", "Absence", "%", DOWN, 5.8, 0.26, (0, 100), (4.5, 3.2), day=0.1),
        Indicator(
            "sulphur-out", "Sulphur dioxide at the stack", "mg/m3", DOWN, 410, 9, (0, 4000), (340, 220), follows=0.3
        ),
        Indicator("oxygen", "Oxygen in the blast", "%", UP, 31.5, 0.2, (0, 100), (33, 36)),
        Indicator("crane-stops", "Cranes stopped", "min/h", DOWN, 5.2, 0.24, (0, 60), (4, 2.6), kind="rate"),
    ),
    orders=(
        service_machine(
            ("converter-1", "converter-2", "crane"),
            Effect(signal="copper-cast", change=2.0, promised=True),
            title="Service a converter or a crane",
            work_s=1800.0,
        ),
        restaff_shift("copper-cast", 0.6, hands=6),
        reallot_power("copper-cast", 0.5, megawatts=2.0),
        change_set_point(
            "furnace-temperature",
            1190,
            1270,
            1228,
            Effect(signal="slag-copper", change=-0.02, per="set_point", per_each=10.0),
            title="Change the furnace temperature",
            danger="dangerous",
        ),
    ),
)

CEMENT_WORKS = Works(
    id="cement-works",
    title="Cement works",
    makes="cement",
    uses={"coal": 0.12},
    holds={"coal": 1100.0},
    yard=4200.0,
    power_mw=11.0,
    indicators=(
        Indicator("cement-output", "Cement ground", "t/h", UP, 118, 1.5, (0, 200), (130, 145), kind="rate"),
        Indicator("coal-stock", "Coal in store", "t", UP, 1100, 12, (0, 3000), (1250, 1500), gauge="stock:coal"),
        Indicator("cement-silo", "Cement in the silos", "t", STAY, 4200, 42, (0, 9000), (4200, 4200), gauge="yard"),
        Indicator("kiln-temperature", "Kiln temperature", "degC", STAY, 1452, 4.5, (0, 1800), (1452, 1452)),
        Indicator("heat-used", "Heat for a tonne of clinker", "MJ/t", DOWN, 3680, 32, (0, 9000), (3500, 3250)),
        Indicator("free-lime", "Free lime in the clinker", "%", DOWN, 1.25, 0.06, (0, 10), (1.0, 0.7), kind="ratio"),
        Indicator("strength", "Strength after 2 days", "MPa", UP, 24.8, 0.3, (0, 80), (26, 28)),
        Indicator("power-draw", "Power drawn", "MW", DOWN, 11.0, 0.14, (0, 25), (10.4, 9.6), follows=0.6),
        Indicator("absence", "Absence", "%", DOWN, 4.9, 0.23, (0, 100), (3.8, 2.8), day=0.1),
        Indicator("dust", "Dust at the stack", "mg/m3", DOWN, 38, 1.6, (0, 600), (30, 18), day=0.4),
        Indicator("kiln-stops", "Kiln stopped", "min/h", DOWN, 2.4, 0.13, (0, 60), (1.8, 1.0), kind="rate"),
    ),
    orders=(
        service_machine(
            ("kiln-drive", "cement-mill", "filter"),
            Effect(signal="cement-output", change=8.0, promised=True),
            title="Service a machine of the works",
            crew="day",
        ),
        reallot_power("cement-output", 2.0, megawatts=0.5),
        change_set_point(
            "kiln-temperature",
            1420,
            1480,
            1452,
            title="Change the kiln temperature",
            danger="dangerous",
        ),
    ),
)

BRICK_WORKS = Works(
    id="brick-works",
    title="Brick works",
    makes="bricks",
    uses={"coal": 0.055},
    holds={"coal": 160.0},
    yard=1800.0,
    power_mw=1.4,
    indicators=(
        Indicator("bricks-fired", "Bricks fired", "t/h", UP, 36, 0.45, (0, 60), (40, 45), kind="rate"),
        Indicator("coal-stock", "Coal in store", "t", UP, 160, 2.0, (0, 500), (180, 220), gauge="stock:coal"),
        Indicator("brick-yard", "Bricks in the yard", "t", STAY, 1800, 18, (0, 5000), (1800, 1800), gauge="yard"),
        Indicator("kiln-temperature", "Kiln temperature", "degC", STAY, 1016, 3.2, (0, 1300), (1016, 1016)),
        Indicator("breakage", "Broken bricks", "%", DOWN, 3.7, 0.17, (0, 100), (3.0, 2.0), kind="ratio"),
        Indicator("clay-moisture", "Moisture of the clay", "%", STAY, 19.2, 0.2, (0, 50), (19, 19), day=0.5),
        Indicator("absence", "Absence", "%", DOWN, 6.4, 0.28, (0, 100), (5.0, 3.8), day=0.1),
        Indicator("power-draw", "Power drawn", "kW", DOWN, 1390, 20, (0, 3000), (1300, 1180), follows=0.5),
        Indicator("dryer-humidity", "Humidity in the dryer", "%", STAY, 62, 0.8, (0, 100), (62, 62), day=0.5),
        Indicator("press-stops", "Press stopped", "min/h", DOWN, 4.8, 0.22, (0, 60), (3.6, 2.2), kind="rate"),
    ),
    orders=(
        service_machine(
            ("press", "dryer", "kiln-car"),
            Effect(signal="bricks-fired", change=2.5, promised=True),
            title="Service a machine of the works",
            crew="day",
        ),
        restaff_shift("bricks-fired", 0.8, hands=5),
    ),
)

PLANTS = (COPPER_MINE, COPPER_SMELTER, CEMENT_WORKS, BRICK_WORKS)

"""Consumer goods: the textile company and the food company."""

from __future__ import annotations

from simulators.branches.orders import change_set_point, reallot_power, restaff_shift, service_machine
from simulators.factory import Effect, Indicator, Works
from telex_ingest.telex import Direction

UP, DOWN, STAY = Direction.UP, Direction.DOWN, Direction.NONE

TEXTILE_MILL = Works(
    id="textile-mill",
    title="Textile mill",
    makes="cloth",
    uses={"yarn": 0.00016},
    holds={"yarn": 96.0},
    yard=40_000.0,
    power_mw=4.2,
    indicators=(
        Indicator("loom-output", "Loom output", "m/h", UP, 12400, 150, (0, 18000), (13600, 15200), kind="rate"),
        Indicator("yarn-stock", "Yarn in store", "t", UP, 96, 1.1, (0, 200), (110, 130), gauge="stock:yarn"),
        Indicator("power-draw", "Power drawn", "kW", DOWN, 4150, 60, (0, 7000), (3900, 3600), follows=0.45),
        Indicator("absence", "Absence", "%", DOWN, 4.6, 0.22, (0, 100), (3.5, 2.5), day=0.1),
        Indicator("second-quality", "Second-quality cloth", "%", DOWN, 2.9, 0.14, (0, 100), (2.2, 1.6), kind="ratio"),
        Indicator("stopped-looms", "Stopped looms", "%", DOWN, 6.2, 0.32, (0, 100), (5.0, 3.8), kind="ratio"),
        Indicator("weft-breaks", "Weft breaks per loom", "1/h", DOWN, 3.4, 0.17, (0, 40), (2.8, 2.1), kind="rate"),
        Indicator("shed-humidity", "Humidity in the shed", "%", STAY, 71.0, 0.8, (0, 100), (71, 71), day=0.6),
        Indicator("shed-temperature", "Temperature in the shed", "degC", STAY, 26.4, 0.35, (0, 60), (26, 26), day=0.6),
        Indicator("air-pressure", "Compressed air", "bar", UP, 6.3, 0.05, (0, 12), (6.6, 6.9), follows=0.0),
    ),
    orders=(
        service_machine(
            ("drive-shaft", "loom-row-a", "loom-row-b", "compressor"),
            Effect(signal="loom-output", change=900, promised=True),
            title="Service a machine of the weaving shed",
        ),
        restaff_shift("loom-output", 220, hands=6),
        reallot_power("loom-output", 120, megawatts=0.3),
        change_set_point("shed-humidity", 60, 80, 71, title="Change the humidity of the shed", danger="none"),
    ),
)

SPINNING_MILL = Works(
    id="spinning-mill",
    title="Spinning mill",
    makes="yarn",
    uses={"cotton": 1.12},
    holds={"cotton": 340.0},
    yard=60.0,
    power_mw=3.6,
    indicators=(
        Indicator("yarn-output", "Yarn spun", "t/h", UP, 2.15, 0.028, (0, 4), (2.4, 2.7), kind="rate"),
        Indicator("cotton-stock", "Cotton in store", "t", UP, 340, 4.0, (0, 700), (380, 450), gauge="stock:cotton"),
        Indicator("yarn-store", "Yarn in the yard", "t", STAY, 60, 0.8, (0, 200), (60, 60), gauge="yard"),
        Indicator("power-draw", "Power drawn", "kW", DOWN, 3580, 50, (0, 6000), (3400, 3100), follows=0.5),
        Indicator("absence", "Absence", "%", DOWN, 5.1, 0.24, (0, 100), (4.0, 3.0), day=0.1),
        Indicator("end-breaks", "Ends down per 1000 spindles", "1/h", DOWN, 38.0, 1.6, (0, 300), (32, 25), kind="rate"),
        Indicator("waste", "Cotton wasted", "%", DOWN, 7.4, 0.25, (0, 100), (6.5, 5.5), kind="ratio"),
        Indicator("yarn-strength", "Yarn strength", "cN/tex", UP, 15.8, 0.18, (0, 40), (16.6, 17.5)),
        Indicator("idle-spindles", "Idle spindles", "%", DOWN, 5.5, 0.28, (0, 100), (4.5, 3.0), kind="ratio"),
        Indicator("hall-humidity", "Humidity in the hall", "%", STAY, 58.0, 0.7, (0, 100), (58, 58), day=0.6),
    ),
    orders=(
        service_machine(
            ("ring-frame-1", "ring-frame-2", "carding-engine"),
            Effect(signal="yarn-output", change=0.15, promised=True),
            title="Service a machine of the spinning hall",
        ),
        restaff_shift("yarn-output", 0.05, hands=5),
        change_set_point("hall-humidity", 50, 66, 58, title="Change the humidity of the hall", danger="none"),
    ),
)

CANNERY = Works(
    id="cannery",
    title="Cannery",
    makes="cans",
    uses={"tinplate": 0.000055},
    holds={"tinplate": 70.0},
    yard=90_000.0,
    power_mw=1.8,
    indicators=(
        Indicator("cans-filled", "Cans filled", "1/h", UP, 18600, 240, (0, 30000), (20500, 23000), kind="rate"),
        Indicator("tinplate-stock", "Tinplate in store", "t", UP, 70, 0.9, (0, 200), (80, 95), gauge="stock:tinplate"),
        Indicator("fish-in-hold", "Fish waiting, iced", "t", UP, 42, 0.8, (0, 150), (48, 60)),
        Indicator("steam-pressure", "Steam pressure", "bar", STAY, 7.2, 0.06, (0, 14), (7.2, 7.2)),
        Indicator("retort-temperature", "Retort temperature", "degC", STAY, 118.5, 0.35, (0, 160), (118, 118)),
        Indicator("rejects", "Rejected cans", "%", DOWN, 1.9, 0.1, (0, 100), (1.4, 0.9), kind="ratio"),
        Indicator("absence", "Absence", "%", DOWN, 6.0, 0.27, (0, 100), (4.8, 3.5), day=0.1),
        Indicator("power-draw", "Power drawn", "kW", DOWN, 1790, 28, (0, 4000), (1700, 1550), follows=0.4),
        Indicator("water-used", "Water for 1000 cans", "m3", DOWN, 2.6, 0.05, (0, 20), (2.3, 1.9), kind="ratio"),
        Indicator("line-stops", "Line stopped", "min/h", DOWN, 4.1, 0.2, (0, 60), (3.2, 2.0), kind="rate"),
    ),
    orders=(
        service_machine(
            ("seamer", "retort", "conveyor"),
            Effect(signal="cans-filled", change=1500, promised=True),
            title="Service a machine of the canning line",
            crew="day",
        ),
        restaff_shift("cans-filled", 450, hands=8),
        change_set_point(
            "retort-temperature", 115, 122, 118.5, title="Change the retort temperature", danger="dangerous"
        ),
    ),
)

FLOUR_MILL = Works(
    id="flour-mill",
    title="Flour mill",
    makes="flour",
    uses={"wheat": 1.33},
    holds={"wheat": 6200.0},
    yard=900.0,
    power_mw=2.4,
    indicators=(
        Indicator("flour-output", "Flour milled", "t/h", UP, 42.0, 0.5, (0, 70), (46, 52), kind="rate"),
        Indicator("wheat-stock", "Wheat in the silo", "t", UP, 6200, 60, (0, 12000), (6900, 8000), gauge="stock:wheat"),
        Indicator("flour-store", "Flour in store", "t", STAY, 900, 9, (0, 2500), (900, 900), gauge="yard"),
        Indicator("extraction", "Extraction rate", "%", UP, 75.2, 0.3, (0, 100), (77, 79), kind="ratio"),
        Indicator("power-draw", "Power drawn", "kW", DOWN, 2380, 34, (0, 5000), (2250, 2050), follows=0.6),
        Indicator("moisture", "Moisture of the flour", "%", STAY, 14.1, 0.12, (0, 30), (14, 14), day=0.5),
        Indicator("ash", "Ash in the flour", "%", DOWN, 0.58, 0.012, (0, 5), (0.52, 0.46), kind="ratio"),
        Indicator("absence", "Absence", "%", DOWN, 3.9, 0.2, (0, 100), (3.0, 2.2), day=0.1),
        Indicator("roller-temperature", "Roller temperature", "degC", STAY, 38.5, 0.5, (0, 120), (38, 38), day=0.5),
        Indicator("line-stops", "Mill stopped", "min/h", DOWN, 3.0, 0.17, (0, 60), (2.2, 1.4), kind="rate"),
    ),
    orders=(
        service_machine(
            ("roller-stand", "sifter", "elevator"),
            Effect(signal="flour-output", change=3.0, promised=True),
            title="Service a machine of the mill",
        ),
        restaff_shift("flour-output", 0.9, hands=3),
        reallot_power("flour-output", 0.6, megawatts=0.2),
    ),
)

PLANTS = (TEXTILE_MILL, SPINNING_MILL, CANNERY, FLOUR_MILL)

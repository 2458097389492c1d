"""The fake room's plants: the tree, their signals, and the orders that they declare."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from opsroom import views as v

if TYPE_CHECKING:
    from tests.browser.fake_room import FakeRoom

Tree = tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...]

BRANCHES: Tree = (
    ("light-industry", "Light industry", (("textiles", "Textiles"), ("food", "Food"))),
    ("heavy-industry", "Heavy industry", (("metals", "Metals"), ("cement", "Cement"))),
    ("supply", "Power and transport", (("power", "Power"), ("railways", "Railways"))),
)
PLANTS = {
    "textiles": ("Mill at Tomé", "Mill at Viña"),
    "food": ("Cannery San Antonio", "Sugar works Curicó"),
    "metals": ("Copper smelter", "Steel works Huachipato"),
    "cement": ("Cement works Melón", "Quarry La Calera"),
    "power": ("Power station Rapel", "Gas works"),
    "railways": ("Southern railway", "Port of Valparaíso"),
}
SIGNALS = (
    ("output", "Output", "t/h", 82.0, 96.0, 110.0, "up"),
    ("stoppages", "Stoppages", "1/shift", 3.1, 2.4, 1.5, "down"),
    ("energy", "Energy per tonne", "kWh/t", 141.0, 130.0, 118.0, "down"),
    ("workforce", "People on shift", "people", 212.0, 230.0, 240.0, "up"),
    ("stock-in", "Raw stock", "days", 11.5, 14.0, 21.0, "up"),
    ("stock-out", "Finished stock", "days", 6.2, 8.0, 12.0, "up"),
    ("quality", "First quality", "%", 94.0, 97.0, 99.0, "up"),
    ("absence", "Absence", "%", 5.2, 4.5, 3.0, "down"),
)


def grow(room: FakeRoom, plants: int) -> None:
    if plants == 12:
        tree = BRANCHES
        leaves = {
            enterprise: [
                (title.lower().replace(" ", "-").encode("ascii", "ignore").decode(), title) for title in titles
            ]
            for enterprise, titles in PLANTS.items()
        }
    elif plants < 100:
        # A small room: five plants an enterprise, four enterprises a branch, and none at all where there is no plant.
        names = [f"enterprise-{i + 1}" for i in range((plants + 4) // 5)]
        tree = tuple(
            (f"branch-{b + 1}", f"Branch {b + 1}", tuple((e, e.capitalize()) for e in names[4 * b : 4 * b + 4]))
            for b in range((len(names) + 3) // 4)
        )
        leaves = {
            e: [(f"plant-{i + 1}", f"Plant {i + 1}") for i in range(5 * at, min(5 * at + 5, plants))]
            for at, e in enumerate(names)
        }
    else:
        tree = tuple(
            (
                f"branch-{b}",
                f"Branch {b}",
                tuple((f"enterprise-{b}-{e}", f"Enterprise {b}.{e}") for e in range(1, 11)),
            )
            for b in range(1, 11)
        )
        each = plants // 100
        leaves = {
            enterprise: [(f"{enterprise}-plant-{i}", f"Plant {enterprise[11:]}.{i}") for i in range(1, each + 1)]
            for _, _, enterprises in tree
            for enterprise, _ in enterprises
        }
    unit(room, "industry", "Industry", "total", "", [b[0] for b in tree])
    for branch, title, enterprises in tree:
        unit(room, branch, title, "branch", "industry", [e[0] for e in enterprises])
        for enterprise, enterprise_title in enterprises:
            unit(room, enterprise, enterprise_title, "enterprise", branch, [p[0] for p in leaves[enterprise]])
            for plant, plant_title in leaves[enterprise]:
                unit(room, plant, plant_title, "plant", enterprise, [], signals=len(SIGNALS))
    room.plants = [u for u in room.units.values() if u.level == "plant"]
    for row in room.plants[:12]:
        for name, signal_title, uom, value, capability, potentiality, good in SIGNALS:
            key = f"{row.id}/{name}"
            scale = float(room.rng.uniform(0.7, 1.4))
            room.points[key] = deque(maxlen=v.POINTS_SHOWN)
            room.signals[key] = v.SignalView(
                key=key,
                unit=row.id,
                name=name,
                title=signal_title,
                uom=uom,
                good=good,
                period_s=60.0,
                capability=round(capability * scale, 1),
                potentiality=round(potentiality * scale, 1),
                recovery_s=1800.0,
                named="steady",
                p=(0.98, 0.01, 0.005, 0.005),
                level=value * scale,
                state="calm",
            )


def unit(room: FakeRoom, unit: str, title: str, level: str, parent: str, children: list[str], signals: int = 0) -> None:
    performance = float(room.rng.uniform(0.74, 0.93))
    latency = float(room.rng.uniform(0.8, 0.95))
    room.units[unit] = v.UnitView(
        id=unit,
        title=title,
        level=level,
        parent=parent,
        children=tuple(children),
        state="calm",
        productivity=performance / latency,
        latency=latency,
        performance=performance,
        signals=signals,
        last_at=room.now,
    )


def choices() -> tuple[v.OrderChoice, ...]:
    shift = {
        "type": "object",
        "properties": {
            "people": {"type": "integer", "minimum": 1, "maximum": 40, "default": 12, "title": "People to add"},
            "shift": {"type": "string", "enum": ["morning", "evening", "night"], "title": "Shift"},
            "hours": {"type": "number", "minimum": 0.5, "maximum": 12, "default": 8},
            "overtime": {"type": "boolean", "title": "With overtime", "default": False},
        },
        "required": ["people", "shift"],
    }
    service = {
        "type": "object",
        "properties": {"machine": {"type": "string", "title": "Machine"}},
        "required": ["machine"],
    }
    effect = ({"signal": "output", "change": 16.0, "delay_s": 1200.0},)
    return (
        v.OrderChoice(
            plant="mill-at-tom",
            name="restaff-shift",
            title="Restaff a shift",
            parameters=shift,
            danger="none",
            effects=effect,
        ),
        v.OrderChoice(
            plant="mill-at-tom",
            name="service-machine",
            title="Service a machine",
            parameters=service,
            danger="caution",
        ),
    )

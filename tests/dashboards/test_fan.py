from __future__ import annotations

import math
from urllib.parse import unquote
from xml.etree import ElementTree

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from dashboards import fan
from tests.dashboards.rows import ALARM, MOTION

LEVELS = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(LEVELS, st.floats(0.0, 1e5), st.floats(0.0, 1e5)), min_size=1, max_size=12), st.booleans())
def test_every_forecast_is_drawn_as_well_formed_xml_within_its_axes(
    parts: list[tuple[float, float, float]], usual: bool
) -> None:
    rows = [
        [3000.0 + 60.0 * n, mean, mean - near, mean + near, mean - near - far, mean + near + far]
        for n, (mean, near, far) in enumerate(parts, 1)
    ]
    motion = msgspec.structs.replace(
        MOTION, options=(msgspec.structs.replace(MOTION.options[0], forecast={"rows": rows}), *MOTION.options[1:])
    )
    alarm = ALARM if usual else None
    scale = fan.scale_of(motion, alarm)
    assert scale is not None
    drawn = fan.picture(fan.rows_of({"rows": rows}), scale, fan.past_of(motion, scale.start, scale.until), alarm)
    svg = unquote(drawn.removeprefix("data:image/svg+xml,"))
    ElementTree.fromstring(svg)
    assert "nan" not in svg
    assert "inf" not in svg
    for row in rows:
        assert fan.TOP - 1e-6 <= scale.y(row[1]) <= fan.HEIGHT - fan.BOTTOM + 1e-6


@given(LEVELS, st.floats(1e-3, 1e6))
def test_ticks_are_few_round_and_within_the_axis(low: float, size: float) -> None:
    found = fan.ticks(low, low + size)
    assert 1 <= len(found) <= 6
    assert all(math.isfinite(tick) and low - 1e-6 * size <= tick <= low + size * (1 + 1e-6) for tick in found)


def test_what_was_normal_lies_within_the_axes_so_that_one_sees_which_option_comes_back() -> None:
    rows = [[3060.0, 70.0, 68.0, 72.0, 64.0, 76.0], [3120.0, 71.0, 69.0, 73.0, 65.0, 77.0]]
    first = msgspec.structs.replace(MOTION.options[0], forecast={"rows": rows})
    motion = msgspec.structs.replace(MOTION, options=(first,))
    scale = fan.scale_of(motion, ALARM)
    assert scale is not None
    assert scale.high > (ALARM.normal_high or 0.0)
    assert fan.scale_of(msgspec.structs.replace(motion, options=()), ALARM) is None


def test_only_the_past_that_is_near_is_drawn_before_a_forecast() -> None:
    near, far = 100.0 * fan.BEFORE_SHARE / 2, 100.0 * fan.BEFORE_SHARE * 2
    rows = [(1000.0 - far, 1.0), (1000.0 - near, 2.0), (1000.0, None)]
    motion = msgspec.structs.replace(MOTION, evidence={"readings": rows})
    assert fan.past_of(motion, 1000.0, 1100.0) == [(1000.0 - near, 2.0)]

"""An attempt to speak for another's plant is on the ticker, and a storm of them is not a storm there."""

from __future__ import annotations

from opsroom.showing.attempts import Attempts
from telex_ingest.line import Attempt


def attempt(at: float, link: str = "vandal", code: str = "not-yours", plant: str = "mill-1") -> Attempt:
    return Attempt(at, link, code, plant, "said so")


def test_an_attempt_on_anothers_plant_is_told_once_a_minute() -> None:
    seen = Attempts()
    (line,) = seen.lines([attempt(10.0)])
    assert (line.unit, line.at) == ("mill-1", 10.0)
    assert "the link vandal tried to speak for mill-1" in line.text
    storm = [attempt(10.0 + number / 10) for number in range(500)]
    assert seen.lines(storm) == []
    assert len(seen.lines([attempt(71.0)])) == 1


def test_each_link_and_plant_is_told_apart() -> None:
    several = [
        attempt(1.0),
        attempt(1.0, link="other"),
        attempt(1.0, plant="mill-2"),
        attempt(2.0, "", "unauthorised", ""),
    ]
    lines = Attempts().lines(several)
    assert len(lines) == 4
    assert lines[-1].text.startswith("somebody was turned away")


def test_what_is_a_mistake_and_no_attempt_is_not_told() -> None:
    assert Attempts().lines([attempt(1.0, code="malformed"), attempt(1.0, code="gap")]) == []

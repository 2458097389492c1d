"""What makes a birth sound."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from telex_ingest.birth import NESTED, BirthError, mistakes, sound
from telex_ingest.telex import ExpectedEffect, OrderBirth, PlantBirth
from tests.telex_ingest.conftest import birth

GOOD = birth()
ONE, TWO = GOOD.signals


def changed(part: Any, **members: Any) -> Any:
    return msgspec.structs.replace(part, **members)


def test_a_sound_birth_has_no_mistakes() -> None:
    assert mistakes(GOOD) == ()
    assert sound(GOOD) is GOOD


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (changed(GOOD, signals=()), "it declares no signal"),
        (changed(GOOD, signals=(ONE, changed(TWO, id=ONE.id))), "id 1 stands twice"),
        (changed(GOOD, signals=(ONE, changed(TWO, name=ONE.name))), "signal signal-1 stands twice"),
        (changed(GOOD, signals=(changed(ONE, low=5.0, high=5.0), TWO)), "low 5.0 is not below high 5.0"),
        (changed(GOOD, orders=GOOD.orders * 2), "order restaff stands twice"),
        (
            changed(
                GOOD,
                orders=(OrderBirth(name="stop", title="Stop", effects=(ExpectedEffect(signal="speed", change=-1.0),)),),
            ),
            "order stop expects an effect on speed",
        ),
    ],
)
def test_a_birth_that_contradicts_itself_says_how(wrong: PlantBirth, said: str) -> None:
    assert any(said in mistake for mistake in mistakes(wrong))
    with pytest.raises(BirthError) as caught:
        sound(wrong)
    assert said in str(caught.value)
    assert caught.value.plant == "mill-1"


@pytest.mark.parametrize("extra", [0, 1, 5000])
def test_parameters_that_are_nested_too_deeply_to_be_read_everywhere_are_a_mistake(extra: int) -> None:
    schema: dict[str, Any] = {"a": [1]}
    for _ in range(NESTED - 2 + extra):
        schema = {"a": schema}
    deep = changed(GOOD, orders=(OrderBirth(name="stop", title="Stop", parameters=schema),))
    told = mistakes(deep)
    assert told == (("order stop: its parameters are nested deeper than 32, write them flatter",) if extra else ())

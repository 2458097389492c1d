"""The verdict as words and numbers."""

from __future__ import annotations

import numpy as np
import pytest

from cyberstride.verdict import NAMES, STEP, Verdict, Verdicts


def verdicts(named: int, **others: float) -> Verdicts:
    figures: dict[str, float] = {
        "sure": 0.93, "level": 48.2, "level_sd": 0.3, "slope": 0.1, "slope_sd": 0.1, "low": 58.0, "high": 64.0,
        "surprise": 4.0, "size": -12.5, "size_low": -14.0, "size_high": -11.0, "news": 0.9, "wrong": 0.99,
        "centre": 61.0, "spread": 1.5,
    } | others  # fmt: skip
    return Verdicts(
        p_now=np.array([[0.1, 0.2, 0.6, 0.1]]),
        p_back=np.array([[0.1, 0.2, 0.6, 0.1]]),
        named=np.array([named], np.int8),
        announced=np.array([True]),
        onset_back=np.array([3], np.int32),
        **{name: np.array([figure]) for name, figure in figures.items()},
    )


def test_the_sentence_says_what_since_when_how_large_how_sure_and_against_what() -> None:
    assert verdicts(STEP).one(0).why() == (
        "The level moved by -12.5 (-14 to -11) to 48.2, 3 readings ago (93 % sure), against a forecast of "
        "58 to 64 for this reading; it is away from its normal 61 +- 1.5 (99 %)."
    )


@pytest.mark.parametrize("code", range(10))
def test_every_name_has_a_word_and_a_sentence_of_its_own(code: int) -> None:
    verdict = verdicts(code).one(0)
    assert verdict.word == NAMES[code]
    sentence = verdict.why()
    assert sentence.endswith(".")
    assert sentence not in {verdicts(other).one(0).why() for other in range(10) if other != code}


def test_a_single_verdict_holds_plain_numbers() -> None:
    verdict = verdicts(STEP).one(0)
    assert isinstance(verdict, Verdict)
    assert Verdict._fields == Verdicts._fields
    assert all(isinstance(value, bool | int | float | list) for value in verdict)


def test_a_signal_that_is_near_its_normal_is_not_said_to_be_away() -> None:
    assert "away" not in verdicts(STEP, wrong=0.2).one(0).why()
    assert "away" not in verdicts(STEP, centre=float("nan")).one(0).why()


@pytest.mark.parametrize(
    ("code", "figures", "begins"),
    [
        ("not_yet", {}, "Not yet judged: too few readings"),
        ("steady", {}, "Steady at 48.2, against a forecast of 58 to 64"),
        ("suspected", {}, "Something may have changed 3 readings ago (93 % sure)"),
        ("transient", {}, "A single reading was off by -12.5 (-14 to -11), 3 readings ago (93 % sure)"),
        (
            "slope",
            {},
            "The level has begun to move, 3 readings ago: its slope changed by -12.5 (-14 to -11) a period to +0.1",
        ),
        (
            "variance",
            {"size": 3.1},
            "Over the last 4 readings the signal scatters 3.1 times as much as before (93 % sure)",
        ),
        (
            "variance",
            {"size": 0.4},
            "Over the last 4 readings the signal scatters 0.4 times as much as before (93 % sure)",
        ),
        ("stuck", {"sure": 0.999999}, "The signal stands still at 48.2, for the last 4 readings (99 % sure)"),
        ("drift", {}, "The level drifts slowly, by -12.5 (-14 to -11) over the last 4 readings (93 % sure)"),
        ("out_of_range", {"sure": 1.0}, "The reading lies 12.5 outside what is physically possible (100 % sure)"),
    ],
)
def test_each_sentence_reads_as_an_operator_would_say_it(code: str, figures: dict[str, float], begins: str) -> None:
    assert verdicts(NAMES.index(code), **figures).one(0).why().startswith(begins)

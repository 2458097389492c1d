"""Takes Readings from telex_ingest. Gives Verdicts to opsroom."""

from cyberstride.achievement import Achievement, achieve
from cyberstride.belief import Belief, from_bytes, grow, newborn, put, take, to_bytes
from cyberstride.filter import step
from cyberstride.forecast import Forecast, forecast
from cyberstride.holder import Change, Filter, ReadingsError
from cyberstride.reference import anchor
from cyberstride.regimes import DEFAULT, REGIMES, Regimes, default_regimes
from cyberstride.verdict import NAMES, Verdict, Verdicts

__all__ = [
    "DEFAULT",
    "NAMES",
    "REGIMES",
    "Achievement",
    "Belief",
    "Change",
    "Filter",
    "Forecast",
    "ReadingsError",
    "Regimes",
    "Verdict",
    "Verdicts",
    "achieve",
    "anchor",
    "default_regimes",
    "forecast",
    "from_bytes",
    "grow",
    "newborn",
    "put",
    "step",
    "take",
    "to_bytes",
]

"""Takes Readings from telex_ingest. Gives Verdicts to opsroom."""

from cyberstride.belief import Belief, newborn
from cyberstride.filter import step
from cyberstride.regimes import DEFAULT, REGIMES, Regimes
from cyberstride.verdict import NAMES, Verdict, Verdicts

__all__ = ["DEFAULT", "NAMES", "REGIMES", "Belief", "Regimes", "Verdict", "Verdicts", "newborn", "step"]

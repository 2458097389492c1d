"""The Numenta Anomaly Benchmark scored independently, with the controls that stand beside every score."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PROBATION_SHARE, PROBATION_ROWS = 0.15, 750
"""The first rows of a file never count: 15 % of it, at most 750."""


class Profile(NamedTuple):
    """What a found window earns, a false alarm and a missed window cost."""

    name: str
    found: float
    false: float
    missed: float


STANDARD = Profile("standard", 1.0, 0.11, 1.0)
LOW_FP = Profile("low-FP", 1.0, 0.22, 1.0)
LOW_FN = Profile("low-FN", 1.0, 0.11, 2.0)
PROFILES = (STANDARD, LOW_FP, LOW_FN)


class Recording(NamedTuple):
    """One file of the corpus: `rows` timestamps and values, windows as first and last row of each (both inside)."""

    name: str
    path: Path
    timestamps: pd.DatetimeIndex
    values: Floats
    windows: tuple[tuple[int, int], ...]

    @property
    def probation(self) -> int:
        """Rows at the beginning that never count."""
        return probation(len(self.values))


class Outcome(NamedTuple):
    """A score of 100 is perfect, 0 is silence; `threshold` is the one that served the whole corpus."""

    score: float
    threshold: float
    found: int
    windows: int
    false: int


def probation(rows: int) -> int:
    """Rows at the beginning of a file of `rows` rows that never count.

    >>> probation(4032), probation(15902)
    (604, 750)
    """
    return min(int(PROBATION_SHARE * rows), PROBATION_ROWS)


def load(folder: Path, labels: Path | None = None) -> list[Recording]:
    """Read a corpus: `folder/data/**/*.csv` and `folder/windows.json` (or `labels`), only files that have labels."""
    windows: Mapping[str, Sequence[Sequence[str]]] = json.loads((labels or folder / "windows.json").read_text("utf-8"))
    return [_recording(folder / "data" / name, name, spans) for name, spans in sorted(windows.items())]


def _recording(path: Path, name: str, spans: Sequence[Sequence[str]]) -> Recording:
    table = pd.read_csv(path)
    stamps = pd.DatetimeIndex(pd.to_datetime(table["timestamp"]))
    first_row = {stamp: row for row, stamp in reversed(list(enumerate(stamps)))}
    windows = tuple((first_row[pd.Timestamp(start)], first_row[pd.Timestamp(end)]) for start, end in spans)
    return Recording(name, path, stamps, table["value"].to_numpy(float), windows)


def sigmoid(position: Floats) -> Floats:
    """Lavin & Ahmad 2015, eq. 1: about 1 a window's length before its end, 0 at the end, -1 from three lengths on."""
    return np.where(position > 3, -1.0, 2 / (1 + np.exp(5 * np.minimum(position, 3))) - 1)


_EARLIEST = float(sigmoid(np.array([-1.0]))[0])


def rewards(rows: int, windows: Sequence[tuple[int, int]]) -> tuple[Floats, NDArray[np.int64]]:
    """What an alarm on each row is worth before weighting, and the number of the window that it lies in (or -1)."""
    worth, inside = np.full(rows, -1.0), np.full(rows, -1, np.int64)
    row = np.arange(rows)
    for number, (first, last) in enumerate(windows):
        length = last - first + 1
        after = row > last
        worth[after] = sigmoid((row[after] - last) / max(length - 1, 1))
        within = (row >= first) & (row <= last)
        worth[within] = sigmoid(-(last - row[within] + 1) / length) / _EARLIEST
        inside[within] = number
    return worth, inside


class Weighed(NamedTuple):
    """What the rows of one file that count are worth as alarms, before a profile weighs them."""

    level: Floats
    """The score given to the row."""
    outside: Floats
    """What a false alarm there is worth, -1 to 1; 0 within a window."""
    reward: Floats
    """What an alarm within a window earns; 0 outside."""
    window: NDArray[np.int64]
    """The number of the window that the row lies in, or -1."""
    windows: int


def weighed(recording: Recording, given: Floats, above: float = -np.inf) -> Weighed:
    """Weigh a file whose rows were `given` scores; rows at or below `above` are left out: they shall never be an alarm."""
    if len(given) != len(recording.values):
        raise ValueError(f"{recording.name} has {len(recording.values)} rows and was given {len(given)} scores")
    level = np.asarray(given, float)
    worth, inside = rewards(len(level), recording.windows)
    keep = (np.arange(len(level)) >= recording.probation) & ~(level <= above)
    outside, reward = np.where(inside < 0, worth, 0.0), np.where(inside >= 0, worth, 0.0)
    return Weighed(level[keep], outside[keep], reward[keep], inside[keep], len(recording.windows))


def score(corpus: Sequence[Recording], news: Sequence[Floats], profile: Profile = STANDARD) -> Outcome:
    """The best score of any one threshold over the whole corpus, as the benchmark itself optimises it.

    `news[i]` holds one score a row of `corpus[i]`; an alarm is a score at or above the threshold. Of the alarms in a
    window only the best one earns; every alarm outside costs.
    """
    return best([weighed(recording, given) for recording, given in zip(corpus, news, strict=True)], profile)


def best(files: Sequence[Weighed], profile: Profile = STANDARD) -> Outcome:
    """The best score of any one threshold over these files."""
    level, outside, worth, number, windows = _joined(files)
    if windows == 0:
        raise ValueError("no file of this corpus has a window: there is nothing to find and so no score")
    order = np.argsort(-level, kind="stable")
    level, outside, worth, number = level[order], outside[order], worth[order], number[order]
    gain, found = _gains(worth, number, windows, profile)
    raw = np.cumsum(outside * profile.false + gain) - profile.missed * windows
    last_of_tie = np.r_[level[1:] != level[:-1], True][: len(level)]
    null, perfect = -profile.missed * windows, profile.found * windows
    scores = np.where(last_of_tie, 100 * (raw - null) / (perfect - null), -np.inf)
    most = int(np.argmax(scores)) if len(scores) else -1
    if most < 0 or scores[most] <= 0:
        return Outcome(0.0, np.inf, 0, windows, 0)
    return Outcome(
        float(scores[most]),
        float(level[most]),
        int(np.cumsum(found)[most]),
        windows,
        int(np.count_nonzero(number[: most + 1] < 0)),
    )


def score_at(corpus: Sequence[Recording], news: Sequence[Floats], threshold: float, profile: Profile) -> Outcome:
    """The score of a threshold that was fixed beforehand."""
    return at([weighed(recording, given) for recording, given in zip(corpus, news, strict=True)], threshold, profile)


def at(files: Sequence[Weighed], threshold: float, profile: Profile = STANDARD) -> Outcome:
    """The score that a threshold fixed beforehand has over these files."""
    level, outside, worth, number, windows = _joined(files)
    alarm = level >= threshold
    false = alarm & (number < 0)
    earned = np.full(windows, -np.inf)
    np.maximum.at(earned, number[alarm & (number >= 0)], worth[alarm & (number >= 0)])
    found = np.isfinite(earned)
    raw = profile.false * float(outside[false].sum()) + float(
        np.where(found, profile.found * earned, -profile.missed).sum()
    )
    null, perfect = -profile.missed * windows, profile.found * windows
    return Outcome(
        100 * (raw - null) / (perfect - null), threshold, int(found.sum()), windows, int(np.count_nonzero(false))
    )


def _joined(files: Sequence[Weighed]) -> tuple[Floats, Floats, Floats, NDArray[np.int64], int]:
    """The rows of all files one after the other, windows numbered through."""
    windows, numbers = 0, []
    for one in files:
        numbers.append(np.where(one.window >= 0, one.window + windows, -1))
        windows += one.windows
    level, outside, reward = (np.concatenate([one[k] for one in files]) for k in range(3))
    return level, outside, reward, np.concatenate(numbers), windows


def _gains(worth: Floats, number: NDArray[np.int64], windows: int, profile: Profile) -> tuple[Floats, Floats]:
    """What each alarm adds when alarms are admitted from the surest down: only a window's best reward counts."""
    gain, found = np.zeros(len(worth)), np.zeros(len(worth))
    for window in range(windows):
        rows = np.flatnonzero(number == window)
        if rows.size:
            best = np.maximum.accumulate(worth[rows]) * profile.found
            gain[rows] = np.diff(best, prepend=-profile.missed)
            found[rows[0]] = 1
    return gain, found


def pot(channel: Floats, top: float = 0.05, warm: int = 50) -> Floats:
    """-log10 of the chance of so large a value, from the channel's own past: an exponential tail over its top share."""
    threshold, excess, out = float("nan"), 0.0, np.zeros(len(channel))
    start = np.sort(channel[:warm])
    threshold = float(start[int((1 - top) * len(start))]) if len(start) else 0.0
    spread = float(start[-1] - start[0]) / 10 if len(start) else 0.0
    excess = max(float(np.mean(start[start > threshold] - threshold)) if np.any(start > threshold) else spread, 1e-12)
    step = max(spread, 1e-12)
    for row, value in enumerate(channel):
        if row >= warm:
            if value > threshold:
                out[row] = -np.log10(top) + (value - threshold) / excess / np.log(10)
                excess += 0.02 * (min(value - threshold, 10 * excess) - excess)
            threshold += step * 0.5 / row**0.5 * ((1 - top) if value > threshold else -top)
    return out


def rest(scores: Floats, rows: int) -> Floats:
    """Keep a score only if it beats all of the last `rows` scores (as they were before any was silenced)."""
    before = pd.Series(scores).shift(1).rolling(max(rows, 1), min_periods=1).max().to_numpy()
    return np.where(scores > np.nan_to_num(before, nan=-np.inf), scores, 0.0)


def controls(corpus: Sequence[Recording], rng: np.random.Generator) -> Iterator[tuple[str, list[Floats]]]:
    """Detectors that know nothing, or no filter: what a score is worth shows only beside theirs."""
    yield "silence", [np.zeros(len(r.values)) for r in corpus]
    yield "random", [rng.random(len(r.values)) for r in corpus]
    yield "blind clock: an alarm every half probation", [_clock(r) for r in corpus]
    steps = [np.abs(np.diff(r.values, prepend=r.values[:1])) for r in corpus]
    yield (
        "|difference|, calibrated, rest tied to file length",
        [rest(pot(s), r.probation // 2) for s, r in zip(steps, corpus, strict=True)],
    )
    yield "|difference|, calibrated, rest 375 rows", [rest(pot(s), 375) for s in steps]
    profiles = [_profile(r) for r in corpus]
    yield (
        "time-of-day profile, calibrated, rest tied to file length",
        [rest(pot(s), r.probation // 2) for s, r in zip(profiles, corpus, strict=True)],
    )
    yield (
        "the greater of the two, rest tied to file length",
        [rest(np.maximum(pot(a), pot(b)), r.probation // 2) for a, b, r in zip(steps, profiles, corpus, strict=True)],
    )


def _clock(recording: Recording) -> Floats:
    alarms = np.zeros(len(recording.values))
    alarms[recording.probation :: max(recording.probation // 2, 1)] = 1.0
    return alarms


def _profile(recording: Recording) -> Floats:
    """|reading - running mean of its half hour| over a running mean deviation; weekdays apart from weekends."""
    stamps, out = recording.timestamps, np.zeros(len(recording.values))
    slot = stamps.hour * 2 + stamps.minute // 30 + 48 * (stamps.day_of_week >= 5)
    mean, seen = np.zeros(96), np.zeros(96)
    overall, deviation = float(recording.values[0]), float(np.std(recording.values[:50])) + 1e-9
    for row, value in enumerate(recording.values):
        here = slot[row]
        expected = mean[here] if seen[here] else overall
        residual = abs(value - expected)
        out[row] = residual / deviation
        deviation += 0.01 * (min(residual, 5 * deviation) - deviation)
        deviation = max(deviation, 1e-9)
        seen[here] += 1
        mean[here] += (value - mean[here]) / min(seen[here], 60) if seen[here] > 1 else value
        overall += 0.05 * (value - overall)
    return out

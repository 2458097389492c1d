"""What people have readings in (lists, arrays, Series, frames, generators), as numbers and times. Pure."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Set
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ReadingsError", "names_of", "numbers", "seconds"]

Floats = NDArray[np.float64]


class ReadingsError(ValueError):
    """What was given cannot be read as numbers: `reason` says why, `row` where."""

    def __init__(
        self, reason: str, row: int | None = None, cure: str = "give numbers, and NaN where one is missing"
    ) -> None:
        super().__init__(reason, row, cure)
        self.reason, self.row, self.cure = reason, row, cure

    def __str__(self) -> str:
        where = "" if self.row is None else f" in row {self.row}"
        return f"these readings cannot be judged{where}: {self.reason}; {self.cure}"


def numbers(readings: Any) -> Floats:
    """The readings as an array of the same shape; what pandas takes for missing is NaN. Raises `ReadingsError`."""
    _no_times(readings)
    if isinstance(readings, Mapping | Set):
        raise ReadingsError(
            f"a {type(readings).__name__} has no rows", cure="give a list, an array, a Series or a frame"
        )
    if type(readings).__name__ == "MultiIndex":
        raise ReadingsError("a MultiIndex holds no readings", cure="give a list, an array, a Series or a frame")
    given = readings if hasattr(readings, "__len__") else _listed(readings)
    if isinstance(given, list | tuple) and any(isinstance(row, np.ma.MaskedArray) for row in given):
        given = [numbers(row) if isinstance(row, np.ma.MaskedArray) else row for row in given]
    try:
        with np.errstate(over="ignore"):
            return _cast(given)
    except OverflowError:
        try:
            return _vast(given)
        except (TypeError, ValueError) as error:
            raise _refused(given, error) from error
    except ReadingsError:
        raise
    except (TypeError, ValueError, NotImplementedError) as error:
        raise _refused(given, error) from error


def _cast(given: Any) -> Floats:
    """As numbers, unless there are some among them that were none."""
    table: Floats
    if hasattr(given, "isna"):
        for place, kind in enumerate([given.dtype] if hasattr(given, "dtype") else given.dtypes):
            if getattr(kind, "kind", "") == "O":
                _no_times_in((given if hasattr(given, "dtype") else given.iloc[:, place]).to_numpy())
        table = given.to_numpy(dtype=np.float64, na_value=np.nan)
        return table
    raw = np.asarray(given)
    _no_times_in(raw)
    if isinstance(given, np.ma.MaskedArray):
        table = np.ma.filled(given.astype(np.float64), np.nan)
        return table
    return np.asarray(raw if raw.dtype.kind in "biuf" else given, dtype=np.float64)


def _vast(given: Any) -> Floats:
    """As numbers, where some whole ones are larger than any float: these become the largest."""
    if hasattr(given, "isna"):
        cells = given.to_numpy(dtype=object, na_value=np.nan)
    elif isinstance(given, np.ma.MaskedArray):
        cells = np.ma.filled(given.astype(object), np.nan)
    else:
        cells = np.asarray(given, dtype=object)
    return np.array([_size(cell) for cell in cells.flat], np.float64).reshape(cells.shape)


def _size(cell: Any) -> float:
    try:
        return math.nan if cell is None else float(cell)
    except OverflowError:
        return sys.float_info.max if cell > 0 else -sys.float_info.max


def _listed(readings: Any) -> Any:
    """What a generator gives, as a list; a number as it is."""
    return list(readings) if isinstance(readings, Iterable) and not isinstance(readings, str) else readings


def _no_times(readings: Any) -> None:
    """Times and complex numbers would silently become numbers that nobody meant."""
    whole = getattr(readings, "dtype", None)
    for place, kind in [(None, whole)] if whole is not None else enumerate(getattr(readings, "dtypes", ())):
        kind = getattr(getattr(kind, "categories", None), "dtype", kind)
        which = "they are" if place is None else f"column {readings.columns[place]!r} holds"
        if getattr(kind, "kind", "") in ("M", "m"):
            cure = "give them as `times`" if place is None else "make it the index (`set_index`)"
            raise ReadingsError(f"{which} times", cure=f"{cure}, and the readings as numbers")
        if getattr(kind, "kind", "") == "c":
            raise ReadingsError(f"{which} complex numbers", cure="give their size or their real part")


def _no_times_in(cells: NDArray[Any]) -> None:
    """The same for what a list or an array of objects holds."""
    _no_times(cells)
    for cell in cells.flat if cells.dtype.kind == "O" else ():
        if isinstance(cell, np.generic):
            _no_times(cell)


def _refused(readings: Any, error: Exception) -> ReadingsError:
    """The first thing among the readings that is no number."""
    if hasattr(readings, "iloc") and hasattr(readings, "columns"):
        for place, name in enumerate(readings.columns):
            try:
                numbers(readings.iloc[:, place])
            except ReadingsError as refused:
                cure = "leave that column out, or make it numbers"
                return ReadingsError(f"column {name!r}: {refused.reason}", refused.row, cure)
    rows = readings.tolist() if hasattr(readings, "tolist") else readings
    for row, value in enumerate(rows if isinstance(rows, list | tuple) else []):
        try:
            _cast(value)
        except OverflowError:
            continue
        except (TypeError, ValueError):
            return ReadingsError(f"{value!r} is not a number", row)
        if np.shape(value) != np.shape(rows[0]):
            many, first = np.size(value), np.size(rows[0])
            return ReadingsError(f"{many} readings, where the first row has {first}", row, "fill up with NaN")
    return ReadingsError(str(error))


def names_of(readings: Any) -> list[str]:
    """What the signals are called, where a Series or frame says it; else nothing."""
    if hasattr(readings, "columns"):
        return [str(name) for name in readings.columns]
    name = getattr(readings, "name", None)
    return [] if name is None else [str(name)]


def seconds(readings: Any, times: Any = None) -> Floats | None:
    """The times of the readings in seconds (rows,), NaN where one is not known; None where nobody tells them.

    `times`: datetimes, dates, time spans, datetime64 or epoch seconds; without them the index of a Series or frame, if it
    is one of times, spans or periods. Only their differences count. Raises `ReadingsError` where they run backwards.

    >>> seconds([1.0, 2.0], times=["2026-01-01T00:00", "2026-01-01T00:10"]).tolist()
    [1767225600.0, 1767226200.0]
    """
    told: Any = getattr(readings, "index", None) if times is None else _array(times)
    told = told.to_timestamp() if type(told).__name__ in ("PeriodIndex", "PeriodArray") else told
    kind = getattr(told, "dtype", None)
    if times is None and getattr(kind, "kind", "") not in ("M", "m"):
        return None
    told = told if hasattr(told, "__len__") else _listed(told)
    try:
        array = np.asarray(told.tz_convert(None) if getattr(kind, "tz", None) is not None else _unmasked(told))
    except (TypeError, ValueError) as error:
        raise ReadingsError(f"their times are none ({error})", cure="give one time a row") from None
    if array.ndim != 1:
        raise ReadingsError(f"their times have {array.ndim} axes", cure="give one time a row")
    if array.dtype.kind not in "OUMmbiuf":
        raise ReadingsError(f"{array.dtype} are no times", cure="give datetimes, or seconds")
    if array.dtype.kind in "OU":
        array = np.array([_second(one, row) for row, one in enumerate(array.tolist())], np.float64)
    if array.dtype.kind in "Mm":
        whole = array.astype("datetime64[us]" if array.dtype.kind == "M" else "timedelta64[us]")
        array = np.where(np.isnat(whole), np.nan, whole.astype(np.int64) / 1e6)
    at: Floats = array.astype(np.float64)
    known = np.flatnonzero(np.isfinite(at))
    back = np.flatnonzero(np.diff(at[known]) < 0.0)
    if len(back):
        raise ReadingsError("their times run backwards", int(known[back[0] + 1]), "sort them by time")
    return at


def _array(times: Any) -> Any:
    """What a Series or an index holds; anything else as it is."""
    if type(times).__name__ == "MultiIndex":
        raise ReadingsError("a MultiIndex holds no times", cure="give one of its levels")
    return getattr(times, "array", times)


def _unmasked(times: Any) -> Any:
    """A masked time is not known."""
    if not isinstance(times, np.ma.MaskedArray):
        return times
    if times.dtype.kind in "Mm":
        return np.where(np.ma.getmaskarray(times), np.array("NaT", times.dtype), np.ma.getdata(times))
    told = np.ma.getdata(times).astype(object)
    told[np.ma.getmaskarray(times)] = None
    return told


def _second(one: Any, row: int) -> float:
    try:
        at = _date(one) if isinstance(one, str) else math.nan if one is None else one
        if isinstance(at, timedelta):
            return at.total_seconds()
        at = datetime.combine(at, time()) if isinstance(at, date) and not isinstance(at, datetime) else at
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() if isinstance(at, datetime) else float(at)
    except (TypeError, ValueError, OverflowError):
        raise ReadingsError(f"{one!r} is no time", row, "give datetimes, or seconds") from None


def _date(text: str) -> datetime | float:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return float(text)

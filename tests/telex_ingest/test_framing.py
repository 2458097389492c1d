"""How a plant's end cuts its spool into frames: order kept, nothing lost, sheets only where they tell the same."""

from __future__ import annotations

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from telex_ingest.framing import DEPTH, DEPTHS_A_FRAME, READINGS_A_FRAME, ROWS_A_SHEET, depths, frames, parts
from telex_ingest.sheet import rows_of, telexes_of
from telex_ingest.spool import Spooled, Standing
from telex_ingest.telex import Quality, Reading, Telex, TelexKind, moment

FIGURES = st.sampled_from([17.5, -1e9, 0.0])
SHAPES = st.sampled_from([(1, 2), (1, 2), (1, 2), (3,), ()])


ROWS = st.lists(st.tuples(st.none() | FIGURES, SHAPES, st.integers(0, 29)), max_size=80)


def told_of(rows: list[tuple[float | None, tuple[int, ...], int]], plants: int) -> list[Telex]:
    """A telex a row; one in thirty is backfill."""
    return [
        Telex(
            plant=f"mill-{seq % plants}",
            seq=seq,
            time=moment(seq),
            readings=tuple(Reading(signal, figure) for signal in shape),
            kind=TelexKind.BACKFILL if kind == 0 else TelexKind.LIVE,
        )
        for seq, (figure, shape, kind) in enumerate(rows, 1)
    ]


@given(ROWS, st.sampled_from([3, 40]), st.booleans())
@example([(1.0, (1, 2), 1)] * 60 + [(None, (1, 2), 1)] + [(1.0, (3,), 0)] * 30, 40, True)
def test_frames_tell_every_telex_once_and_in_order(
    rows: list[tuple[float | None, tuple[int, ...], int]], plants: int, columns: bool
) -> None:
    told = told_of(rows, plants)
    heard: list[Telex] = []
    for frame in frames(told, columns=columns):
        heard += frame.telexes
        for sheet in frame.sheets:
            heard += telexes_of(sheet, rows_of(sheet))
    assert heard == told


def test_a_run_of_one_shape_goes_as_a_sheet_and_a_doubtful_figure_never_does() -> None:
    def telex(seq: int, quality: Quality = Quality.GOOD) -> Telex:
        return Telex(plant=f"mill-{seq}", seq=1, time=moment(seq), readings=(Reading(1, 1.0, quality),))

    told = [telex(seq) for seq in range(1, ROWS_A_SHEET + 1)]
    (alone,) = frames(told, columns=True)
    assert len(alone.sheets) == 1
    assert not alone.telexes
    first, last = frames([*told, telex(ROWS_A_SHEET + 1, Quality.UNCERTAIN)], columns=True)
    assert (len(first.sheets), [one.plant for one in last.telexes]) == (1, [f"mill-{ROWS_A_SHEET + 1}"])
    (again,) = frames([msgspec.structs.replace(one, plant="mill-1") for one in told], columns=True)
    assert not again.sheets, "a room takes a sheet as a whole only when each plant speaks once in it"
    (json,) = frames(told, columns=False)
    assert json.telexes == tuple(told)


@given(st.lists(st.integers(0, 3000), max_size=40), st.integers(1, 9))
def test_parts_keep_their_bounds_and_their_order(sizes: list[int], most: int) -> None:
    rows = [
        Spooled(no, Telex(plant="mill-1", seq=no, time=moment(0), readings=(Reading(1, 1.0),) * size))
        for no, size in enumerate(sizes, 1)
    ]
    cut = list(parts(rows, most))
    assert [row for part in cut for row in part] == rows
    for part in cut:
        assert 1 <= len(part) <= most
        assert len(part) == 1 or sum(len(row.telex.readings) for row in part) <= READINGS_A_FRAME


@given(st.dictionaries(st.sampled_from([f"mill-{i}" for i in range(70)]), st.integers(0, 90)))
def test_the_deepest_spools_are_told_first(waiting: dict[str, int]) -> None:
    told = depths({plant: Standing(1, 100 + n, 100, True, None) for plant, n in waiting.items()})
    amounts = [one.last - one.first + 1 for one in told]
    assert amounts == sorted((n for n in waiting.values() if n >= DEPTH), reverse=True)[:DEPTHS_A_FRAME]

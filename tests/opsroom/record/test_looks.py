"""Looks are written before anything is shown, and a screen that looks at many plants does not pay for each of them again."""

from pathlib import Path

from opsroom.record.looks import SETTLE_S, SPAN_S, Looks

NOW = 1.7e9


def look(looks: Looks, plant: str, now: float, account: str = "wall") -> bool:
    return looks.note(account, "", "screen", "grant-1", "to see", [f"{plant}/output"], now)


def test_a_look_at_one_more_plant_writes_nothing_anew_of_those_that_are_looked_at_already(tmp_path: Path) -> None:
    looks = Looks(tmp_path / "looks.sqlite")
    told: list[str] = []
    with looks.ledger.written() as connection:
        connection.set_trace_callback(told.append)
    for number in range(40):
        for plant in range(number + 1):
            assert look(looks, f"mill-{plant}", NOW + number / 100)
    updates = [statement for statement in told if statement.startswith("UPDATE")]
    assert len(updates) == 0
    told.clear()
    look(looks, "mill-40", NOW + SETTLE_S)
    assert sum(statement.startswith("COMMIT") for statement in told) == 2, "all of them in one transaction"
    assert [(row.times, row.last_at) for row in looks.of("mill-0")] == [(40, NOW + 0.39)]
    looks.close()


def test_looks_apart_by_more_than_their_span_are_rows_of_their_own_and_none_is_forgotten_on_the_way(
    tmp_path: Path,
) -> None:
    looks = Looks(tmp_path / "looks.sqlite")
    for at in (NOW, NOW + 1.0, NOW + SPAN_S + 1.0, NOW + SPAN_S + 2.0):
        look(looks, "mill-1", at)
    look(looks, "mill-2", NOW + 2 * SPAN_S + 60.0)
    looks.close()
    again = Looks(tmp_path / "looks.sqlite")
    rows = [(row.first_at - NOW, row.last_at - NOW, row.times) for row in again.of("mill-1")]
    assert rows == [(SPAN_S + 1.0, SPAN_S + 2.0, 2), (0.0, 1.0, 2)]
    again.close()


def test_what_was_seen_of_one_plant_is_named_signal_by_signal(tmp_path: Path) -> None:
    looks = Looks(tmp_path / "looks.sqlite")
    for at, signal in ((NOW, "output"), (NOW + 1.0, "heat"), (NOW + 2.0, "output")):
        assert looks.note("seat-1", "Ada", "readings", "grant-1", "audit", [f"mill-1/{signal}"], at)
    assert [(row.signals, row.times) for row in looks.of("mill-1")] == [(("heat", "output"), 3)]
    looks.close()


def test_what_cannot_be_noted_may_not_be_shown(tmp_path: Path) -> None:
    looks = Looks(tmp_path / "looks.sqlite")
    with looks.ledger.written() as connection:
        connection.execute("DROP TABLE looks")
    assert not look(looks, "mill-1", NOW)
    looks.ledger.close()

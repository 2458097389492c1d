"""Units are read as UCUM has them, and what people write instead is told as UCUM writes it."""

import pytest

from telex_ingest.ucum import MEANT, cure

WELL = """1 % Cel t/h m3/h 1/min /min bar mbar hPa kW.h kW MW kV.A mg/l m/s2 m.s-2 kg.m/s2 h-1 10*8.m3 {loaf}/h {a}/{b} %{RH}
[degF] mm[Hg] m[H2O] [in_i'H2O] kg/(m2.s) J/(kg.K) uS/cm dB dB[SPL] GiBy kbit/s [pH] [ppm] L/min Ohm.m a mol/l"""


@pytest.mark.parametrize("unit", WELL.split())
def test_a_code_of_ucum_is_well(unit: str) -> None:
    assert cure(unit) == ""


@pytest.mark.parametrize(
    ("unit", "written"),
    [
        ("°C", "Cel"),
        ("m³/h", "m3/h"),
        ("m^3/h", "m3/h"),
        ("rpm", "1/min"),
        ("kWh", "kW.h"),
        ("t / h", "t/h"),
        ("µm", "um"),
        ("ton/h", "t/h"),
        ("KG", "kg"),
    ],
)
def test_a_usual_way_to_write_a_unit_is_cured(unit: str, written: str) -> None:
    assert cure(unit) == f"write {written}"


@pytest.mark.parametrize("written", sorted(set(MEANT.values())))
def test_what_is_proposed_is_a_code_of_ucum(written: str) -> None:
    assert cure(written) == ""


@pytest.mark.parametrize("unit", ["loaves/h", "degrees of heat", "", " ", "((1", "1)", "{", "}", "m//s", "[", "foo2"])
def test_what_ucum_does_not_know_is_told(unit: str) -> None:
    assert "counted things stand in braces" in cure(unit)

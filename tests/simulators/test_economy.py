"""Nothing appears or vanishes, and who has no coal makes nothing."""

from __future__ import annotations

import pytest
import simpy

from simulators.errors import LedgerTorn, UnknownPlant
from simulators.ledger import Ledger

from .conftest import play, stage, told


def test_what_was_opened_made_and_imported_is_used_shipped_or_still_there() -> None:
    on = stage(hours=24.0, shadow=False)
    play(on, 24.0)
    ledger = on.economy.ledger
    ledger.audit()
    coal = ledger.flows("coal")
    assert coal.made > 11_000.0
    assert coal.used > 9_000.0
    assert coal.on_rails > 500.0
    assert coal.stored + coal.on_rails == pytest.approx(coal.opening + coal.made - coal.used - coal.shipped, rel=1e-9)
    assert set(ledger.products) >= {
        "coal",
        "concentrate",
        "copper",
        "cement",
        "cotton",
        "yarn",
        "cloth",
        "wheat",
        "flour",
    }


def test_the_ledger_holds_through_every_fault() -> None:
    broken = """
    [[fault]]
    kind = "step"
    signal = "coal-mine/coal-raised"
    at = "30m"
    size_sd = -80.0
    [[fault]]
    kind = "step"
    signal = "railway/freight"
    at = "1h"
    size_sd = -70.0
    [[fault]]
    kind = "step"
    signal = "power-station/generation"
    at = "90m"
    size_sd = -60.0
    """
    on = stage(broken, hours=12.0)
    play(on, 12.0)
    on.economy.ledger.audit()
    assert all(on.economy.ledger.flows(product).stored >= 0.0 for product in on.economy.ledger.products)


def test_goods_that_pass_the_ledger_by_are_found() -> None:
    ledger = Ledger(simpy.Environment())
    ledger.open("mine", "coal", 100.0)
    ledger.audit()
    ledger._stores["mine", "coal"].put(5.0)
    with pytest.raises(LedgerTorn, match=r"\+5 of coal"):
        ledger.audit()


def test_who_has_no_yarn_weaves_no_cloth() -> None:
    on = stage(
        '[[fault]]\nkind = "step"\nsignal = "spinning-mill/yarn-output"\nat = "5m"\nsize_sd = -70.0', shadow=False
    )
    play(on, 0.25)
    ledger = on.economy.ledger
    for mill in ("textile-mill", "spinning-mill"):
        ledger.use(mill, "yarn", ledger.level(mill, "yarn"))
    out = play(on, 3.0)
    output = told(out, "textile-mill", on, "loom-output")
    assert output[5:35].mean() > 5_000.0, "the trains that are under way still arrive"
    assert output[-60:].mean() < 3_000.0
    ledger.audit()


def test_a_small_loss_of_power_is_fetched_from_abroad_and_a_great_one_is_shed_by_all() -> None:
    small = stage('[[fault]]\nkind = "step"\nsignal = "power-station/generation"\nat = "1h"\nsize_sd = -5.0')
    out = play(small, 2.0)
    assert told(out, "power-station", small, "exchange")[70:].mean() == pytest.approx(20 + 45, abs=8)
    assert small.economy.factory("copper-smelter").supply == 1.0
    great = stage('[[fault]]\nkind = "step"\nsignal = "power-station/generation"\nat = "1h"\nsize_sd = -15.0')
    out = play(great, 2.0)
    assert told(out, "power-station", great, "exchange")[70:].mean() == pytest.approx(120, abs=3)
    assert great.economy.factory("copper-smelter").supply == pytest.approx(1 - 35 / 114, abs=0.08)
    assert told(out, "copper-smelter", great, "copper-cast")[70:].mean() < 0.9 * 26.5


def test_a_railway_that_hauls_a_fifth_lets_its_buyers_stores_run_down() -> None:
    on = stage(
        '[[fault]]\nkind = "step"\nsignal = "railway/freight"\nat = "30m"\nsize_sd = -70.0', hours=24, shadow=False
    )
    play(on, 12.0)
    ledger = on.economy.ledger
    assert ledger.level("textile-mill", "yarn") < 88.0
    assert ledger.level("spinning-mill", "yarn") > 60.0
    ledger.audit()


def test_a_plant_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(UnknownPlant, match=r"'steel-works'.*textile-mill"):
        stage(plants=("steel-works",))

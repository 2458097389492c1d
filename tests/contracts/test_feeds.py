"""Every installed feed is tested because it is installed."""

from __future__ import annotations

import pytest

from telex_ingest.feed import Feed, load_feeds
from tests.contracts.feed_contract import FeedContract
from tests.telex_ingest.conftest import room

__all__ = ["room"]


@pytest.fixture(params=sorted(load_feeds()))
def installed(request: pytest.FixtureRequest) -> type[Feed]:
    return load_feeds()[request.param]


class TestEveryInstalledFeed(FeedContract):
    @pytest.fixture(autouse=True)
    def take(self, installed: type[Feed]) -> None:
        type(self).feed = installed


def test_the_csv_replay_is_installed_through_the_public_door() -> None:
    assert load_feeds()["csv"].__name__ == "CsvReplay"

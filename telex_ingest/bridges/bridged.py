"""What every feed of a plant that also takes orders has beside its readings: the declared orders and the bridge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from telex_ingest.bridges.bridge import Bridge, Reach
from telex_ingest.bridges.settings import Target, Trust, order_births
from telex_ingest.feed import Answer
from telex_ingest.feed_settings import SignalSetting, declared
from telex_ingest.telex import Order, PlantBirth


class PlantSettings(Protocol):
    """What the settings of such a feed say."""

    @property
    def plant(self) -> str: ...  # noqa: D102 - named for what it says
    @property
    def title(self) -> str: ...  # noqa: D102 - named for what it says
    @property
    def signals(self) -> Mapping[str, SignalSetting]: ...  # noqa: D102 - named for what it says
    @property
    def trust(self) -> Trust | None: ...  # noqa: D102 - named for what it says
    @property
    def orders(self) -> Mapping[str, Target]: ...  # noqa: D102 - named for what it says


class Bridged:
    """A plant behind a bridge. Raises `SettingsError` for orders that cannot be."""

    def __init__(self, feed: str, settings: PlantSettings, reach: Reach) -> None:
        self._orders = order_births(feed, settings.orders, settings.trust)
        self._bridge = Bridge(settings.plant, settings.orders, settings.trust, reach)

    async def obey(self, order: Order, answer: Answer) -> None:
        """Carry an order out, as `Bridge.obey` says."""
        await self._bridge.obey(order, answer)

    async def settle(self, answer: Answer) -> None:
        """Answer the orders that an earlier process left in hand."""
        await self._bridge.settle(answer)


class Declared(Bridged):
    """A plant behind a bridge whose settings say everything of its birth."""

    def __init__(self, feed: str, settings: PlantSettings, reach: Reach) -> None:
        super().__init__(feed, settings, reach)
        self._declared = declared(settings.plant, settings.signals, title=settings.title, orders=self._orders)

    def birth(self) -> PlantBirth:
        """Declare the plant of the settings."""
        return self._declared

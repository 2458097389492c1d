"""What could not be read for damage must not grow: the writer waits, says so, keeps nothing, and asks again until it is well."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from opsroom.loop import writer as writer_module
from opsroom.loop.hall import Hall
from opsroom.loop.writer import Writer
from opsroom.record.disk import RESTORE, StoreError
from tests.opsroom.loop.test_keeping_beliefs import born, one_tick, opened
from tests.opsroom.rooms import make_folder
from tests.telex_ingest.conftest import until


class Page:
    """A page of the store that somebody asked for: damaged, until it is mended."""

    def __init__(self, hall: Hall) -> None:
        self.hall, self.damaged = hall, True
        with suppress(StoreError), hall.store._reading(self.read):  # type: ignore[attr-defined] # of a store of blocks
            self.read()

    def read(self) -> None:
        if self.damaged:
            raise StoreError("block 7 is damaged", self.hall.folder, "its sum is another", RESTORE, damaged=True)


async def test_a_store_that_ails_takes_nothing_keeps_nothing_and_is_asked_again_until_it_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("SNAPSHOT_S", 0.0), ("TEND_S", 0.01), ("BUSY_S", 0.01), ("TRY_AGAIN_S", 0.01)):
        monkeypatch.setattr(writer_module, name, seconds)
    hall = opened(make_folder(tmp_path / "room"))
    born(hall)
    writer = Writer(hall)
    await one_tick(hall, writer, 1)
    mark = hall.store.last_mark
    page = Page(hall)
    await until(lambda: "block 7 is damaged" in hall.trouble)
    await writer.keep_beliefs()
    await writer.kept()
    assert hall.store.beliefs() == {}, "no belief is kept beside what cannot be read"
    writing = asyncio.create_task(one_tick(hall, writer, 2))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(writing), 0.2)
    assert hall.store.last_mark == mark
    assert "block 7 is damaged" in hall.trouble
    page.damaged = False
    async with asyncio.timeout(60):
        await writing
    await until(lambda: not hall.trouble)
    assert hall.store.last_mark == mark + 1
    await writer.keep_beliefs()
    await writer.kept()
    assert len(hall.store.beliefs()) == 1
    writer.close()
    hall.close()

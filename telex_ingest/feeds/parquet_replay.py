"""Replay a Parquet file as a plant, row group by row group. I/O.

Needs the extra `parquet`. Columns of numbers and of true or false are signals; the others are passed over.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from telex_ingest.feed import FeedError
from telex_ingest.feeds.csv_replay import EXAMPLE, example_settings
from telex_ingest.feeds.replay import Replay, ReplaySettings, Rows, figure

ROWS = 2048
"""Rows that are read at once."""


class ParquetReplay(Replay):
    """A Parquet file as a feed of one plant."""

    Settings = ReplaySettings
    kind = "parquet"

    @classmethod
    def example(cls, folder: Path) -> Self:
        """Replay the table of the CSV example, in row groups of two rows."""
        arrow, parquet = _pyarrow()
        rows = list(csv.DictReader(io.StringIO(EXAMPLE)))
        columns: dict[str, Any] = {
            "timestamp": arrow.array([row["timestamp"] for row in rows]).cast(arrow.timestamp("ms")),
            "output": [figure(row["output"] or None) for row in rows],
            "stock": [figure(row["stock"]) for row in rows],
            "quality": [row["quality"] for row in rows],
        }
        path = folder / "example.parquet"
        parquet.write_table(arrow.table(columns), path, row_group_size=2)
        return cls(example_settings(path))

    def _columns(self) -> list[str]:
        arrow, parquet = _pyarrow()
        try:
            schema = parquet.read_schema(self.settings.path)
        except OSError as error:
            raise self._error(str(error.strerror or error), "name a file that can be read") from error
        except arrow.ArrowException as error:
            raise self._error(f"it is no Parquet file ({error})", "name a Parquet file") from error
        kinds = arrow.types
        return [
            field.name
            for field in schema
            if field.name in (self.settings.timestamp, self.settings.quality)
            or kinds.is_integer(field.type)
            or kinds.is_floating(field.type)
            or kinds.is_decimal(field.type)
            or kinds.is_boolean(field.type)
        ]

    def _rows(self, begun: int) -> Rows:
        with _pyarrow()[1].ParquetFile(self.settings.path) as file:
            groups: list[int] = []
            number = 0
            for place in range(file.metadata.num_row_groups):
                rows = file.metadata.row_group(place).num_rows
                if groups or number + rows > begun:
                    groups.append(place)
                else:
                    number += rows
            wanted = [column for column in self._columns() if column in file.schema_arrow.names]
            if not groups:
                return
            for batch in file.iter_batches(ROWS, row_groups=groups, columns=wanted):
                for row in _plain(batch):
                    number += 1
                    if number > begun:
                        yield number, row


def _plain(batch: Any) -> Iterator[dict[str, Any]]:
    """Give rows; a timestamp in nanoseconds loses what is finer than a microsecond."""
    arrow, _ = _pyarrow()
    columns = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if arrow.types.is_timestamp(column.type):
            column = column.cast(arrow.timestamp("us", column.type.tz), safe=False)
        columns[name] = column.to_pylist()
    for cells in zip(*columns.values(), strict=True):
        yield dict(zip(columns, cells, strict=True))


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise FeedError(
            "parquet", "pyarrow is not installed", "install the extra: pip install opsroom[parquet]"
        ) from None
    return pyarrow, pyarrow.parquet

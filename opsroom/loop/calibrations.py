"""I/O: the files of `opsroom calibrate` that a room.toml names, read and checked."""

from __future__ import annotations

from pathlib import Path

import msgspec

from opsroom.constitution.judging import Judging, merged, read_calibration
from opsroom.constitution.tables import Mistake

__all__ = ["calibrated"]

_LARGEST = 50_000_000


def calibrated(folder: Path, own: Judging) -> tuple[Judging, list[Mistake]]:
    """What the room.toml in `folder` and the files that it names say of judging, and every mistake in those files."""
    found, mistakes = {}, []
    for file in own.files:
        path = folder / file.file
        try:
            if path.stat().st_size > _LARGEST:
                raise OSError(f"it is larger than {_LARGEST // 1_000_000} MB")
            said, wrong = read_calibration(path.read_text(encoding="utf-8-sig"))
        except (OSError, UnicodeDecodeError) as error:
            cure = (
                "Write it with `opsroom calibrate HISTORY.csv -o FILE.toml`, and give its path from the room's folder."
            )
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            wrong = [Mistake(line=0, where="the file", value=file.file, what=f"it cannot be read: {reason}", cure=cure)]
            said = Judging()
        found[file] = said
        mistakes += [msgspec.structs.replace(one, where=f"{file.file}: {one.where}") for one in wrong]
    return merged(own, found), mistakes

"""`python -m opsroom.ready`: what the room and `opsroom detect` compile, compiled now and kept on disk for every later start.

With `beside` all of it but the judgement, whose kernel takes longest: so that both are compiled side by side, on two cores,
and what joins them afterwards (`make compiled`).
"""

from __future__ import annotations

import argparse

import numpy as np

from cyberstride import novelty
from cyberstride.recall import run
from opsroom.judgement.bank import Bank
from opsroom.record import absorbed, blocks
from opsroom.record.rollups import Gathering
from opsroom.record.store import KINDS, Block, Place
from telex_ingest import lockstep, mailbag, scanner
from telex_ingest.heard import Accepted
from telex_ingest.telex import PlantBirth, Reading, SignalBirth, TelexKind

NOBODY = PlantBirth(
    plant="nobody", signals=tuple(SignalBirth(id=n, name=f"nothing-{n}", unit="", period_s=1.0) for n in (1, 2))
)


def beside() -> None:
    """Compile what reads the wire, what packs the record, and the novelty channel."""
    scanner.warm()
    mailbag.warm()
    lockstep.warm()
    blocks.warm()
    absorbed.warm()
    minutes = Gathering()
    minutes.add(nothing())
    run(novelty.newborn(1), np.zeros((1, 1)))


def judgement() -> None:
    """Compile the judgement, and what lays readings out for it: one tick in order, and one of all kinds in disorder."""
    bank = Bank()
    bank.admit(NOBODY, {f"nobody/{signal.name}": Place(0, row) for row, signal in enumerate(NOBODY.signals)})
    numbers = {NOBODY.plant: 1}
    bank.judge([told(1, TelexKind.LIVE)], 0.0, numbers)
    bank.judge([told(seq, kind) for seq, kind in enumerate(KINDS, 2)], 0.0, numbers)


def told(seq: int, kind: TelexKind) -> Accepted:
    """A telex of nobody, `seq` seconds after the epoch."""
    return Accepted(NOBODY.plant, 1, seq, seq * 10**6, 0, kind, (1, 2), (Reading(1, 0.0), Reading(2, 0.0)))


def nothing() -> Block:
    """One reading of nobody, as it is stored."""
    one, no = np.ones(1, np.int64), np.zeros(1)
    return Block(
        shard=0, at=0.0, plant=one, epoch=one, seq=one, source_us=one, received_us=one, kind=one - 1, telex=one - 1,
        row=one, value=no, quality=one, named=one, p=np.zeros((1, 4)), level=no, low=no, high=no,
    )  # fmt: skip


def main() -> None:
    """Compile all, or only what is not the judgement."""
    asked = argparse.ArgumentParser(prog="opsroom.ready", description="Compile now what a first start would compile.")
    asked.add_argument("part", nargs="?", choices=("beside",), help="all but the judgement")
    if asked.parse_args().part is None:
        judgement()
    beside()


if __name__ == "__main__":
    main()

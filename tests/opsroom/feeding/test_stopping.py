"""A feed that is told to end ends at its next wait; told again, at once."""

from __future__ import annotations

import asyncio
import signal

import pytest

from opsroom.feeding.stopping import ENDS, run_until_told


@pytest.mark.parametrize("number", ENDS)
def test_the_first_signal_cancels_and_the_second_is_not_held_up(number: signal.Signals) -> None:
    ours = signal.signal(number, signal.default_int_handler)  # whoever runs the tests may have them ignore it
    before = [signal.getsignal(one) for one in ENDS]
    seen: list[object] = []

    async def work() -> None:
        try:
            signal.raise_signal(number)
            seen.append(signal.getsignal(number))
            await asyncio.get_running_loop().create_future()
        finally:
            seen.append("ended by itself")

    try:
        run_until_told(work())
        assert seen == [signal.SIG_DFL, "ended by itself"]
        assert [signal.getsignal(one) for one in ENDS] == before
    finally:
        signal.signal(number, ours)


def test_a_signal_that_nobody_is_to_hear_stays_unheard() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup leaves it
    try:
        seen: list[object] = []

        async def work() -> None:
            signal.raise_signal(signal.SIGHUP)
            await asyncio.sleep(0)
            seen.append(signal.getsignal(signal.SIGHUP))

        run_until_told(work())
        assert seen == [signal.SIG_IGN]
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_was_cancelled_by_no_signal_is_told() -> None:
    async def work() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run_until_told(work())

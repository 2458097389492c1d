"""How often somebody may try to log in: allowances that fill again by themselves, so that nobody is locked out for ever."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

PAIR = (5.0, 1 / 30)
"""Tries of one account from one address: five at once, then one in 30 s."""

ADDRESS = (20.0, 1 / 5)
"""Tries of any account from one address: twenty at once, then one in 5 s."""

_MOST = 20_000
_LONGEST = 80


class Tries:
    """Allowances by (account, address) and by address.

    There is none by account alone: a stranger elsewhere cannot use up the allowance of the person who sits at this address, and
    passphrases of 80 random bits cannot be found by many addresses together. A try that is refused for its haste costs nothing,
    so the wait never grows. An IPv6 address counts with its network of 64 bits.
    """

    def __init__(self) -> None:
        self._left: dict[tuple[str, str], tuple[float, float]] = {}

    def wait_s(self, account: str, address: str, now: float) -> float:
        """Seconds until a try is allowed, 0 if it is now."""
        place = _network(address)
        return max(
            self._wait(("", place), ADDRESS, now),
            self._wait((account[:_LONGEST], place), PAIR, now),
        )

    def begin(self, account: str, address: str, now: float) -> None:
        """Note a try that was allowed."""
        place = _network(address)
        for key, allowance in ((("", place), ADDRESS), ((account[:_LONGEST], place), PAIR)):
            left = self._now_left(key, allowance, now) - 1.0
            self._left.pop(key, None)  # so that the dictionary's order is that of the last try
            self._left[key] = (left, now)
        if len(self._left) > _MOST:
            for key in list(self._left)[: _MOST // 2]:
                del self._left[key]

    def succeeded(self, account: str, address: str) -> None:
        """Give the allowance of this account from this address back."""
        self._left.pop((account[:_LONGEST], _network(address)), None)

    def _wait(self, key: tuple[str, str], allowance: tuple[float, float], now: float) -> float:
        return max(0.0, (1.0 - self._now_left(key, allowance, now)) / allowance[1])

    def _now_left(self, key: tuple[str, str], allowance: tuple[float, float], now: float) -> float:
        most, a_second = allowance
        left, at = self._left.get(key, (most, now))
        return min(most, left + a_second * max(0.0, now - at))


def _network(address: str) -> str:
    try:
        at = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:_LONGEST]
    if isinstance(at, IPv6Address):
        return str(at.ipv4_mapped) if at.ipv4_mapped else str(IPv6Address(int(at) >> 64 << 64))
    return str(at)

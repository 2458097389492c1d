from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from argon2 import PasswordHasher
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.clock import HandClock
from opsroom.commands import Role
from opsroom.entry.accounts import account_of, new_passphrase, told
from opsroom.entry.people import SESSION_MAX_S, SESSION_S, SESSIONS, LoginRefused, People
from opsroom.entry.tries import ADDRESS, PAIR, Tries

HERE, ELSEWHERE = "192.0.2.1", "198.51.100.9"


@pytest.fixture
def clock() -> HandClock:
    return HandClock(1e9)


@pytest.fixture
def people(tmp_path: Path, clock: HandClock) -> People:
    return opened(tmp_path, clock)


def opened(folder: Path, clock: HandClock) -> People:
    """People with real argon2id at its lowest cost."""
    return People.open(folder / "people.sqlite", clock, time_cost=1, memory_kib=8)


def on_disk(folder: Path) -> tuple[bytes, set[int]]:
    """Every byte of a folder, and the modes of its files."""
    paths = list(folder.iterdir())
    return b"".join(path.read_bytes() for path in paths), {path.stat().st_mode & 0o777 for path in paths}


async def refused(people: People, account: str, passphrase: str, address: str = HERE) -> LoginRefused:
    with pytest.raises(LoginRefused) as refusal:
        await people.login(account, passphrase, address)
    return refusal.value


async def test_each_account_gets_a_passphrase_once_and_can_log_in_with_it(people: People) -> None:
    told_once = people.enrol(["mill"], {"seat-1": "Ada", "unit-mill": "Marta"})
    assert sorted(told_once) == ["operator", *(f"seat-{seat}" for seat in range(1, 8)), "unit-mill"]
    assert len(set(told_once.values())) == 9
    viewers = {}
    for account, passphrase in told_once.items():
        viewers[account] = people.viewer(await people.login(account, passphrase, HERE))
    assert viewers["seat-1"] is not None
    assert (viewers["seat-1"].role, viewers["seat-1"].seat, viewers["seat-1"].occupant) == ("seat", 1, "Ada")
    assert viewers["unit-mill"] is not None
    assert (viewers["unit-mill"].role, viewers["unit-mill"].unit) == ("unit", "mill")
    assert viewers["operator"] is not None
    assert viewers["operator"].role == "operator"
    assert people.enrol(["mill", "new"], {"seat-1": "Eve", "unit-new": "Nora"}).keys() == {"unit-new"}
    assert {account.name: account.occupant for account in people.accounts()}["seat-1"] == "Ada"
    people.close()


async def test_passphrases_and_tokens_lie_nowhere_in_the_files(people: People, tmp_path: Path) -> None:
    passphrases = people.enrol(["mill"])
    token = await people.login("operator", passphrases["operator"], HERE)
    everything, modes = on_disk(tmp_path)
    for secret in (*passphrases.values(), *map(told, passphrases.values()), token):
        assert secret.encode() not in everything
    assert everything.count(b"$argon2id$") >= 9
    assert modes == {0o600}
    people.close()


async def test_a_passphrase_is_taken_as_people_type_it(people: People) -> None:
    passphrase = people.enrol([])["seat-2"]
    for typed in (passphrase.upper(), passphrase.replace("-", " "), f" {passphrase.replace('-', '')} "):
        assert people.viewer(await people.login("seat-2", typed, HERE)) is not None
    people.close()


async def test_what_is_wrong_is_refused_with_the_same_words_whether_the_account_exists_or_not(people: People) -> None:
    passphrases = people.enrol([])
    for account, passphrase in [
        ("seat-1", passphrases["seat-2"]),
        ("seat-1", ""),
        ("seat-8", passphrases["seat-1"]),
        ("", ""),
        ("seat-1' OR 1=1 --", "x"),
        ("seat-1", "\udcff\x00" * 500),
        ("x" * 100_000, "y" * 100_000),
    ]:
        refusal = await refused(people, account, passphrase, address=f"{HERE}{len(account)}")
        assert (refusal.code, str(refusal)) == ("wrong", str(LoginRefused("wrong", 0.0)))
    people.close()


async def test_an_unknown_account_costs_a_hash_too(tmp_path: Path, clock: HandClock) -> None:
    people = People.open(tmp_path / "people.sqlite", clock, time_cost=3, memory_kib=8192)
    people.enrol([])

    async def cost(account: str) -> float:
        spent = []
        for turn in range(5):
            before = time.process_time()  # of all threads: one of them hashes
            await refused(people, account, "wrong", address=f"{account}{turn}")
            spent.append(time.process_time() - before)
        return min(spent)

    known, unknown = await cost("seat-1"), await cost("seat-9")
    assert unknown > known / 2
    people.close()


async def test_many_tries_wait_and_the_wait_ends_by_itself(people: People, clock: HandClock) -> None:
    passphrase = people.enrol([])["seat-1"]
    for _ in range(int(PAIR[0])):
        assert (await refused(people, "seat-1", "wrong")).code == "wrong"
    for _ in range(50):
        refusal = await refused(people, "seat-1", passphrase)
        assert (refusal.code, refusal.retry_s) == ("too-many", pytest.approx(30.0))
    clock.wind(31.0)
    assert people.viewer(await people.login("seat-1", passphrase, HERE)) is not None
    people.close()


async def test_a_stranger_elsewhere_cannot_lock_a_person_out(people: People, clock: HandClock) -> None:
    passphrase = people.enrol([])["seat-1"]
    for turn in range(60):
        with pytest.raises(LoginRefused):
            await people.login("seat-1", "wrong", f"203.0.113.{turn % 30}")
    assert people.viewer(await people.login("seat-1", passphrase, HERE)) is not None
    people.close()


async def test_one_address_may_not_try_every_account(people: People) -> None:
    people.enrol([])
    codes = [(await refused(people, f"seat-{turn % 40}", "wrong", ELSEWHERE)).code for turn in range(30)]
    assert codes == ["wrong"] * int(ADDRESS[0]) + ["too-many"] * (30 - int(ADDRESS[0]))
    people.close()


async def test_logins_that_come_all_at_once_are_bounded_and_the_loop_goes_on(tmp_path: Path, clock: HandClock) -> None:
    people = People.open(tmp_path / "people.sqlite", clock, time_cost=2, memory_kib=19456)
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0)

    heart = asyncio.create_task(beat())
    answers = await asyncio.gather(
        *(people.login("seat-1", "x", f"10.0.0.{n}") for n in range(40)), return_exceptions=True
    )
    heart.cancel()
    codes = [answer.code for answer in answers if isinstance(answer, LoginRefused)]
    assert sorted(set(codes)) == ["too-many", "wrong"]
    assert codes.count("wrong") == 16
    assert beats > 100
    people.close()


async def test_a_session_ends_by_logout_and_by_time(people: People, clock: HandClock) -> None:
    passphrase = people.enrol([])["seat-1"]
    first, second = [await people.login("seat-1", passphrase, HERE) for _ in range(2)]
    assert first != second
    assert people.present() == {"seat-1"}
    people.logout(first)
    people.logout(first)
    people.logout("never seen")
    assert people.viewer(first) is None
    assert people.viewer(second) is not None
    clock.wind(SESSION_S - 1)
    assert people.viewer(second) is not None
    clock.wind(SESSION_S - 1)
    assert people.viewer(second) is not None, "a session that is used goes on"
    clock.wind(SESSION_S)
    assert people.viewer(second) is None
    assert people.present() == frozenset()
    people.close()


async def test_no_session_lasts_for_ever(people: People, clock: HandClock) -> None:
    token = await people.login("seat-1", people.enrol([])["seat-1"], HERE)
    for _ in range(int(SESSION_MAX_S // 3600) - 1):
        clock.wind(3600.0)
        assert people.viewer(token) is not None
    clock.wind(3600.0)
    assert people.viewer(token) is None
    people.close()


async def test_sessions_outlive_a_restart_and_their_end_does_too(
    tmp_path: Path, people: People, clock: HandClock
) -> None:
    passphrases = people.enrol([])
    kept, ended = [await people.login("seat-1", passphrases["seat-1"], HERE) for _ in range(2)]
    people.logout(ended)
    people.close()
    people = opened(tmp_path, clock)
    assert people.viewer(kept) is not None
    assert people.viewer(ended) is None
    people.close()


async def test_a_new_passphrase_ends_the_old_one_and_every_session(people: People) -> None:
    old = people.enrol([])["seat-1"]
    token = await people.login("seat-1", old, HERE)
    new = people.renew("seat-1")
    assert people.viewer(token) is None
    assert (await refused(people, "seat-1", old)).code == "wrong"
    assert people.viewer(await people.login("seat-1", new, HERE)) is not None
    with pytest.raises(KeyError):
        people.renew("seat-9")
    people.close()


@pytest.mark.parametrize("nobody", ["", "  ", "a\nb"])
def test_a_chair_is_never_without_a_name(people: People, nobody: str) -> None:
    people.enrol(["mill-1"], {"seat-1": "Ada"})
    with pytest.raises(ValueError, match="vacant"):
        people.rename("seat-1", nobody)
    assert {account.name: account.occupant for account in people.accounts()}["seat-1"] == "Ada"


async def test_another_occupant_does_not_inherit_a_session(people: People) -> None:
    passphrase = people.enrol([], {"seat-1": "Ada"})["seat-1"]
    token = await people.login("seat-1", passphrase, HERE)
    assert people.rename("seat-1", "Bruno").occupant == "Bruno"
    assert people.viewer(token) is None
    people.close()


async def test_what_the_command_line_changes_the_running_room_sees_at_once(
    tmp_path: Path, people: People, clock: HandClock
) -> None:
    passphrase = people.enrol([])["seat-1"]
    token = await people.login("seat-1", passphrase, HERE)
    assert people.viewer(token) is not None
    command_line = opened(tmp_path, clock)
    assert command_line.revoke("seat-1") == 1
    assert people.viewer(token) is None
    new = command_line.renew("seat-1")
    assert (await refused(people, "seat-1", passphrase)).code == "wrong"
    assert people.viewer(await people.login("seat-1", new, HERE)) is not None
    command_line.close()
    people.close()


async def test_an_account_has_a_bounded_number_of_sessions(people: People, clock: HandClock) -> None:
    passphrase = people.enrol([])["seat-1"]
    tokens = []
    for turn in range(SESSIONS + 3):
        clock.wind(60.0)
        tokens.append(await people.login("seat-1", passphrase, f"10.1.{turn}.1"))
    alive = [token for token in tokens if people.viewer(token) is not None]
    assert alive == tokens[3:]
    people.close()


async def test_a_passphrase_is_hashed_anew_at_login_when_the_cost_has_risen(
    tmp_path: Path, people: People, clock: HandClock
) -> None:
    passphrase = people.enrol([])["seat-1"]
    people.close()
    people = People.open(tmp_path / "people.sqlite", clock, time_cost=2, memory_kib=16)
    await people.login("seat-1", passphrase, HERE)
    people.close()
    with sqlite3.connect(tmp_path / "people.sqlite") as connection:
        (hashed,) = connection.execute("SELECT hash FROM accounts WHERE name = 'seat-1'").fetchone()
    connection.close()
    assert "m=16,t=2" in hashed


@pytest.mark.parametrize("token", ["", "x", "\udcff", "é" * 1000, "../../etc"])
def test_a_token_that_is_none_is_nobody(people: People, token: str) -> None:
    assert people.viewer(token) is None
    people.close()


def test_passphrases_have_eighty_bits_and_can_be_read_out() -> None:
    made = {new_passphrase() for _ in range(500)}
    assert len(made) == 500
    for passphrase in made:
        groups = passphrase.split("-")
        assert [len(group) for group in groups] == [5] * 5
        assert all(group[1] in "aiou" and group[3] in "aiou" for group in groups)
    assert {letter for passphrase in made for letter in passphrase} == set("bdfghjklmnprstvzaiou-")


@settings(deadline=None)
@given(st.text())
def test_an_account_name_is_an_account_or_a_value_error(name: str) -> None:
    try:
        account = account_of(name)
    except ValueError:
        return
    assert account.role in (Role.SEAT, Role.UNIT, Role.OPERATOR)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=60))
def test_a_wait_is_never_longer_than_the_refill_and_never_grows_by_trying(moves: list[tuple[float, bool]]) -> None:
    tries, now = Tries(), 0.0
    for passed, right in moves:
        now += passed
        wait = tries.wait_s("seat-1", HERE, now)
        assert 0 <= wait <= 1 / min(PAIR[1], ADDRESS[1]) + 1e-6
        assert tries.wait_s("seat-1", HERE, now + wait + 1e-6) == 0
        if wait == 0:
            tries.begin("seat-1", HERE, now)
            if right:
                tries.succeeded("seat-1", HERE)


def test_a_network_of_addresses_shares_an_allowance_and_memory_is_bounded() -> None:
    tries = Tries()
    for turn in range(int(ADDRESS[0])):
        tries.begin(f"seat-{turn}", f"2001:db8::{turn:x}", 0.0)
    assert tries.wait_s("seat-1", "2001:db8::ffff", 0.0) > 0
    assert tries.wait_s("seat-1", "2001:db8:0:1::1", 0.0) == 0
    for turn in range(100_000):
        tries.begin(f"account-{turn}", f"10.{turn >> 16}.{turn >> 8 & 255}.{turn & 255}", 1.0)
    assert len(tries._left) <= 20_002


class Slow(PasswordHasher):
    """A hasher beside whose work something else happens."""

    meanwhile: Callable[[], object] = staticmethod(lambda: None)

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        right = super().verify(hash, password)
        self.meanwhile()
        return right


async def test_a_passphrase_that_is_renewed_while_it_is_being_checked_opens_nothing(
    tmp_path: Path, people: People, clock: HandClock
) -> None:
    passphrase = people.enrol([])["seat-1"]
    hasher = Slow(time_cost=1, memory_cost=8, parallelism=1)
    room = People(tmp_path / "people.sqlite", clock, hasher)
    hasher.meanwhile = lambda: people.renew("seat-1")
    assert (await refused(room, "seat-1", passphrase)).code == "wrong"
    assert room.present() == frozenset()
    room.close()


def test_whoever_gets_in_has_all_tries_again() -> None:
    tries = Tries()
    for _ in range(5):
        tries.begin("seat-1", HERE, 0.0)
    assert tries.wait_s("seat-1", HERE, 0.0) > 0.0
    tries.succeeded("seat-1", HERE)
    assert tries.wait_s("seat-1", HERE, 0.0) == 0.0

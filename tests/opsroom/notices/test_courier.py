"""Notices reach real servers, again and again until they are taken, and once more after a kill in between."""

from __future__ import annotations

import asyncio
import base64
import json
from email import message_from_string, policy
from pathlib import Path

import pytest
import structlog

from opsroom.notices.channel import Channel
from opsroom.notices.courier import Courier
from opsroom.notices.message import Message, signature
from opsroom.notices.rota import Duty, NoticeRules
from opsroom.notices.sending import SECRETS, SendError, secret_of, send
from opsroom.room.room import newborn
from tests.opsroom.notices.servers import http, smtp
from tests.opsroom.play import Play, charter

LOG = structlog.wrap_logger(structlog.ReturnLogger())
SAID = Message(
    key="room/alarm-7/1", room="room", alarm="alarm-7", unit="loom-1", priority="high", title="Loom 1 stepped down",
    text="It has fallen.", who="Ada", turn=1, at=1_700_000_000.0, link="https://room.test/alarms?alarm=alarm-7",
)  # fmt: skip


def secrets(folder: Path, text: str = 'hook = "salt"\nmail = "pass"\n', mode: int = 0o600) -> Path:
    (folder / SECRETS).write_text(text)
    (folder / SECRETS).chmod(mode)
    return folder


async def test_a_mail_goes_encrypted_with_its_key_and_a_login(tmp_path: Path) -> None:
    async with smtp(secrets(tmp_path)) as letters:
        channel = Channel(
            name="ada", kind="mail", server=f"127.0.0.1:{letters.port}", sender="room@works.test", to=("ada@works.test",),
            user="room", secret="mail", authority="ca.pem",
        )  # fmt: skip
        await asyncio.to_thread(send, tmp_path, channel, SAID)
        await asyncio.to_thread(send, tmp_path, channel, SAID)
    assert letters.encrypted == [True, True]
    assert base64.b64decode(letters.logins[0]) == b"\0room\0pass"
    (_, receivers, text), (_, _, again) = letters.mails
    assert "ada@works.test" in receivers[0]
    assert "X-Opsroom-Key: room/alarm-7/1" in text
    assert "Subject: [high] Loom 1 stepped down" in text
    body = str(message_from_string(text, policy=policy.default).get_content())
    assert "https://room.test/alarms?alarm=alarm-7" in body
    ids = [next(line for line in one.splitlines() if line.startswith("Message-ID")) for one in (text, again)]
    assert ids[0] == ids[1], "a second copy is known by its id"


async def test_a_mail_server_that_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    async with smtp(tmp_path) as letters:
        channel = Channel(
            name="ada", kind="mail", server=f"127.0.0.1:{letters.port}", sender="a@b.test", to=("c@d.test",)
        )
        with pytest.raises(SendError, match=r"certificate|CERTIFICATE"):
            await asyncio.to_thread(send, tmp_path, channel, SAID)
    assert letters.mails == []


async def test_a_webhook_is_signed_over_its_moment_and_its_body(tmp_path: Path) -> None:
    async with http() as posts:
        channel = Channel(name="hook", kind="webhook", url=f"http://127.0.0.1:{posts.port}/in?x=1", secret="hook")
        await asyncio.to_thread(send, secrets(tmp_path), channel, SAID)
    ((path, headers, body),) = posts.posts
    assert path == "/in?x=1"
    assert headers["x-opsroom-signature"] == signature("salt", headers["x-opsroom-timestamp"], body)
    assert headers["idempotency-key"] == SAID.key
    assert json.loads(body)["title"] == SAID.title
    assert b"salt" not in body


async def test_a_push_speaks_as_ntfy_listens(tmp_path: Path) -> None:
    async with http() as posts:
        channel = Channel(name="push", kind="push", url=f"http://127.0.0.1:{posts.port}/works", secret="hook")
        await asyncio.to_thread(send, secrets(tmp_path), channel, SAID)
    ((path, headers, body),) = posts.posts
    assert (path, headers["title"], headers["priority"]) == ("/works", SAID.title, "5")
    assert headers["authorization"] == "Bearer salt"
    assert headers["click"] == SAID.link
    assert SAID.key in body.decode()


def test_secrets_stand_in_a_file_of_ones_own_or_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = Channel(name="hook", kind="webhook", url="http://x.test", secret="night-hook")
    with pytest.raises(SendError, match="OPSROOM_SECRET_NIGHT_HOOK"):
        secret_of(tmp_path, channel)
    secrets(tmp_path, 'night-hook = "s"', mode=0o644)
    with pytest.raises(SendError, match="chmod 600"):
        secret_of(tmp_path, channel)
    secrets(tmp_path, 'night-hook = "s"')
    assert secret_of(tmp_path, channel) == "s"
    monkeypatch.setenv("OPSROOM_SECRET_NIGHT_HOOK", "from outside")
    assert secret_of(tmp_path, channel) == "from outside"


def owed() -> Play:
    duty = Duty(who="Ada", channels=("hook",))
    play = Play(rules=charter(notices=NoticeRules(rota=(duty,))))
    play.alarm()
    return play


async def settled(courier: Courier, play: Play) -> list[str]:
    """Wait until the courier has news of a delivery, and give all its reasons."""
    reasons = []
    while True:
        for news in courier.heard():
            reasons.append(news.reason)
            play.hear(news)
            if not news.reason:
                return reasons
        await asyncio.sleep(0.005)


async def test_a_channel_that_says_no_is_tried_again_until_it_takes_the_notice_once(tmp_path: Path) -> None:
    play = owed()
    async with http() as posts:
        posts.refuse = 2
        hook = Channel(name="hook", kind="webhook", url=f"http://127.0.0.1:{posts.port}/", secret="hook")
        courier = Courier(secrets(tmp_path), (hook,), LOG, wait=lambda attempts: 0.001 * attempts)
        courier.take_up(play.room)
        courier.take_up(play.room)
        reasons = await asyncio.wait_for(settled(courier, play), 60)
        courier.take_up(play.room)
        await courier.close()
    assert [bool(reason) for reason in reasons] == [True, True, False]
    assert "503" in reasons[0]
    assert len(posts.posts) == 1
    assert [one.pending() for one in play.room.notices.values()] == [()]


async def test_what_was_sent_and_not_written_before_a_kill_is_sent_again_with_the_same_key(tmp_path: Path) -> None:
    play = owed()
    async with http() as posts:
        hook = Channel(name="hook", kind="webhook", url=f"http://127.0.0.1:{posts.port}/", secret="hook")
        killed = Courier(secrets(tmp_path), (hook,), LOG)
        killed.take_up(play.room)
        await asyncio.wait_for(posts.came.wait(), 60)
        await killed.close()  # its news never reached the journal
        play.room = play.replayed(newborn("opsroom-x", play.charter))
        courier = Courier(tmp_path, (hook,), LOG)
        courier.take_up(play.room)
        await asyncio.wait_for(settled(courier, play), 60)
        await courier.close()
    keys = [headers["idempotency-key"] for _, headers, _ in posts.posts]
    assert keys == ["opsroom-x/alarm-1/0"] * 2


async def test_a_channel_that_room_toml_does_not_name_any_more_is_told(tmp_path: Path) -> None:
    play = owed()
    courier = Courier(tmp_path, (), LOG, wait=lambda attempts: 60.0)
    courier.take_up(play.room)
    async with asyncio.timeout(60):
        while not (told := courier.heard()):  # noqa: ASYNC110 - what it waits for is told by a task of the courier
            await asyncio.sleep(0.001)
    for news in told:
        play.hear(news)
    await courier.close()
    (notice,) = play.room.notices.values()
    assert "no channel 'hook'" in notice.troubles[0].reason

"""What room.toml says of alarms, their meanings and notice outside the wall; every mistake has its line and its cure."""

from __future__ import annotations

import pytest

from opsroom.alarms.rationale import PRIORITIES, PRIORITY, Rationale, rationale
from opsroom.constitution.charter import check, read, template

CHANNEL = """
[[channel]]
name = "ada"
kind = "mail"
server = "smtp.test:587"
sender = "room@works.test"
to = ["ada@works.test"]
"""
ROTA = '[[rota]]\nwho = "Ada"\nchannels = ["ada"]\n'


def mistakes(more: str) -> list[str]:
    return [f"{one.where}: {one.what}" for one in check(template() + more)]


def test_a_rota_with_its_channels_is_read() -> None:
    hours = 'unit = "mill-1"\nzone = "America/Santiago"\nwhen = ["mon-fri 08:00-16:00", "sat 22:00-06:00"]\n'
    found = read(template() + CHANNEL + ROTA + hours)
    (duty,) = found.charter.notices.rota
    assert (duty.who, duty.channels, duty.unit, duty.zone) == ("Ada", ("ada",), "mill-1", "America/Santiago")
    assert [one.days for one in duty.hours] == [(0, 1, 2, 3, 4), (5,)]
    (channel,) = found.channels
    assert (channel.server, channel.security, channel.secret) == ("smtp.test:587", "starttls", "")
    assert "smtp" not in repr(found.charter), "addresses of people stay out of the journal"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (CHANNEL + ROTA.replace('"ada"', '"eve"'), "there is no channel 'eve'"),
        (CHANNEL + ROTA + 'zone = "Mars/Olympus"\n', "there is no such time zone"),
        (CHANNEL + ROTA + 'when = ["sometimes"]\n', "are no hours"),
        (CHANNEL + ROTA + 'when = ["mon 25:00-26:00"]\n', "no such time of day"),
        (CHANNEL + ROTA + 'unit = "nowhere"\n', "there is no such unit"),
        (CHANNEL + CHANNEL, "two channels of this name"),
        (CHANNEL.replace(":587", ""), "no mail server"),
        (CHANNEL.replace('@works.test"]', '"]'), "a mail needs addresses"),
        (CHANNEL + 'user = "room"\n', "a login needs a secret"),
        (CHANNEL + 'user = "room"\nsecret = "mail"\nsecurity = "none"\n', "not sent in the clear"),
        ('[[channel]]\nname = "h"\nkind = "webhook"\nurl = "https://x.test"\n', "a webhook is signed"),
        ('[[channel]]\nname = "p"\nkind = "push"\nurl = "ftp://x.test"\n', "this is no address"),
        ('[[channel]]\nname = "p"\nkind = "push"\nurl = "https://a:b@x.test"\n', "holds no passphrase"),
        ('[[alarm_kind]]\nsignal = "moon/light"\nmeans = "m"\nresponse = "r"\nowner = "o"\n', "no plant 'moon'"),
        ('[[alarm_kind]]\nsignal = "A B"\nmeans = "m"\nresponse = "r"\nowner = "o"\n', "no pattern of signals"),
        ('[[alarm_kind]]\nsignal = "mill-1/output"\nmeans = "m"\nresponse = "r"\nowner = "o"\n', "two records"),
        ('[[alarm_kind]]\nsignal = "*/heat"\nresponse = "r"\nowner = "o"\n', "it is missing"),
        (
            '[[alarm_kind]]\nsignal = "*/heat"\nmeans = "m"\nresponse = "r"\nowner = "o"\nlatched = "no"\n',
            "true or false",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(more: str, said: str) -> None:
    assert any(said in one for one in mistakes(more)), mistakes(more)


def test_graver_and_more_urgent_is_never_of_lower_priority() -> None:
    rank = PRIORITIES.index
    for row in PRIORITY.values():
        assert [rank(row[one]) for one in ("minor", "major", "severe")] == sorted(rank(one) for one in row.values())
    for one in ("minor", "major", "severe"):
        falling = [rank(PRIORITY[when][one]) for when in ("soon", "later", "at leisure")]
        assert falling == sorted(falling, reverse=True)


def test_the_most_specific_record_counts() -> None:
    records = [
        Rationale(signal="*/output", owner="all"),
        Rationale(signal="mill-1/*", owner="mill"),
        Rationale(signal="mill-1/output", owner="own"),
        Rationale(signal="mill-1/output", kind="slope", owner="slope"),
        Rationale(signal="mill-1", owner="silence"),
    ]

    def owner(signal: str, kind: str) -> str:
        found = rationale(records, signal, kind)
        return found.owner if found is not None else ""

    assert [owner("mill-1/output", kind) for kind in ("step", "slope")] == ["own", "slope"]
    assert [owner("mill-1/heat", "step"), owner("mill-2/output", "step")] == ["mill", "all"]
    assert [owner("mill-1", "silence"), owner("mill-2", "silence")] == ["silence", ""]

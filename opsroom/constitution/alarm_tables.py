"""The tables of room.toml about alarms, what they mean, and notice outside the wall.

[alarms], [[alarm_kind]], [notices], [[rota]] and [[channel]].
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import cast
from urllib.parse import urlsplit

from opsroom.alarms.kinds import INSTRUMENT
from opsroom.alarms.rationale import KINDS, Consequence, Priority, Rationale
from opsroom.constitution.tables import Reading, Sheet, nearest
from opsroom.notices.channel import Channel, Kind, Security
from opsroom.notices.rota import Duty, Hours, HoursError, NoticeRules, hours, known_zone
from opsroom.recursion.recursion import AlarmRules

_PATTERN = re.compile(r"[a-z0-9*?\[\]-]{1,63}(/[a-z0-9*?\[\]-]{1,63})?")
_SERVER = re.compile(r"(\[[0-9a-fA-F:]+\]|[^\s:/@]+):(\d{1,5})")
_WORDS: tuple[Priority, ...] = ("medium", "low", "high")


def alarms_of(sheet: Sheet) -> AlarmRules:
    """Tell the written numbers behind an alarm's life."""
    table, usual = sheet.table("alarms"), AlarmRules()
    rules = AlarmRules(
        readings_to_recover=table.count("readings_to_recover", usual.readings_to_recover, 1, 10_000),
        hysteresis_s=table.duration("hysteresis", usual.hysteresis_s, least=0.0),
        shelve_max_s=table.duration("shelve_max", usual.shelve_max_s),
        restart_grace_s=table.duration("restart_grace", usual.restart_grace_s, least=0.0),
        stop_max_s=table.duration("stop_max", usual.stop_max_s),
        out_of_service_max_s=table.duration("out_of_service_max", usual.out_of_service_max_s),
        extension_max_s=table.duration("extension_max", usual.extension_max_s),
        extensions=table.count("extensions", usual.extensions, 0, 100),
        group_window_s=table.duration("group_window", usual.group_window_s, least=0.0),
        priority=cast(Priority, table.word("priority", _WORDS)),
        only_logged=table.texts("only_logged"),
    )
    table.done()
    for kind in rules.only_logged:
        if kind not in INSTRUMENT:
            table.wrong("only_logged", f"{kind!r} is no kind that may be logged alone", nearest(kind, INSTRUMENT))
    return rules


def kinds_of(sheet: Sheet, plants: Collection[str]) -> tuple[Rationale, ...]:
    """Tell what alarms mean."""
    found: dict[tuple[str, str], Rationale] = {}
    for table in sheet.tables("alarm_kind"):
        signal = table.text("signal", needed=True, example="mill-1/output")
        usual = Rationale(signal=signal)
        record = Rationale(
            signal=signal,
            kind=table.word("kind", KINDS),
            consequence=cast(Consequence, table.word("consequence", ("minor", "major", "severe"))),
            means=table.text("means", needed=True, example="the looms stand still in an hour"),
            response=table.text("response", needed=True, example="look at the drive; call the fitter"),
            respond_s=table.duration("respond_in", usual.respond_s),
            owner=table.text("owner", needed=True, example="shift leader of mill 1"),
            latched=table.flag("latched"),
        )
        table.done()
        if not signal:
            continue
        if not _PATTERN.fullmatch(signal):
            cure = 'Write plant/signal, with * for any: "mill-1/output", "*/absence", or "mill-1" for its silence.'
            table.wrong("signal", "this is no signal and no pattern of signals", cure)
        elif record.plant and record.plant not in plants:
            table.wrong("signal", f"there is no plant {record.plant!r} in this file", nearest(record.plant, plants))
        elif (signal, record.kind) in found:
            table.wrong("signal", "there are two records of this", "Write one [[alarm_kind]] a signal and kind.")
        else:
            found[(signal, record.kind)] = record
    return tuple(found.values())


def notices_of(sheet: Sheet, units: Collection[str]) -> tuple[NoticeRules, tuple[Channel, ...]]:
    """Tell who is told outside the wall, and by which channels."""
    channels = _channels(sheet)
    table, usual = sheet.table("notices"), NoticeRules()
    priority = cast(Priority, table.word("priority", _WORDS))
    pass_on_s, turns = table.duration("pass_on", usual.pass_on_s), table.count("turns", usual.turns, 1, 1000)
    link = table.text("link", example="https://room.example")
    table.done()
    if link and urlsplit(link).scheme not in ("http", "https"):
        table.wrong("link", "this is no address of a room", 'Write link = "https://room.example".')
    rota = tuple(_rota(sheet, units, {one.name for one in channels}))
    return NoticeRules(priority=priority, pass_on_s=pass_on_s, turns=turns, link=link.rstrip("/"), rota=rota), channels


def _rota(sheet: Sheet, units: Collection[str], channels: Collection[str]) -> Iterable[Duty]:
    for table in sheet.tables("rota"):
        who, unit = table.text("who", needed=True, example="Ada Araya"), table.text("unit")
        told, when = table.texts("channels"), table.texts("when")
        zone = table.text("zone", example="America/Santiago") or "UTC"
        table.done()
        if unit and unit not in units:
            table.wrong("unit", "there is no such unit", nearest(unit, units))
        if not told:
            table.wrong("channels", "nobody is told by no channel", "Name one or more [[channel]].")
        for name in told:
            if name not in channels:
                table.wrong("channels", f"there is no channel {name!r}", nearest(name, channels))
        if not known_zone(zone):
            table.wrong(
                "zone", "there is no such time zone", 'Write zone = "America/Santiago", or leave it out for UTC.'
            )
            zone = "UTC"
        yield Duty(who=who, channels=told, unit=unit, zone=zone, hours=_hours(table, when))


def _hours(table: Reading, when: Iterable[str]) -> tuple[Hours, ...]:
    found = []
    for text in when:
        try:
            found.append(hours(text))
        except HoursError as wrong:
            cure = 'Write when = ["mon-fri 08:00-16:00", "sun 22:00-06:00"].'
            table.wrong("when", f"{text!r} are no hours ({wrong.what})", cure)
    return tuple(found)


def _channels(sheet: Sheet) -> tuple[Channel, ...]:
    found: dict[str, Channel] = {}
    for table in sheet.tables("channel"):
        name = table.slug("name", needed=True)
        kind = cast(Kind, table.word("kind", ("mail", "webhook", "push")))
        channel = Channel(
            name=name,
            kind=kind,
            url=table.text("url", needed=kind != "mail", example="https://ntfy.example/room"),
            server=table.text("server", needed=kind == "mail", example="smtp.example:587"),
            sender=table.text("sender", needed=kind == "mail", example="room@works.example"),
            to=table.texts("to"),
            user=table.text("user"),
            security=cast(Security, table.word("security", ("starttls", "tls", "none"))),
            secret=table.slug("secret"),
            authority=table.text("authority"),
        )
        table.done()
        if name in found:
            table.wrong("name", "there are two channels of this name", "Give each channel a name of its own.")
        _check(table, channel)
        found[name] = channel
    return tuple(found.values())


def _check(table: Reading, channel: Channel) -> None:
    if channel.kind == "mail":
        found = _SERVER.fullmatch(channel.server)
        if channel.server and (found is None or not 0 < int(found[2]) < 65536):
            table.wrong("server", "this is no mail server", 'Write server = "smtp.example:587".')
        if not channel.to or not all(re.fullmatch(r"[^\s@<>]+@[^\s@<>]+", one) for one in channel.to):
            table.wrong("to", "a mail needs addresses", 'Write to = ["ada@works.example"].')
        if channel.user and not channel.secret:
            table.wrong("secret", "a login needs a secret", 'Write secret = "mail" and put it into secrets.toml.')
        if channel.user and channel.security == "none":
            table.wrong("security", "a passphrase is not sent in the clear", 'Write security = "starttls" or "tls".')
    elif channel.url and (urlsplit(channel.url).scheme not in ("http", "https") or not urlsplit(channel.url).hostname):
        table.wrong("url", "this is no address", 'Write url = "https://...".')
    elif channel.url and urlsplit(channel.url).username is not None:
        table.wrong("url", "an address holds no passphrase", "Put it into secrets.toml and name it as secret.")
    if channel.kind == "webhook" and not channel.secret:
        table.wrong("secret", "a webhook is signed", 'Write secret = "hook" and put it into secrets.toml.')

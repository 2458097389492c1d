"""The words of one end of the wire as screens, terminals and logs of the other can show them. Pure.

What a plant writes about itself is read by people: on walls, in a terminal, in minutes; so is at the plant what the room's seats
write. A terminal obeys control characters, and a mark that turns the writing round makes one name look like another. What is
signed is made legible after its proof was checked; ids, names and the parameters of orders stay as they are. The room's
own people are not written anew: what they type that nobody would see is refused at the door, with its name (`unseen`).
"""

from __future__ import annotations

from unicodedata import category

import msgspec

from telex_ingest.telex import (
    Death,
    FromPlant,
    FromRoom,
    Invitation,
    InvitedOption,
    OrderBirth,
    PlantBirth,
    PlantCall,
    Receipt,
    SignalBirth,
)

MOST = 500
"""Characters of a title, a unit or a reason; as many as in a room.toml."""

MOST_SAID = 4000
"""Characters of what the room says to a plant's people in whole sentences."""

JOINERS = frozenset("\u200c\u200d")
"""Marks of no width that Persian, Hindi and others are written with."""


_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unicode's categories of what has no shape of its own: orders to a terminal, marks of direction and of no width, private use."""

_BESIDE = frozenset("\u061c\u200e\u200f")
"""Marks with which Hebrew and Arabic are written beside figures: they hold for one place and turn no word round."""

_SHOWN = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
"""Signs of Arabic, Syriac and Kaithi numbers: of category Cf, and seen."""


def unseen(text: str) -> str:
    r"""Name the first character of a text that nobody sees, such as `U+202E`; empty when there is none.

    Tabs, line ends, every kind of space, the joiners of scripts and pictures and the marks of Hebrew and Arabic may be there.

    >>> unseen("Ventil\u200b 3"), unseen("\x9b2J"), unseen("one\r\ntwo\t1\u202f000 \u00fc")
    ('U+200B', 'U+009B', '')
    """
    if text.isprintable():
        return ""
    for place, c in enumerate(text):
        if (
            c in "\t\n"
            or c in JOINERS
            or c in _BESIDE
            or c in _SHOWN
            or (c == "\r" and text[place + 1 : place + 2] == "\n")
        ):
            continue
        if category(c) in _HIDDEN:
            return f"U+{ord(c):04X}"
    return ""


def legible(text: str, most: int = MOST) -> str:
    r"""Give a text in one line of at most `most` characters: a dot for what cannot be printed, a space for every kind of space.

    >>> legible("M\u00fchle \u202e1\x1b[2J\r\n")
    'Mühle ·1·[2J  '
    """
    if len(text) > most:
        text = text[: most - 1] + "\u2026"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in JOINERS else " " if c.isspace() else "\u00b7" for c in text)


def legible_birth(birth: PlantBirth) -> PlantBirth:
    """Give a birth whose titles and units can be shown; the same object, if all of them can."""
    signals = tuple(_signal(one) for one in birth.signals)
    orders = tuple(_order(one) for one in birth.orders)
    title = legible(birth.title)
    if title == birth.title and signals == birth.signals and orders == birth.orders:
        return birth
    return msgspec.structs.replace(birth, title=title, signals=signals, orders=orders)


def _signal(one: SignalBirth) -> SignalBirth:
    title, unit = legible(one.title), legible(one.unit)
    same = title == one.title and unit == one.unit
    return one if same else msgspec.structs.replace(one, title=title, unit=unit)


def _order(one: OrderBirth) -> OrderBirth:
    title = legible(one.title)
    return one if title == one.title else msgspec.structs.replace(one, title=title)


def legible_frame(frame: FromPlant) -> FromPlant:
    """Give a frame whose reasons of receipts, calls and farewells can be shown; the same object, if all of them can."""
    said: tuple[Receipt | PlantCall | Death, ...] = (*frame.receipts, *frame.calls, *frame.deaths)
    if all(len(one.reason) <= MOST and one.reason.isprintable() for one in said):
        return frame
    return msgspec.structs.replace(
        frame,
        receipts=tuple(msgspec.structs.replace(one, reason=legible(one.reason)) for one in frame.receipts),
        calls=tuple(msgspec.structs.replace(one, reason=legible(one.reason)) for one in frame.calls),
        deaths=tuple(msgspec.structs.replace(one, reason=legible(one.reason)) for one in frame.deaths),
    )


def legible_answer(frame: FromRoom) -> FromRoom:
    """Give a frame of the room whose refusals and notices can be shown; the same object, if it has none."""
    if not (frame.refusals or frame.notices):
        return frame
    return msgspec.structs.replace(
        frame,
        refusals=tuple(
            msgspec.structs.replace(one, reason=legible(one.reason, MOST_SAID), cure=legible(one.cure))
            for one in frame.refusals
        ),
        notices=tuple(msgspec.structs.replace(one, text=legible(one.text, MOST_SAID)) for one in frame.notices),
    )


def legible_invitation(invitation: Invitation) -> Invitation:
    """Give an invitation that can be shown: the same object, or one without its proof, which held for it as it came."""
    title, text = legible(invitation.title), legible(invitation.text, MOST_SAID)
    options = tuple(_option(one) for one in invitation.options)
    if title == invitation.title and text == invitation.text and options == invitation.options:
        return invitation
    return msgspec.structs.replace(invitation, title=title, text=text, options=options, proof=None)


def _option(one: InvitedOption) -> InvitedOption:
    return msgspec.structs.replace(one, title=legible(one.title), terms=legible(one.terms, MOST_SAID))

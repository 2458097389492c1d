"""What minutes are made of: headings, paragraphs, tables, quotations, pictures. One document, two ways to write it. Pure."""

from __future__ import annotations

from typing import NamedTuple

from opsroom.minutes.picture import Picture


class Heading(NamedTuple):
    """A heading; level 1 begins a motion."""

    level: int
    text: str


class Para(NamedTuple):
    """A paragraph."""

    text: str


class Facts(NamedTuple):
    """Names and what stands beside them."""

    rows: tuple[tuple[str, str], ...]


class Table(NamedTuple):
    """A table with its head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Quote(NamedTuple):
    """Somebody's own words."""

    who: str
    text: str


class Drawn(NamedTuple):
    """A picture and what it shows."""

    picture: Picture
    caption: str


class Exact(NamedTuple):
    """Text that is to be read letter by letter: hashes, commands."""

    text: str


Block = Heading | Para | Facts | Table | Quote | Drawn | Exact


class Proof(NamedTuple):
    """The proof of one event that the minutes cite, as the journal gives it (JSON)."""

    event: int
    json: str


class Document(NamedTuple):
    """Minutes, ready to be written: `marked` is a band on every page, for what is no record of the room itself."""

    title: str
    subtitle: str
    blocks: tuple[Block, ...]
    proofs: tuple[Proof, ...] = ()
    marked: str = ""

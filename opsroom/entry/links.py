"""Which link may speak for which plants: tokens made by the room, told once, kept as hashes in `people.sqlite`.

The clock handed in is the world's, never a fast one.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

import msgspec

from opsroom.clock import Clock
from opsroom.entry.certificates import is_name
from opsroom.entry.ledger import Ledger
from opsroom.record.disk import StoreError
from telex_ingest.share import WEBSOCKETS, Share
from telex_ingest.ticket import Ticket, TicketError

ANY = "*"
"""In place of plants: any plant."""

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_SEEN_EVERY_S = 60.0
_GATHER_S = 1.0
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS links (id TEXT PRIMARY KEY, plants TEXT NOT NULL, made_at REAL NOT NULL, seen_at REAL,"
    " revoked_at REAL) STRICT",
    "CREATE TABLE IF NOT EXISTS link_tokens (token BLOB PRIMARY KEY, link TEXT NOT NULL REFERENCES links (id),"
    " until REAL) STRICT, WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS link_certificates (name TEXT PRIMARY KEY, link TEXT NOT NULL REFERENCES links (id))"
    " STRICT, WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS link_certificate_ends (name TEXT PRIMARY KEY REFERENCES link_certificates (name) ON DELETE"
    " CASCADE, until REAL NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS link_shares (link TEXT PRIMARY KEY REFERENCES links (id), readings_per_s REAL,"
    " websockets INTEGER) STRICT, WITHOUT ROWID",
)


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One link: its id, the plants it may speak for (`*` for any), when made, last heard and revoked (epoch seconds).

    `tokens` hold now; `certificates` let it in without one (`certificates.py`); `share` is what it may take of the room.
    """

    id: str
    plants: tuple[str, ...]
    made_at: float
    seen_at: float | None = None
    revoked_at: float | None = None
    tokens: int = 0
    certificates: tuple[str, ...] = ()
    share: Share = Share()


class Links:
    """The room's links and their tokens; the command line may change them while the room runs."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self._ledger = Ledger(path, _SCHEMA)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="links")
        self._seen: dict[str, float] = {}
        self._seen_noted_at = clock.now()
        self._noting = False
        self._closing = Event()
        self._links: dict[str, Link] = {}
        self._may: dict[str, frozenset[str]] = {}
        self._tokens: dict[str, list[tuple[bytes, float | None]]] = {}
        self._certificates: dict[str, tuple[str, float | None]] = {}
        self._changes = 0
        self._ends: list[float] = []
        self._look()

    @classmethod
    def open(cls, path: Path, clock: Clock) -> Links:
        """Open or begin the links in `people.sqlite`; raises `StoreError`."""
        return cls(path, clock)

    def add(self, link: str, plants: Sequence[str], certificate: str = "", share: Share | None = None) -> str:
        """Make a link that may speak for these plants (`*` for any) and tell its token, once.

        With a certificate's name or fingerprint it has no token (the answer is empty) and comes in by that certificate. Raises
        ValueError if the link exists, was revoked, or an id is not one.
        """
        for name in (link, *plants):
            if not _SLUG.fullmatch(name) and (name != ANY or name == link):
                raise ValueError(f"{name!r} is no id: use lower-case letters, digits and hyphens, like mill-1")
        if not plants:
            raise ValueError(f"the link {link!r} needs plants to speak for: name them, or '*' for any")
        if certificate:
            _check_name(certificate)
        token = "" if certificate else secrets.token_urlsafe(32)
        plain = msgspec.json.encode(sorted(set(plants))).decode()
        with self._ledger.written() as at:
            made = at.execute(
                "INSERT OR IGNORE INTO links VALUES (?, ?, ?, NULL, NULL)", (link, plain, self._clock.now())
            ).rowcount
            if not made:
                if at.execute("SELECT 1 FROM links WHERE id = ? AND revoked_at IS NOT NULL", (link,)).fetchone():
                    raise ValueError(
                        f"there was a link {link!r} already, and it was revoked for good: choose another id"
                    )
                raise ValueError(f"there is a link {link!r} already: rotate its token, or choose another id")
            if certificate:
                _bind(at, certificate, link)
            else:
                at.execute("INSERT INTO link_tokens VALUES (?, ?, NULL)", (_digest(token), link))
            if share is not None:
                at.execute("INSERT INTO link_shares VALUES (?, ?, ?)", (link, share.readings_per_s, share.websockets))
        return token

    def rotate(self, link: str, grace_s: float = 86400.0, certificate: str = "") -> str:
        """Make a new token; what the link came in with before holds for `grace_s` more, so that no telex waits.

        With a certificate's name or fingerprint the link comes in by that one from now on. A link that has a certificate and gets
        no other keeps it: it has no token, and the answer is empty. A token that was given `grace_s` before keeps its time, if
        that is shorter. Raises KeyError, if revoked too, and ValueError for a time or a name that is none.
        """
        if not 0.0 <= grace_s <= 366 * 86_400.0:
            raise ValueError(f"the old token cannot hold for {grace_s:g} s more: say 0 s to a year")
        if certificate:
            _check_name(certificate)
        token, now = "" if certificate else secrets.token_urlsafe(32), self._clock.now()
        with self._ledger.written() as at:
            _check_live(at, link)
            _forget_ended(at, link, now)
            bound = at.execute("SELECT name FROM link_certificates WHERE link = ?", (link,)).fetchall()
            if bound and not certificate:
                return ""
            until = now + grace_s
            at.execute("UPDATE link_tokens SET until = min(ifnull(until, ?1), ?1) WHERE link = ?2", (until, link))
            at.executemany(
                "INSERT INTO link_certificate_ends VALUES (?, ?) ON CONFLICT DO UPDATE SET until = min(until, excluded.until)",
                [(name, until) for (name,) in bound],
            )
            if (certificate,) in bound:
                at.execute("DELETE FROM link_certificate_ends WHERE name = ?", (certificate,))
            elif certificate:
                _bind(at, certificate, link)
            else:
                at.execute("INSERT INTO link_tokens VALUES (?, ?, NULL)", (_digest(token), link))
        return token

    def revoke(self, link: str) -> None:
        """End a link for good; raises KeyError. A connection that is open is the gateway's to end."""
        with self._ledger.written() as at:
            _check_live(at, link)
            at.execute("DELETE FROM link_tokens WHERE link = ?", (link,))
            at.execute("DELETE FROM link_certificates WHERE link = ?", (link,))
            at.execute("UPDATE links SET revoked_at = ? WHERE id = ?", (self._clock.now(), link))

    def list(self) -> tuple[Link, ...]:
        """Every link, by id, revoked ones too."""
        self._look()
        with self._ledger.turn:
            now = self._clock.now()
            return tuple(
                msgspec.structs.replace(
                    link,
                    seen_at=self._seen.get(name, link.seen_at),
                    tokens=sum(until is None or now < until for _, until in self._tokens.get(name, ())),
                    certificates=tuple(
                        certificate
                        for certificate, (owner, until) in self._certificates.items()
                        if owner == name and (until is None or now < until)
                    ),
                )
                for name, link in sorted(self._links.items())
            )

    def authorise(self, link: str, token: str) -> frozenset[str] | None:
        """The plants that this link may speak for (`{"*"}`: any), `None` if the link or its token is not known here.

        The whole ticket is as good as the token in it.
        """
        try:
            digest, now = _digest(Ticket.read(token).token), self._clock.now()
        except TicketError:
            return None
        self._look()
        with self._ledger.turn:
            held = self._tokens.get(link, [])
            right = any(
                (until is None or now < until) and hmac.compare_digest(token_hash, digest) for token_hash, until in held
            )
            known = self._links.get(link)
            if not right or known is None or known.revoked_at is not None:
                return None
            self._came(link, now)
            return frozenset(known.plants)

    def vouched(self, link: str, names: Iterable[str]) -> frozenset[str] | None:
        """The plants that a link may speak for that showed a certificate of these names, `None` if none is bound to it."""
        self._look()
        with self._ledger.turn:
            known, now = self._links.get(link), self._clock.now()
            found = [self._certificates[name] for name in names if name in self._certificates]
            bound = any(owner == link and (until is None or now < until) for owner, until in found)
            if not bound or known is None or known.revoked_at is not None:
                return None
            self._came(link, now)
            return frozenset(known.plants)

    def share(self, link: str) -> Share:
        """What a link may take of the room, as it was read last: asked for every new websocket, it looks at no file."""
        known = self._links.get(link)
        return Share() if known is None else known.share

    def allowed(self, link: str) -> frozenset[str] | None:
        """The plants that a link may speak for now, `None` once it is revoked: to be asked of connections that are open."""
        self._look()
        with self._ledger.turn:
            known = self._links.get(link)
            return None if known is None or known.revoked_at is not None else frozenset(known.plants)

    def allowed_as_read(self, link: str) -> frozenset[str] | None:
        """The same as `standing` read it last: for whoever has just asked that, and asks of many links."""
        return self._may.get(link)

    def standing(self) -> tuple[int, int]:
        """Another value whenever tokens, certificates or their times have changed, or a token's time has come to its end."""
        self._look()
        with self._ledger.turn:
            now = self._clock.now()
            return self._changes, sum(until <= now for until in self._ends)

    def close(self) -> None:
        """Note when each link was last heard, and close the file."""
        self._closing.set()
        self._thread.shutdown()
        self._note_seen()
        self._ledger.close()

    def _came(self, link: str, now: float) -> None:
        """A link came in: noted soon the first time, so that none seems never to have come after a kill; then each minute."""
        new, self._seen[link] = link not in self._seen, now
        if (new or now - self._seen_noted_at >= _SEEN_EVERY_S) and not self._noting:
            self._noting, self._seen_noted_at = True, now
            self._thread.submit(self._note_soon)

    def _note_soon(self) -> None:
        """Wait for those that come in at the same time, as after a start, and note all of them at once."""
        self._closing.wait(_GATHER_S)
        with self._ledger.turn:
            self._noting = False
        self._note_seen()

    def _note_seen(self) -> None:
        """Write when links were last heard; a full disk must not keep a link out, so it is tried again with the next."""
        with self._ledger.turn:
            seen = dict(self._seen)
        if seen:
            with suppress(StoreError), self._ledger.written() as at:
                at.executemany(
                    "UPDATE links SET seen_at = ? WHERE id = ?", [(when, link) for link, when in seen.items()]
                )

    def _look(self) -> None:
        """Read again if anybody has written, this program or another."""
        with self._ledger.look() as changed:
            if changed:
                self._read()

    def _read(self) -> None:
        links = self._ledger.rows("SELECT id, plants, made_at, seen_at, revoked_at FROM links")
        tokens = self._ledger.rows("SELECT token, link, until FROM link_tokens")
        bound = self._ledger.rows(
            "SELECT name, link, until FROM link_certificates LEFT JOIN link_certificate_ends USING (name) ORDER BY name"
        )
        shares = self._ledger.rows("SELECT link, readings_per_s, websockets FROM link_shares")
        share_of = {link: Share(per_s, WEBSOCKETS if most is None else most) for link, per_s, most in shares}
        before = (self._tokens, self._certificates)
        self._certificates = {name: (link, until) for name, link, until in bound}
        self._links = {
            name: Link(
                id=name,
                plants=tuple(msgspec.json.decode(plants)),
                made_at=made_at,
                seen_at=seen_at,
                revoked_at=revoked_at,
                share=share_of.get(name, Share()),
            )
            for name, plants, made_at, seen_at, revoked_at in links
        }
        self._may = {name: frozenset(link.plants) for name, link in self._links.items() if link.revoked_at is None}
        self._tokens = {}
        for token, link, until in tokens:
            self._tokens.setdefault(link, []).append((token, until))
        self._ends = [until for _, _, until in (*tokens, *bound) if until is not None]
        self._changes += before != (self._tokens, self._certificates)


def _check_name(certificate: str) -> None:
    if not is_name(certificate):
        raise ValueError(
            f"{certificate[:80]!r} is no certificate's name: write sha256:HEX, cn:NAME, dns:NAME or uri:NAME"
        )


def _forget_ended(at: sqlite3.Connection, link: str, now: float) -> None:
    """Take away what the link came in with and no longer may."""
    at.execute("DELETE FROM link_tokens WHERE link = ? AND until <= ?", (link, now))
    ended = "SELECT name FROM link_certificate_ends WHERE until <= ?"
    at.execute(f"DELETE FROM link_certificates WHERE link = ? AND name IN ({ended})", (link, now))


def _bind(at: sqlite3.Connection, certificate: str, link: str) -> None:
    if not at.execute("INSERT OR IGNORE INTO link_certificates VALUES (?, ?)", (certificate, link)).rowcount:
        raise ValueError(f"the certificate {certificate[:80]} belongs to a link already: revoke that one first")


def _check_live(at: sqlite3.Connection, link: str) -> None:
    if at.execute("SELECT 1 FROM links WHERE id = ? AND revoked_at IS NULL", (link,)).fetchone() is None:
        raise KeyError(link)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()

"""How somebody is reached outside the wall: mail, a signed webhook, push; as room.toml says it, without secrets. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["mail", "webhook", "push"]
Security = Literal["starttls", "tls", "none"]


class Channel(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One channel. `secret` names the line of the secrets that belongs to it, never the secret itself.

    Mail: `server` (host:port), `sender`, `to`, `security`, and `user` if the server wants a login with the secret. Webhook and
    push: `url`; a webhook is signed with the secret (HMAC-SHA256), a push says it as its bearer token.
    """

    name: str
    kind: Kind
    url: str = ""
    server: str = ""
    sender: str = ""
    to: tuple[str, ...] = ()
    user: str = ""
    security: Security = "starttls"
    secret: str = ""
    authority: str = ""
    """A file of certificates to trust besides the system's, from the room's folder."""

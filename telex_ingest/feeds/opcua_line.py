"""A session with an OPC UA server: where it is, how to enter it, and what a data value says. I/O; needs the extra `opcua`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from telex_ingest.feed import FeedError, SourceLostError
from telex_ingest.feeds.points import missing_extra, secret
from telex_ingest.telex import Quality, microseconds

if TYPE_CHECKING:
    from asyncua import ua
    from asyncua.client.client import Client
    from asyncua.common.node import Node

NAME = "opcua"
ANSWER_S = 5.0
"""How long the server may take for an answer."""


class Server(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a server is and how to enter it; the password stands in the environment variable `password_env`.

    `policy` and `mode` are OPC UA's; with a policy, `certificate` and `private_key` are this client's files, and
    `server_certificate` (if given) is the one server that is believed.
    """

    url: str
    username: str = ""
    password_env: str = ""
    policy: Literal["", "Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss"] = ""
    mode: Literal["Sign", "SignAndEncrypt"] = "SignAndEncrypt"
    certificate: str = ""
    private_key: str = ""
    server_certificate: str = ""
    application_uri: str = "urn:opsroom:feed"


class Value(NamedTuple):
    """What a data value says: the raw figure, its source time in microseconds UTC (None: it has none), its quality."""

    raw: object
    source_us: int | None
    quality: Quality


@asynccontextmanager
async def session(server: Server) -> AsyncIterator[Client]:
    """Open a session. Raises `SourceLostError` while the server is away, `FeedError` for settings that cannot work."""
    try:
        from asyncua.client.client import Client
        from asyncua.ua.uaerrors import UaError
    except ImportError as error:
        raise missing_extra(NAME, "opcua", error) from error
    client = Client(server.url, timeout=ANSWER_S)
    client.application_uri = server.application_uri
    if server.username:
        client.set_user(server.username)
        client.set_password(secret(NAME, server.password_env) or "")
    if server.policy:
        parts = [server.policy, server.mode, server.certificate, server.private_key, server.server_certificate]
        try:
            await client.set_security_string(",".join(filter(None, parts)))
        except (OSError, ValueError, UaError) as error:
            if isinstance(error, ConnectionError | TimeoutError):
                raise SourceLostError(NAME, f"{server.url} does not answer: {error!r}") from error
            raise FeedError(
                NAME, f"the certificates cannot be used: {error}", "see docs/feeds-industrial.md"
            ) from error
    try:
        try:
            await client.connect()
        except (OSError, TimeoutError, UaError) as error:
            raise SourceLostError(NAME, f"{server.url} does not take the session: {error!r}") from error
        try:
            yield client
        finally:
            with suppress(OSError, TimeoutError, UaError):
                await client.disconnect()
    finally:  # the library leaves the socket open when it is cancelled, while it comes up or while it closes
        client.disconnect_socket()


async def find_node(client: Client, text: str) -> Node:
    """Find a node by its id, `ns=2;s=Output` or `nsu=http://example.org;s=Output`. Raises `FeedError` for no node id."""
    from asyncua import ua
    from asyncua.ua.uaerrors import UaError

    uri, _, rest = text.partition(";")
    try:
        if uri.startswith("nsu="):
            text = f"ns={await client.get_namespace_index(uri[4:])};{rest}"
        return client.get_node(ua.NodeId.from_string(text))
    except (ValueError, UaError) as error:
        raise FeedError(NAME, f"{text!r} is no node id of this server: {error}", "write ns=2;s=Output") from error


def read_value(value: ua.DataValue | None) -> Value:
    """Read a data value: good, uncertain and bad as its status code says; without a source time the server's."""
    if value is None:
        return Value(None, None, Quality.BAD)
    status = value.StatusCode
    quality = Quality.GOOD
    if status is not None and not status.is_good():
        quality = Quality.UNCERTAIN if status.is_uncertain() else Quality.BAD
    when = value.SourceTimestamp or value.ServerTimestamp
    raw = value.Value.Value if value.Value is not None else None
    return Value(None if quality is Quality.BAD else raw, None if when is None else _us(when), quality)


def _us(when: datetime) -> int:
    return microseconds(when if when.tzinfo else when.replace(tzinfo=UTC))

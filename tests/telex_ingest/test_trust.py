"""Files of TLS that are good, and what is said of those that are not."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
from websockets.asyncio.client import connect

from telex_ingest.trust import TrustError, cured, trust


def test_one_authority_alone_is_trusted_when_one_is_named(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    mill = authority.issue_cert("mill.example")
    mill.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "mill.pem"))
    context = trust(tmp_path / "ca.pem", tmp_path / "mill.pem")
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert len(context.get_ca_certs()) == 1


def test_a_file_that_is_missing_or_nonsense_is_named_with_its_cure(tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("-----BEGIN NOTHING-----")
    for authority in (tmp_path / "missing.pem", nonsense):
        with pytest.raises(TrustError, match="--tls-ca") as caught:
            trust(authority)
        assert str(authority) in str(caught.value)
    for certificate in (tmp_path / "missing.pem", nonsense):
        with pytest.raises(TrustError, match="--tls-cert"):
            trust(None, certificate)


def test_a_key_that_is_not_the_certificate_s_or_is_locked_is_refused_at_once(tmp_path: Path) -> None:
    authority = trustme.CA()
    mill, other = authority.issue_cert("mill.example"), authority.issue_cert("other.example")
    mill.cert_chain_pems[0].write_to_path(str(tmp_path / "mill.pem"))
    other.private_key_pem.write_to_path(str(tmp_path / "other.key"))
    with pytest.raises(TrustError, match="its own key"):
        trust(None, tmp_path / "mill.pem", tmp_path / "other.key")


@asynccontextmanager
async def somebody(tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that answers every connection with a line that is no HTTP."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1 << 16)  # what is not read would end the connection with a reset
        writer.write(b"220 not this kind of server\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize(
    ("theirs", "scheme", "known", "cure"),
    [
        (True, "wss", False, "--tls-ca"),
        (True, "wss", True, "--tls-cert"),
        (False, "wss", True, "write ws://"),
        (True, "ws", True, "write wss://"),
    ],
)
async def test_ends_that_do_not_trust_each_other_or_do_not_both_speak_tls_are_told_how_to_mend_it(
    theirs: bool, scheme: str, known: bool, cure: str, tmp_path: Path
) -> None:
    authority = trustme.CA()
    (authority if known else trustme.CA()).cert_pem.write_to_path(tmp_path / "ca.pem")
    shown = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(shown)
    async with somebody(shown if theirs else None) as port:
        mine = trust(tmp_path / "ca.pem") if scheme == "wss" else None
        with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is, it is told
            await connect(f"{scheme}://127.0.0.1:{port}/telex", ssl=mine, proxy=None)
        assert cure in cured(caught.value, tls=mine is not None)


def test_any_other_trouble_of_a_line_is_told_as_it_is() -> None:
    assert cured(OSError("no route to host"), tls=True) == "no route to host"
    assert cured(TimeoutError(), tls=False) == "TimeoutError"

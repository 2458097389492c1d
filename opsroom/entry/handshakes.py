"""Handshakes of TLS that fail, counted by reason: without this nobody would hear that a link's certificate has ended. I/O.

The library tells nobody why a handshake failed; the room's own object for one side of a handshake sees it in passing. Who
breaks off without a word is not seen here: time bounds it (`opsroom.entry.patience`).
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path

from opsroom.entry.tally import Tally

Failed = Callable[[str, str], None]
"""Told a word of the room's own for what was wrong, and a sentence."""

CERTIFICATE = "certificate"
"""What every word begins with that is about a certificate which the other end showed."""

_VERIFY: Mapping[int, tuple[str, str]] = {
    9: ("certificate-early", "its certificate does not hold yet: see that both clocks are right"),
    10: ("certificate-ended", "its certificate has ended: give the link a new one"),
    23: ("certificate-revoked", "its authority has revoked its certificate"),
}
"""X.509 verification errors of OpenSSL (x509_vfy.h) that say more than that nobody trusted signed it."""

_UNTRUSTED = ("certificate-untrusted", "its certificate is not signed by an authority of --client-ca for this use")

_REASONS: Mapping[str, tuple[str, str]] = {
    "HTTP_REQUEST": ("tls-clear", "it spoke without TLS: the address begins with https:// or wss://"),
    "HTTPS_PROXY_REQUEST": ("tls-clear", "it spoke without TLS: the address begins with https:// or wss://"),
    "WRONG_VERSION_NUMBER": ("tls-unspoken", "it spoke no TLS that this room knows"),
    "UNSUPPORTED_PROTOCOL": ("tls-unspoken", "it spoke no TLS that this room knows"),
    "NO_SHARED_CIPHER": ("tls-unspoken", "it spoke no TLS that this room knows"),
}
_DISTRUST = ("tls-room-untrusted", "it does not trust this room's certificate: see its authority, names and end")
_OTHER = ("tls-failed", "its handshake of TLS failed")


def said_of(error: ssl.SSLError) -> tuple[str, str]:
    """A word of the room's own for a failed handshake, and a sentence; nothing in it comes from the wire.

    >>> said_of(ssl.SSLError(1, "[SSL: HTTP_REQUEST] http request (_ssl.c:1006)"))[0]
    'tls-failed'
    """
    reason = getattr(error, "reason", None) or ""
    if isinstance(error, ssl.SSLCertVerificationError) or reason == "CERTIFICATE_VERIFY_FAILED":
        return _VERIFY.get(getattr(error, "verify_code", 0), _UNTRUSTED)
    if "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason):
        return _DISTRUST
    return _REASONS.get(reason, _OTHER)


def note(tally: Tally, tell: Callable[[str], None], word: str, what: str) -> None:
    """Count a failed handshake; what was wrong with a certificate is told on the line too, for links alone show one."""
    tally.turned_away[word] += 1
    if word.startswith(CERTIFICATE):
        tell(f"somebody was not let in: {what}")


def unfit_files(certificate: str, key: str, authorities: str = "") -> tuple[str, str] | None:
    """What is wrong with the files of a server's TLS (PEM), and the cure; None when it can speak with them."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for option, path in (("--tls-cert", certificate), ("--tls-key", key), ("--client-ca", authorities)):
        try:
            if path:
                Path(path).read_bytes()
        except OSError as error:
            return f"{option} {path} cannot be read ({error.strerror})", "name a file that the room's account can read"
    try:
        context.load_cert_chain(certificate, key or None, password=_no_password)
    except _LockedError:
        return (
            f"--tls-key {key or certificate} has a password",
            "write it without one, readable by the room's account alone",
        )
    except (ssl.SSLError, ValueError) as error:
        if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
            return f"--tls-key {key} is not the key of --tls-cert {certificate}", "name the key with which it was made"
        what = f"--tls-cert {certificate} with --tls-key {key or 'in it'} is no certificate with its key"
        return what, "name a certificate and its key, both PEM"
    try:
        if authorities:
            context.load_verify_locations(authorities)
    except (ssl.SSLError, ValueError):
        return f"--client-ca {authorities} holds no certificate of an authority", "name a file of them, PEM"
    return None


class _LockedError(Exception):
    """A key asks for a password: nobody is there to give it when a room starts."""


def _no_password() -> str:
    raise _LockedError


def watch(context: ssl.SSLContext, failed: Failed) -> None:
    """Have `failed` told of every handshake with this context that fails."""

    class Handshake(ssl.SSLObject):
        """One side of a handshake that tells when it fails."""

        def do_handshake(self) -> None:
            """Go on with it."""
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLError as error:
                failed(*said_of(error))
                raise

    context.sslobject_class = Handshake

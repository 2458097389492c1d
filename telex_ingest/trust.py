"""Whom a plant's end trusts on a line with TLS, and the certificate that it shows. Reads the files at once. I/O."""

from __future__ import annotations

import ssl
from pathlib import Path

from websockets.exceptions import InvalidMessage

from telex_ingest.refusals import TelexError


class TrustError(TelexError):
    """A file that TLS needs cannot be used; `path`, `what` is wrong, the `cure`."""

    def __init__(self, path: Path, what: str, cure: str) -> None:
        super().__init__(path, what, cure)
        self.path = path
        self.what = what
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.path}: {self.what}; {self.cure}"


def trust(authority: Path | None = None, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """Trust the system's authorities, or one of one's own alone, and show a certificate where the room asks for it.

    All files are PEM; `key` may be left out when the certificate's file holds it. Raises `TrustError`.
    """
    try:
        context = ssl.create_default_context(cafile=None if authority is None else str(authority))
    except (OSError, ssl.SSLError) as error:
        assert authority is not None
        cure = "give the authority that signed the room's certificate, in PEM (--tls-ca)"
        raise TrustError(authority, _why(error), cure) from error
    if certificate is not None:
        try:
            context.load_cert_chain(certificate, key, password="")
        except (OSError, ssl.SSLError) as error:
            cure = (
                "give this link's certificate and its own key, in PEM and without a passphrase (--tls-cert, --tls-key)"
            )
            raise TrustError(certificate, _why(error), cure) from error
    return context


def cured(error: Exception, *, tls: bool) -> str:
    """Why a line did not come up; with the cure where the two ends do not trust each other, or only one speaks TLS."""
    said = str(error) or type(error).__name__
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{said}; name the authority that signed the room's certificate (--tls-ca), and the room as it is named there"
    if isinstance(error, ssl.SSLError) and error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"):
        return f"{said}; the other end speaks no TLS: write ws://, or let the room serve with --tls-cert and --tls-key"
    if isinstance(error, InvalidMessage) and tls:
        return f"{said}; the room may not have taken the certificate that this link shows (--tls-cert): see the room's line"
    if isinstance(error, InvalidMessage):
        return f"{said}; if the room is served with TLS, write wss://"
    return said


def _why(error: OSError) -> str:
    return error.strerror or str(error)

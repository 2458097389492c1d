"""Where an MQTT broker is and how to enter it: settings. I/O: certificates."""

from __future__ import annotations

import ssl
from typing import Literal

import msgspec


class Broker(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a broker is and how to enter; the password stands in the environment variable `password_env`."""

    host: str
    port: int = 1883
    version: Literal["3.1.1", "5"] = "3.1.1"
    username: str = ""
    password_env: str = ""
    tls: bool = False
    tls_ca: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    keepalive_s: int = 30

    def context(self) -> ssl.SSLContext | None:
        """Make the TLS context; None without TLS. Certificates are always checked."""
        if not self.tls:
            return None
        context = ssl.create_default_context(cafile=self.tls_ca or None)
        if self.tls_cert:
            context.load_cert_chain(self.tls_cert, self.tls_key or None)
        return context

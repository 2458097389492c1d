"""Which certificate a link showed, by the names that a link can be bound to: fingerprint, common name, other names. Pure.

The server has checked already that the other end holds the key and that a trusted authority signed the certificate (TLS). Behind
a proxy that speaks TLS the proxy has; it then tells the certificate in a header, which counts only when the room was told so.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

_NAME = re.compile(r"sha256:[0-9a-f]{64}|(cn|dns|uri):[\x21-\x7e]{1,253}")


def is_name(text: str) -> bool:
    """Tell whether a text names a certificate as a link can be bound to it.

    >>> is_name("dns:mill.example"), is_name("sha256:" + "0" * 64), is_name("mill")
    (True, True, False)
    """
    return _NAME.fullmatch(text) is not None


def names_of(pem: str) -> frozenset[str]:
    """The names of a certificate; none for what is no certificate."""
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        names = {f"sha256:{hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()}"}
        common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        names |= {f"cn:{one.value if isinstance(one.value, str) else ''}" for one in common}
        try:
            others = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return frozenset(names)
        names |= {f"dns:{name}" for name in others.get_values_for_type(x509.DNSName)}
        names |= {f"uri:{name}" for name in others.get_values_for_type(x509.UniformResourceIdentifier)}
    except (ValueError, UnicodeError):
        return frozenset()
    return frozenset(names)


def shown(scope: Mapping[str, Any], header: str = "") -> frozenset[str]:
    """The names of the certificate that the other end of a connection showed; `header` is the one of a trusted proxy."""
    chain = scope.get("extensions", {}).get("tls", {}).get("client_cert_chain") or ()
    if chain:
        return names_of(str(chain[0]))
    if header:
        told = [value for name, value in scope.get("headers", ()) if name.decode("latin-1").lower() == header.lower()]
        if len(told) == 1:  # two of them: somebody in front of the proxy wrote one too
            return names_of(unquote(told[0].decode("latin-1")))
    return frozenset()

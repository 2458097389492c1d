"""The room's proof under an invitation, as under an order but for a purpose of its own. Pure.

Signed are the line `opsroom invitation v1`, a line feed, and the invitation without its `proof` in canonical JSON (RFC 8785): an
invitation can never pass for an order.
"""

from __future__ import annotations

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from telex_ingest.canonical import CanonicalError, canonical
from telex_ingest.proof import Pin, follow, name_of, sign, signed
from telex_ingest.telex import Handover, Invitation, Proof, microseconds

INVITATION = b"opsroom invitation v1\n"

STATEMENT = 2000
"""The most characters of a statement that a plant makes over the wire."""


def invitation_bytes(invitation: Invitation) -> bytes:
    """Tell the bytes of an invitation that are signed; raises `CanonicalError` for parameters that have no canonical form."""
    plain = msgspec.json.decode(msgspec.json.encode(msgspec.structs.replace(invitation, proof=None)))
    return INVITATION + canonical(plain)


def prove(invitation: Invitation, key: Ed25519PrivateKey, chain: tuple[Handover, ...] = ()) -> Invitation:
    """Sign an invitation; raises `CanonicalError`."""
    proof = Proof(key=name_of(key.public_key()), signature=sign(key, invitation_bytes(invitation)), chain=chain)
    return msgspec.structs.replace(invitation, proof=proof)


def doubt(invitation: Invitation, pin: Pin | None, now: float) -> str:
    """Say why an invitation is not believed, in a word of `proof.CURES`; empty when it is the room's and in time.

    `now` is the plant's reading of the room's clock, epoch seconds.
    """
    proof = invitation.proof
    if pin is None:
        return "unpinned"
    if proof is None:
        return "unsigned"
    trusted = follow(pin, proof.chain)
    if proof.key in trusted.retired:
        return "retired"
    if invitation.room != pin.room or proof.key != trusted.key:
        return "foreign"
    try:
        whole = signed(proof.key, invitation_bytes(invitation), proof.signature)
    except CanonicalError:
        whole = False
    if not whole:
        return "altered"
    return "expired" if invitation.state == "open" and now >= microseconds(invitation.until) / 1e6 else ""

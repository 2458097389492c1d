"""What makes an order an order: the room's signature, checked by the plant against the key that it pinned. Pure.

Signed with Ed25519 (RFC 8032) are the bytes of `order_bytes`: a line that names the purpose, then the order as it stands on the
wire without its `proof`, in canonical JSON (RFC 8785). So any language can check: take the object, delete `proof`, write it
canonically, verify.

A plant pins the room's public key when its link is made. When the room changes its key, the old key signs a `Handover` to the
new one; every proof carries the chain of them, and a plant follows it from the key that it has. A key that has handed over is
never trusted again, so whoever steals it afterwards has nothing.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Container, Iterable
from types import MappingProxyType
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from telex_ingest.canonical import CanonicalError, canonical
from telex_ingest.telex import Handover, Order, Proof, Refusal, microseconds

ORDER = b"opsroom order v1\n"
HANDOVER = b"opsroom handover v1\n"
"""What a signature is for stands before the signed bytes, so that none can be used for another purpose."""

CHAIN = 256
"""The most handovers of a chain that are followed."""

TOLERANCE_S = 5.0
"""How far the plant's clock may be behind the room's before an order that has just been issued counts as not yet valid."""

CURES = MappingProxyType(
    {
        "unpinned": "take the room's key from the ticket of `opsroom link add` and hand it to the link",
        "unsigned": "the room signs its orders; this did not come from it as it is",
        "foreign": "ask the room's operator; if the room was made anew, take a new ticket from `opsroom link rotate`",
        "retired": "the room signs with its newest key; somebody may hold an old one",
        "altered": "nothing is done; look who stands between the room and this plant",
        "not-yet-valid": "compare the clocks of the room and the plant",
        "expired": "the council can move again",
        "replayed": "nothing is done twice; the first answer stands",
    }
)
"""Every reason for which a plant does not take an order on its proof alone, with its cure."""


class Pin(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a plant believes: the room's id, the public key that it signs orders with now, and the keys that have handed over."""

    room: str
    key: str
    retired: tuple[str, ...] = ()


def follow(pin: Pin, chain: Iterable[Handover]) -> Pin:
    """Follow the room's handovers from the pinned key to the newest one; what the pinned key did not sign changes nothing."""
    for handover in list(chain)[:CHAIN]:
        known = handover.new == pin.key or handover.new in pin.retired
        if (handover.room, handover.purpose, handover.old) != (pin.room, "orders", pin.key) or known:
            continue
        if _public(handover.new) is not None and signed(pin.key, handover_bytes(handover), handover.signature):
            pin = Pin(room=pin.room, key=handover.new, retired=(*pin.retired, pin.key))
    return pin


def verify(
    order: Order,
    pin: Pin | None,
    seen: Container[tuple[str, bool]],
    now: float,
    *,
    plants: Collection[str] | None = None,
    tolerance_s: float = TOLERANCE_S,
) -> Refusal | None:
    """Say why an order must not be obeyed, None when its proof is good.

    `seen` holds (order id, revoked) of what was answered before; `now` is the plant's reading of the room's clock, epoch seconds;
    `plants` are those that this end obeys for (None: any). `pin` is followed along the proof's chain: keep `follow`'s result.
    """
    code, reason = _doubt(order, pin, now, tolerance_s)
    if not code and plants is not None and order.plant not in plants:
        code, reason = "foreign", f"the order is for {order.plant}, which is not here"
    if not code and ((order.id, order.revoked) in seen or (order.id, True) in seen):
        code, reason = "replayed", f"{order.id} came before and was answered"
    return Refusal(code=code, reason=reason, cure=CURES[code], plant=order.plant) if code else None


def _doubt(order: Order, pin: Pin | None, now: float, tolerance_s: float) -> tuple[str, str]:
    proof = order.proof
    if pin is None:
        return "unpinned", "this plant has pinned no key of the room, so it cannot tell whose order this is"
    if proof is None:
        return "unsigned", "the order carries no signature"
    if order.room != pin.room:
        return "foreign", f"the order is of the room {order.room[:80]!r}, this plant obeys {pin.room!r}"
    trusted = follow(pin, proof.chain)
    if proof.key in trusted.retired:
        return "retired", f"the key {proof.key[:12]} has handed over to another"
    if proof.key != trusted.key:
        return "foreign", f"the key {proof.key[:12]} is not the one that this plant pinned"
    try:
        said = order_bytes(order)
    except CanonicalError as error:
        return "altered", str(error)
    if not signed(proof.key, said, proof.signature):
        return "altered", "the signature does not fit the order as it came"
    begins, ends = microseconds(order.not_before) / 1e6, microseconds(order.expires) / 1e6
    if now + tolerance_s < begins:
        return "not-yet-valid", f"it is valid from {order.not_before.isoformat()}, {begins - now:.0f} s from now"
    if now >= ends and not order.revoked:
        return "expired", f"it expired at {order.expires.isoformat()}, {now - ends:.0f} s ago"
    return "", ""


def order_bytes(order: Order) -> bytes:
    """Tell the bytes of an order that are signed; raises `CanonicalError` for parameters that have no canonical form."""
    return ORDER + canonical(_plain(msgspec.structs.replace(order, proof=None)))


def handover_bytes(handover: Handover) -> bytes:
    """Tell the bytes of a handover that the old key signs."""
    return HANDOVER + canonical(_plain(msgspec.structs.replace(handover, signature="")))


def prove(order: Order, key: Ed25519PrivateKey, chain: tuple[Handover, ...] = ()) -> Order:
    """Sign an order; raises `CanonicalError`."""
    signature = sign(key, order_bytes(order))
    return msgspec.structs.replace(order, proof=Proof(key=name_of(key.public_key()), signature=signature, chain=chain))


def hand_over(handover: Handover, old: Ed25519PrivateKey) -> Handover:
    """Let the old key sign a handover."""
    return msgspec.structs.replace(handover, signature=sign(old, handover_bytes(handover)))


def sign(key: Ed25519PrivateKey, said: bytes) -> str:
    """Sign bytes: 64 bytes, base64url without padding."""
    return _write(key.sign(said))


def signed(key: str, said: bytes, signature: str) -> bool:
    """Tell whether a signature over bytes is that of a public key; anything that cannot be read is not."""
    public, found = _public(key), _read(signature)
    if public is None or found is None:
        return False
    try:
        public.verify(found, said)
    except InvalidSignature:
        return False
    return True


def name_of(key: Ed25519PublicKey) -> str:
    """Write a public key: its 32 bytes, base64url without padding (43 characters)."""
    return _write(key.public_bytes_raw())


def _public(key: str) -> Ed25519PublicKey | None:
    raw = _read(key)
    try:
        return None if raw is None else Ed25519PublicKey.from_public_bytes(raw)
    except ValueError:
        return None


def _write(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _read(text: str) -> bytes | None:
    """Read base64url without padding; only the one spelling of a value counts."""
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return raw if _write(raw) == text else None


def _plain(struct: msgspec.Struct) -> Any:
    """Tell a struct as the wire's JSON does; what a plant's parameters hold is plain already."""
    return msgspec.json.decode(msgspec.json.encode(struct))

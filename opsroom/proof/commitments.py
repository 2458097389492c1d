"""A commitment: a hash that tells nothing now and cannot be talked out of later, for ballots sealed until they are opened. Pure.

`commit` hides because the salt has 256 random bits, and binds because nobody finds another salt and text with the same SHA-256.
The salt has one length, so that no pair of salt and text can be read as another pair.
"""

from __future__ import annotations

import hashlib
import hmac

SALT_BYTES = 32
"""How long a salt must be; it comes from the caller's own source of chance, one for each commitment."""

_PURPOSE = b"opsroom commitment v1\n"


def commit(salt: bytes, said: bytes) -> str:
    """Seal a text under a salt: 64 hexadecimal digits; raises ValueError for a salt of another length.

    >>> commit(bytes(32), b"yes")[:16]
    '7e53ed6b5469acc7'
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} random bytes, not {len(salt)}")
    return hashlib.sha256(_PURPOSE + salt + said).hexdigest()


def opens(commitment: str, salt: bytes, said: bytes) -> bool:
    """Tell whether salt and text are those of a commitment."""
    return len(salt) == SALT_BYTES and hmac.compare_digest(commit(salt, said).encode(), commitment.encode())

"""A key: `lq_<key_id>_<secret>`. The id may be seen; the secret is shown once, and only its hash is kept.

The secret is 256 random bits, so a plain SHA-256 is the right hash: nobody can try all secrets, however fast they hash.
Slow hashes such as argon2 protect passwords that people chose; here they would only cost each request 50 ms.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from datetime import datetime
from typing import Literal, get_args

from serving.store import KeyRecord

Role = Literal["crm", "sales", "marketing", "data"]
ROLES: tuple[Role, ...] = get_args(Role)
KeyState = Literal["active", "expired", "revoked"]

ID_BYTES = 10
SECRET_BYTES = 32
ID_PATTERN = "[a-z2-7]{16}"

_is_key = re.compile(rb"lq_([a-z2-7]{16})_[0-9a-f]{64}").fullmatch


def new_key(
    client: str, role: Role, *, created_at: datetime, expires_at: datetime | None = None
) -> tuple[str, KeyRecord]:
    """A new key, and its record to be stored; the key itself is not in the record."""
    key_id = base64.b32encode(secrets.token_bytes(ID_BYTES)).decode().lower()
    key = f"lq_{key_id}_{secrets.token_hex(SECRET_BYTES)}"
    return key, KeyRecord(key_id, key_hash(key.encode()), client, role, created_at, expires_at)


def key_hash(key: bytes) -> str:
    """SHA-256 of the whole key, as 64 hexadecimal digits; so a hash fits no other key's id."""
    return hashlib.sha256(key).hexdigest()


def key_id_of(key: bytes) -> str:
    """The id in a key; empty if this is no key."""
    matched = _is_key(key)
    return matched[1].decode() if matched else ""


def state_of(record: KeyRecord, now: datetime) -> KeyState:
    """What has become of a key."""
    if record.revoked_at is not None:
        return "revoked"
    return "active" if record.is_usable(now) else "expired"

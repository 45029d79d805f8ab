"""Where a page of a list begins or ends, as an address carries it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from serving.intake import is_lead_id
from serving.store import Order

RESOLUTION = datetime.resolution  # a microsecond
BEGINNING = datetime.fromtimestamp(0, UTC)
Place = tuple[float | datetime, str]


def packed(order: Order, row: Mapping[str, Any]) -> str:
    """The place of a lead in a list of that order."""
    value = row[order]
    known = (value - BEGINNING) // RESOLUTION if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(orjson.dumps([order, known, row["lead_id"]])).decode().rstrip("=")


def unpacked(order: Order, text: str) -> Place | None:
    """The place that `packed` wrote; None if it is none of a list of that order."""
    try:
        found = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        return None
    match found:
        case ["verdict_at", int() as since, str() as lead_id] if order == "verdict_at" and is_lead_id(lead_id):
            return (BEGINNING + since * RESOLUTION, lead_id) if 0 <= since < 2**53 else None
        case [str() as name, float() | int() as value, str() as lead_id] if name == order and is_lead_id(lead_id):
            return None if order == "verdict_at" or isinstance(value, bool) else (float(value), lead_id)
    return None

"""How often a key may ask, and how often an address may ask with wrong keys. Counted in memory, by each worker."""

from __future__ import annotations

import ipaddress
import math
import time

from limits import RateLimitItem
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

ADDRESSES_OF_ONE_CALLER = 64  # an IPv6 network of this prefix is given to one customer


class Rate:
    """Counts by name: so many in the time that starts with the first, and then so many in the next.

    Parameters
    ----------
    limit : RateLimitItem
        How many, in which time.
    """

    def __init__(self, limit: RateLimitItem) -> None:
        self._limit = limit
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def hit(self, name: str) -> int:
        """Count one more; 0 if it may pass, else the whole seconds after which the next may."""
        return 0 if self._limiter.hit(self._limit, name) else self._seconds_left(name)

    def used_up(self, name: str) -> int:
        """The same without counting."""
        return 0 if self._limiter.test(self._limit, name) else self._seconds_left(name)

    def _seconds_left(self, name: str) -> int:
        reset_time = self._limiter.get_window_stats(self._limit, name).reset_time
        return max(1, math.ceil(reset_time - time.time()))


def caller_of(address: str) -> str:
    """Whoever is behind a network address: the address itself, or the network that one customer has of IPv6.

    >>> caller_of("2001:db8:1:2:3:4:5:6"), caller_of("192.0.2.7"), caller_of("a socket")
    ('2001:db8:1:2::/64', '192.0.2.7', 'a socket')
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, ADDRESSES_OF_ONE_CALLER), strict=False))

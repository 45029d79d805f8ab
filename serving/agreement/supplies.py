"""The supplies that the simulator asks for again and again while people move its capacity, kept for a minute."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import date, datetime, timedelta

from features.definition import LeadDefinition
from serving.agreement.proposing import supply_of
from serving.kpis.query import Query
from serving.kpis.supply import Supply
from serving.store import Store

FRESH = timedelta(minutes=1)
MOST_KEPT = 8


class Supplies:
    """Reads supplies, and keeps the latest few; methods may be called from any thread, and block on the database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: OrderedDict[tuple[str, date, date], tuple[datetime, Supply]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, query: Query, definition: LeadDefinition, now: datetime) -> Supply:
        """The leads of a window as they were at most a minute before `now`.

        Raises
        ------
        StoreDownError
            If the database fails.
        """
        key = definition.read.timezone, query.start, query.end
        kept = self._kept.get(key)
        if kept is not None and timedelta() <= now - kept[0] < FRESH:
            return kept[1]
        supply = supply_of(query, definition, self._store, now)
        with self._lock:
            self._kept[key] = now, supply
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return supply

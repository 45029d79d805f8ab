"""Every worker applies what was agreed within seconds, as it does with keys: it reads again what is in effect."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from starlette.concurrency import run_in_threadpool

from features.definition import LeadDefinition, facts_fingerprint
from features.errors import LeadQualityError, NotReadyError
from serving.agreement.applied import Agreed, agreed_of
from serving.in_service import ModelInService
from serving.logs import log
from serving.store import Agreements, DefinitionRecord, Definitions


class InEffect:
    """What is in effect, as it was last read. Methods block on the database, and may be called from any thread."""

    def __init__(self, agreements: Agreements) -> None:
        self._agreements = agreements
        self._known: dict[str, Agreed | None] = {}
        self._reason = ""

    def of(self, name: str) -> Agreed | None:
        """What is in effect for the definition `name`; what was last known, if the store does not answer."""
        try:
            found = self._agreements.in_effect(name)
        except LeadQualityError as error:
            if str(error) != self._reason:  # said once, not every few seconds
                log.warning("agreement not read", reason=str(error))
            self._reason = str(error)
            return self._known.get(name)
        self._reason = ""
        self._known[name] = agreed = None if found is None else agreed_of(found)
        return agreed


class AgreementKeeper:
    """Puts models under what is in effect by now, and keeps the definitions that come into service.

    Parameters
    ----------
    models : sequence of ModelInService
        The one in service, and a challenger in the shadow if there is one.
    refresh_s : float
        Seconds between two looks.
    """

    def __init__(
        self,
        models: Sequence[ModelInService],
        definitions: Definitions,
        clock: Callable[[], datetime],
        refresh_s: float,
    ) -> None:
        self._models, self._definitions, self._clock = models, definitions, clock
        self._refresh_s = refresh_s
        self._kept: set[str] = set()
        self._looking = threading.Lock()
        self._is_closed = False

    async def keep(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(self._refresh_s)
            try:
                await run_in_threadpool(self.look)
            except Exception:  # whatever it is: if this task ended, no other agreement would ever be applied
                log.exception("agreement not applied")

    def look(self) -> None:
        """Look once; blocks. What fails is logged, and tried again at the next look."""
        with self._looking:
            if not self._is_closed:
                self._look(self._clock())

    def close(self) -> None:
        """Wait for a look under way, and look no more: the store may be closed then."""
        with self._looking:
            self._is_closed = True

    def _look(self, now: datetime) -> None:
        for model in self._models:
            try:
                if model.agree(now):
                    log.info("another agreement is in effect", version=model.scorer.model_name["definition"]["version"])
                self._keep(model.scorer.bundle.definition, model.scorer.model_name["definition"]["fingerprint"], now)
            except NotReadyError:
                continue  # said by /readyz
            except LeadQualityError as error:
                log.error("agreement not applied", reason=str(error))

    def _keep(self, definition: LeadDefinition, fingerprint: str, now: datetime) -> None:
        if fingerprint in self._kept:
            return
        text = json.dumps(definition.to_dict(), ensure_ascii=False).encode()
        facts, version = facts_fingerprint(definition), definition.definition.version
        self._definitions.note(DefinitionRecord(fingerprint, definition.name, version, facts, text, now))
        self._kept.add(fingerprint)

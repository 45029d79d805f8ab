"""The model in service, and how another one takes its place without a request being dropped.

A request takes the scorer once, when it begins, and ends with it. Another one is opened, verified and warmed beside it;
then one assignment puts it in its place. Where that fails, whatever the reason, the old one stays. What both teams
agreed on since the model was trained comes on top of it in the same way: as another scorer of the same bundle.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from features.definition import LeadDefinition
from features.errors import BundleError, LeadQualityError, NotReadyError
from features.model.bundle import Bundle, bundle_id_of, open_bundle
from serving.agreement.applied import Agreed, under
from serving.bundles import Found, find_bundle
from serving.registry_stamp import stamp_of
from serving.scorer import Scorer
from serving.settings import Settings


@dataclass(frozen=True, slots=True)
class Pending:
    """Why the model that should be in service is not, and since when that is known."""

    reason: str
    since: datetime


class ModelInService:
    """The scorer in service, or the reason why there is none yet. Methods may be called from any thread.

    Parameters
    ----------
    settings : Settings
    bundle : Bundle, optional
        An opened bundle to serve, instead of one that is looked for; it is never replaced.
    source : str, optional
        Where to look for the bundle, if not where the settings say.
    agreed_on : callable, optional
        Gives what both teams have agreed on for a definition's name; nothing by default.
    """

    def __init__(
        self,
        settings: Settings,
        bundle: Bundle | None = None,
        *,
        source: str | None = None,
        agreed_on: Callable[[str], Agreed | None] = lambda _name: None,
    ) -> None:
        self._settings = settings
        self._source = settings.bundle if source is None else source
        self._given = bundle
        self._agreed_on = agreed_on
        self._agreed: Agreed | None = None
        self._own: tuple[Bundle, Found] | None = None
        self._scorer: Scorer | None = None
        self._reason = "the bundle has not been opened yet"
        self._pending: Pending | None = None
        self._stamp: str | None = None
        self._one_at_a_time = threading.Lock()
        self._putting = threading.Lock()

    @property
    def scorer(self) -> Scorer:
        """The scorer in service.

        Raises
        ------
        NotReadyError
            With the reason why there is none.
        """
        if self._scorer is None:
            raise NotReadyError(self._reason)
        return self._scorer

    @property
    def own_definition(self) -> LeadDefinition:
        """The definition that the model in service was trained under, whatever was agreed since.

        Raises
        ------
        NotReadyError
            With the reason why there is none.
        """
        if self._own is None:
            raise NotReadyError(self._reason)
        return self._own[0].definition

    @property
    def source(self) -> str:
        """Where the bundle is looked for."""
        return self._source

    @property
    def pending(self) -> Pending | None:
        """Why another model could not take over when last looked; None if the one in service is the one meant."""
        return self._pending

    def open(self, now: datetime) -> None:
        """Find, open and warm the bundle, unless one is in service; blocks, so call it from a thread.

        Raises
        ------
        LeadQualityError
            If it cannot be served; `scorer` gives the same reason from then on.
        """
        if self._scorer is None:
            self.renew(now)

    def renew(self, now: datetime, *, asked: bool = False) -> bool:
        """Put the bundle that is meant by now into service, if it is another one; whether that happened. Blocks.

        Parameters
        ----------
        asked : bool
            Look even if nothing seems to have changed.

        Raises
        ------
        LeadQualityError
            If it cannot be served; what was in service stays there, and the next look tries again.
        """
        with self._one_at_a_time:
            try:
                return self._renewed(now, asked)
            except LeadQualityError as error:
                self._note(str(error), now)
                raise
            except Exception as error:  # a fault of ours: kept by its class, since its message may quote anything
                self._note(f"the service failed: {type(error).__module__}.{type(error).__qualname__}", now)
                raise

    def agree(self, now: datetime) -> bool:
        """Put the model in service under what is agreed on by now; whether that is something else. Blocks.

        Raises
        ------
        NotReadyError
            If there is no model.
        LeadQualityError
            If they do not go together; what was in service stays there.
        """
        name = self.own_definition.name
        with self._putting:  # not while another bundle is looked for, which may take minutes
            agreed = self._agreed_on(name)
            return agreed != self._agreed and self._own is not None and self._put(*self._own, agreed, now)

    def _note(self, reason: str, now: datetime) -> None:
        self._reason = reason
        if self._pending is None or self._pending.reason != reason:
            self._pending = Pending(reason, now)

    def _renewed(self, now: datetime, asked: bool) -> bool:
        if self._given is not None:
            return self._scorer is None and self._take(self._given, Found(Path()), now)
        # Before the bundle is looked for: what changes meanwhile changes the stamp once more.
        stamp = stamp_of(self._source)
        if self._scorer is not None and not asked and stamp is not None and stamp == self._stamp:
            return False
        found = find_bundle(self._source, self._settings.bundle_cache)
        renewed = not self._serves(found) and self._take(self._opened(found), found, now)
        self._stamp, self._pending = stamp, None
        return renewed

    def _take(self, bundle: Bundle, found: Found, now: datetime) -> bool:
        with self._putting:
            return self._put(bundle, found, self._agreed_on(bundle.definition.name), now)

    def _put(self, bundle: Bundle, found: Found, agreed: Agreed | None, now: datetime) -> bool:
        strongest = self._settings.strongest_reasons
        scorer = Scorer(under(bundle, agreed), name=found.name, version=found.version, strongest=strongest)
        scorer.warm(now)
        self._scorer, self._own, self._agreed = scorer, (bundle, found), agreed
        return True

    def _serves(self, found: Found) -> bool:
        """Whether the bundle found is the one in service, under the same name."""
        if self._scorer is None:
            return False
        model = self._scorer.model_name
        named = not found.version or (found.name, found.version) == (model["name"], model["version"])
        return named and bundle_id_of(found.place) == model["bundle_id"]

    def _opened(self, found: Found) -> Bundle:
        bundle = open_bundle(found.place)
        if found.bundle_id and found.bundle_id != bundle.bundle_id:
            raise BundleError(
                f"{found.name} version {found.version} is bundle {found.bundle_id} in the registry, but it holds "
                f"bundle {bundle.bundle_id}."
            )
        return bundle

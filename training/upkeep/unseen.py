"""Which leads a bundle has not seen: those after the last day of every window that its parts and slopes learnt from."""

from __future__ import annotations

import numpy as np

from features.definition import LeadDefinition, LeadField
from features.errors import BundleError, DefinitionError, Problem
from features.model.bundle import Bundle
from features.text import Text
from training.labels import Labelled
from training.splits import Rows

MAY_DIFFER = {"read", "accepted_leaks", "left_out"}


def leads_from(labelled: Labelled, day: str) -> Rows:
    """Positions of the leads whose as-of date is on `day` (ISO, by the definition's clocks) or later, oldest first."""
    zone = labelled.history.definition.read.timezone
    days = labelled.frame["as_of"].dt.tz_convert(zone).dt.strftime("%Y-%m-%d")
    return np.flatnonzero(np.asarray(days >= day, dtype=bool))


def require_same_agreement(bundle: Bundle, labelled: Labelled) -> None:
    """Refuse outcomes that were counted under another agreement than the bundle's, or that have no dates.

    How an export is read may differ, and which leaks are accepted: neither changes what a lead or a win is.

    Raises
    ------
    BundleError
        Names the parts of the definition that differ from those that the bundle was made for.
    DefinitionError
        Without dates nobody can say which leads are later than training.
    """
    definition = labelled.history.definition
    theirs, ours = bundle.definition.to_dict(), definition.to_dict()
    parts = sorted((theirs.keys() | ours.keys()) - MAY_DIFFER)
    if changed := [part for part in parts if theirs.get(part) != ours.get(part)]:
        raise BundleError(
            f"The bundle {bundle.bundle_id} was made for another agreement; since then these parts of the definition "
            f"have changed: {', '.join(changed)}. Train anew."
        )
    if definition.timing != "dated" or not bundle.manifest.seen_until("shipped"):
        raise DefinitionError([_not_dated(labelled)])


def changed_since(bundle: Bundle, definition: LeadDefinition) -> Text | None:
    """Why the bundle's probabilities cannot be held against outcomes under `definition`; None if they can.

    They can if a win means the same, and every field that the bundle's model reads is still there, of the same type
    and from the same column.
    """
    before = bundle.definition
    if (before.target, before.outcome, before.timing) != (definition.target, definition.outcome, definition.timing):
        return Text(en="what counts as a win has changed", de="was als gewonnen zählt, hat sich geändert")
    gone = [
        name
        for name, field in before.fields.items()
        if name not in definition.fields or not _reads_alike(field, definition.fields[name])
    ]
    if gone:
        named = ", ".join(gone)
        return Text(en=f"fields have gone or changed: {named}", de=f"Felder fehlen oder haben sich geändert: {named}")
    return None


def _reads_alike(before: LeadField, now: LeadField) -> bool:
    return (before.column, before.type, before.missing) == (now.column, now.type, now.missing)


def _not_dated(labelled: Labelled) -> Problem:
    return Problem(
        where=labelled.history.definition.name,
        what=Text(
            en="without dates nobody can say which leads came after the champion's training",
            de="ohne Datumsangaben lässt sich nicht sagen, welche Leads nach dem Training des Champions kamen",
        ),
        seen=labelled.history.definition.timing,
        expected=Text(
            en="columns.created, columns.closed and target.horizon_days, at training and now",
            de="columns.created, columns.closed und target.horizon_days, beim Training und jetzt",
        ),
        code="not_dated",
    )

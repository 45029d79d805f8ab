"""All rules over one history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd
from numpy.typing import ArrayLike

from features.definition import MOMENTS, LeadDefinition
from features.text import Text, percent
from training.leakage import words
from training.leakage.bounds import chance_per_look, z_of
from training.leakage.cells import Cells, cells_of
from training.leakage.deciding import deciding_field, deciding_values
from training.leakage.filling import fill_break, filling
from training.leakage.finding import Finding
from training.leakage.identity import late_dates, naming, personal
from training.leakage.names import Hint, hint
from training.leakage.questions import questions
from training.leakage.separation import separation

NAMED_AUC_LIMIT = 0.65
"""How well a field must tell wins before its telling name counts: half of what it needs without one."""
FILL_BREAK_LIMIT = 0.5


def find_leaks(
    frame: pd.DataFrame, target: ArrayLike, *, definition: LeadDefinition, seed: int = 0
) -> tuple[Finding, ...]:
    """Everything that looks like a leak, fields in the definition's order, the refusing findings of each first.

    Parameters
    ----------
    frame : pandas.DataFrame
        All leads of the history, `(n_leads, …)`, typed as `features.history` makes it: the fields by name, `outcome`
        ("won", "lost" or "open"), and where the definition has them `account`, `created`, `as_of` and `order`. Leads
        that have not matured belong here too: closed and open leads are compared.
    target : array-like of float, shape (n_leads,)
        1 if won within the horizon, 0 if not, NaN where that is not known yet.
    definition : LeadDefinition
    seed : int
        Which accounts fall into which fold.

    Notes
    -----
    Not a proof of innocence: a field that is filled in late but says little is found only by its name, or not at all.
    """
    return tuple(_Search(frame, target, definition, seed).findings())


class _Search:
    """What all rules need of a history, computed once."""

    def __init__(self, frame: pd.DataFrame, target: ArrayLike, definition: LeadDefinition, seed: int) -> None:
        self.frame = frame
        self.definition = definition
        self.as_of = _first_known(frame, ("as_of", "created"))
        self.order = _first_known(frame, ("created", "order"))
        self.cells = {n: cells_of(frame[n], field.type, self.as_of) for n, field in definition.fields.items()}
        self.asked = questions(frame, target, seed=seed)
        self.separation = {n: [separation(cells, q) for q in self.asked] for n, cells in self.cells.items()}
        self.explaining = {n: cells for n, cells in self.cells.items() if not self._is_suspect(n)}

    def findings(self) -> Iterator[Finding]:
        for name in self.cells:
            of_field = [*self._without_outcome(name), *self._with_outcome(name)]
            of_field += self._by_name(name, of_field)
            yield from sorted(of_field, key=lambda finding: finding.severity != "refuse")

    def auc(self, name: str) -> float:
        """The better of the field's AUCs over the questions; 0.5 where none can be asked."""
        return max((found.auc for found in self.separation[name]), default=0.5)

    def strong_hint(self, name: str) -> Hint | None:
        """What the field's column, or the field, is called, if that says that it comes later."""
        found = hint(self.definition.fields[name].column) or hint(name)
        return found if found is not None and found.strength == "strong" else None

    def _is_suspect(self, name: str) -> bool:
        """Whether the field must not explain why another one is empty."""
        return self.auc(name) >= NAMED_AUC_LIMIT or self.strong_hint(name) is not None

    def _without_outcome(self, name: str) -> Iterator[Finding]:
        """Known too late, personal, near-unique, after the as-of date."""
        column, kind = self.frame[name], self.definition.fields[name].type
        yield from self._known_too_late(name)
        yield from personal(name, column, kind)
        yield from naming(name, column, kind, self.order)
        if kind == "date" and self.as_of is not None:
            yield from late_dates(name, column, self.as_of)

    def _with_outcome(self, name: str) -> Iterator[Finding]:
        n_looks = 2 * len(self.asked) * sum(cells.n_codes for cells in self.cells.values())
        chance = chance_per_look(n_looks)
        for question, found in zip(self.asked, self.separation[name], strict=True):
            yield from deciding_field(name, self.cells[name], question, found)
            yield from deciding_values(name, self.cells[name], question, chance)
            yield from filling(name, self.cells[name], question, z_of(chance), self.explaining)

    def _known_too_late(self, name: str) -> Iterator[Finding]:
        """The definition refuses such a field itself; whoever builds one in code meets the second check here."""
        moment, point = self.definition.fields[name].known, self.definition.target.scoring_point
        moments_late = MOMENTS.index(moment) - MOMENTS.index(point)
        if moments_late > 0:
            what = Text(
                f"it becomes known at {moment}, after leads are scored ({point})",
                f"es wird erst bei {moment} bekannt, nach der Bewertung ({point})",
            )
            n = len(self.frame)
            yield Finding(name, "known_too_late", "moments_late", moments_late, 0, n, what, words.LEAVE_OUT)

    def _by_name(self, name: str, others: list[Finding]) -> Iterator[Finding]:
        """A finding for a telling name unless others refuse already: refusing where the data agree, else a note."""
        said = self.strong_hint(name)
        if said is None or any(finding.severity == "refuse" for finding in others):
            return
        auc, n = self.auc(name), max((len(question.rows) for question in self.asked), default=0)
        what = Text(
            en=f"its name (“{said.words}”) says: {said.what.en}",
            de=f"sein Name („{said.words}“) sagt: {said.what.de}",
        )
        note = Finding(name, "named_like_later", "auc", auc, NAMED_AUC_LIMIT, n, what, words.ASK_WHEN, "note")
        if auc >= NAMED_AUC_LIMIT:
            yield replace(note, severity="refuse")
        else:
            yield self._in_one_go(note, self.cells[name])

    def _in_one_go(self, note: Finding, cells: Cells) -> Finding:
        """The note as a refusal if the field was filled in for some periods and not for others."""
        broken = max((fill_break(cells, question) for question in self.asked), default=0.0)
        if broken < FILL_BREAK_LIMIT:
            return note
        what = Text(
            en=f"{note.what.en}; and its fill rate jumps by {percent(broken, 'en')} of the leads between periods, "
            "as when a system fills it in later, in one go",
            de=f"{note.what.de}; und sein Füllgrad springt zwischen Zeiträumen um {percent(broken, 'de')} der Leads, "
            "wie wenn ein System es später in einem Zug ausfüllt",
        )
        return replace(note, severity="refuse", statistic="fill_break", value=broken, limit=FILL_BREAK_LIMIT, what=what)


def _first_known(frame: pd.DataFrame, names: tuple[str, ...]) -> pd.Series | None:
    return next((frame[name] for name in names if name in frame and frame[name].notna().any()), None)

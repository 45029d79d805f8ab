"""Fields that nearly decide an answer on their own, and single values that do.

Why .80: a model of all fields of a lead reaches an AUC of .65 to .85, so one field that reaches .80 alone knows what
the others do not; in clean simulated histories the best field stays below .70. A value decides when 19 of 20 of its
leads give the same answer and the odds of that answer are surely nine times the usual: a value with 95 % wins means
nothing where 94 % win.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.text import Text, decimal, percent, whole
from training.leakage import words
from training.leakage.bounds import lowest_rate
from training.leakage.cells import MISSING, POOL, Cells, Floats
from training.leakage.finding import Finding, Kind
from training.leakage.questions import Question
from training.leakage.separation import Separation

AUC_LIMIT = 0.80
AUC_SURELY = 0.70  # what the lower bound must clear, so that few wins do not cry wolf
RATE_LIMIT = 0.95
SURELY = 0.75  # where few leads have the value, and half of all win
ODDS_LIMIT = 9.0
WRONG_LIMIT = 0.01
CONSTANT_SHARE = 0.99
VARIES_BELOW = 0.9
FEWEST_CASES = 20
_VALUES_SHOWN = 3
_TINY = 1e-9


def deciding_field(name: str, cells: Cells, question: Question, found: Separation) -> Iterator[Finding]:
    """A finding if the field alone answers the question too well."""
    smaller = min(question.n_yes, question.n_no)
    if found.n_wrong <= WRONG_LIMIT * smaller:
        yield _function(name, cells, question, found)
    elif found.auc >= AUC_LIMIT and found.auc - 1.645 * found.auc_error >= AUC_SURELY:
        yield _alone(name, cells, question, found)


def deciding_values(name: str, cells: Cells, question: Question, chance: float) -> Iterator[Finding]:
    """A finding if single values of the field, or its being empty or filled, nearly decide the answer."""
    table = _Levels.of(cells, question)
    for yes in (True, False):
        rate, decides = table.decided(yes, chance)
        if decides.any():
            yield _values(name, cells, question, table, (yes, rate, decides))


@dataclass(frozen=True, slots=True, eq=False)
class _Levels:
    """Per level: leads, accounts, yes, and the rate of yes that its leads' periods have; the last level is "filled"."""

    n: Floats
    n_accounts: Floats
    yes: Floats
    usual: Floats

    @classmethod
    def of(cls, cells: Cells, question: Question) -> _Levels:
        code, size = cells.code[question.rows], cells.n_codes
        pairs = pd.unique(question.account * size + code) % size
        columns = [
            np.bincount(code, minlength=size).astype(np.float64),
            np.bincount(pairs, minlength=size).astype(np.float64),
            np.bincount(code, weights=question.answer, minlength=size),
            np.bincount(code, weights=question.expected, minlength=size),
        ]
        n, n_accounts, yes, expected = (np.append(c, c[MISSING + 1 :].sum()) for c in columns)
        n_accounts = np.minimum(n_accounts, n)
        return cls(n, n_accounts, yes, expected / np.maximum(n, 1))

    def decided(self, yes: bool, chance: float) -> tuple[Floats, np.ndarray]:
        """The rate of that answer per level, and which levels decide it."""
        count, usual = (self.yes, self.usual) if yes else (self.n - self.yes, 1 - self.usual)
        rate = count / np.maximum(self.n, 1)
        bound = lowest_rate(rate * self.n_accounts, self.n_accounts, chance)
        surely = (bound >= SURELY) & (_odds(bound) >= ODDS_LIMIT * _odds(usual))
        decides = (self.n >= FEWEST_CASES) & (rate >= RATE_LIMIT) & surely
        decides[POOL:-1] &= not decides[-1]  # where being filled in decides, the single values say nothing more
        return rate, decides


def _odds(rate: Floats) -> Floats:
    return np.asarray(rate / np.maximum(1 - rate, _TINY), dtype=np.float64)


def _function(name: str, cells: Cells, question: Question, found: Separation) -> Finding:
    n = len(question.rows)
    kind: Kind = "function_of_target" if question.name == "won" else closed_kind(cells, question)
    asked = words.ASKED[question.name]
    share = 1 - found.n_wrong / n
    return Finding(
        name,
        kind,
        "share_right",
        share,
        1 - WRONG_LIMIT * min(question.n_yes, question.n_no) / n,
        n,
        Text(
            en=f"the field is a function of the outcome: it alone says {asked.en} for {percent(share, 'en', 1)} "
            f"of {whole(n, 'en')} leads",
            de=f"das Feld ist eine Funktion des Ergebnisses: Es allein sagt für {percent(share, 'de', 1)} "
            f"von {whole(n, 'de')} Leads, {asked.de}",
        ),
        words.LEAVE_OUT,
    )


def _alone(name: str, cells: Cells, question: Question, found: Separation) -> Finding:
    kind: Kind = "decides_alone" if question.name == "won" else closed_kind(cells, question)
    asked = words.ASKED[question.name]
    return Finding(
        name,
        kind,
        "auc",
        found.auc,
        AUC_LIMIT,
        len(question.rows),
        Text(
            en=f"this field alone nearly says {asked.en} (AUC {decimal(found.auc, 3, 'en')} within periods, "
            f"{percent(found.skill, 'en')} of the log loss)",
            de=f"dieses Feld allein sagt fast schon, {asked.de} (AUC {decimal(found.auc, 3, 'de')} innerhalb der "
            f"Zeiträume, {percent(found.skill, 'de')} des Log-Loss)",
        ),
        words.ASK_WHEN,
    )


def closed_kind(cells: Cells, question: Question) -> Kind:
    """Whether the field has one value for nearly all closed leads, or merely other values than for open ones."""
    code = cells.code[question.rows]
    closed = np.bincount(code[question.answer], minlength=cells.n_codes)
    still_open = np.bincount(code[~question.answer], minlength=cells.n_codes)
    usual = int(closed.argmax())
    is_constant = closed[usual] >= CONSTANT_SHARE * closed.sum()
    varies_before = still_open[usual] < VARIES_BELOW * still_open.sum()
    return "constant_after_closing" if is_constant and varies_before else "rewritten_after_closing"


def _values(
    name: str, cells: Cells, question: Question, table: _Levels, found: tuple[bool, Floats, np.ndarray]
) -> Finding:
    yes, rates, decides = found
    levels = sorted(np.flatnonzero(decides), key=lambda level: (-table.n[level], level))
    strongest = max(levels, key=lambda level: rates[level])
    kind: Kind = "value_decides" if question.name == "won" else closed_kind(cells, question)
    listed = [_level(cells, question.name, table, int(level), yes) for level in levels[:_VALUES_SHOWN]]
    more = len(levels) - len(listed)
    rest = Text(f" and {more} more", f" und {more} weitere") if more > 0 else Text("", "")
    return Finding(
        name,
        kind,
        "rate",
        float(rates[strongest]),
        RATE_LIMIT,
        int(table.n[levels].sum()),
        Text(
            en=f"single values nearly decide the outcome: {'; '.join(part.en for part in listed)}{rest.en}",
            de=f"einzelne Werte entscheiden fast das Ergebnis: {'; '.join(part.de for part in listed)}{rest.de}",
        ),
        words.ASK_WHEN,
    )


def _level(cells: Cells, question: str, table: _Levels, level: int, yes: bool) -> Text:
    n, answer = int(table.n[level]), words.ANSWERS[question, yes]
    rate = table.yes[level] / table.n[level]
    usual = table.usual[level]
    rate, usual = (rate, usual) if yes else (1 - rate, 1 - usual)
    who = _who(cells, level)
    return Text(
        en=f"{who.en}: {percent(rate, 'en', 1)} of {whole(n, 'en')} leads {answer.en}, "
        f"usually {percent(usual, 'en', 1)}",
        de=f"{who.de}: {percent(rate, 'de', 1)} von {whole(n, 'de')} Leads {answer.de}, "
        f"sonst {percent(usual, 'de', 1)}",
    )


def _who(cells: Cells, level: int) -> Text:
    if level == MISSING:
        return Text("(empty)", "(leer)")
    if level == POOL:
        return Text("(rare values)", "(seltene Werte)")
    if level == cells.n_codes:
        return Text("(filled in)", "(ausgefüllt)")
    return Text(f"“{cells.name(level)}”", f"„{cells.name(level)}“")

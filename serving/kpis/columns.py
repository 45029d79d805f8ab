"""What the figures need to know of every lead, as columns: one array each, one entry for each lead.

Counting over columns takes some nanoseconds for each lead and rule, so that no count has to be kept for a period, an
agreement or a filter that somebody may ask for: every figure is counted, exactly, by the rules of the moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Integers: TypeAlias = npt.NDArray[np.int64]
Codes: TypeAlias = npt.NDArray[np.intp]
Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Bytes: TypeAlias = npt.NDArray[np.uint8]
Word: TypeAlias = Literal["source", "campaign", "region", "verdict_reason"]

NEVER = np.iinfo(np.int64).min
"""The moment of what has not happened."""
GRADE_CODES = ("", "A", "B", "C", "D")
OUTCOME_CODES = ("", "won", "lost", "open")
VERDICT_CODES = ("", "accepted", "rejected")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """A moment in microseconds since 1970.

    >>> microseconds(datetime(1970, 1, 2, 0, 0, 0, 5, tzinfo=UTC))
    86400000005
    """
    return (moment - EPOCH) // MICROSECOND


@dataclass(frozen=True, slots=True)
class Coded:
    """Words as numbers: `codes`, (n_leads,), are places in `words`; the word of leads without one is None."""

    codes: Codes
    words: Sequence[str | None]

    def but(self, stays: Flags, others: Coded) -> Coded:
        """Those that stay, and then `others`."""
        number = {word: code for code, word in enumerate(self.words)}
        codes = [number.setdefault(word, len(number)) for word in others.words]
        return Coded(np.concatenate([self.codes[stays], np.array(codes, dtype=np.intp)[others.codes]]), list(number))


@dataclass(frozen=True)
class LeadColumns:
    """All leads, each array (n_leads,). Moments are microseconds since 1970 in UTC, or `NEVER`.

    Attributes
    ----------
    account : ndarray of uint64
        The same number for leads of the same account; 0 without one.
    first_grade, handover_grade, outcome, verdict : ndarray of uint8
        Places in `GRADE_CODES`, `OUTCOME_CODES`, `VERDICT_CODES`; 0 for none.
    words : mapping
        What leads are grouped and filtered by, and why they were rejected.
    """

    account: npt.NDArray[np.uint64]
    first_scored_at: Integers
    first_as_of: Integers
    first_probability: Floats
    first_grade: Bytes
    handed_over_at: Integers
    handover_grade: Bytes
    first_contact_at: Integers
    outcome: Bytes
    outcome_at: Integers
    outcome_latest_at: Integers
    verdict: Bytes
    simulated: Flags
    words: Mapping[Word, Coded]

    @cached_property
    def by_account(self) -> Codes:
        """The places of all leads with an account, leads of the same account beside each other."""
        known = np.flatnonzero(self.account)
        return known[np.argsort(self.account[known])]

    def but(self, left_out: Codes, others: LeadColumns) -> LeadColumns:
        """These leads without those at the places `left_out`, and then `others`."""
        stays = np.ones(len(self.account), dtype=np.bool_)
        stays[left_out] = False
        arrays = {
            each.name: np.concatenate([getattr(self, each.name)[stays], getattr(others, each.name)])
            for each in fields(self)
            if each.name != "words"
        }
        words = {name: coded.but(stays, others.words[name]) for name, coded in self.words.items()}
        return LeadColumns(**arrays, words=words)

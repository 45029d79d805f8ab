"""What the figures need of each lead, in blocks of many leads: one array after the other, as numpy reads them.

A block's words are numbered within it, and its list of words holds those that its leads have and no others, so that a
removed lead leaves nothing behind. An account is known by a hash only: what counts is which leads have the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast, get_args

import numpy as np
import orjson
from sqlalchemy import Row, select

from serving.kpis.columns import (
    GRADE_CODES,
    NEVER,
    OUTCOME_CODES,
    VERDICT_CODES,
    Coded,
    LeadColumns,
    Word,
    microseconds,
)
from serving.store.tables import leads

IN_A_BLOCK = 512
MOMENTS = ("first_scored_at", "first_as_of", "handed_over_at", "first_contact_at", "outcome_at", "outcome_latest_at")
CODED = {
    "first_grade": GRADE_CODES,
    "handover_grade": GRADE_CODES,
    "outcome": OUTCOME_CODES,
    "verdict": VERDICT_CODES,
}
WORDS: tuple[Word, ...] = get_args(Word)
FIELDS: list[tuple[str, str]] = [
    ("account", "<u8"),
    *((name, "<i8") for name in MOMENTS),
    ("first_probability", "<f8"),
    *((name, "<u2") for name in WORDS),
    *((name, "u1") for name in CODED),
    ("simulated", "u1"),
    ("present", "u1"),
]
LEAD = np.dtype(FIELDS)
BLOCK = np.dtype([(name, kind, (IN_A_BLOCK,)) for name, kind in FIELDS])
COUNTED = ("account_id", *MOMENTS, "first_probability", *WORDS, *CODED, "simulated")
"""The columns of a lead's row that the figures read."""
ROWS = select(leads.c.lead_id, *(leads.c[name] for name in COUNTED))


@dataclass(slots=True)
class Block:
    """Up to `IN_A_BLOCK` leads, places in its arrays that nobody holds are empty, and its words by column.

    Attributes
    ----------
    leads : ndarray of `LEAD`, (IN_A_BLOCK,)
    words : mapping of column to list
        The first is None.
    """

    leads: np.ndarray
    words: dict[Word, list[str | None]]

    @staticmethod
    def empty() -> Block:
        """One without leads."""
        return Block(np.zeros(IN_A_BLOCK, dtype=LEAD), {name: [None] for name in WORDS})

    @staticmethod
    def read(arrays: bytes, words: bytes) -> Block:
        """The block that `arrays` and `words` of another were."""
        stored = np.frombuffer(arrays, dtype=BLOCK)[0]
        rows = np.empty(IN_A_BLOCK, dtype=LEAD)
        for name, _ in FIELDS:
            rows[name] = stored[name]
        return Block(rows, orjson.loads(words))

    def put(self, place: int, row: Row[Any]) -> None:
        """Let `row`, one of `ROWS`, stand at a place."""
        codes = {name: self._code(name, getattr(row, name)) for name in WORDS}
        self.leads[place] = _record(row, codes)

    def clear(self, place: int) -> None:
        """Let nothing of a lead be left at a place."""
        self.leads[place] = np.zeros((), dtype=LEAD)

    @property
    def n_leads(self) -> int:
        """How many leads it holds."""
        return int(self.leads["present"].sum())

    def written(self) -> tuple[bytes, bytes]:
        """Its arrays and its words, without those that no lead has any more."""
        for name in self.words:
            used = np.unique(np.append(self.leads[name], 0).astype(np.intp))
            number = np.zeros(len(self.words[name]), dtype=np.intp)
            number[used] = np.arange(len(used))
            self.leads[name] = number[self.leads[name]]
            self.words[name] = [self.words[name][code] for code in used]
        block = np.zeros((), dtype=BLOCK)
        for field, _ in FIELDS:
            block[field] = self.leads[field]
        return block.tobytes(), orjson.dumps(self.words)

    def _code(self, name: Word, word: str | None) -> int:
        words = self.words[name]
        if word not in words:
            words.append(word)
        return words.index(word)


def blocks_of(rows: Iterable[Row[Any]]) -> list[Block]:
    """Blocks that hold `rows`, some of `ROWS`, one after the other."""
    blocks: list[Block] = []
    for number, row in enumerate(rows):
        if number % IN_A_BLOCK == 0:
            blocks.append(Block.empty())
        blocks[-1].put(number % IN_A_BLOCK, row)
    return blocks


def columns_of(arrays: Sequence[bytes], words: Sequence[bytes]) -> tuple[LeadColumns, np.ndarray]:
    """The leads of blocks as they are written, and of each place, counted over all blocks, whether a lead is there."""
    blocks = np.frombuffer(b"".join(arrays), dtype=BLOCK)
    present = blocks["present"].ravel() != 0
    column = {name: blocks[name].ravel()[present] for name, _ in FIELDS if name not in WORDS}
    lists = [orjson.loads(each) for each in words]
    coded = {name: _coded(blocks[name], [each[name] for each in lists], present) for name in WORDS}
    del column["present"]
    return LeadColumns(**column | {"simulated": column["simulated"] != 0}, words=coded), present


def _record(row: Row[Any], codes: dict[Word, int]) -> tuple[Any, ...]:
    """The values of a lead in the order of `LEAD`."""
    return (
        _account(row.account_id),
        *(_moment(getattr(row, name)) for name in MOMENTS),
        row.first_probability,
        *codes.values(),
        *(known.index(getattr(row, name) or "") for name, known in CODED.items()),
        row.simulated,
        1,
    )


def _account(account_id: str | None) -> int:
    """64 bits of a hash, above 0; 0 without an account."""
    if account_id is None:
        return 0
    return int.from_bytes(hashlib.sha256(account_id.encode()).digest()[:8]) or 1


def _moment(moment: datetime | None) -> int:
    return NEVER if moment is None else microseconds(moment)


def _coded(codes: np.ndarray, lists: Sequence[list[str | None]], present: np.ndarray) -> Coded:
    """Words that are numbered within each block, numbered over all of them."""
    known: dict[str | None, int] = {None: 0}
    numbers = [known.setdefault(word, len(known)) for words in lists for word in words]
    starts = np.cumsum([0, *(len(words) for words in lists)])[:-1].astype(np.intp)
    over_all = np.array(numbers or [0], dtype=np.intp)[(codes.astype(np.intp) + starts[:, None]).ravel()[present]]
    return Coded(over_all, cast(list["str | None"], list(known)))

"""The errors of the whole system, and what each asks of whom.

    LeadQualityError
    ├── DataError                 your data is wrong: carries every problem, each with place, value seen, expected
    │   ├── DefinitionError       the agreement (lead.toml) does not hold together
    │   ├── HistoryError          an export does not fit the definition
    │   ├── LeakError             a field tells what was not yet known
    │   ├── TooFewOutcomesError   not enough won or lost leads to learn from
    │   └── RecordError           a lead to be scored does not fit the definition
    ├── BundleError               a model artefact is not what it says it is
    ├── NotReadyError             nothing to answer with yet: no model, no champion, store not migrated
    ├── OutsideError              MLflow, a database or a file system failed
    └── InternalError             we are wrong: a promise of this system was broken

The four branches never share a class: the reader of a DataError repairs data, the reader of an InternalError
sends us a report.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from features.text import Language, Text, whole


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in what was given to us.

    Attributes
    ----------
    where : str
        The place: `lead.toml:12 fields.source.type`, `leads.csv column "closed_at"`, `fields.employees`.
    what : Text
        What is wrong, as a sentence without the place.
    seen : str
        The value found, shortened for reading; empty if nothing was found.
    expected : Text
        What would have been right.
    code : str
        A stable name for programs: `unknown_outcome`, `missing_column`.
    rows : tuple of int
        Row numbers of a file (the header is row 1), the first few; empty where rows mean nothing.
    n_rows : int
        How many rows are affected altogether.
    """

    where: str
    what: Text
    expected: Text
    seen: str = ""
    code: str = "invalid"
    rows: tuple[int, ...] = ()
    n_rows: int = 0

    def in_language(self, language: Language) -> str:
        """The problem as one line for a person."""
        words = {
            "de": ("gesehen", "erwartet", "Zeile" if self.n_rows == 1 else "Zeilen", "insgesamt"),
            "en": ("seen", "expected", "row" if self.n_rows == 1 else "rows", "in all"),
        }
        seen, expected, rows, in_all = words[language]
        line = f"{self.where}: {self.what.in_language(language)}"
        if self.seen:
            line += f"; {seen}: {self.seen}"
        line += f"; {expected}: {self.expected.in_language(language)}"
        if self.rows:
            shown = ", ".join(str(row) for row in self.rows)
            more = f", … ({whole(self.n_rows, language)} {in_all})" if self.n_rows > len(self.rows) else ""
            line += f"; {rows}: {shown}{more}"
        return line


class LeadQualityError(Exception):
    """Anything that this system raises on purpose; its message is a `Text` where people read it, else plain English."""

    def in_language(self, language: Language) -> str:
        """What went wrong, in the reader's language as far as it is known in it."""
        message = self.args[0] if self.args else ""
        return message.in_language(language) if isinstance(message, Text) else str(self)


class DataError(LeadQualityError):
    """Your data is wrong. All problems are collected before this is raised.

    Parameters
    ----------
    problems : iterable of Problem
        Every problem that was found; at least one.
    """

    title = Text(en="The data does not fit", de="Die Daten passen nicht")

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.in_language("en"))

    def __reduce__(self) -> tuple[type[DataError], tuple[tuple[Problem, ...]]]:
        """How another process gets the error: from its problems, not from their text."""
        return type(self), (self.problems,)

    def in_language(self, language: Language) -> str:
        """The whole report, one problem a line."""
        lines = [f"  {number}. {p.in_language(language)}" for number, p in enumerate(self.problems, start=1)]
        return "\n".join([f"{self.title.in_language(language)} ({len(self.problems)}):", *lines])


class DefinitionError(DataError):
    """The agreement does not hold together."""

    title = Text(en="Problems in the definition", de="Fehler in der Definition")


class HistoryError(DataError):
    """An export does not fit the definition."""

    title = Text(en="Problems in the history", de="Fehler in der Historie")


class LeakError(DataError):
    """A field tells the model what was not yet known at the as-of date."""

    title = Text(en="Fields that leak the outcome", de="Felder, die das Ergebnis verraten")


class TooFewOutcomesError(DataError):
    """Not enough won or lost leads to learn from."""

    title = Text(en="Too few outcomes to train on", de="Zu wenige Ergebnisse zum Trainieren")


class RecordError(DataError):
    """A lead to be scored does not fit the definition."""

    title = Text(en="The lead does not fit the definition", de="Der Lead passt nicht zur Definition")


class BundleError(LeadQualityError):
    """A model artefact is not what it says it is: wrong checksum, unknown format, foreign fingerprint."""


class NotReadyError(LeadQualityError):
    """There is nothing to answer with yet."""


class OutsideError(LeadQualityError):
    """Something outside of this system failed."""


class InternalError(LeadQualityError):
    """A promise of this system was broken; this is our fault, never the caller's."""

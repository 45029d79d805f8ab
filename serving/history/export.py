"""The export of a history: page by page from the store, recorded before it is written, whole or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from features.definition import LeadDefinition
from features.errors import LeadQualityError
from features.exported import ExportNote
from features.text import Text, whole
from serving.history.files import Sheet, new_history
from serving.history.rows import REFUSED, LeftOut, Row, Rows
from serving.store import NewExport, PastLead, Store


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export holds.

    Attributes
    ----------
    outcomes : mapping of str to int
        How many leads are won, lost and open.
    left_out : tuple of (Text, int)
        Why leads are not in it, and how many.
    n_other_agreement : int
        Leads in it that were scored under another version of the definition: fields that it did not have are empty.
    """

    export_id: str
    n_leads: int
    outcomes: dict[str, int]
    left_out: tuple[tuple[Text, int], ...]
    n_other_agreement: int

    def in_words(self) -> list[Text]:
        """What a person should know about the export, one sentence each."""
        counts = {name: self.outcomes.get(name, 0) for name in ("won", "lost", "open")}
        en, de = ({name: whole(n, language) for name, n in counts.items()} for language in ("en", "de"))
        said = [
            Text(
                f"{whole(self.n_leads, 'en')} leads: {en['won']} won, {en['lost']} lost, {en['open']} open",
                f"{whole(self.n_leads, 'de')} Leads: {de['won']} gewonnen, {de['lost']} verloren, {de['open']} offen",
            )
        ]
        said += [Text(f"− {whole(n, 'en')}: {why.en}", f"− {whole(n, 'de')}: {why.de}") for why, n in self.left_out]
        if n := self.n_other_agreement:
            said.append(
                Text(
                    f"{whole(n, 'en')} of them were scored under another version of the agreement: "
                    "fields that it did not have are empty",
                    f"{whole(n, 'de')} davon unter einer anderen Fassung der Vereinbarung bewertet: "
                    "Felder, die sie nicht hatte, sind leer",
                )
            )
        return said


def write_history(
    store: Store,
    definition: LeadDefinition,
    place: Path,
    *,
    export_id: str,
    now: datetime,
    with_late: bool = False,
    progress: Callable[[int], object] = lambda _n_leads: None,
) -> Exported:
    """Write the history of every lead in `store` to `place`, and say what is in it.

    Parameters
    ----------
    definition : LeadDefinition
        The agreement that the history will be read with.
    export_id : str
        Names this export in the store, in the file, and in the bundles of models that learn from it.
    with_late : bool
        See `serving.history.rows.Rows`.
    progress : callable
        Is told how many leads were looked at so far.

    Raises
    ------
    StoreDownError
        If the database fails; then there is no file.
    OutsideError, NotReadyError
        If the file cannot be written.
    """
    note = ExportNote(export_id, now.isoformat(timespec="seconds"), definition.name, definition.fingerprint)
    run = _Run(store, Rows(definition, now, with_late=with_late), definition, export_id)
    store.exports.begin(NewExport(export_id, now, definition.fingerprint))
    try:
        with new_history(place, run.rows.columns, definition, note) as sheet:
            for page in store.exports.past_leads():
                run.add(page, sheet)
                progress(run.n_seen)
    except BaseException:
        with suppress(LeadQualityError):  # the first error is the one to tell
            store.exports.discard(export_id)
        raise
    store.exports.finish(export_id, run.n_leads)
    return run.exported()


class _Run:
    """One export under way, and its counts."""

    def __init__(self, store: Store, rows: Rows, definition: LeadDefinition, export_id: str) -> None:
        self.store, self.rows, self.definition, self.export_id = store, rows, definition, export_id
        self.n_seen = self.n_leads = self.n_other_agreement = 0
        self.outcomes: Counter[str] = Counter()
        self.left_out: Counter[Text] = Counter()

    def add(self, page: Sequence[PastLead], sheet: Sheet) -> None:
        """Record and write the leads of a page that make a row."""
        self.n_seen += len(page)
        made = [(lead, self.rows.row(lead)) for lead in page]
        self.left_out.update(row.reason for _, row in made if isinstance(row, LeftOut))
        kept = [(lead, row) for lead, row in made if not isinstance(row, LeftOut)]
        refused = self.store.exports.add(self.export_id, [lead.lead_id for lead, _ in kept])
        if refused:
            self.left_out[REFUSED] += len(refused)
        self._write([(lead, row) for lead, row in kept if lead.lead_id not in refused], sheet)

    def _write(self, kept: Sequence[tuple[PastLead, Row]], sheet: Sheet) -> None:
        sheet.write([row for _, row in kept])
        self.n_leads += len(kept)
        self.outcomes.update(lead.outcome or "open" for lead, _ in kept)
        other = self.definition.fingerprint
        self.n_other_agreement += sum(lead.definition_fingerprint != other for lead, _ in kept)

    def exported(self) -> Exported:
        """What came of it."""
        left_out = tuple(self.left_out.most_common())
        return Exported(self.export_id, self.n_leads, dict(self.outcomes), left_out, self.n_other_agreement)

"""What a column's name says about when it is filled in, in German and in English: a hint, never a proof.

A strong hint names what exists only because someone worked the lead: a status, a reason of loss, a contract, a rating
by sales. It refuses training only where the data agree (find.py). A weak hint, such as a running total, is a question
to a person, and `training.define` asks it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from features.text import Text

Strength = Literal["strong", "weak"]


@dataclass(frozen=True, slots=True)
class Hint:
    """What a name suggests; `words` are the words of the name that did."""

    words: str
    strength: Strength
    what: Text


# Patterns of whole words, over names in lower case with umlauts kept or written ae, oe, ue.
_STRONG: tuple[tuple[Text, tuple[str, ...]], ...] = (
    (
        Text("where the lead stands in the sales process", "Stand im Vertriebsprozess"),
        (r"\w*(?:status|stage|phase|forecast|pipeline)\w*", "stufe"),
    ),
    (
        Text("why it was lost or won", "warum verloren oder gewonnen"),
        (
            r"(?:lost|loss|win|won|clos\w+|reject\w*|churn) (?:reason|category|cause)",
            r"disqualif\w*",
            r"\w*(?:verlust|ablehnungs?|absage|storno|kündigungs?|kuendigungs?)(?:grund|ursache|art|kategorie)\w*",
        ),
    ),
    (
        Text("what happens when a lead is closed", "was beim Abschluss geschieht"),
        (
            r"closed|closing|close date|won|lost|convert(?:ed)?|conversion|deals?|opportunity",
            r"contracts?|invoices?|invoiced|signed|paid|payment|purchased?|bought",
            r"\w*(?:abschluss|abgeschlossen|gewonnen|verloren|vertrag|auftrag|rechnung|zahlung|gekauft|bestell)\w*",
        ),
    ),
    (
        Text("rewritten while the lead is worked", "wird während der Bearbeitung überschrieben"),
        (
            r"(?:last|latest|recent|next|nächste\w*|naechste\w*|letzte\w*)(?: \w+)? "
            r"(?:activity|modified|modification|contact\w*|touch|update\w*|call|step|event|action|meeting|change\w*"
            r"|aktivität|aktivitaet|änderung|aenderung|kontakt\w*|anruf|schritt|termin)",
            r"modified|updated|geändert|geaendert|zuletzt",
        ),
    ),
    (
        Text("written by whoever works the lead", "von dem geschrieben, der den Lead bearbeitet"),
        (
            r"tags|(?:sales|lead|crm) tag|notes?|comments?|remarks?|disposition|feedback",
            r"\w*(?:notiz|bemerkung|kommentar|schlagwort|schlagwörter)\w*",
        ),
    ),
    (
        Text("a judgement of the lead, made later", "ein Urteil über den Lead, das später fällt"),
        (
            r"(?:lead )?(?:quality|rating|temperature|priority|likelihood|probability)",
            r"(?:lead|activity|profile) (?:profile|score|index|grade)",
            r"\w*(?:qualität|qualitaet|bewertung|einstufung|priorität|prioritaet|wahrscheinlichkeit)",
        ),
    ),
    (
        Text("the length of a conversation with the lead", "Dauer eines Gesprächs mit dem Lead"),
        (r"duration|talk time|call length|\w*(?:gesprächs|gespraechs|anruf)?dauer",),
    ),
    (
        Text("sales' answer to the lead", "die Antwort des Vertriebs auf den Lead"),
        (
            r"accepted|rejected|qualified|sql|handover|hand over|response (?:time|hours|minutes)|first response",
            r"angenommen|abgelehnt|qualifiziert|übergabe|uebergabe|reaktionszeit",
        ),
    ),
    (
        Text("who works the lead, assigned later", "wer den Lead bearbeitet, später zugewiesen"),
        (
            r"owner|assigned(?: to)?|assignee|sales rep\w*|account manager|sdr|bdr",
            r"besitzer|bearbeiter|betreuer|zuständig\w*|zustaendig\w*|vertriebler|verkäufer|verkaeufer",
        ),
    ),
)
_WEAK: tuple[tuple[Text, tuple[str, ...]], ...] = (
    (
        Text("a counter that may run on until the export", "ein Zähler, der bis zum Export weiterlaufen kann"),
        (r"\w*totals?|total\w*|counts?|number of|gesamt\w*|anzahl\w*|\w*anzahl",),
    ),
    (
        Text("may be set only after the lead was created", "wird vielleicht erst nach dem Anlegen gesetzt"),
        (r"scores?|index|grade|segment|offer|quote|\w*angebot\w*|agent|tag",),
    ),
    (
        Text("may change after the lead was created", "kann sich nach dem Anlegen ändern"),
        (r"unsubscribed|bounced|opt out|do not (?:e ?mail|call)|abgemeldet|werbesperre",),
    ),
)
_EARLIER = re.compile(
    r"\b(?:previous|prior|former|past|before|existing|bisherige\w*|frühere\w*|fruehere\w*|vorige\w*)\b"
)
"""Words that turn a strong hint into a weak one: earlier deals were known in time, if they are what is meant."""
_OTHER_STATUS = re.compile(
    r"\b(?:(?:marital|civil|family|employment|job|work|legal|consent|residence) status"
    r"|(?:familien|ehe|beschäftigungs|beschaeftigungs|berufs)status)\b"
)
_COMPILED = tuple(
    (re.compile(rf"\b(?:{'|'.join(patterns)})\b"), strength, what)
    for strength, table in (("strong", _STRONG), ("weak", _WEAK))
    for what, patterns in table
)


def hint(name: str) -> Hint | None:
    """The strongest hint in a column's name, or None.

    >>> hint("LastNotableActivity").words
    'last notable activity'
    >>> hint("Verlustgrund").what.de
    'warum verloren oder gewonnen'
    >>> hint("marital_status") is None
    True
    """
    words = name_words(name)
    if _OTHER_STATUS.search(words):
        return None
    for pattern, strength, what in _COMPILED:
        if match := pattern.search(words):
            certain = strength == "strong" and not _EARLIER.search(words)
            return Hint(match[0], "strong" if certain else "weak", what)
    return None


def name_words(name: str) -> str:
    """The words of a column's name in lower case, from camel case and punctuation.

    >>> name_words("firstContact-Date")
    'first contact date'
    """
    parted = re.sub(r"(?<=[a-zäöüß0-9])(?=[A-ZÄÖÜ])", " ", name)
    return re.sub(r"[\W_]+", " ", parted).strip().casefold()

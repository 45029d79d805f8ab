"""Phrases that several findings share."""

from __future__ import annotations

from features.text import Text

ASKED = {
    "won": Text("whether the lead was won", "ob der Lead gewonnen wurde"),
    "closed": Text("whether the lead was already closed", "ob der Lead schon abgeschlossen war"),
}
ANSWERS = {
    ("won", True): Text("won", "gewonnen"),
    ("won", False): Text("not won", "nicht gewonnen"),
    ("closed", True): Text("closed", "abgeschlossen"),
    ("closed", False): Text("still open", "noch offen"),
}
LEADS = {
    ("won", True): Text("leads won", "gewonnenen Leads"),
    ("won", False): Text("those not won", "nicht gewonnenen"),
    ("closed", True): Text("leads closed", "abgeschlossenen Leads"),
    ("closed", False): Text("those still open", "noch offenen"),
}
LEAVE_OUT = Text(
    "move it to [left_out]; it was written when the outcome was known",
    "nach [left_out] verschieben; es wurde geschrieben, als das Ergebnis bekannt war",
)
ASK_WHEN = Text(
    "ask who fills it in and when: move it to [left_out], or write under [accepted_leaks] why it is known in time",
    "klären, wer es wann ausfüllt: nach [left_out] verschieben oder unter [accepted_leaks] begründen, "
    "warum es rechtzeitig bekannt ist",
)

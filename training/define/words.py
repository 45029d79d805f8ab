"""The words by which exports of both languages name roles, outcomes and gaps."""

from __future__ import annotations

import re
from re import Pattern


def _whole(*patterns: str) -> Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(patterns)})\b")


# ---- Cells that mean "not answered" ---------------------------------------------------------------------------------

PLACEHOLDERS = frozenset(
    {
        "select", "- select -", "-- select --", "please select", "choose", "please choose", "bitte wählen",
        "bitte auswählen", "auswählen", "n/a", "#n/a", "n.a.", "na", "nan", "null", "nil", "(null)", "-", "--",
        "---", "–",
        "—", "?", "??", ".", "..", "k.a.", "k. a.", "k.a", "ka", "keine angabe", "keine angaben", "ohne angabe",
        "nicht angegeben", "not specified", "not provided", "not available", "not answered", "no answer", "(leer)",
        "(empty)", "(blank)", "(not set)", "(none)", "#ref!", "#value!", "#wert!", "#nv", "undefined",
    }
)  # fmt: skip
DOUBTFUL = frozenset(
    {"unknown", "unbekannt", "none", "keine", "keiner", "other", "sonstige", "sonstiges", "0000-00-00"}
)
"""May mean "not answered", or be an answer: a person decides."""

# ---- Outcomes -------------------------------------------------------------------------------------------------------

WON = _whole(
    r"won", r"win", r"gewonnen", r"converted", r"konvertiert", r"sold", r"verkauft", r"purchased", r"gekauft",
    r"bought",
    r"customer", r"kunde", r"successful", r"success", r"erfolgreich", r"erfolg", r"auftrag", r"beauftragt",
    r"signed",
    r"unterschrieben", r"subscribed", r"enrolled", r"deal",
)  # fmt: skip
LOST = _whole(
    r"lost", r"verloren", r"disqualified", r"unqualified", r"disqualifiziert", r"unqualifiziert", r"rejected",
    r"abgelehnt",
    r"abgesagt", r"absage", r"cancell?ed", r"storniert", r"dead", r"failure", r"failed", r"junk", r"not converted",
    r"not interested", r"kein interesse", r"nicht gewonnen", r"no deal", r"closed",
)  # fmt: skip
OPEN = _whole(
    r"open", r"offen", r"new", r"neu", r"in progress", r"in bearbeitung", r"working", r"contacted", r"kontaktiert",
    r"pending", r"qualified", r"qualifiziert", r"nurtur\w*", r"proposal", r"negotiation", r"angebot\w*",
    r"verhandlung",
    r"wartet", r"waiting", r"assigned", r"zugewiesen", r"attempted", r"follow up",
)  # fmt: skip
NOT = _whole(r"not", r"no", r"nicht", r"kein", r"keine", r"un\w+")
YES = frozenset({"yes", "y", "ja", "j", "true", "wahr", "t", "1", "1.0", "x"})
NO = frozenset({"no", "n", "nein", "false", "falsch", "f", "0", "0.0", ""})
OUTCOME_NAMED = _whole(
    r"outcome", r"converted", r"conversion", r"won", r"is won", r"gewonnen", r"lead outcome", r"ergebnis",
    r"target", r"y",
    r"label", r"class", r"zielgröße", r"zielgroesse",
)  # fmt: skip
OUTCOME_LIKELY = _whole(
    r"\w*status", r"stage", r"state", r"phase", r"result", r"success", r"erfolg\w*", r"abschluss\w*",
    r"closed", r"deal",
    r"subscribed", r"purchased", r"bought", r"\w*gekauft", r"enrolled", r"verkaufsphase",
)  # fmt: skip

# ---- Roles ----------------------------------------------------------------------------------------------------------

ID = _whole(r"id", r"guid", r"uuid", r"key", r"nr", r"no", r"number", r"nummer", r"\w*nummer", r"kennung", r"\w+id")
LEAD = _whole(r"lead", r"leads", r"prospect", r"mql", r"record", r"opportunity", r"anfrage", r"vorgang")
ACCOUNT = _whole(
    r"account", r"account id", r"company", r"company id", r"firma", r"firmen?\w*", r"unternehmen\w*",
    r"organi[sz]ation\w*",
    r"organisation\w*", r"client id", r"customer id", r"konto", r"konto ?nr", r"kunden ?(?:nr|nummer|id)",
    r"domain",
)  # fmt: skip
NOT_ACCOUNT = _whole(
    r"size", r"type", r"industry", r"branche", r"größe", r"groesse", r"country", r"land", r"owner", r"art",
    r"status",
    r"manager", r"revenue", r"umsatz", r"employees",
)  # fmt: skip
VALUE = _whole(
    r"(?:deal|order|contract|opportunity|quote|expected) (?:value|amount|size|revenue|volume)(?: \w+)?",
    r"(?:auftrags?|angebots?|vertrags?|abschluss)(?:wert|summe|volumen|betrag)(?: \w+)?", r"amount(?: \w{3})?",
    r"betrag",
)  # fmt: skip
CREATED = _whole(
    r"creat\w+", r"erstell\w*", r"angelegt\w*", r"anlage\w*", r"eingang\w*", r"erfass\w*",
    r"first contact(?: date)?",
    r"erstkontakt\w*", r"lead date", r"regist\w+", r"sign ?up", r"contact date", r"kontaktdatum", r"anfrage\w*",
    r"inquiry(?: date)?", r"submitted", r"received", r"date added", r"entry date",
)  # fmt: skip
CLOSED = _whole(
    r"close[d]?(?: \w+)?", r"closing(?: date)?", r"won (?:date|at|on)", r"date won",
    r"(?:conversion|converted) (?:date|at|on)",
    r"(?:ge|ab)schlossen\w*", r"abschluss\w*", r"outcome (?:date|at)", r"decided(?: \w+)?", r"entschied\w*",
    r"entscheidung\w*", r"sale date", r"sold (?:at|on|date)", r"ended(?: at)?", r"erledigt\w*", r"gewonnen am",
)  # fmt: skip
CODE_NAMED = _whole(
    r"\w*plz", r"postleitzahl", r"zip(?: ?code)?", r"post(?:al)? ?code", r"\w*code", r"sic", r"nace", r"wz"
)
SENSITIVE = _whole(
    r"age", r"alter", r"gender", r"geschlecht", r"sex", r"marital(?: status)?", r"familienstand", r"nationality",
    r"nationalität", r"staatsangehörigkeit", r"religion", r"ethnicity", r"disability", r"behinderung", r"anrede",
    r"salutation",
)  # fmt: skip
OF_SALES = _whole(
    r"industry", r"branche", r"employees", r"mitarbeiter\w*", r"beschäftigte", r"revenue", r"umsatz",
    r"company\w*", r"firm\w+",
    r"unternehmen\w*", r"region", r"country", r"land", r"territory", r"gebiet", r"legal form", r"rechtsform",
)  # fmt: skip

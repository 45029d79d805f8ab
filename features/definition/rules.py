"""The checks that span several parts of a definition; each runs on whatever was sound."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from features.definition import agreement as d
from features.definition.faults import problem, suggest
from features.errors import Problem
from features.text import Text, same

IDENTIFIERS = frozenset(
    "email emailaddress emailadresse mail mailadresse phone phonenumber phonenr telephone telephonenumber tel telnr"
    " telefon telefonnummer telefonnr rufnummer mobile mobilephone mobilenumber mobil mobiltelefon mobilnummer mobilnr"
    " handy handynummer handynr fax faxnumber faxnummer faxnr name firstname givenname lastname familyname surname"
    " fullname vorname nachname familienname contactname kontaktname leadname kundenname personenname kontaktperson"
    " ansprechpartner ansprechpartnerin birthdate birthday dateofbirth geburtsdatum linkedinurl".split()
)
"""Names of columns that hold a person's identifiers, without separators: these never become features.

A bare name is a person's, and so is a lead's, contact's or customer's; a campaign's or a product's name is a fact.
"""
QUALIFIERS = frozenset(
    "contact kontakt lead person customer kunde kunden work business geschaeftlich geschäftlich private privat main"
    " primary hs sf the a 1 2 3".split()
)
"""Words that may stand around such a name. Other words make another thing of it: emails opened is a count."""
_BETWEEN_WORDS = re.compile(r"[\W_]+|(?<=[a-zäöüß])(?=[A-ZÄÖÜ])")


def is_personal(column: str) -> bool:
    """Whether a column's name says that it holds a person's identifier.

    >>> [is_personal(name) for name in ("E-Mail", "contact_first_name", "freemail", "email_opens_30d", "Phone 2")]
    [True, True, False, False, True]
    >>> [is_personal(name) for name in ("Name", "LeadName", "Tel.", "campaign_name", "account_name", "no_phone")]
    [True, True, True, False, False, False]
    """
    words = [word.lower() for word in _BETWEEN_WORDS.split(unicodedata.normalize("NFC", column))]
    return "".join(word for word in words if word not in QUALIFIERS) in IDENTIFIERS


Rule = Callable[[Mapping[str, Any], Mapping[str, d.LeadField], Mapping[str, Any]], Iterator[Problem]]


def _known_too_late(
    sections: Mapping[str, Any], fields: Mapping[str, d.LeadField], _data: Mapping[str, Any]
) -> Iterator[Problem]:
    if "target" not in sections:
        return
    point = sections["target"].scoring_point
    for name, field in fields.items():
        if d.MOMENTS.index(field.known) > d.MOMENTS.index(point):
            yield problem(
                ("fields", name, "known"),
                (
                    Text(
                        f"this field becomes known at {field.known}, after leads are scored ({point}): it leaks",
                        f"dieses Feld wird erst bei {field.known} bekannt, nach der Bewertung ({point}): "
                        "Es verrät das Ergebnis",
                    ),
                    Text(
                        f'move it to [left_out."{field.column}"] with the reason, or score later',
                        f'nach [left_out."{field.column}"] mit Begründung, oder später bewerten',
                    ),
                ),
                field.known,
                "known_too_late",
            )


def _personal(
    _sections: Mapping[str, Any], fields: Mapping[str, d.LeadField], _data: Mapping[str, Any]
) -> Iterator[Problem]:
    for name, field in fields.items():
        if is_personal(name) or is_personal(field.column):
            yield problem(
                ("fields", name),
                (
                    Text("this looks like a personal identifier", "das sieht nach einem Personenmerkmal aus"),
                    Text(
                        "no names, e-mail addresses or phone numbers as fields; derive a fact before the export, "
                        "such as free_mail_provider (true or false)",
                        "keine Namen, E-Mail-Adressen oder Telefonnummern als Felder; vor dem Export eine Tatsache "
                        "ableiten, etwa freemail_anbieter (ja oder nein)",
                    ),
                ),
                field.column,
                "personal_identifier",
            )


def _field_details(
    _sections: Mapping[str, Any], fields: Mapping[str, d.LeadField], _data: Mapping[str, Any]
) -> Iterator[Problem]:
    if not fields and not isinstance(_data.get("fields"), Mapping):
        return
    if not fields and not _data["fields"]:
        yield problem(
            ("fields",),
            (
                Text("there is no field to learn from", "es gibt kein Feld zum Lernen"),
                Text("at least one", "mindestens eines"),
            ),
            "",
            "no_fields",
        )
    for name, field in fields.items():
        yield from _entries_of_other_types(name, field)
        if field.at_least is not None and field.at_most is not None and field.at_least >= field.at_most:
            yield problem(
                ("fields", name, "at_most"),
                (
                    Text("the range is empty", "der Wertebereich ist leer"),
                    Text(f"more than at_least = {field.at_least:g}", f"mehr als at_least = {field.at_least:g}"),
                ),
                field.at_most,
            )


_TYPES_WITH = {"direction": ("number", "date"), "at_least": ("number",), "at_most": ("number",)}


def _entries_of_other_types(name: str, field: d.LeadField) -> Iterator[Problem]:
    """Entries that nothing would check for a field of this type."""
    for entry, types in _TYPES_WITH.items():
        if field.type in types or getattr(field, entry) is None:
            continue
        expected = (
            Text("only numbers and dates have one", "nur Zahlen und Datumsfelder haben das")
            if "date" in types
            else Text("only numbers have one", "nur Zahlen haben das")
        )
        what = Text(f"a {field.type} has no {entry}", f"ein Feld vom Typ {field.type} hat kein {entry}")
        yield problem(("fields", name, entry), (what, expected), getattr(field, entry))


def _dates_need_an_as_of_date(
    sections: Mapping[str, Any], fields: Mapping[str, d.LeadField], _data: Mapping[str, Any]
) -> Iterator[Problem]:
    """A date counts in days before the as-of date: without one, it would be missing for every lead."""
    if "columns" not in sections or sections["columns"].created or sections["columns"].as_of:
        return
    for name, field in fields.items():
        if field.type == "date":
            yield problem(
                ("fields", name, "type"),
                (
                    Text(
                        "a date needs a date of the lead to count its days to",
                        "ein Datum braucht ein Datum des Leads, bis zu dem seine Tage zählen",
                    ),
                    Text("columns.created or columns.as_of as well", "auch columns.created oder columns.as_of"),
                ),
                field.type,
                "date_without_as_of",
            )


def _one_role_per_column(
    sections: Mapping[str, Any], fields: Mapping[str, d.LeadField], data: Mapping[str, Any]
) -> Iterator[Problem]:
    roles = sections["columns"].named() if "columns" in sections else {}
    taken: dict[str, str] = {}
    for role, column in roles.items():
        place = taken.setdefault(column, f"columns.{role}")
        if role != "outcome" and place == "columns.outcome":
            yield problem(
                ("columns", role),
                (
                    Text("the column is already used as columns.outcome", "die Spalte dient schon als columns.outcome"),
                    Text("a column of its own for the outcome", "für das Ergebnis eine eigene Spalte"),
                ),
                column,
                "column_twice",
            )
    left_out = data.get("left_out", {})
    for column in left_out if isinstance(left_out, Mapping) else ():
        if column in taken and taken[column] in ("columns.outcome", "columns.id"):
            continue
        taken.setdefault(column, f"left_out.{column}")
    for name, field in fields.items():
        if field.column in taken and taken[field.column] != "columns.order":
            yield problem(
                ("fields", name, "column"),
                (
                    Text(
                        f"the column is already used as {taken[field.column]}",
                        f"die Spalte dient schon als {taken[field.column]}",
                    ),
                    Text("a column of its own for each field", "für jedes Feld eine eigene Spalte"),
                ),
                field.column,
                "column_twice",
            )
        taken.setdefault(field.column, f"fields.{name}")


def _timing(
    sections: Mapping[str, Any], _fields: Mapping[str, d.LeadField], _data: Mapping[str, Any]
) -> Iterator[Problem]:
    if "columns" not in sections or "target" not in sections:
        return
    columns, horizon = sections["columns"], sections["target"].horizon_days
    if horizon and not (columns.created and columns.closed):
        lacking = " and ".join(role for role in ("created", "closed") if not getattr(columns, role))
        yield problem(
            ("target", "horizon_days"),
            (
                Text("a horizon needs dates", "ein Horizont braucht Anlage- und Abschlussdatum"),
                Text(
                    f"columns.{lacking} as well, or no horizon_days (leads are then split by order, without a horizon)",
                    f"auch columns.{lacking.replace(' and ', ' und ')}, oder kein horizon_days "
                    "(dann wird nach Reihenfolge geteilt, ohne Horizont)",
                ),
            ),
            horizon,
            "horizon_without_dates",
        )
    if sections["target"].leads_from and not columns.created:
        yield problem(
            ("target", "leads_from"),
            (
                Text("a first day needs dates", "ein erster Tag braucht ein Anlagedatum"),
                Text("columns.created as well, or no leads_from", "auch columns.created, oder kein leads_from"),
            ),
            sections["target"].leads_from,
            "leads_from_without_dates",
        )
    if columns.created and columns.closed and not horizon:
        yield problem(
            ("target",),
            (
                Text(
                    "the leads have dates, but there is no horizon",
                    "die Leads haben Anlage- und Abschlussdatum, aber es fehlt der Horizont",
                ),
                Text("horizon_days, for example 90", "horizon_days, zum Beispiel 90"),
            ),
            "",
            "no_horizon",
        )


def _outcome_values(
    sections: Mapping[str, Any], _fields: Mapping[str, d.LeadField], _data: Mapping[str, Any]
) -> Iterator[Problem]:
    if "outcome" not in sections:
        return
    seen: dict[str, str] = {}
    for meaning in ("won", "lost", "open"):
        for value in getattr(sections["outcome"], meaning):
            if value in seen:
                yield problem(
                    ("outcome", meaning),
                    (
                        Text(f"the value already means {seen[value]}", f"der Wert bedeutet schon {seen[value]}"),
                        Text("won, lost and open are three things", "won, lost und open sind dreierlei"),
                    ),
                    value,
                    "outcome_twice",
                )
            seen[value] = meaning


def _rules_of_action(
    sections: Mapping[str, Any], _fields: Mapping[str, d.LeadField], _data: Mapping[str, Any]
) -> Iterator[Problem]:
    if "grades" in sections:
        cuts = sections["grades"]
        if not cuts.A > cuts.B > cuts.C:
            yield problem(
                ("grades",),
                (Text("the cut-offs do not fall", "die Grenzen nehmen nicht ab"), same("A > B > C")),
                f"A = {cuts.A:g}, B = {cuts.B:g}, C = {cuts.C:g}",
            )
    if "handover" in sections:
        rule = sections["handover"]
        if (rule.capacity_per_week is None) == (rule.threshold is None):
            yield problem(
                ("handover",),
                (
                    Text("the handover needs exactly one rule", "die Übergabe braucht genau eine Regel"),
                    Text("either capacity_per_week or threshold", "entweder capacity_per_week oder threshold"),
                ),
                "capacity_per_week, threshold" if rule.threshold is not None else "",
            )
        if rule.capacity_per_week is not None and "columns" in sections and not sections["columns"].created:
            yield problem(
                ("handover", "capacity_per_week"),
                (
                    Text("a capacity per week needs dates", "eine Kapazität je Woche braucht ein Anlagedatum"),
                    Text("columns.created as well, or a threshold", "auch columns.created, oder ein threshold"),
                ),
                rule.capacity_per_week,
                "capacity_without_dates",
            )


def _reading(
    sections: Mapping[str, Any], _fields: Mapping[str, d.LeadField], _data: Mapping[str, Any]
) -> Iterator[Problem]:
    if "read" not in sections:
        return
    try:
        ZoneInfo(sections["read"].timezone)
    except (ZoneInfoNotFoundError, ValueError):
        yield problem(
            ("read", "timezone"),
            (
                Text("unknown time zone", "unbekannte Zeitzone"),
                Text("such as Europe/Berlin", "etwa Europe/Berlin"),
            ),
            sections["read"].timezone,
        )


def _acceptances(
    _sections: Mapping[str, Any], fields: Mapping[str, d.LeadField], data: Mapping[str, Any]
) -> Iterator[Problem]:
    accepted, declared = data.get("accepted_leaks", {}), data.get("fields", {})
    for name in accepted if isinstance(accepted, Mapping) else ():
        if name not in fields and name not in declared:
            yield problem(
                ("accepted_leaks", name),
                (Text("there is no such field", "ein solches Feld gibt es nicht"), suggest(name, declared)),
                name,
            )


def _reporting(
    sections: Mapping[str, Any], fields: Mapping[str, d.LeadField], data: Mapping[str, Any]
) -> Iterator[Problem]:
    if "reporting" not in sections:
        return
    for by, name in sections["reporting"].named().items():
        if name not in fields and name not in data.get("fields", {}):
            what = Text("there is no such field", "ein solches Feld gibt es nicht")
            yield problem(("reporting", by), (what, suggest(name, data.get("fields", {}))), name)
        elif name in fields and fields[name].type != "category":
            what = Text("leads are counted by categories", "gezählt wird nach Kategorien")
            expected = Text("a field of the type category", "ein Feld vom Typ category")
            yield problem(("reporting", by), (what, expected), f"{name}: {fields[name].type}")


RULES: tuple[Rule, ...] = (
    _known_too_late,
    _personal,
    _field_details,
    _dates_need_an_as_of_date,
    _one_role_per_column,
    _timing,
    _outcome_values,
    _rules_of_action,
    _reading,
    _acceptances,
    _reporting,
)

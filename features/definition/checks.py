"""Every problem of a definition, collected before anything is raised.

Each part is validated on its own, so that a fault in one field does not hide a fault in another; then the checks that
span several parts run on whatever was sound.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, TypeAdapter, ValidationError

from features.definition import agreement as d
from features.errors import Problem
from features.text import Text, same

IDENTIFIERS = frozenset(
    "email emailaddress emailadresse mail mailadresse phone phonenumber telephone telefon telefonnummer mobile"
    " mobilephone mobil mobilnummer handy handynummer fax faxnummer firstname lastname fullname vorname nachname"
    " contactname ansprechpartner birthdate birthday dateofbirth geburtsdatum linkedinurl".split()
)
"""Names of columns that hold a person's identifiers, without separators: these never become features."""
QUALIFIERS = frozenset(
    "contact kontakt lead person customer kunde work business geschaeftlich private privat main primary hs sf the a"
    " 1 2 3".split()
)
"""Words that may stand around such a name. Other words make another thing of it: emails opened is a count."""

SECTIONS: dict[str, type[BaseModel]] = {
    "definition": d.About,
    "target": d.Target,
    "columns": d.Columns,
    "outcome": d.OutcomeValues,
    "read": d.Reading,
    "grades": d.Cuts,
    "handover": d.Handover,
    "follow_up_hours": d.Hours,
    "verdicts": d.Verdicts,
}
TABLES: dict[str, TypeAdapter[Any]] = {
    "left_out": TypeAdapter(dict[str, d.LeftOut]),
    "accepted_leaks": TypeAdapter(dict[str, d.Words]),
    "format": TypeAdapter(Literal[1]),
}
"""Entries that are no sections; `fields` is checked field by field."""
REQUIRED = ("definition", "target", "columns", "outcome", "fields", "grades", "handover")


def check(data: Mapping[str, Any]) -> tuple[d.LeadDefinition | None, list[Problem]]:
    """The definition if it is sound, and every problem if it is not; `where` holds the path, joined by NUL."""
    problems = list(_unknown_sections(data))
    problems += [_problem((name,), _missing_entry(name), "") for name in REQUIRED if name not in data]
    validators: dict[str, Callable[[Any], Any]] = {name: model.model_validate for name, model in SECTIONS.items()}
    validators |= {name: table.validate_python for name, table in TABLES.items()}
    parts = {name: _part(name, validate, data, problems) for name, validate in validators.items() if name in data}
    fields = _fields(data.get("fields", {}), problems)
    sound = {name: part for name, part in parts.items() if part is not None}
    for rule in _RULES:
        problems += rule(sound, fields, data)
    if problems:
        return None, problems
    try:
        return d.LeadDefinition.model_validate(dict(data)), []
    except ValidationError as error:
        return None, [_from_pydantic((), fault) for fault in error.errors()]


def _part(name: str, validate: Callable[[Any], Any], data: Mapping[str, Any], problems: list[Problem]) -> Any:
    try:
        return validate(data[name])
    except ValidationError as error:
        problems += [_from_pydantic((name,), fault) for fault in error.errors()]
        return None


def _fields(tables: object, problems: list[Problem]) -> dict[str, d.LeadField]:
    if not isinstance(tables, Mapping):
        problems.append(
            _problem(("fields",), (same("fields"), Text("a table per field", "eine Tabelle je Feld")), tables)
        )
        return {}
    sound: dict[str, d.LeadField] = {}
    for name, table in tables.items():
        problems += _field_name(name)
        try:
            field = d.LeadField.model_validate(table)
            sound[name] = field if field.column else field.model_copy(update={"column": name})
        except ValidationError as error:
            problems += [_from_pydantic(("fields", name), fault) for fault in error.errors()]
    return sound


def _field_name(name: str) -> Iterator[Problem]:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        yield _problem(
            ("fields", name),
            (
                Text("the field's name is not an identifier", "der Name des Feldes ist kein Bezeichner"),
                Text(
                    "lower-case letters, digits and underscores; put the export's own name in `column`",
                    "Kleinbuchstaben, Ziffern und Unterstriche; der Name im Export gehört in `column`",
                ),
            ),
            name,
            "field_name",
        )


def is_personal(column: str) -> bool:
    """Whether a column's name says that it holds a person's identifier.

    >>> [is_personal(name) for name in ("E-Mail", "contact_first_name", "freemail", "email_opens_30d", "Phone 2")]
    [True, True, False, False, True]
    """
    words = [word for word in re.split(r"[\W_]+", column.lower()) if word not in QUALIFIERS]
    return "".join(words) in IDENTIFIERS


Rule = Callable[[Mapping[str, Any], Mapping[str, d.LeadField], Mapping[str, Any]], Iterator[Problem]]


def _known_too_late(
    sections: Mapping[str, Any], fields: Mapping[str, d.LeadField], _data: Mapping[str, Any]
) -> Iterator[Problem]:
    if "target" not in sections:
        return
    point = sections["target"].scoring_point
    for name, field in fields.items():
        if d.MOMENTS.index(field.known) > d.MOMENTS.index(point):
            yield _problem(
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
            yield _problem(
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
        yield _problem(
            ("fields",),
            (
                Text("there is no field to learn from", "es gibt kein Feld zum Lernen"),
                Text("at least one", "mindestens eines"),
            ),
            "",
            "no_fields",
        )
    for name, field in fields.items():
        if field.type not in ("number", "date"):
            for entry in ("direction", "at_least", "at_most"):
                if getattr(field, entry) is not None:
                    yield _problem(
                        ("fields", name, entry),
                        (
                            Text(
                                f"a {field.type} has no {entry}",
                                f"ein Feld vom Typ {field.type} hat kein {entry}",
                            ),
                            Text("only numbers and dates have one", "nur Zahlen und Datumsfelder haben das"),
                        ),
                        getattr(field, entry),
                    )
        if field.at_least is not None and field.at_most is not None and field.at_least >= field.at_most:
            yield _problem(
                ("fields", name, "at_most"),
                (
                    Text("the range is empty", "der Wertebereich ist leer"),
                    Text(f"more than at_least = {field.at_least:g}", f"mehr als at_least = {field.at_least:g}"),
                ),
                field.at_most,
            )


def _one_role_per_column(
    sections: Mapping[str, Any], fields: Mapping[str, d.LeadField], data: Mapping[str, Any]
) -> Iterator[Problem]:
    roles = sections["columns"].named() if "columns" in sections else {}
    taken: dict[str, str] = {}
    for role, column in roles.items():
        place = taken.setdefault(column, f"columns.{role}")
        if role != "outcome" and place == "columns.outcome":
            yield _problem(
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
            yield _problem(
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
        yield _problem(
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
        yield _problem(
            ("target", "leads_from"),
            (
                Text("a first day needs dates", "ein erster Tag braucht ein Anlagedatum"),
                Text("columns.created as well, or no leads_from", "auch columns.created, oder kein leads_from"),
            ),
            sections["target"].leads_from,
            "leads_from_without_dates",
        )
    if columns.created and columns.closed and not horizon:
        yield _problem(
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
                yield _problem(
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
            yield _problem(
                ("grades",),
                (Text("the cut-offs do not fall", "die Grenzen nehmen nicht ab"), same("A > B > C")),
                f"A = {cuts.A:g}, B = {cuts.B:g}, C = {cuts.C:g}",
            )
    if "handover" in sections:
        rule = sections["handover"]
        if (rule.capacity_per_week is None) == (rule.threshold is None):
            yield _problem(
                ("handover",),
                (
                    Text("the handover needs exactly one rule", "die Übergabe braucht genau eine Regel"),
                    Text("either capacity_per_week or threshold", "entweder capacity_per_week oder threshold"),
                ),
                "capacity_per_week, threshold" if rule.threshold is not None else "",
            )
        if rule.capacity_per_week is not None and "columns" in sections and not sections["columns"].created:
            yield _problem(
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
        yield _problem(
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
            yield _problem(
                ("accepted_leaks", name),
                (Text("there is no such field", "ein solches Feld gibt es nicht"), _suggest(name, declared)),
                name,
            )


_RULES: tuple[Rule, ...] = (
    _known_too_late,
    _personal,
    _field_details,
    _one_role_per_column,
    _timing,
    _outcome_values,
    _rules_of_action,
    _reading,
    _acceptances,
)


def _unknown_sections(data: Mapping[str, Any]) -> Iterator[Problem]:
    allowed = (*SECTIONS, "fields", *TABLES)
    for name in data:
        if name not in allowed:
            yield _problem((name,), (Text("unknown entry", "unbekannter Eintrag"), _suggest(name, allowed)), name)


def _missing_entry(name: str) -> tuple[Text, Text]:
    return Text(f"[{name}] is missing", f"[{name}] fehlt"), Text("this section", "dieser Abschnitt")


def _suggest(name: str, allowed: object) -> Text:
    names = [str(entry) for entry in allowed] if isinstance(allowed, (tuple, list, Mapping)) else []
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return Text(f"did you mean {close[0]}?", f"war {close[0]} gemeint?")
    listed = ", ".join(names)
    return Text(f"one of: {listed}", f"eines von: {listed}")


def _problem(path: tuple[str, ...], words: tuple[Text, Text], seen: object, code: str = "invalid") -> Problem:
    return Problem(where="\0".join(path), what=words[0], expected=words[1], seen=_shown(seen), code=code)


def _shown(value: object) -> str:
    text = "" if value is None or value == "" else str(value)
    return text if len(text) <= 80 else text[:79] + "…"


def _from_pydantic(prefix: tuple[str, ...], fault: Mapping[str, Any]) -> Problem:
    """A structural fault in our words; the kinds that a definition can show are translated."""
    path = (*prefix, *(str(part) for part in fault["loc"]))
    seen = "" if fault["type"] == "missing" else fault["input"]
    return _problem(path, _words(path, fault), seen, str(fault["type"]))


def _words(path: tuple[str, ...], fault: Mapping[str, Any]) -> tuple[Text, Text]:
    kind, context = fault["type"], fault.get("ctx", {})
    if kind in ("missing", "missing_argument"):
        return Text("this entry is missing", "dieser Eintrag fehlt"), Text("a value", "ein Wert")
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        return Text("unknown entry", "unbekannter Eintrag"), _suggest(path[-1], _entries(path))
    if kind == "literal_error":
        listed = str(context["expected"])
        return Text("not one of the allowed values", "keiner der erlaubten Werte"), Text(
            listed, listed.replace(" or ", " oder ")
        )
    if kind in _LIMITS:
        sign, limit = _LIMITS[kind], next(value for name, value in context.items() if name in _LIMIT_NAMES)
        return Text("out of range", "außerhalb des Bereichs"), same(f"{sign} {limit}")
    if kind == "string_pattern_mismatch":
        return Text("not a plain name", "kein einfacher Name"), Text(
            "lower-case letters, digits, _ or -, starting with a letter",
            "Kleinbuchstaben, Ziffern, _ oder -, mit einem Buchstaben am Anfang",
        )
    wanted = _TYPES.get(kind, Text(str(fault["msg"]), str(fault["msg"])))
    return Text("of the wrong kind", "von der falschen Art"), wanted


_LIMITS = {
    "greater_than": ">",
    "greater_than_equal": "≥",
    "less_than": "<",
    "less_than_equal": "≤",
    "too_short": "# ≥",
    "string_too_short": "# ≥",
    "string_too_long": "# ≤",
}
_LIMIT_NAMES = ("gt", "ge", "lt", "le", "min_length", "max_length")
_TYPES = {
    "string_type": Text("a text in quotes", "ein Text in Anführungszeichen"),
    "int_type": Text("a whole number", "eine ganze Zahl"),
    "int_parsing": Text("a whole number", "eine ganze Zahl"),
    "int_from_float": Text("a whole number", "eine ganze Zahl"),
    "float_type": Text("a number", "eine Zahl"),
    "float_parsing": Text("a number", "eine Zahl"),
    "bool_type": Text("true or false", "true oder false"),
    "date_type": Text("a date such as 2025-01-31", "ein Datum wie 2025-01-31"),
    "date_from_datetime_parsing": Text("a date such as 2025-01-31", "ein Datum wie 2025-01-31"),
    "bool_parsing": Text("true or false", "true oder false"),
    "finite_number": Text("a finite number", "eine endliche Zahl"),
    "tuple_type": Text('a list such as ["a", "b"]', 'eine Liste wie ["a", "b"]'),
    "dict_type": Text("a table", "eine Tabelle"),
    "model_type": Text("a table", "eine Tabelle"),
    "date_parsing": Text("a date such as 2025-01-31", "ein Datum wie 2025-01-31"),
    "date_from_datetime_inexact": Text("a date such as 2025-01-31", "ein Datum wie 2025-01-31"),
    "named_tuple_type": Text('a text, or { en = "…", de = "…" }', 'ein Text, oder { en = "…", de = "…" }'),
    "arguments_type": Text('a text, or { en = "…", de = "…" }', 'ein Text, oder { en = "…", de = "…" }'),
    "arguments_type_error": Text('{ en = "…", de = "…" }', '{ en = "…", de = "…" }'),
}


def _entries(path: tuple[str, ...]) -> tuple[str, ...]:
    if path[0] == "fields" and len(path) == 3:
        return tuple(d.LeadField.model_fields)
    if path[0] == "left_out" and len(path) == 3:
        return tuple(d.LeftOut.model_fields)
    if path[0] in SECTIONS and len(path) == 2:
        return tuple(SECTIONS[path[0]].model_fields)
    return ("en", "de")

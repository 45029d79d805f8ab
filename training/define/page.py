"""A draft as TOML: what was guessed, why, and what a person must decide, in English and in German."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from features.text import Text, decimal, percent, whole
from training.define import toml
from training.define.columns import Column
from training.define.comments import both, decide, section
from training.define.guess import Draft
from training.define.profile import profile, sentinel_of
from training.leakage import Finding, hint


def page(found: Draft) -> str:
    """The draft as TOML text, comments included."""
    parts = [_head(found), _plain("definition", found), _target(found), _columns(found), _outcome(found)]
    parts += [_reading(found), _fields(found), _left_out(found), _agreed(found)]
    blocks = ["\n".join(part) for part in parts]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _head(found: Draft) -> Iterator[str]:
    n_leads, n_won = len(found.labelled.frame), int(found.labelled.frame["target"].sum())
    listed = ", ".join(found.files[:5])
    rate = found.labelled.frame["target"].mean()
    yield from both(
        Text(
            f"A draft, guessed from {listed}. It trains as it is; whether it is right, people must say: see DECIDE.",
            f"Ein Entwurf, erraten aus {listed}. Er lässt sich trainieren, wie er ist; ob er stimmt, müssen Menschen "
            "sagen: nach ENTSCHEIDEN suchen.",
        )
    )
    yield from both(
        Text(
            f"{whole(n_leads, 'en')} leads can be learnt from, {whole(n_won, 'en')} of them won "
            f"({percent(rate, 'en', 1)}).",
            f"Aus {whole(n_leads, 'de')} Leads lässt sich lernen, {whole(n_won, 'de')} davon gewonnen "
            f"({percent(rate, 'de', 1)}).",
        )
    )
    for left in found.labelled.left_out:
        yield from both(
            Text(
                f"Leads left out: {whole(left.n, 'en')} ({left.reason.en}).",
                f"Nicht dabei: {whole(left.n, 'de')} ({left.reason.de}).",
            )
        )
    yield ""
    yield toml.entry("format", 1)


def _plain(name: str, found: Draft) -> Iterator[str]:
    yield from _table((name,), found.data[name])


def _table(path: tuple[str, ...], entries: Mapping[str, Any]) -> Iterator[str]:
    yield toml.header(*path)
    yield from (toml.entry(name, value) for name, value in entries.items())


def _target(found: Draft) -> Iterator[str]:
    timing = found.timing
    if timing is None:
        yield from decide(
            Text(
                "no creation date and closing date for every win were found, so there is no horizon. If there are such "
                "dates, name them under [columns] as created and closed, and add horizon_days here.",
                "Es fand sich kein Anlagedatum samt Abschlussdatum für jeden Gewinn, also gibt es keinen Horizont. "
                "Gibt es solche Daten, unter [columns] als created und closed nennen und hier horizon_days ergänzen.",
            )
        )
    else:
        yield from decide(
            Text(
                f"within how many days a win counts. Half of the {whole(timing.delays.n_wins, 'en')} wins took up to "
                f"{decimal(timing.delays.median_days, 0, 'en')} days, 90 % up to "
                f"{decimal(timing.delays.most_days, 0, 'en')}; leads were created over "
                f"{decimal(timing.delays.span_days, 0, 'en')} days.",
                f"binnen wie vieler Tage ein Gewinn zählt. Die Hälfte der {whole(timing.delays.n_wins, 'de')} Gewinne "
                f"brauchte bis zu {decimal(timing.delays.median_days, 0, 'de')} Tage, 90 % bis zu "
                f"{decimal(timing.delays.most_days, 0, 'de')}; angelegt wurden die Leads in einem Zeitraum von "
                f"{decimal(timing.delays.span_days, 0, 'de')} Tagen.",
            )
        )
        if timing.leads_from is not None:
            yield from decide(
                Text(
                    "whether the log of wins begins on this day (leads_from): many leads came before it, none won.",
                    "ob das Protokoll der Gewinne an diesem Tag beginnt (leads_from): Davor kamen schon viele Leads, "
                    "aber kein Gewinn ist verzeichnet.",
                )
            )
    yield from _plain("target", found)


def _columns(found: Draft) -> Iterator[str]:
    yield from decide(
        Text(
            "whether each column plays this role. Missing roles: " + ", ".join(_missing_roles(found)),
            "ob jede Spalte diese Rolle spielt. Fehlende Rollen: " + ", ".join(_missing_roles(found)),
        )
    )
    yield from _plain("columns", found)


def _missing_roles(found: Draft) -> list[str]:
    roles = ("id", "created", "closed", "account", "value")
    return [role for role in roles if role not in found.data["columns"]] or ["-"]


def _outcome(found: Draft) -> Iterator[str]:
    column = found.columns[found.outcome.column]
    yield from both(profile(column))
    if found.outcome.unsure:
        listed = ", ".join(found.outcome.unsure)
        yield from decide(Text(f"what these values mean: {listed}", f"was diese Werte bedeuten: {listed}"))
    if found.outcome.rivals:
        listed = ", ".join(found.outcome.rivals)
        yield from decide(Text(f"or is it one of: {listed}?", f"oder ist es eine von: {listed}?"))
    yield from _plain("outcome", found)


def _reading(found: Draft) -> Iterator[str]:
    if found.data["read"].get("missing"):
        yield from both(
            Text(
                "These cells mean that nothing was answered; they count as empty in every column.",
                "Diese Zellen bedeuten, dass nichts angegeben wurde; sie gelten in jeder Spalte als leer.",
            )
        )
    if found.roles.n_early:
        n = found.roles.n_early
        yield from decide(
            Text(
                f"leads that closed before they were created are left out ({whole(n, 'en')}); are their dates wrong?",
                f"Leads, die vor dem Anlegen abgeschlossen wurden, bleiben außen vor ({whole(n, 'de')}); "
                "sind ihre Daten falsch?",
            )
        )
    if found.timing is not None:
        yield from decide(
            Text(
                "until when outcomes were recorded (exclusive), if longer than the latest date in the data; "
                "and the time zone.",
                "bis wann Ergebnisse erfasst wurden (ausschließlich), falls länger als bis zum letzten Datum; "
                "und die Zeitzone.",
            )
        )
        yield toml.comment(toml.entry("data_end", found.timing.data_end))
        yield toml.comment(toml.entry("timezone", "Europe/Berlin"))
    if found.data["read"]:
        yield from _plain("read", found)


def _fields(found: Draft) -> Iterator[str]:
    yield from section(Text("What the model may see", "Was das Modell sehen darf"))
    yield from decide(
        Text(
            "for every field: is it known when the lead is created (known), who answers for it (owner), and how do "
            "both teams call it (label)?",
            "für jedes Feld: Ist es beim Anlegen des Leads bekannt (known), wer verantwortet es (owner), und wie "
            "nennen es beide Teams (label)?",
        )
    )
    for name, entries in found.data["fields"].items():
        column = found.columns[found.fields[name]]
        yield ""
        yield from both(profile(column))
        yield from _questions(column, found, name)
        yield from _table(("fields", name), entries)


def _questions(column: Column, found: Draft, name: str) -> Iterator[str]:
    said = hint(column.name)
    if said is not None:
        yield from decide(
            Text(f"its name (“{said.words}”): {said.what.en}", f"der Name („{said.words}“): {said.what.de}")
        )
    if column.doubtful:
        listed = ", ".join(f'"{word}"' for word in column.doubtful)
        yield from decide(
            Text(
                f"does {listed} mean that nothing was answered? Then add: missing = [{listed}]",
                f"Heißt {listed}, dass nichts angegeben wurde? Dann ergänzen: missing = [{listed}]",
            )
        )
    if name in found.suspicions:
        yield from _evidence(found.suspicions[name].findings)
    if column.kind == "number" and (sentinel := sentinel_of(column)) is not None:
        share = percent(float((column.values == sentinel).sum() / column.n_filled), "en")
        yield from decide(
            Text(
                f'does {sentinel:g} ({share}) stand for a missing number? Then add: missing = ["{sentinel:g}"]',
                f'Steht {sentinel:g} ({share}) für eine fehlende Zahl? Dann ergänzen: missing = ["{sentinel:g}"]',
            )
        )


def _left_out(found: Draft) -> Iterator[str]:
    if not found.data["left_out"]:
        return
    yield from section(Text("What is in the export and is not used", "Was im Export steht und nicht verwendet wird"))
    yield from decide(
        Text(
            "whether each was left out rightly. To use one all the same, make it a field again; if the leak guard "
            "objects, write why it is known in time under [accepted_leaks].",
            "ob jede zu Recht fehlt. Soll eine doch dienen, wieder als Feld eintragen; widerspricht die Leckprüfung, "
            "unter [accepted_leaks] begründen, warum sie rechtzeitig bekannt ist.",
        )
    )
    field_of = {column: name for name, column in found.fields.items()}
    for name, entries in found.data["left_out"].items():
        column = found.columns[name]
        yield ""
        yield from both(profile(column))
        suspicion = found.suspicions.get(field_of.get(name, ""))
        yield from _evidence(suspicion.findings if suspicion else ())
        yield from _table(("left_out", name), entries)


def _evidence(findings: tuple[Finding, ...]) -> Iterator[str]:
    for finding in findings:
        yield from both(
            Text(
                f"{finding.kind}: {finding.what.en}; {finding.numbers.en}",
                f"{finding.kind}: {finding.what.de}; {finding.numbers.de}",
            )
        )


def _agreed(found: Draft) -> Iterator[str]:
    yield from section(Text("What the teams agree to do", "Was die Teams vereinbaren"))
    yield from decide(
        Text(
            "all of this together: guessed from the rate of wins and the number of leads.",
            "all das gemeinsam: erraten aus der Gewinnquote und der Zahl der Leads.",
        )
    )
    for path in (("grades",), ("handover",), ("follow_up_hours",)):
        yield from _table(path, found.data[path[0]])
        yield ""
    yield from _table(("verdicts", "accepted"), found.data["verdicts"]["accepted"])
    yield ""
    yield from _table(("verdicts", "rejected"), found.data["verdicts"]["rejected"])

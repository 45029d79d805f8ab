"""What the model card says about a training run, and the documents that go into the bundle."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from features.definition import LeadDefinition
from features.model import bundle
from features.text import LANGUAGES, Language, Text
from training.judging.gates import Decision
from training.report import figures
from training.report.card import AcceptedLeak, Baseline, CardContent, Figure, LeftOut, Window, render

if TYPE_CHECKING:
    from training.pipeline import Trained

WINDOW_NAMES = {
    "train": Text("number of trees chosen on", "Anzahl der Bäume gewählt an"),
    "calibrate": Text("calibrated on", "kalibriert an"),
    "judged": Text("judged model fitted on", "geprüftes Modell gelernt an"),
    "test": Text("judged on", "geprüft an"),
    "shipped": Text("shipped model fitted on", "ausgeliefertes Modell gelernt an"),
    "parts_test": Text("before recalibration judged on", "vor der Rekalibrierung geprüft an"),
    "recalibrated": Text("shipped model recalibrated on", "ausgeliefertes Modell rekalibriert an"),
}
BASELINE_NAMES = {
    "base_rate": Text("always the base rate", "immer die Grundquote"),
    "one_field_rule": Text("best single field", "bestes einzelnes Feld"),
    "logistic_regression": Text("logistic regression", "logistische Regression"),
}
CAPTIONS = {
    "reliability": Text("Said and observed", "Vorhergesagt und beobachtet"),
    "lift": Text("Wins found from the top of the list", "Gewonnene Leads vom Anfang der Liste her"),
    "importance": Text("Which fields move the probability", "Welche Felder die Wahrscheinlichkeit bewegen"),
    "monthly": Text("Month by month", "Monat für Monat"),
}
LIMITS = (
    Text(
        "Reasons say what came along with wins in the history. They are no causes.",
        "Gründe sagen, was in der Historie mit gewonnenen Leads einherging. Sie sind keine Ursachen.",
    ),
    Text(
        "The model knows the market up to its last lead. When campaigns, prices or the sales process change, it has to "
        "be calibrated or trained anew.",
        "Das Modell kennt den Markt bis zu seinem letzten Lead. Ändern sich Kampagnen, Preise oder der "
        "Vertriebsprozess, muss es neu kalibriert oder trainiert werden.",
    ),
    Text(
        "How sales worked a lead is part of its outcome. Where only high scores are worked, low scores will look right "
        "whatever they are worth.",
        "Wie der Vertrieb einen Lead bearbeitet, gehört zum Ergebnis. Wo nur hohe Bewertungen bearbeitet werden, sehen "
        "niedrige richtig aus, was immer sie taugen.",
    ),
    Text(
        "Nobody is rejected by a score: what is not handed over is nurtured, and people decide.",
        "Niemand wird durch eine Bewertung abgelehnt: Was nicht übergeben wird, wird gepflegt; Menschen entscheiden.",
    ),
)


def charts(trained: Trained, language: Language) -> Mapping[str, figures.Chart]:
    """The figures of a training run by name: calibration, lift, importance, and months where there are dates."""
    evaluation, fields = trained.judgement.evaluation, trained.prepared.definition.fields
    labelled = [(fields[entry.field].label, entry.mean_absolute_points) for entry in trained.importance]
    drawn = {
        "reliability": figures.reliability(evaluation, language),
        "lift": figures.lift_curve(evaluation, language),
        "importance": figures.importance(labelled, language),
    }
    return {**drawn, "monthly": figures.monthly(evaluation, language)} if evaluation.monthly else drawn


def card_documents(trained: Trained, decision: Decision, version: str) -> dict[str, str]:
    """File name to text: the card as page and as Markdown in both languages, and the figures that Markdown names."""
    content = _content(trained, decision, version)
    documents = {f"card.{language}.html": render(content, language, "html") for language in LANGUAGES}
    documents |= {f"card.{language}.md": render(content, language, "markdown") for language in LANGUAGES}
    for figure in content.figures:
        documents |= {f"{figure.name}.{language}.svg": figure.svg.in_language(language) for language in LANGUAGES}
    return documents


def _content(trained: Trained, decision: Decision, version: str) -> CardContent:
    definition, manifest = trained.prepared.definition, trained.manifest
    return CardContent(
        title=definition.definition.title,
        purpose=_purpose(definition),
        audience=_AUDIENCE,
        version=version,
        trained_on=datetime.fromisoformat(manifest.created_at).date(),
        definition_name=definition.name,
        definition_version=str(definition.definition.version),
        fingerprint=definition.fingerprint,
        horizon_days=definition.target.horizon_days,
        windows=tuple(_window(window) for window in manifest.windows),
        evaluation=trained.judgement.evaluation,
        simulated=manifest.simulated,
        validated_on_later_leads=manifest.validated_on_later_leads,
        left_out=tuple(LeftOut(rows.reason, rows.n) for rows in trained.left_out),
        accepted_leaks=tuple(
            AcceptedLeak(definition.fields[finding.field].label, finding.what, definition.accepted_leaks[finding.field])
            for finding in trained.prepared.accepted
        ),
        baselines=tuple(
            Baseline(BASELINE_NAMES[name], evaluation, trained.judgement.against[name])
            for name, evaluation in trained.judgement.baselines.items()
        ),
        figures=_figures(trained),
        limits=(*LIMITS, *_sensitive(definition)),
        warnings=manifest.warnings,
        decision=decision,
        fields=definition.fields,
        origin=trained.origin,
    )


def _purpose(definition: LeadDefinition) -> Text:
    days = definition.target.horizon_days
    if days is None:
        return Text("The probability that a lead is won.", "Die Wahrscheinlichkeit, dass ein Lead gewonnen wird.")
    return Text(
        f"The probability that a lead is won within {days} days of the as-of date.",
        f"Die Wahrscheinlichkeit, dass ein Lead innerhalb von {days} Tagen nach dem Stichtag gewonnen wird.",
    )


_AUDIENCE = Text(
    "For marketing and sales, who decide together which leads are worked first; not for decisions about persons.",
    "Für Marketing und Vertrieb, die gemeinsam entscheiden, welche Leads zuerst bearbeitet werden; nicht für "
    "Entscheidungen über Personen.",
)


def _sensitive(definition: LeadDefinition) -> tuple[Text, ...]:
    labels = [field.label for field in definition.fields.values() if field.sensitive]
    if not labels:
        return ()
    named = Text(", ".join(label.en for label in labels), ", ".join(label.de for label in labels))
    return (Text(f"Fields marked as sensitive: {named.en}.", f"Als sensibel gekennzeichnete Felder: {named.de}."),)


def _window(window: bundle.Window) -> Window:
    first = date.fromisoformat(window.start) if window.start else None
    last = date.fromisoformat(window.end) - timedelta(days=1) if window.end else None
    return Window(WINDOW_NAMES[window.use], first, last, window.n, window.won)


def _figures(trained: Trained) -> tuple[Figure, ...]:
    drawn = {language: charts(trained, language) for language in LANGUAGES}
    return tuple(
        Figure(
            name,
            CAPTIONS[name],
            Text(**{language: figures.svg(drawn[language][name]) for language in LANGUAGES}),
        )
        for name in drawn["en"]
    )

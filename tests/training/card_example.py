"""A card with everything on it: the example that the tests of the card read."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.text import Language, Text, same
from training.judging.compare import compare
from training.judging.evaluate import Evaluation, evaluate
from training.judging.gates import Candidate, Policy, decide
from training.judging.metrics import Floats
from training.report import figures
from training.report.card import AcceptedLeak, Baseline, CardContent, Figure, LeftOut, Window

NASTY = 'Tags <b>&"x"</b> | `a_b*c`'


def example_card() -> CardContent:
    """The card of a model trained on simulated leads, with one accepted leak whose name needs escaping."""
    target, probability, account, labels = _leads()
    n = len(target)
    when = np.datetime64("2024-07-01") + (np.arange(n) * 120 // n).astype("timedelta64[D]")
    base = np.full(n, 0.2)
    judged = evaluate(
        target, probability, account, when, base_rate=0.2, capacity_per_week=30, segments=labels, n_resamples=80
    )
    against = compare(target, probability, base, account, segments=labels, n_resamples=80)
    flat = evaluate(target, base, account, when, base_rate=0.2, capacity_per_week=30, n_resamples=40)
    decision = decide(Candidate(judged, against, None, validated_on_later_leads=False), None, Policy())
    return CardContent(
        title=Text(en="Leads of an invented company", de="Leads eines erfundenen Unternehmens"),
        purpose=Text(
            en="The probability that a lead is won within 90 days of the as-of date, from what is known at creation.",
            de="Die Wahrscheinlichkeit, dass ein Lead innerhalb von 90 Tagen nach dem Stichtag gewonnen wird, aus dem, "
            "was bei der Anlage bekannt ist.",
        ),
        audience=Text(en="Marketing and sales of one company.", de="Marketing und Vertrieb eines Unternehmens."),
        version="7",
        trained_on=date(2024, 12, 31),
        definition_name="demo",
        definition_version="3",
        fingerprint="9f2c4e81d0a7" * 4,
        horizon_days=90,
        windows=(
            Window(Text(en="for training", de="zum Trainieren"), date(2023, 1, 1), date(2024, 3, 31), 12040, 1444),
            Window(Text(en="for calibration", de="zum Kalibrieren"), date(2024, 4, 1), date(2024, 6, 30), 2580, 301),
            Window(Text(en="for testing", de="zum Prüfen"), date(2024, 7, 1), date(2024, 10, 28), n, int(target.sum())),
        ),
        evaluation=judged,
        simulated=True,
        validated_on_later_leads=False,
        left_out=(LeftOut(Text(en="not yet matured", de="noch nicht ausgereift"), 1204),),
        accepted_leaks=(
            AcceptedLeak(same(NASTY), Text(en="AUC 0.92 alone", de="Allein AUC 0,92"), same("asked for by sales")),
        ),
        baselines=(Baseline(Text(en="Base rate", de="Grundquote"), flat, against),),
        figures=_figures(judged),
        limits=(Text(en="Not for people in other countries.", de="Nicht für Personen in anderen Ländern."),),
        warnings=(Text(en="Only 101 wins in calibration.", de="Nur 101 gewonnene Leads in der Kalibrierung."),),
        decision=decision,
    )


def _leads() -> tuple[Floats, Floats, NDArray[np.int64], dict[str, ArrayLike]]:
    rng = np.random.default_rng(5)
    n = 1234
    probability = 1 / (1 + np.exp(-rng.normal(-1.6, 1.1, n)))
    target: Floats = (rng.random(n) < probability).astype(float)
    source = rng.choice(np.array(["Messe", "Webseite", "Empfehlung", None], dtype=object), n, p=[0.5, 0.3, 0.17, 0.03])
    return target, probability, rng.integers(0, 700, n), {"Quelle": source, "Kampagne": rng.integers(0, 30, n)}


def _figures(judged: Evaluation) -> tuple[Figure, ...]:
    fields = [(Text(en="Source", de="Quelle"), 4.31), (Text(en="Company size", de="Unternehmensgröße"), 1.2)]
    languages: tuple[Language, Language] = ("en", "de")
    drawn = (
        ("reliability", "Verlässlichkeit", [figures.reliability(judged, language) for language in languages]),
        ("lift", "Wirkung der Rangfolge", [figures.lift_curve(judged, language) for language in languages]),
        ("importance", "Wichtigkeit", [figures.importance(fields, language) for language in languages]),
        ("monthly", "Monat für Monat", [figures.monthly(judged, language) for language in languages]),
    )
    return tuple(
        Figure(name, Text(en=name, de=caption), Text(*(figures.svg(chart) for chart in charts)))
        for name, caption, charts in drawn
    )

"""The questions that the gate asks, one function each: figures in, a check with value, limit and words out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any, Literal

from features.text import Language, Text, decimal, percent, same, whole
from training.judging.compare import Difference, GradeChanges, Paired, SegmentDifference
from training.judging.evaluate import Evaluation
from training.judging.gate_policy import Pair, Policy
from training.judging.metrics import Metric
from training.judging.tables import label_text

Unit = Literal["nats", "number", "percent", "none"]
_EN_DE: tuple[Language, Language] = ("en", "de")


@dataclass(frozen=True, slots=True)
class Check:
    """One question that the gate asks, and its answer. `required` is False for what is only reported."""

    code: str
    name: Text
    value: float | None
    unit: Unit
    interval: Pair | None
    limit: Text
    passed: bool
    required: bool
    explanation: Text

    def to_dict(self) -> dict[str, Any]:
        """The check as JSON-able data, texts in both languages."""
        texts = {name: getattr(self, name)._asdict() for name in ("name", "limit", "explanation")}
        return {**asdict(self), **texts, "interval": None if self.interval is None else list(self.interval)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Check:
        """The check that `to_dict` wrote."""
        texts = {name: Text(**plain[name]) for name in ("name", "limit", "explanation")}
        interval = None if plain["interval"] is None else tuple(plain["interval"])
        return cls(**{**plain, **texts, "interval": interval})


def comparable(champion: str, reason: Text) -> Check:
    """Failed: the candidate cannot be held against the champion, so a person has to decide."""
    return Check(
        code="comparable_with_champion",
        name=Text(en=f"Comparable with the champion ({champion})", de=f"Vergleichbar mit dem Champion ({champion})"),
        value=None,
        unit="number",
        interval=None,
        limit=Text(
            en="later leads that neither has seen, under one definition",
            de="spätere Leads, die keiner gesehen hat, unter einer Definition",
        ),
        passed=False,
        required=True,
        explanation=Text(
            en=f"Not comparable: {reason.en}. Promote with a reason if that is meant.",
            de=f"Nicht vergleichbar: {reason.de}. Wenn das so gewollt ist, mit Begründung freigeben.",
        ),
    )


def better_than_base_rate(difference: Difference) -> Check:
    """Passed when the paired interval lies below the base rate's log loss."""
    passed = difference.interval is not None and difference.interval[1] < 0
    no = Text(
        en="No better than the base rate: always saying the share of wins in training does as well.",
        de="Nicht besser als die Grundquote: Stets den Anteil gewonnener Leads im Training zu nennen, ist genauso gut.",
    )
    yes = Text(
        en="Better than always saying the share of wins in training.",
        de="Besser, als stets den Anteil gewonnener Leads im Training zu nennen.",
    )
    return Check(
        code="better_than_base_rate",
        name=Text(en="Log loss against the base rate", de="Log-Loss gegenüber der Grundquote"),
        value=difference.value,
        unit="nats",
        interval=difference.interval,
        limit=Text(en="interval below 0", de="Intervall unter 0"),
        passed=passed,
        required=True,
        explanation=yes if passed else no,
    )


def tells_leads_apart(evaluation: Evaluation) -> Check:
    """Passed when the ROC AUC's interval lies above .5."""
    auc = evaluation.metrics["roc_auc"]
    passed = auc.interval is not None and auc.interval[0] > 0.5
    no = Text(
        en="Wins do not stand above losses more often than by chance.",
        de="Gewonnene Leads stehen nicht häufiger über verlorenen, als der Zufall erwarten lässt.",
    )
    yes = Text(en="Wins stand above losses.", de="Gewonnene Leads stehen über verlorenen.")
    return Check(
        code="tells_leads_apart",
        name=Text(en="Ranking (ROC AUC)", de="Rangfolge (ROC-AUC)"),
        value=auc.value,
        unit="number",
        interval=auc.interval,
        limit=Text(en="interval above 0.5", de="Intervall über 0,5"),
        passed=passed,
        required=True,
        explanation=yes if passed else no,
    )


def not_worse(difference: Difference, rival: Text, policy: Policy, *, code: str, required: bool) -> Check:
    """Passed unless the interval lies above 0, or the value lies further above than the policy lets doubt excuse."""
    most = policy.most_log_loss_increase
    ends, share = difference.interval, difference.share
    surely_worse = ends is None or ends[0] > 0
    passed = not surely_worse and (share is None or share <= most)
    if ends is not None and ends[1] < 0:
        why = Text(en="Better, beyond chance.", de="Besser, über den Zufall hinaus.")
    elif passed:
        why = Text(en="Not worse beyond chance.", de="Nicht über den Zufall hinaus schlechter.")
    elif ends is None:
        why = Text(en="Not computable on these leads.", de="Auf diesen Leads nicht berechenbar.")
    elif surely_worse:
        why = Text(en="Worse, beyond chance.", de="Schlechter, über den Zufall hinaus.")
    else:
        why = Text(
            en="Perhaps by chance, but too much worse to let pass.",
            de="Vielleicht Zufall, aber zu viel schlechter, um es hinzunehmen.",
        )
    return Check(
        code=code,
        name=Text(en=f"Log loss against {rival.en}", de=f"Log-Loss gegenüber {rival.de}"),
        value=difference.value,
        unit="nats",
        interval=ends,
        limit=Text(
            en=f"interval not above 0, value at most +{percent(most, 'en', 1)}",
            de=f"Intervall nicht über 0, Wert höchstens +{percent(most, 'de', 1)}",
        ),
        passed=passed,
        required=required,
        explanation=why,
    )


def calibration_slope(evaluation: Evaluation, policy: Policy) -> Check:
    """Passed when the slope's interval reaches into the policy's range."""
    slope = evaluation.metrics["calibration_slope"]
    too_timid = Text(
        en="The probabilities are too timid: high ones are too low, low ones too high.",
        de="Die Wahrscheinlichkeiten sind zu zaghaft: Hohe sind zu niedrig, niedrige zu hoch.",
    )
    too_bold = Text(
        en="The probabilities are too extreme: high ones are too high, low ones too low.",
        de="Die Wahrscheinlichkeiten sind zu extrem: Hohe sind zu hoch, niedrige zu niedrig.",
    )
    name = Text(en="Calibration slope", de="Steigung der Kalibrierung")
    return _within("calibration_slope", name, slope, policy.slope_range, below=too_bold, above=too_timid)


def observed_to_expected(evaluation: Evaluation, policy: Policy) -> Check:
    """Passed when the interval of wins observed to wins expected reaches into the policy's range."""
    level = evaluation.metrics["observed_to_expected"]
    fewer = Text(
        en="Far fewer leads were won than the probabilities say.",
        de="Es wurden viel weniger Leads gewonnen, als die Wahrscheinlichkeiten sagen.",
    )
    more = Text(
        en="Far more leads were won than the probabilities say.",
        de="Es wurden viel mehr Leads gewonnen, als die Wahrscheinlichkeiten sagen.",
    )
    name = Text(en="Wins observed to expected", de="Gewonnene Leads, beobachtet zu erwartet")
    return _within("observed_to_expected", name, level, policy.observed_to_expected_range, below=fewer, above=more)


def _within(code: str, name: Text, figure: Metric, accepted: Pair, *, below: Text, above: Text) -> Check:
    """Passed when the interval reaches into the accepted range."""
    (low, high), ends = accepted, figure.interval
    if ends is None:
        passed, why = False, Text(en="Not computable on these leads.", de="Auf diesen Leads nicht berechenbar.")
    elif ends[1] < low:
        passed, why = False, below
    elif ends[0] > high:
        passed, why = False, above
    else:
        passed, why = True, Text(en="Within the accepted range.", de="Im zulässigen Bereich.")
    return Check(
        code=code,
        name=name,
        value=figure.value,
        unit="number",
        interval=ends,
        limit=Text(
            en=f"interval reaches {decimal(low, 2, 'en')} to {decimal(high, 2, 'en')}",
            de=f"Intervall reicht in {decimal(low, 2, 'de')} bis {decimal(high, 2, 'de')}",
        ),
        passed=passed,
        required=True,
        explanation=why,
    )


def no_segment_falls_apart(paired: Paired, has_champion: bool, policy: Policy) -> Check:
    """Passed unless a segment is surely worse, at an error rate shared by all segments with enough leads to tell."""
    tested = [s for s in paired.segments if not s.thin and s.log_loss.standard_error is not None]
    z = NormalDist().inv_cdf(1 - policy.segment_error_rate / max(1, len(tested)))
    broken = [s for s in tested if _falls_apart(s, z, policy)]
    worst = max(tested, key=lambda s: s.log_loss.share or 0.0, default=None)
    return Check(
        code="no_segment_falls_apart",
        name=Text(en="Worst segment's log loss", de="Log-Loss im schlechtesten Segment"),
        value=None if worst is None else worst.log_loss.share,
        unit="percent",
        interval=None,
        limit=_segment_limit(len(tested), has_champion, policy),
        passed=not broken,
        required=True,
        explanation=_segment_words(broken, worst, len(paired.segments) - len(tested)),
    )


def _falls_apart(segment: SegmentDifference, z: float, policy: Policy) -> bool:
    difference = segment.log_loss
    sure = difference.value > z * (difference.standard_error or 0.0)
    return sure and (difference.share is None or difference.share > policy.most_segment_increase)


def _segment_limit(n_tested: int, has_champion: bool, policy: Policy) -> Text:
    most = policy.most_segment_increase
    rival = (
        Text(en="the champion", de="dem Champion") if has_champion else Text(en="the base rate", de="der Grundquote")
    )
    rate = policy.segment_error_rate
    return Text(
        en=f"none surely above +{percent(most, 'en')} of {rival.en} (Bonferroni over {n_tested} segments, "
        f"{percent(rate, 'en')} in all)",
        de=f"keines sicher über +{percent(most, 'de')} gegenüber {rival.de} (Bonferroni über {n_tested} Segmente, "
        f"zusammen {percent(rate, 'de')})",
    )


def _segment_words(broken: list[SegmentDifference], worst: SegmentDifference | None, n_thin: int) -> Text:
    if worst is None:
        return Text(en="No segment holds enough leads to tell.", de="Kein Segment hat genug Leads für ein Urteil.")
    if broken:
        en, de = ("; ".join(_segment_name(s, language) for s in broken) for language in _EN_DE)
        told = Text(en=f"Fell apart: {en}.", de=f"Bricht ein: {de}.")
    else:
        en, de = (_segment_name(worst, language) for language in _EN_DE)
        told = Text(en=f"Worst: {en}; none fell apart.", de=f"Am schlechtesten: {de}; keines bricht ein.")
    if not n_thin:
        return told
    return Text(
        en=f"{told.en} Too few wins or losses to judge: {n_thin}.",
        de=f"{told.de} Zu wenige gewonnene oder verlorene Leads für ein Urteil: {n_thin}.",
    )


def _segment_name(segment: SegmentDifference, language: Language) -> str:
    return f"{segment.segmentation}: {label_text(segment.label).in_language(language)}"


def grade_changes(changes: GradeChanges, policy: Policy) -> Check:
    """The share of leads whose grade would change; decides only where the policy sets a limit."""
    most = policy.most_grade_changes
    limit = same("–") if most is None else Text(en=f"≤ {percent(most, 'en')}", de=f"≤ {percent(most, 'de')}")
    return Check(
        code="grade_changes",
        name=Text(en="Leads that change grade", de="Leads, deren Klasse sich ändert"),
        value=changes.share,
        unit="percent",
        interval=None,
        limit=limit,
        passed=most is None or changes.share <= most,
        required=most is not None,
        explanation=Text(
            en=f"{whole(changes.better, 'en')} better, {whole(changes.worse, 'en')} worse, "
            f"of {whole(changes.n, 'en')}.",
            de=f"{whole(changes.better, 'de')} besser, {whole(changes.worse, 'de')} schlechter, "
            f"von {whole(changes.n, 'de')}.",
        ),
    )


def validated_on_later_leads(validated: bool, policy: Policy) -> Check:
    """Whether the figures come from leads later than training; decides only where the policy says so."""
    yes = Text(en="Judged on leads later than training.", de="An Leads geprüft, die später sind als das Training.")
    no = Text(
        en="Not validated on later leads: the data have no order in time.",
        de="Nicht an späteren Leads geprüft: Die Daten haben keine zeitliche Reihenfolge.",
    )
    return Check(
        code="validated_on_later_leads",
        name=Text(en="Validated on later leads", de="An späteren Leads geprüft"),
        value=None,
        unit="none",
        interval=None,
        limit=same("–"),
        passed=validated,
        required=policy.require_later_leads,
        explanation=yes if validated else no,
    )


def row(check: Check, language: Language) -> tuple[str, str, str, str, str, str]:
    """The check for a table, as `training.judging.gates.HEADER` names the columns."""
    ends = check.interval
    shown = "–" if ends is None else " … ".join(_written(end, check.unit, language) for end in ends)
    value = "–" if check.value is None else _written(check.value, check.unit, language)
    if check.required:
        verdict = Text(en="passed", de="bestanden") if check.passed else Text(en="failed", de="nicht bestanden")
    else:
        verdict = Text(en="reported", de="nur berichtet") if check.passed else Text(en="note", de="Hinweis")
    texts = (check.limit, verdict, check.explanation)
    limit, judged, why = (text.in_language(language) for text in texts)
    return (check.name.in_language(language), value, shown, limit, judged, why)


def _written(value: float, unit: Unit, language: Language) -> str:
    if unit == "percent":
        return percent(value, language, 1)
    return decimal(value, 4 if unit == "nats" else 2, language)

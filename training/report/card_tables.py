"""The card's tables: figures rounded and worded for the reader, nothing computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from features.definition import LeadField
from features.text import Language, Text, decimal, percent, whole
from training.judging.compare import Difference, Paired
from training.judging.evaluate import Evaluation
from training.judging.gates import HEADER, Decision
from training.judging.metrics import Metric
from training.judging.tables import Segment, label_text
from training.report import card_words as words

Row = tuple[str, ...]
Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it is read: header, rows of equal length, and which columns hold numbers (and stand to the right)."""

    header: Row
    rows: tuple[Row, ...]
    numbers: frozenset[int]

    @classmethod
    def of(cls, header: Sequence[Text], rows: Sequence[Row], language: Language, *, numbers: Iterable[int]) -> Table:
        """The table with its header in `language`."""
        return cls(tuple(text.in_language(language) for text in header), tuple(rows), frozenset(numbers))


def performance(
    evaluation: Evaluation, baselines: Sequence[tuple[Text, Evaluation, Paired]], language: Language
) -> Table:
    """A row for each figure: this model with its interval, then each baseline; last the paired differences."""
    names = [words.THIS_MODEL, *(name for name, _, _ in baselines)]
    rows = [
        (
            words.metric_name(name, language),
            _figure(evaluation.metrics[name], language),
            *(_figure(other.metrics[name], language) for _, other, _ in baselines),
        )
        for name in words.PERFORMANCE
        if name in evaluation.metrics
    ]
    for label, differences in (
        (words.DIFFERENCE_LOG_LOSS, [paired.log_loss for _, _, paired in baselines]),
        (words.DIFFERENCE_BRIER, [paired.brier for _, _, paired in baselines]),
    ):
        if differences:
            shown = (_difference(difference, language) for difference in differences)
            rows.append((label.in_language(language), words.NOTHING, *shown))
    return Table.of([words.FIGURE, *names], rows, language, numbers=range(1, len(names) + 1))


def calibration(evaluation: Evaluation, language: Language) -> Table:
    """Slope, intercept, level and ECE with intervals, and what each says."""
    rows = tuple(
        (
            words.metric_name(name, language),
            _figure(evaluation.metrics[name], language),
            words.CALIBRATION[name].in_language(language),
        )
        for name in words.CALIBRATION
    )
    by_chance = decimal(evaluation.ece_by_chance, 3, language)
    chance = (words.ECE_BY_CHANCE.in_language(language), by_chance, words.ECE_BY_CHANCE_SAYS.in_language(language))
    return Table.of(words.CALIBRATION_HEADER, (*rows, chance), language, numbers=(1,))


def segments(evaluation: Evaluation, fields: Mapping[str, LeadField], language: Language) -> Table:
    """A row for each segment in the words of the definition's `fields`, thin ones marked with an asterisk."""
    rows = tuple(_segment(segment, fields.get(segment.segmentation), language) for segment in evaluation.segments)
    return Table.of(words.SEGMENT_HEADER, rows, language, numbers=range(2, 8))


def checks(decision: Decision, language: Language) -> Table:
    """The gate's checks."""
    return Table.of(HEADER, decision.rows(language), language, numbers=(1, 2))


def _segment(segment: Segment, field: LeadField | None, language: Language) -> Row:
    observed = percent(segment.observed, language, 1)
    skill = words.NOTHING if segment.log_loss_skill is None else percent(segment.log_loss_skill, language, 1)
    return (
        field.label.in_language(language) if field else segment.segmentation,
        _label(segment, field, language) + (" *" if segment.thin else ""),
        whole(segment.n, language),
        whole(segment.n_wins, language),
        percent(segment.mean_probability, language, 1),
        _with(observed, _shares(segment.observed_interval, language)),
        _with(decimal(segment.log_loss, 3, language), _decimals(segment.log_loss_interval, 3, language)),
        _with(skill, _shares(segment.log_loss_skill_interval, language)),
    )


def _label(segment: Segment, field: LeadField | None, language: Language) -> str:
    named = field.values.get(segment.label) if field else None
    shown = (named or label_text(segment.label)).in_language(language)
    return f"{shown} ({whole(segment.n_pooled, language)})" if segment.n_pooled else shown


def _figure(metric: Metric, language: Language) -> str:
    """Value and interval, as a percentage where the figure is a share."""
    if metric.value is None:
        return words.NOTHING
    if metric.name in words.SHARES:
        return _with(percent(metric.value, language, 1), _shares(metric.interval, language))
    digits = words.DIGITS.get(metric.name, 3)
    return _with(decimal(metric.value, digits, language), _decimals(metric.interval, digits, language))


def _difference(difference: Difference, language: Language) -> str:
    sign = "+" if difference.value > 0 else ""
    return _with(sign + decimal(difference.value, 4, language), _decimals(difference.interval, 4, language))


def _with(value: str, interval: str) -> str:
    return f"{value} ({interval})" if interval else value


def _decimals(ends: Pair | None, digits: int, language: Language) -> str:
    return "" if ends is None else words.span([decimal(end, digits, language) for end in ends], language)


def _shares(ends: Pair | None, language: Language) -> str:
    """Both ends in percent, the sign once."""
    if ends is None:
        return ""
    return words.span([decimal(100 * ends[0], 1, language), percent(ends[1], language, 1)], language)

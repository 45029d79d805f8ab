"""The model card: one page that says what a model is worth and where it ends, in German and English.

`render` draws what others computed: it rounds and words, and computes nothing. HTML is one file that needs no other
(styles and figures inside, light and dark); Markdown leaves the figures to the files beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from features.definition import LeadField
from features.text import Language, Text, whole
from training.judging.compare import Paired
from training.judging.evaluate import Evaluation
from training.judging.gates import Decision
from training.report import card_words
from training.report.card_tables import Table, calibration, checks, performance, segments

Form = Literal["html", "markdown"]
_TEMPLATES: Mapping[Form, str] = {"html": "card.html.j2", "markdown": "card.md.j2"}


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the history and what it served for; `first` and `last` as-of dates, both included, None without."""

    name: Text
    first: date | None
    last: date | None
    n_leads: int
    n_wins: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Leads that were not used, and why."""

    reason: Text
    n_leads: int


@dataclass(frozen=True, slots=True)
class AcceptedLeak:
    """A finding of the leak guard that a person accepted: the field, what was found, and the written reason."""

    field: Text
    finding: Text
    reason: Text


@dataclass(frozen=True, slots=True)
class Baseline:
    """A model to hold this one against, judged on the same leads; `paired` is this model (a) against it (b)."""

    name: Text
    evaluation: Evaluation
    paired: Paired


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawn figure as SVG in both languages; Markdown names it `name.de.svg` and `name.en.svg`, beside itself."""

    name: str
    caption: Text
    svg: Text


@dataclass(frozen=True, slots=True)
class CardContent:
    """Everything that the card says.

    Attributes
    ----------
    title, purpose, audience : Text
        Whose model, what it predicts, and for whom it is made.
    version : str
        Of the model: a registry version or a run id.
    trained_on : date
        The day of training.
    definition_name, definition_version, fingerprint : str
        The agreement that the model was trained under.
    horizon_days : int or None
        None for data without dates.
    windows, left_out, accepted_leaks, baselines, figures, limits, warnings
        See their classes; each may be empty.
    evaluation : Evaluation
        Of this model, on the leads that `windows` calls the test.
    decision : Decision or None
        The gate's, where it was asked.
    origin : Text or None
        Of a recalibrated model: which one it was made from, and how.
    fields : mapping of str to LeadField
        The definition's, for the names of segments.
    simulated : bool
        The history was simulated; the card says so first.
    validated_on_later_leads : bool
        False for random folds; the card says so first.
    """

    title: Text
    purpose: Text
    audience: Text
    version: str
    trained_on: date
    definition_name: str
    definition_version: str
    fingerprint: str
    horizon_days: int | None
    windows: tuple[Window, ...]
    evaluation: Evaluation
    simulated: bool
    validated_on_later_leads: bool
    left_out: tuple[LeftOut, ...] = ()
    accepted_leaks: tuple[AcceptedLeak, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    figures: tuple[Figure, ...] = ()
    limits: tuple[Text, ...] = ()
    warnings: tuple[Text, ...] = ()
    decision: Decision | None = None
    fields: Mapping[str, LeadField] = field(default_factory=dict)
    origin: Text | None = None


def render(card: CardContent, language: Language, form: Form = "html") -> str:
    """The card as one HTML page, or as Markdown.

    >>> from typing import get_args
    >>> sorted(get_args(Form))
    ['html', 'markdown']
    """
    environment = _environment(form)
    return environment.get_template(_TEMPLATES[form]).render(
        card=card,
        language=language,
        words=card_words,
        figures=[(figure, Markup(figure.svg.in_language(language))) for figure in card.figures],
        windows=_windows(card, language),
        left_out=_left_out(card, language),
        leaks=_leaks(card, language),
        performance=performance(card.evaluation, [(b.name, b.evaluation, b.paired) for b in card.baselines], language),
        calibration=calibration(card.evaluation, language),
        segments=segments(card.evaluation, card.fields, language),
        checks=None if card.decision is None else checks(card.decision, language),
    )


def _environment(form: Form) -> Environment:
    """Templates that escape in HTML, refuse unknown names, and read texts in a language with the filter `told`."""
    environment = Environment(
        loader=PackageLoader("training.report"),
        autoescape=form == "html",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["told"] = lambda text, language: text.in_language(language)
    environment.filters["whole"] = whole
    environment.filters["day"] = card_words.day
    environment.filters["cell"] = card_words.markdown_cell
    return environment


def _windows(card: CardContent, language: Language) -> Table:
    rows = tuple(
        (
            window.name.in_language(language),
            card_words.day(window.first, language),
            card_words.day(window.last, language),
            whole(window.n_leads, language),
            whole(window.n_wins, language),
        )
        for window in card.windows
    )
    return Table.of(card_words.WINDOW_HEADER, rows, language, numbers=(3, 4))


def _left_out(card: CardContent, language: Language) -> Table:
    rows = tuple((left.reason.in_language(language), whole(left.n_leads, language)) for left in card.left_out)
    return Table.of(card_words.LEFT_OUT_HEADER, rows, language, numbers=(1,))


def _leaks(card: CardContent, language: Language) -> Table:
    rows = tuple(
        (leak.field.in_language(language), leak.finding.in_language(language), leak.reason.in_language(language))
        for leak in card.accepted_leaks
    )
    return Table.of(card_words.LEAK_HEADER, rows, language, numbers=())

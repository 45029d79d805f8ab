"""Fitting a model: the linear part, then the trees on what it leaves over.

The order of things in a run, and who does it:

1. `fit` on the oldest leads: chooses the number of rounds on later leads, fits both parts.
2. `training.recipe.calibrate` on newer leads that neither part has seen: two slopes and a shift.
3. Evaluation on the newest leads, of this model and no other.
4. `refit` on all matured leads, with rounds, slopes and shift kept: what is shipped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from features.encode import EncodedField
from features.model.linear import LinearPart
from features.text import Text, whole
from training.recipe.parts import PartSettings, start_parts
from training.recipe.rounds import RoundChoice, RoundSettings, choose_rounds
from training.recipe.sample import Sample
from training.recipe.slope_history import Margins

Progress: TypeAlias = Callable[[Text, float], None]

CHOOSING = Text(en="Choosing the number of trees on later leads", de="Anzahl der Bäume an späteren Leads wählen")
LINEAR = Text(en="Fitting the linear part", de="Linearen Teil anpassen")
TREES = Text(en="Growing the trees", de="Bäume aufbauen")
SHARE_OF_CHOOSING = 0.7  # of the time that a fit takes


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How a model is fitted; one recipe for every history, none of it is to be tuned per set.

    Attributes
    ----------
    parts : PartSettings
        Of the linear part and the trees, recency, seed and threads.
    rounds : RoundSettings
        How the number of rounds is chosen.
    few_wins : int
        Below so many wins the trees must prove themselves: on so few, the best of many numbers of rounds is
        mostly luck.
    budget_seconds : float or None
        The search for the number of rounds ends after this. Fitting itself is not cut short. With a budget that
        runs out, two runs may choose differently.
    """

    parts: PartSettings = field(default_factory=PartSettings)
    rounds: RoundSettings = field(default_factory=RoundSettings)
    few_wins: int = 120
    budget_seconds: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Both parts of a model, not yet calibrated.

    Attributes
    ----------
    linear : LinearPart
        The linear part.
    model_text : str
        The trees in LightGBM's text format, without the linear part's share. With no rounds it is a valid model
        of zero trees, whose raw score is 0 for every lead.
    n_rounds : int
        Trees in it. LightGBM may stop before the rounds asked for when no split is left.
    choice : RoundChoice
        What the number of rounds was chosen by.
    notes : tuple of Text
        What a reader of the model card should know about this fit.
    """

    linear: LinearPart
    model_text: str
    n_rounds: int
    choice: RoundChoice
    notes: tuple[Text, ...]

    @property
    def earlier(self) -> tuple[Margins, ...]:
        """What the fits that chose the rounds said of later leads: earlier windows for calibration."""
        return self.choice.margins(self.n_rounds)


def silent(message: Text, share: float) -> None:
    """Progress for whoever does not want any."""


def fit(
    sample: Sample,
    fields: Sequence[EncodedField],
    settings: FitSettings | None = None,
    progress: Progress = silent,
    clock: Callable[[], float] = time.monotonic,
) -> Fitted:
    """Both parts fitted on `sample`, the number of rounds chosen on its later leads.

    Parameters
    ----------
    sample : Sample
        Matured leads of the training window only.
    fields : sequence of EncodedField
        The matrix's columns, in order.
    progress : callable
        Told what is going on, and the share of the whole that is done.
    clock : callable
        Seconds that only go forward; measures the budget.

    Raises
    ------
    TooFewOutcomesError
        All leads have the same outcome, or all wins or losses belong to one account.
    """
    settings = settings or FitSettings()
    started = clock()
    budget = settings.budget_seconds
    progress(CHOOSING, 0.0)
    choice = choose_rounds(
        sample,
        fields,
        settings.rounds,
        settings.parts,
        has_time=lambda: budget is None or clock() - started < budget,
        progress=lambda share: progress(CHOOSING, SHARE_OF_CHOOSING * share),
    )
    n_rounds, notes = _accepted(choice, sample, settings)
    linear, text, n_trees = _fit_parts(
        sample,
        fields,
        n_rounds,
        settings.parts,
        lambda m, s: progress(m, SHARE_OF_CHOOSING + (1 - SHARE_OF_CHOOSING) * s),
    )
    return Fitted(linear, text, n_trees, choice, notes)


def refit(
    sample: Sample,
    fields: Sequence[EncodedField],
    fitted: Fitted,
    settings: FitSettings | None = None,
    progress: Progress = silent,
) -> Fitted:
    """Both parts fitted anew on all matured leads, with the number of rounds that `fitted` settled on.

    The slopes and the shift that were calibrated for `fitted` stay in use: no later leads are left to learn them
    on. What was measured was measured on `fitted`; this is what is shipped.
    """
    parts = (settings or FitSettings()).parts
    linear, text, n_trees = _fit_parts(sample, fields, fitted.n_rounds, parts, progress)
    return replace(fitted, linear=linear, model_text=text, n_rounds=n_trees)


def _fit_parts(
    sample: Sample, fields: Sequence[EncodedField], n_rounds: int, parts: PartSettings, progress: Progress
) -> tuple[LinearPart, str, int]:
    progress(LINEAR, 0.0)
    linear, booster = start_parts(sample, fields, parts, grows=n_rounds > 0)
    progress(TREES, 0.5)
    for _ in range(n_rounds):
        if booster.update():
            break
    progress(TREES, 1.0)
    return linear, booster.model_to_string(), booster.num_trees()


def _accepted(choice: RoundChoice, sample: Sample, settings: FitSettings) -> tuple[int, tuple[Text, ...]]:
    """The rounds to use, and what to say about them."""
    notes = []
    n_rounds = choice.n_rounds
    if sample.n_won < settings.few_wins:
        notes.append(_few_wins(sample.n_won, settings.few_wins))
        if not choice.is_proven:
            n_rounds = 0
    if not choice.n_folds:
        notes.append(NOTHING_COMPARED)
    elif n_rounds == 0:
        notes.append(LINEAR_ALONE)
    if choice.out_of_time:
        notes.append(OUT_OF_TIME)
    return n_rounds, tuple(notes)


NOTHING_COMPARED = Text(
    en="Too few outcomes to compare numbers of trees on later leads: the model is its linear part alone.",
    de="Zu wenige Ergebnisse, um Baumzahlen an späteren Leads zu vergleichen: Das Modell besteht nur aus dem"
    " linearen Teil.",
)
LINEAR_ALONE = Text(
    en="Trees did not help on later leads: the model is its linear part alone.",
    de="Bäume halfen auf späteren Leads nicht: Das Modell besteht nur aus dem linearen Teil.",
)
OUT_OF_TIME = Text(
    en="The time budget ended the search for the number of trees early.",
    de="Das Zeitbudget hat die Suche nach der Anzahl der Bäume vorzeitig beendet.",
)


def _few_wins(n_won: int, needed: int) -> Text:
    seen_en, seen_de = whole(n_won, "en"), whole(n_won, "de")
    return Text(
        en=f"Warning: learnt from only {seen_en} wins (below {needed}). Probabilities are rough, and trees are used"
        " only if they helped later leads beyond the noise.",
        de=f"Warnung: aus nur {seen_de} gewonnenen Leads gelernt (unter {needed}). Die Wahrscheinlichkeiten sind grob,"
        " und Bäume werden nur verwendet, wenn sie auf späteren Leads klar geholfen haben.",
    )

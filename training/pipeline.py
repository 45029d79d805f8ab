"""From an export to a judged, explained, calibrated bundle: the composition root of training.

    read -> label -> guard against leaks -> split -> learn -> calibrate -> judge -> refit on all -> bundle

Nothing is written before the end, and the bundle appears whole or not at all. Tracking it in MLflow and promoting it
are steps of their own (`tracking`, `promote`), so that a failed run leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from features.definition import LeadDefinition
from features.familiar import Familiar
from features.grades import threshold_for
from features.history import History, LeftOutRows, read_history
from features.model.additive import LeadModel, points_of
from features.model.bundle import Fit, Importance, Manifest, Window, open_bundle, open_judged, write_bundle
from features.model.sureness import Sureness
from features.profile import Profile, learn_profile
from features.sources import Source
from features.text import Text, whole
from training.examples import sample_of, synthetic_rows
from training.judging.gates import Candidate, Champion, Decision, Incomparable, Policy, decide
from training.labels import Labelled, label, targets
from training.leakage import Finding, find_leaks, guard
from training.learn import Judgement, Learnt, Settings, against_champion, judge, learn, require_enough, ship
from training.recipe.boost import lightgbm_contributions
from training.recipe.familiar import learn_familiar
from training.recipe.fit import Progress, silent
from training.recipe.importance import effective_number, importance_weights
from training.recipe.sureness import fit_sureness
from training.report.card_content import card_documents
from training.splits import Rows, Split, described, split
from training.upkeep.recent import SLOPES_FROM, Parts
from training.upkeep.unseen import changed_since, leads_from

LIBRARIES = ("lightgbm", "scikit-learn", "numpy", "numba", "pandas", "pydantic")
FEWEST_WINS_TO_COMPARE = 40
SAMPLES = 25

READING = Text(en="Reading the history", de="Historie einlesen")
GUARDING = Text(en="Looking for fields that leak", de="Nach Feldern suchen, die das Ergebnis verraten")
DOUBTING = Text(en="Measuring how sure the probabilities are", de="Messen, wie sicher die Wahrscheinlichkeiten sind")
WRITING = Text(en="Writing the bundle and the model card", de="Bündel und Modellkarte schreiben")


@dataclass(frozen=True)
class Prepared:
    """A history that may be learnt from: labelled, free of leaks (or accepted with a reason), cut in time."""

    labelled: Labelled
    findings: tuple[Finding, ...]
    accepted: tuple[Finding, ...]
    cut: Split

    @property
    def definition(self) -> LeadDefinition:
        """The agreement."""
        return self.labelled.history.definition

    def windows(self) -> tuple[Window, ...]:
        """The windows of the split, and what the judged and the shipped model are fitted on."""
        everything = np.arange(len(self.labelled.frame))
        cuts = [*self.cut.windows(), ("judged", self.cut.seen), ("shipped", everything)]
        return tuple(described(self.labelled, use, rows) for use, rows in cuts)


@dataclass(frozen=True)
class Trained:
    """All that a training run, or a recalibration, found out.

    Attributes
    ----------
    judged : Fit
        Goes into the bundle beside `shipped`, for later challengers to be held against.
    left_out : tuple of LeftOutRows
        Leads that nothing was learnt from, or nothing while the model was judged, and why.
    sureness : tuple of Sureness and Familiar, optional
        How sure the shipped model is, and what the leads that it learnt from looked like.
    origin : Text or None
        Which model this one is a recalibration of, and how; None if it was trained.
    """

    prepared: Prepared
    judged: Fit
    judgement: Judgement
    shipped: Fit
    profile: Profile
    importance: tuple[Importance, ...]
    manifest: Manifest
    left_out: tuple[LeftOutRows, ...]
    sureness: tuple[Sureness, Familiar] | None = None
    origin: Text | None = None

    @property
    def candidate(self) -> Candidate:
        """What the gate looks at."""
        return Candidate(
            evaluation=self.judgement.evaluation,
            against_base_rate=self.judgement.against["base_rate"],
            against_logistic=self.judgement.against["logistic_regression"],
            validated_on_later_leads=self.prepared.cut.by_time,
        )


def prepare(
    definition: LeadDefinition,
    source: Source,
    settings: Settings,
    progress: Progress = silent,
    *,
    now: datetime | None = None,
) -> Prepared:
    """The history in `source`, ready to learn from; with `now`, no date in it may lie later.

    Raises
    ------
    DataError
        Whatever is wrong with the export, the labels, leaking fields or the windows; each of its kind.
    """
    labelled, findings, accepted = read_guarded(definition, source, progress, now=now)
    require_enough(labelled)
    return Prepared(labelled, findings, accepted, split(labelled, settings.shares, seed=settings.seed))


def read_guarded(
    definition: LeadDefinition, source: Source, progress: Progress = silent, *, now: datetime | None = None
) -> tuple[Labelled, tuple[Finding, ...], tuple[Finding, ...]]:
    """The labelled history in `source`, what the leak guard found in it, and what of that is accepted with a reason.

    Raises
    ------
    DataError
        Whatever is wrong with the export, the labels, or leaking fields; each of its kind.
    """
    progress(READING, 0.0)
    labelled = label(read_history(definition, source, now=now))
    progress(GUARDING, 0.0)
    findings = leaks_of(labelled.history, labelled)
    accepted = guard(findings, definition.accepted_leaks)
    progress(GUARDING, 1.0)
    return labelled, findings, accepted


def leaks_of(history: History, labelled: Labelled) -> tuple[Finding, ...]:
    """What the leak guard finds: on all leads where open ones tell something, on labelled ones elsewhere."""
    return find_leaks(history.frame, targets(history, labelled), definition=history.definition)


def train(prepared: Prepared, settings: Settings, *, now: datetime, progress: Progress = silent) -> Trained:
    """The model learnt, judged and refitted on what was prepared; `now` dates the bundle."""
    labelled, cut = prepared.labelled, prepared.cut
    learnt = learn(labelled, cut, settings, progress)
    judgement = judge(labelled, cut, learnt, settings, progress)
    shipped = ship(labelled, cut, learnt, settings, progress)
    profile, importance = describe(labelled, cut.test, shipped.model, learnt.fit.model)
    manifest = manifest_of(
        prepared,
        judgement,
        profile,
        now=now,
        windows=prepared.windows(),
        threshold=threshold_of(labelled, cut.test, learnt.fit.model),
        settings={**asdict(settings), "n_trees": learnt.fitted.n_rounds},
        notes=(*learnt.fitted.notes, *stands_for_others(labelled)),
    )
    progress(DOUBTING, 0.0)
    sureness = _sureness(labelled, shipped.model, learnt, profile, settings)
    left_out = _left_out(prepared)
    return Trained(prepared, learnt.fit, judgement, shipped, profile, importance, manifest, left_out, sureness)


def _sureness(
    labelled: Labelled, model: LeadModel, learnt: Learnt, profile: Profile, settings: Settings
) -> tuple[Sureness, Familiar]:
    sample = sample_of(labelled, model.encoder)
    sure = fit_sureness(sample, model, learnt.calibration, settings.fit.parts)
    return sure, learn_familiar(sample, model.encoder.fields, profile)


def manifest_of(
    prepared: Prepared,
    judgement: Judgement,
    profile: Profile,
    *,
    now: datetime,
    windows: tuple[Window, ...],
    threshold: float,
    settings: Mapping[str, Any],
    notes: tuple[Text, ...],
    earlier_exports: tuple[str, ...] = (),
) -> Manifest:
    """What a bundle made at `now` says about itself.

    Parameters
    ----------
    notes : tuple of Text
        What its reader should be warned of.
    earlier_exports : tuple of str
        The exports that the model learnt from which this one was made of.
    """
    by_time = prepared.cut.by_time
    return Manifest(
        created_at=now.isoformat(timespec="seconds"),
        simulated=prepared.definition.simulated,
        validated_on_later_leads=by_time,
        base_rate=profile.won / profile.n,
        handover_threshold=threshold,
        windows=windows,
        metrics=judgement.evaluation.to_dict()["metrics"],
        settings=settings,
        libraries={name: version(name) for name in LIBRARIES},
        warnings=notes if by_time else (NOT_VALIDATED, *notes),
        history_exports=tuple(dict.fromkeys([*earlier_exports, *prepared.labelled.history.exports])),
    )


def stands_for_others(labelled: Labelled) -> tuple[Text, ...]:
    """What the card says where some leads stand for others; nothing where every lead was worked."""
    chance = labelled.frame["worked_chance"].to_numpy(dtype=float)
    if (chance == 1).all():
        return ()
    n_leads, n_drawn = len(chance), int((chance < 1).sum())
    says = round(effective_number(importance_weights(chance)))
    n, drawn, effective = ([whole(count, language) for language in ("en", "de")] for count in (n_leads, n_drawn, says))
    return (
        Text(
            en=f"Sales worked only some leads. Of the {n[0]} learnt from, {drawn[0]} were drawn by chance and stand for"
            f" others as well: levels and figures are those of all leads, and as sure as from {effective[0]}.",
            de=f"Der Vertrieb bearbeitete nur einige Leads. Von den {n[1]} gelernten wurden {drawn[1]} ausgelost und"
            f" stehen auch für andere: Niveau und Kennzahlen gelten für alle Leads, so sicher wie aus {effective[1]}.",
        ),
    )


def _left_out(prepared: Prepared) -> tuple[LeftOutRows, ...]:
    gap = LeftOutRows(IN_A_GAP, prepared.cut.n_gap)
    account = LeftOutRows(OF_A_LATER_ACCOUNT, prepared.cut.n_account)
    return tuple(rows for rows in (*prepared.labelled.left_out, gap, account) if rows.n)


def write(trained: Trained, folder: Path, decision: Decision, progress: Progress = silent) -> Path:
    """The trained model as a bundle in a new directory below `folder`, named after definition and moment."""
    progress(WRITING, 0.0)
    encoder = trained.shipped.model.encoder
    moment = datetime.fromisoformat(trained.manifest.created_at).strftime("%Y%m%dT%H%M%SZ")
    name = f"{encoder.definition.name}-{moment}"
    samples = synthetic_rows(encoder, trained.profile, SAMPLES, seed=0)
    place = write_bundle(
        folder / name,
        model=trained.shipped,
        judged=trained.judged,
        profile=trained.profile,
        importance=trained.importance,
        manifest=trained.manifest,
        samples=samples,
        explained=lightgbm_contributions(trained.shipped.model_text, samples),
        documents=card_documents(trained, decision, name),
        sureness=trained.sureness,
    )
    progress(WRITING, 1.0)
    return place


def gate(trained: Trained, champion: Path | None, policy: Policy, settings: Settings) -> Decision:
    """The verdict on the candidate; `champion` is the bundle in use, None for the first model."""
    return decide(trained.candidate, _champion(trained, champion, settings) if champion else None, policy)


def _champion(trained: Trained, place: Path, settings: Settings) -> Champion | Incomparable:
    """The champion on later leads that neither model learnt from.

    The shipped champion was fitted on all leads of its day. Where enough of today's test leads came after it, those
    decide; otherwise its judged twin, which knows less, is held against the candidate on those that came after that.
    """
    bundle = open_bundle(place)
    if reason := changed_since(bundle, trained.prepared.definition):
        return Incomparable(bundle.bundle_id, reason)
    labelled, rows = trained.prepared.labelled, trained.prepared.cut.test
    models: tuple[tuple[Parts, LeadModel], ...] = (("shipped", bundle.model), ("judged", open_judged(place)))
    for parts, model in models:
        day = bundle.manifest.seen_until(*SLOPES_FROM[parts])
        newer = np.isin(rows, leads_from(labelled, day)) if day else np.zeros(len(rows), dtype=bool)
        if labelled.frame["target"].to_numpy()[rows[newer]].sum() >= FEWEST_WINS_TO_COMPARE:
            probability = trained.judgement.probability[newer]
            paired, changes = against_champion(labelled, rows[newer], probability, model, settings)
            return Champion(bundle.bundle_id, paired, changes)
    return Incomparable(bundle.bundle_id, TOO_FEW_UNSEEN)


def describe(
    labelled: Labelled, later: Rows, shipped: LeadModel, judged: LeadModel
) -> tuple[Profile, tuple[Importance, ...]]:
    """The profile of all leads by the shipped model, and each field's importance, largest first.

    Importance and the distribution of probabilities come from the judged model, on the later leads that it has not
    seen: on leads that it learnt from, a model is more extreme than it will ever be again.
    """
    sample, unseen = sample_of(labelled, shipped.encoder), sample_of(labelled, judged.encoder, later)
    explained, said = shipped.explain(sample.matrix), judged.explain(unseen.matrix)
    points = points_of(explained.contributions, explained.probability, shipped.base_probability)
    profile = learn_profile(sample.matrix, sample.target, points, said.probability, shipped.encoder.fields)
    later_points = points_of(said.contributions, said.probability, judged.base_probability)
    strength = np.abs(later_points).mean(axis=0)
    importance = [Importance(n, float(s)) for n, s in zip(judged.encoder.names, strength, strict=True)]
    return profile, tuple(sorted(importance, key=lambda entry: -entry.mean_absolute_points))


def threshold_of(labelled: Labelled, later: Rows, model: LeadModel) -> float:
    """The lowest probability handed over, by what `model` says of every lead that arrived in the time of `later`.

    Every lead: those left out of learning, such as open ones of data without a horizon, fill sales' week all the same.
    """
    definition, everything = labelled.history.definition, labelled.history.frame
    span = labelled.frame["as_of"].iloc[later]
    if span.isna().any():
        probability, weeks = model.explain(sample_of(labelled, model.encoder, later).matrix).probability, 1.0
    else:
        arrived = everything[everything["as_of"].between(span.min(), span.max())]
        probability = model.explain(model.encoder.frame(arrived, arrived["as_of"])).probability
        weeks = max((span.max() - span.min()).total_seconds() / (7 * 86_400), 1.0)
    return threshold_for(definition, probability.tolist(), weeks)


TOO_FEW_UNSEEN = Text(
    f"fewer than {FEWEST_WINS_TO_COMPARE} won leads are known to be later than all that the champion has seen",
    f"weniger als {FEWEST_WINS_TO_COMPARE} gewonnene Leads sind nachweislich später als alles, was der Champion kennt",
)
IN_A_GAP = Text(
    "not yet known when judging began (used by the shipped model)",
    "zu Beginn der Prüfung noch nicht bekannt (im ausgelieferten Modell)",
)
OF_A_LATER_ACCOUNT = Text(
    "of an account that the judging leads hold (used by the shipped model)",
    "von einer Firma unter den Leads der Prüfung (im ausgelieferten Modell)",
)
NOT_VALIDATED = Text(en="Not validated on later leads.", de="Nicht an späteren Leads geprüft.")

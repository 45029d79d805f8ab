"""The champion with new slopes and a new shift from recent matured outcomes; fields, levels and trees stay.

    read -> label -> guard -> recent outcomes -> new slopes -> judge -> gate -> log -> bundle

The slopes are drawn towards those of the champion, not towards 1: its own are the best guess before anything new is
seen. In a simulation of 40 to 400 wins, quiet or with drifting slopes and rates, this lost some 30 % less against the
truth than slopes drawn towards 1, and at 40 wins hardly more than a shift alone, which keeps slopes that have become
wrong (docs/decisions/0012). So there is no further fallback. A slope of 0 stays 0: a part that was switched off comes
back with the next training.

What is judged and what is shipped differ in the same way as in training: the judged slopes come from what was known
when judging begins, the shipped ones from the newest outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from features.definition import LeadDefinition
from features.model.additive import LeadModel
from features.model.bundle import Bundle, Fit, Manifest, Window, open_bundle, open_fits
from features.model.calibrator import Calibrator
from features.sources import Source
from features.text import Text
from training.examples import sample_of
from training.judging.gates import Champion, Decision, Policy, decide
from training.labels import Labelled
from training.learn import CALIBRATING, Settings, against_champion, judge_model
from training.pipeline import NOT_VALIDATED, Prepared, Trained, describe, manifest_of, read_guarded, threshold_of
from training.recipe.calibrate import Calibration, CalibrationSettings, calibrate
from training.recipe.fit import Progress, silent
from training.recipe.importance import importance_weights
from training.recipe.level import shift_to_rate
from training.recipe.sample import FloatArray, Sample, recency_weights
from training.splits import Rows, described
from training.upkeep import recalibration_words
from training.upkeep.recent import Recent, RecentSettings, own_test, recent_outcomes
from training.upkeep.unseen import require_same_agreement

CARRIED = ("train", "judged", "shipped")


@dataclass(frozen=True)
class Recalibrated:
    """A candidate made from the champion.

    Attributes
    ----------
    trained : Trained
        As a training run leaves it: to be written, recorded and shown in the same way.
    recent : Recent
        The leads that it was made with and judged on.
    champion_id : str
        The bundle that it was made from.
    rival : LeadModel
        The champion on the same parts, with the slopes in use: what the gate holds the candidate against.
    slopes : Calibration
        The shipped slopes.
    origin : Text
        What the card says of it.
    """

    trained: Trained
    recent: Recent
    champion_id: str
    rival: LeadModel
    slopes: Calibration
    origin: Text


def recalibrate(
    champion: Path,
    number: int,
    source: Source,
    definition: LeadDefinition,
    *,
    settings: Settings,
    recent: RecentSettings,
    now: datetime,
    progress: Progress = silent,
) -> Recalibrated:
    """The champion in the bundle at `champion`, registered as version `number`, with slopes from recent outcomes.

    Parameters
    ----------
    source : Source
        A newer export of the same history; older leads in it tell which accounts the champion knows.
    now : datetime
        Dates the new bundle.

    Raises
    ------
    TooFewOutcomesError
        Says how many won and other leads are missing to calibrate and to judge.
    BundleError, DefinitionError
        If the champion was made for another agreement, or without dates.
    DataError
        Whatever is wrong with the export, the labels, or leaking fields; each of its kind.
    """
    labelled, findings, accepted = read_guarded(definition, source, progress, now=now)
    bundle = open_bundle(champion)
    require_same_agreement(bundle, labelled)
    found = recent_outcomes(labelled, bundle.manifest, recent)
    prepared = Prepared(labelled, findings, accepted, found.split())
    progress(CALIBRATING, 0.0)
    made = _made(open_fits(champion), labelled, found, settings.calibration)
    judgement = judge_model(labelled, prepared.cut, made.judged, settings, progress)
    profile, importance = describe(labelled, found.test, made.shipped.model, made.judged)
    manifest = manifest_of(
        prepared,
        judgement,
        profile,
        now=now,
        windows=_windows(labelled, bundle.manifest, found),
        threshold=_threshold(labelled, found, made.judged),
        settings={**bundle.manifest.settings, "recalibration": _told(bundle, number, found, made.slopes, recent)},
        notes=tuple(text for text in bundle.manifest.warnings if text != NOT_VALIDATED),
        earlier_exports=bundle.manifest.history_exports,
    )
    left_out = (*labelled.left_out, *found.left_out())
    origin = recalibration_words.origin(bundle, number, found.parts, made.slopes, manifest.windows[-1])
    # The parts are the champion's, and so is how sure they are; what the new slopes add to it is not counted.
    sureness = None if bundle.sureness is None or bundle.familiar is None else (bundle.sureness, bundle.familiar)
    trained = Trained(
        prepared, made.twin, judgement, made.shipped, profile, importance, manifest, left_out, sureness, origin
    )
    return Recalibrated(trained, found, bundle.bundle_id, made.rival, made.slopes, origin)


def gate_recalibrated(candidate: Recalibrated, policy: Policy, settings: Settings) -> Decision:
    """The verdict on the candidate against the champion, on leads that the slopes of neither have seen."""
    trained, test = candidate.trained, candidate.recent.test
    probability = trained.judgement.probability
    against = against_champion(trained.prepared.labelled, test, probability, candidate.rival, settings)
    return decide(trained.candidate, Champion(candidate.champion_id, *against), policy)


def new_slopes(model: LeadModel, leads: Sample, settings: CalibrationSettings) -> Calibration:
    """Slopes and shift of `model` from leads that it has not seen, drawn towards the slopes that it has.

    Raises
    ------
    TooFewOutcomesError
        All of these leads won, or none did.
    """
    trees = model.forest.margins(leads.matrix) if model.forest.n_trees else np.zeros(len(leads))
    return drawn_towards(model.calibrator, model.linear.margins(leads.matrix), trees, leads, settings)


def drawn_towards(
    old: Calibrator, linear: FloatArray, trees: FloatArray, leads: Sample, settings: CalibrationSettings
) -> Calibration:
    """Slopes and shift for `leads`, with the ridge of `settings` towards the slopes of `old`, relative to their size.

    Parameters
    ----------
    linear, trees : ndarray of float, shape (n_leads,)
        Margins in log-odds of the two parts.
    """
    found = calibrate(
        old.linear_slope * linear,
        old.tree_slope * trees,
        leads.target,
        weights=recency_weights(leads.order, settings.half_life_leads),
        stands_for=importance_weights(leads.worked_chance),
        settings=settings,
    )
    new, scale = found.calibrator, np.array([old.linear_slope, old.tree_slope, 1.0])
    slopes = Calibrator(old.linear_slope * new.linear_slope, old.tree_slope * new.tree_slope, new.intercept)
    return replace(found, calibrator=slopes, covariance=scale[:, None] * found.covariance * scale)


@dataclass(frozen=True)
class _Made:
    """The champion's models with new slopes: judged on the test leads, carried along, shipped; and the rival as is."""

    rival: LeadModel
    judged: LeadModel
    twin: Fit
    shipped: Fit
    slopes: Calibration


def _made(fits: tuple[Fit, Fit], labelled: Labelled, found: Recent, settings: CalibrationSettings) -> _Made:
    def slopes(fit: Fit, rows: Rows) -> Calibration:
        return new_slopes(fit.model, sample_of(labelled, fit.model.encoder, rows), settings)

    shipped, twin = fits
    rival = shipped if found.parts == "shipped" else twin
    newest = slopes(rival, found.recent)
    if rival is twin:
        newest = _levelled(newest, shipped.model, sample_of(labelled, shipped.model.encoder, found.recent))
    return _Made(
        rival=rival.model,
        judged=_with(rival, slopes(rival, found.calibrate)).model,
        twin=_with(twin, slopes(twin, found.calibrate)),  # its own margins ask for slopes of their own
        shipped=_with(shipped, newest),
        slopes=newest,
    )


def _levelled(slopes: Calibration, model: LeadModel, leads: Sample) -> Calibration:
    """The twin's slopes with the shift that `model` needs on these leads.

    The twin's own shift makes up for what has changed since its leads. The shipped parts have learnt from some of the
    leads that came later: with the same shift the change would be corrected twice, see `training.recipe.level`.
    """
    carried = replace(model, calibrator=replace(slopes.calibrator, intercept=0.0))
    weights = importance_weights(leads.worked_chance)
    shift = shift_to_rate(carried.log_odds_unexplained(leads.matrix), leads.target, weights)
    return replace(slopes, calibrator=replace(slopes.calibrator, intercept=shift))


def _with(fit: Fit, slopes: Calibration) -> Fit:
    return Fit(replace(fit.model, calibrator=slopes.calibrator), fit.model_text)


def _windows(labelled: Labelled, manifest: Manifest, found: Recent) -> tuple[Window, ...]:
    """What the parts learnt from and were judged on, what calibrates and judges now; last, what the slopes are of."""
    carried = {window.use: window for window in manifest.windows}
    own = own_test(manifest)
    cuts = (("calibrate", found.calibrate), ("test", found.test), ("recalibrated", found.recent))
    return (
        *(carried[use] for use in CARRIED if use in carried),
        *([replace(own, use="parts_test")] if own else []),
        *(described(labelled, use, rows) for use, rows in cuts),
    )


def _threshold(labelled: Labelled, found: Recent, model: LeadModel) -> float:
    """From all leads since judging began, those of known accounts too: sales has to work them all."""
    arrived = np.arange(int(found.test.min()), len(labelled.frame))
    return threshold_of(labelled, arrived, model)


def _told(bundle: Bundle, number: int, found: Recent, slopes: Calibration, recent: RecentSettings) -> dict[str, Any]:
    """What the bundle keeps about its recalibration, for programs."""
    return {
        "of_version": number,
        "of_bundle": bundle.bundle_id,
        "margins_of": found.parts,
        "method": slopes.method,
        "newest": None if recent.since else recent.newest,
        "since": recent.since.isoformat() if recent.since else None,
        "before": bundle.model.calibrator.to_dict(),
        "after": slopes.calibrator.to_dict(),
    }

"""Our recipe and its peers, given the same rows, and how far apart they are on the leads after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from features.encode import Encoder
from features.model.additive import LeadModel
from features.model.trees import Forest
from training.examples import sample_of
from training.judging.compare import Difference, compare
from training.judging.evaluate import Evaluation, evaluate
from training.judging.metrics import log_loss, log_odds
from training.judging.ranking import ranked, roc_auc
from training.labels import Labelled
from training.learn import Learnt, Settings
from training.recipe.baselines import Baseline, PlainLightGBM, PlainLogisticRegression, Predict
from training.recipe.calibrate import calibrate
from training.recipe.sample import FloatArray, Sample
from training.splits import Rows, Split

LEVEL = 0.90
N_RESAMPLES = 1000
PEERS: tuple[Baseline, ...] = (PlainLogisticRegression(), PlainLightGBM())


@dataclass(frozen=True)
class Judge:
    """The leads that everyone is judged on."""

    target: FloatArray
    account: np.ndarray
    base_rate: float
    n_resamples: int = N_RESAMPLES

    @classmethod
    def of(cls, labelled: Labelled, cut: Split, n_resamples: int = N_RESAMPLES) -> Judge:
        """The test leads of `cut`."""
        target = labelled.frame["target"].to_numpy(dtype=np.float64)
        account = labelled.frame["account"].to_numpy(dtype=str)[cut.test]
        return cls(target[cut.test], account, float(target[cut.seen].mean()), n_resamples)

    def evaluation(self, probability: FloatArray) -> Evaluation:
        """Every figure of these probabilities with its interval."""
        return evaluate(
            self.target,
            probability,
            self.account,
            None,
            base_rate=self.base_rate,
            n_resamples=self.n_resamples,
            level=LEVEL,
        )

    def difference(self, ours: FloatArray, theirs: FloatArray) -> Difference:
        """Our log loss minus theirs, resampled together by account."""
        paired = compare(self.target, ours, theirs, self.account, n_resamples=self.n_resamples, level=LEVEL)
        return paired.log_loss


def said(model: LeadModel, labelled: Labelled, rows: Rows) -> FloatArray:
    """The model's probabilities of the leads at `rows`, as the service would give them."""
    return model.explain(sample_of(labelled, model.encoder, rows).matrix).probability


def before_refit(learnt: Learnt, labelled: Labelled, cut: Split) -> LeadModel:
    """The model as chosen and calibrated, its parts fitted on train alone."""
    encoder = Encoder.learn(labelled.history.definition, labelled.frame.iloc[cut.train])
    forest = Forest.from_text(learnt.fitted.model_text)
    return LeadModel(encoder, learnt.fitted.linear, forest, learnt.calibration.calibrator)


def peers_said(labelled: Labelled, cut: Split) -> Mapping[str, FloatArray]:
    """Probabilities of the test leads by peer: fitted on 70 % or 85 %, each also with Platt from the 15 % between."""
    found: dict[str, FloatArray] = {}
    old = Encoder.learn(labelled.history.definition, labelled.frame.iloc[cut.train])
    new = Encoder.learn(labelled.history.definition, labelled.frame.iloc[cut.seen])
    for peer in PEERS:
        young = peer.fit(sample_of(labelled, old, cut.train), old.fields)
        platt = _platt(young, sample_of(labelled, old, cut.calibrate))
        grown = peer.fit(sample_of(labelled, new, cut.seen), new.fields)
        on_70 = young(sample_of(labelled, old, cut.test).matrix)
        on_85 = grown(sample_of(labelled, new, cut.test).matrix)
        found |= {f"{peer.name}, 70 %": on_70, f"{peer.name}, 70 %, Platt": platt(on_70)}
        found |= {f"{peer.name}, 85 %": on_85, f"{peer.name}, 85 %, Platt kept": platt(on_85)}
    return found


def _platt(predict: Predict, later: Sample) -> Predict:
    """What maps probabilities to those that Platt's slope and shift, fitted on later leads, make of them."""
    margins = log_odds(predict(later.matrix))
    calibrator = calibrate(margins, np.zeros(len(later)), later.target).calibrator
    return lambda probability: calibrator.probabilities(log_odds(probability), np.zeros(len(probability)))


def quick_settings(settings: Settings) -> Settings:
    """The recipe with a short search for rounds."""
    rounds = replace(settings.fit.rounds, max_rounds=40, patience_rounds=20, n_folds=1)
    return replace(settings, fit=replace(settings.fit, rounds=rounds))


def auc(target: FloatArray, probability: FloatArray) -> float:
    """The chance that a win stands above a loss."""
    return float(roc_auc(ranked(target, probability)))


def loss(target: FloatArray, probability: FloatArray) -> float:
    """The mean log loss."""
    return float(log_loss(target, probability))

"""The recipe on a split: what is refused, what is judged, and what is shipped."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from features.encode import Encoder
from features.errors import TooFewOutcomesError
from features.model.bundle import open_bundle, open_judged
from features.model.trees import Forest
from tests.conftest import ONE_THREAD, SmallModel
from training.examples import sample_of, segments_of, synthetic_rows
from training.judging.tables import MISSING
from training.labels import Labelled
from training.learn import against_champion, judge, learn, require_enough


def with_targets(labelled: Labelled, n_won: int, n_lost: int) -> Labelled:
    target = np.repeat([1.0, 0.0], [n_won, n_lost])
    return replace(labelled, frame=labelled.frame.iloc[: len(target)].assign(target=target))


def refusal(labelled: Labelled) -> TooFewOutcomesError:
    with pytest.raises(TooFewOutcomesError) as caught:
        require_enough(labelled)
    return caught.value


def test_forty_of_each_kind_are_enough(small_model: SmallModel) -> None:
    require_enough(with_targets(small_model.labelled, 40, 40))


def test_too_few_wins_say_how_many_are_missing(small_model: SmallModel) -> None:
    error = refusal(with_targets(small_model.labelled, 12, 40))
    assert "too few won leads: 28 are missing; seen: 12; expected: at least 40 that have matured" in str(error)
    assert "zu wenige gewonnene Leads: es fehlen noch 28" in error.in_language("de")


def test_too_few_of_both_kinds_are_said_at_once_and_one_is_one(small_model: SmallModel) -> None:
    error = refusal(with_targets(small_model.labelled, 39, 30))
    assert len(error.problems) == 2
    assert "too few won leads: 1 is missing" in str(error)
    assert "es fehlt noch 1;" in error.in_language("de")
    assert "too few other leads: 10 are missing" in str(error)


def test_learning_sees_nothing_of_the_test_window(small_model: SmallModel) -> None:
    labelled, cut = small_model.labelled, small_model.cut
    frame = labelled.frame.copy()
    frame.loc[cut.test, "target"] = 1 - frame.loc[cut.test, "target"]
    frame.loc[cut.test, "employees"] = 1e9
    frame.loc[cut.test, "lead_source"] = "unheard of"
    blind = learn(replace(labelled, frame=frame), cut, ONE_THREAD)
    rows = sample_of(labelled, blind.fit.model.encoder, cut.test).matrix
    known = small_model.learnt.fit.model.explain(rows).log_odds
    assert np.array_equal(blind.fit.model.explain(rows).log_odds, known)


def test_the_calibration_follows_the_calibrate_window(small_model: SmallModel) -> None:
    labelled, cut, learnt = small_model.labelled, small_model.cut, small_model.learnt
    encoder = Encoder.learn(labelled.history.definition, labelled.frame.iloc[cut.train])
    sample = sample_of(labelled, encoder, cut.calibrate)
    trees = Forest.from_text(learnt.fitted.model_text).margins(sample.matrix)
    probability = learnt.calibration.calibrator.probabilities(learnt.fitted.linear.margins(sample.matrix), trees)
    # The intercept is free of any penalty, so the mean probability is the rate that was observed.
    assert probability.mean() == pytest.approx(sample.target.mean(), abs=1e-6)


def test_the_judgement_is_of_the_test_window_with_every_baseline(small_model: SmallModel) -> None:
    settings = replace(ONE_THREAD, n_resamples=20)
    judgement = judge(small_model.labelled, small_model.cut, small_model.learnt, settings)
    assert judgement.probability.shape == small_model.cut.test.shape
    assert set(judgement.baselines) == set(judgement.against) == {"base_rate", "one_field_rule", "logistic_regression"}


def test_a_champion_that_is_the_candidate_is_no_different(small_model: SmallModel) -> None:
    judged = open_judged(small_model.bundle)
    rows = small_model.cut.test
    probability = judged.explain(sample_of(small_model.labelled, judged.encoder, rows).matrix).probability
    settings = replace(ONE_THREAD, n_resamples=20)
    paired, changes = against_champion(small_model.labelled, rows, probability, judged, settings)
    assert paired.log_loss.value == 0
    assert changes.share == 0


def test_a_sample_is_the_labelled_leads_encoded_with_accounts_that_mean_the_same_in_every_window(
    small_model: SmallModel,
) -> None:
    labelled, encoder = small_model.labelled, small_model.learnt.fit.model.encoder
    whole, part = sample_of(labelled, encoder), sample_of(labelled, encoder, small_model.cut.test)
    assert np.array_equal(whole.matrix[small_model.cut.test], part.matrix, equal_nan=True)
    assert np.array_equal(whole.account[small_model.cut.test], part.account)
    assert pd.Series(whole.account).nunique() == labelled.frame["account"].nunique()


def test_segments_are_readable_categories_with_a_label_for_missing(small_model: SmallModel) -> None:
    definition = small_model.history.definition
    segments = segments_of(definition, small_model.labelled.frame)
    assert 1 <= len(segments) <= 3
    assert "campaign" not in segments, "too many campaigns to read"
    frame = small_model.labelled.frame.assign(lead_source=pd.Series([None, "a", "b"] * 500, dtype="str"))
    assert MISSING in segments_of(definition, frame)["lead_source"]


def test_synthetic_rows_are_leads_that_the_model_can_score(small_model: SmallModel) -> None:
    bundle = open_bundle(small_model.bundle)
    rows = synthetic_rows(bundle.model.encoder, bundle.profile, 200, seed=1)
    assert np.isfinite(bundle.model.explain(rows).log_odds).all()
    assert np.isnan(rows).any()
    assert np.array_equal(rows, synthetic_rows(bundle.model.encoder, bundle.profile, 200, seed=1), equal_nan=True)

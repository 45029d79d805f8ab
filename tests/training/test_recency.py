"""Choosing how fast to forget: slowly where nothing drifts, fast where everything does."""

from __future__ import annotations

import numpy as np
import pytest

from features.errors import TooFewOutcomesError
from tests.training.fit_worlds import FIELDS, leads
from training.recipe.recency import OriginSettings, Recency, choose_recency
from training.recipe.sample import Sample

SLOW = Recency(None, 500, None)
FAST = Recency(100.0, 500, None)
QUICK = OriginSettings(n_origins=6, spacing_leads=500, look_ahead_leads=500)


def turning(seed: int) -> Sample:
    """7,000 leads, of which the last 4,000 win with large sizes and those before with small ones."""
    old, new = leads(3000, seed, effect=-1.5), leads(4000, seed + 1, effect=1.5)
    matrix, target = np.vstack([old.matrix, new.matrix]), np.append(old.target, new.target)
    return Sample(matrix, target, np.arange(7000), np.arange(7000))


def test_where_nothing_drifts_all_leads_count() -> None:
    assert choose_recency(leads(6000, 1), FIELDS, (SLOW, FAST), QUICK).best == SLOW


def test_where_the_meaning_of_a_field_turns_old_leads_are_forgotten() -> None:
    choice = choose_recency(turning(1), FIELDS, (SLOW, FAST), QUICK)
    assert choice.best == FAST
    assert choice.log_losses[FAST] < choice.log_losses[SLOW]
    assert choice.n_origins == 6


def test_the_order_of_rows_does_not_matter() -> None:
    sample = turning(2)
    mixed = sample.take(np.random.default_rng(1).permutation(7000))
    straight = choose_recency(sample, FIELDS, (SLOW, FAST), QUICK).log_losses
    shuffled = choose_recency(mixed, FIELDS, (SLOW, FAST), QUICK).log_losses
    assert shuffled[SLOW] == pytest.approx(straight[SLOW], abs=1e-9)
    assert shuffled[FAST] == pytest.approx(straight[FAST], abs=1e-9)


def test_an_outcome_after_the_look_ahead_cannot_change_an_earlier_origin() -> None:
    sample = leads(4000, 3)
    one = OriginSettings(n_origins=1, look_ahead_leads=500)
    early = sample.take(np.arange(3000))
    # The only origin of the first 3,000 leads is at 2,500; with all 4,000 leads it is at 3,500.
    assert (
        choose_recency(early, FIELDS, (SLOW,), one).log_losses
        != choose_recency(sample, FIELDS, (SLOW,), one).log_losses
    )
    target = sample.target.copy()
    target[3000:] = 1 - target[3000:]
    changed = Sample(sample.matrix, target, sample.account, sample.order).take(np.arange(3000))
    assert (
        choose_recency(changed, FIELDS, (SLOW,), one).log_losses
        == choose_recency(early, FIELDS, (SLOW,), one).log_losses
    )


def test_a_short_history_is_refused() -> None:
    with pytest.raises(TooFewOutcomesError, match="too short"):
        choose_recency(leads(600, 4), FIELDS, (SLOW,), QUICK)


def test_an_origin_that_came_later_counts_as_one_of_the_first() -> None:
    sample = turning(3)
    rows = np.arange(7000)
    three = OriginSettings(n_origins=3, spacing_leads=500, look_ahead_leads=500)
    two = choose_recency(sample.take(rows[:6500]), FIELDS, (SLOW, FAST), OriginSettings(n_origins=2, spacing_leads=500))
    later = two.after(sample.take(rows[:6500]), sample.take(rows[6500:]), FIELDS, three)
    assert later.n_origins == 3
    assert later.by_origin == choose_recency(sample, FIELDS, (SLOW, FAST), three).by_origin


def test_a_history_that_begins_to_turn_is_forgotten_faster_from_then_on() -> None:
    sample, rows = turning(4), np.arange(7000)
    calm = choose_recency(sample.take(rows[:3000]), FIELDS, (SLOW, FAST), OriginSettings(n_origins=1))
    assert calm.best == SLOW
    for end in (5000, 5500, 6000, 6500):
        calm = calm.after(sample.take(rows[:end]), sample.take(rows[end : end + 500]), FIELDS)
    assert calm.best == FAST

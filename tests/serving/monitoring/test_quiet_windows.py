"""While nothing changes, an evaluation finds anything over its limit in at most one of a hundred."""

from __future__ import annotations

import numpy as np

from features.model.bundle import Bundle
from serving.monitoring.checks import FALSE_ALARMS, Matured, Seen, n_checks, readings
from serving.monitoring.watch import recent_of
from tests.serving.monitoring.stored_leads import with_evaluated_skill
from tests.serving.small_model import simulated_leads

N_WINDOWS, WINDOW = 120, 1_000
SKILL = 0.12


def test_quiet_windows_find_nothing_over_its_limit(bundle: Bundle) -> None:
    """`python -m benchmarks.watching` measures the same on 503 windows of a larger model: none."""
    bundle = with_evaluated_skill(bundle, SKILL)
    draw = np.random.default_rng(61)
    over: list[set[str]] = []
    for seed in range(N_WINDOWS // 3):
        leads, as_of, won = simulated_leads(2_000 + seed)
        matrix = bundle.model.encoder.frame(leads, as_of)
        for start in range(0, len(matrix), WINDOW):
            window = slice(start, start + WINDOW)
            recent = recent_of(bundle, matrix[window], np.arange(WINDOW))
            matured = Matured(won[window] > 0, recent.probability, recent.account)
            found = readings(bundle, Seen(recent, matured, False, draw.poisson(50, 66).tolist()))
            assert len(found) == n_checks(bundle)
            assert {each.kind for each in found if each.verdict == "untold"} == {"unlike"}  # no such part in the bundle
            over.append({each.name for each in found if each.verdict == "over"})
    assert len(over) == N_WINDOWS
    assert sum(map(bool, over)) / N_WINDOWS <= FALSE_ALARMS

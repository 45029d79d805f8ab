"""The store that pages are measured on holds as many leads as asked for, each with a life of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import orjson

from benchmarks.speed.stored_leads import demo_bundle, fill
from serving.kpis.columns import NEVER, VERDICT_CODES
from serving.store import Store

NOW = datetime(2026, 6, 16, 9, 30, tzinfo=UTC)


def test_a_filled_store_holds_leads_in_every_state(tmp_path: Path) -> None:
    bundle = demo_bundle(tmp_path, NOW)
    fill(tmp_path / "leads.db", bundle, 700, NOW)
    store = Store(f"sqlite:///{tmp_path / 'leads.db'}")
    leads, answer = store.figures.columns(), store.scores.latest("P-0000100")
    n_changes = store.figures.n_changes()
    store.close()
    assert (len(leads.account), n_changes) == (700, 0)
    assert set(np.unique(leads.outcome)) == {0, 1, 2}
    assert set(np.unique(leads.verdict)) == set(range(len(VERDICT_CODES)))
    assert 0 < (leads.handed_over_at == NEVER).sum() < 700
    assert len(np.unique(leads.account)) < 700
    assert answer is not None
    assert orjson.loads(answer)["lead_id"] == "P-0000100"

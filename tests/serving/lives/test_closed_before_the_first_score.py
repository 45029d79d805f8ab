"""One rule says whether an outcome was there before the first score, wherever that counts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from features.model.bundle import Bundle
from serving.feedback.reading import last_moment
from serving.history import write_history
from serving.history.rows import CLOSED_BEFORE
from serving.settings import Settings
from serving.store import Comparable, Store
from tests.serving.client import Client
from tests.serving.conftest import NOW
from tests.serving.feedback.test_outcomes_and_verdicts import LIKELY
from tests.serving.small_model import definition

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def service(bundle: Bundle, store: Store, database_url: str) -> Iterator[Client]:
    with Client(Settings(database_url=database_url), bundle, NOW, store=store) as client:
        yield client


@pytest.mark.parametrize(
    ("at", "was_before"),
    [
        ("2026-02-02", True),
        ("2026-02-03T08:00:00Z", True),  # two hours before the score
        ("2026-02-03", False),  # some time of the day of the score
        ("2026-02-03T00:00:00+01:00", False),  # the same, from a system that sends midnight for a date
        ("2026-02-03T10:00:00Z", False),
    ],
)
def test_everybody_agrees_whether_a_lead_was_closed_before_its_first_score(
    service: Client, store: Store, tmp_path: Path, at: str, was_before: bool
) -> None:
    agreed = definition()
    service.post("/v1/score", json={"lead_id": "L1", "fields": LIKELY})
    assert service.post("/v1/outcomes", json={"lead_id": "L1", "outcome": "won", "at": at}).status_code == 200
    codes = [each["code"] for each in service.get("/v1/leads/L1").json()["contradictions"]]
    assert codes == ["outcome_before_first_score"] * was_before
    service.now += timedelta(days=1 + (agreed.target.horizon_days or 0))
    conversion = service.get("/v1/kpis?from=2026-02-01").json()["conversion"]
    assert (conversion["n_closed_before"], conversion["observed"]["n_of"]) == (was_before, not was_before)
    found = store.watching.matured(Comparable(agreed.fingerprint, ""), NOW - timedelta(days=1), service.now, 10)
    assert [lead.was_closed for lead in found] == [was_before]
    exported = write_history(store, agreed, tmp_path / "h.csv", export_id="e", now=service.now)
    assert exported.left_out == (((CLOSED_BEFORE, 1),) if was_before else ())


@pytest.mark.parametrize(
    ("at", "latest"),
    [
        (datetime(2026, 2, 2, 23, tzinfo=UTC), datetime(2026, 2, 3, 22, 59, 59, 999_999, tzinfo=UTC)),
        (datetime(2026, 2, 3, 0, tzinfo=UTC), datetime(2026, 2, 3, 0, tzinfo=UTC)),
        (datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 21, 59, 59, 999_999, tzinfo=UTC)),  # 23 hours
        (datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 22, 59, 59, 999_999, tzinfo=UTC)),  # 25 hours
    ],
)
def test_the_beginning_of_a_day_may_mean_any_moment_of_it(at: datetime, latest: datetime) -> None:
    assert last_moment(at, BERLIN) == latest

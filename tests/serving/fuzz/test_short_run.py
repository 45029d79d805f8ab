"""The long run, shortened: the same attacks on a real server for some seconds."""

from __future__ import annotations

from pathlib import Path

from tests.serving.fuzz.long_run import Report, run

DURATION_S = 8


def test_a_real_server_under_attack_fails_nobody_and_loses_nothing(tmp_path: Path) -> None:
    report = run(tmp_path, DURATION_S, seed=7, n_clients=2)
    assert report.faults == []
    assert report.n_failures_of_ours == 0
    assert report.n > 200
    assert report.scored
    assert {200, 400, 404, 422} <= set(report.statuses)


def test_growth_is_seen_where_there_is_some() -> None:
    steady, growing = Report(), Report()
    steady.resident_kb = [(second, 100_000 + second % 7) for second in range(600)]
    growing.resident_kb = [(second, 100_000 + 30 * second) for second in range(600)]
    assert abs(steady.growth(120)) < 0.001
    assert growing.growth(120) > 0.10

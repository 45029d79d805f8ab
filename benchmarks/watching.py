"""How often watching cries wolf, and how soon it notices: `python -m benchmarks.watching`, some ten minutes.

A model of 20,000 simulated leads of two years, and later leads of the same world in which nothing changes (other seeds,
one stream of five years and some 55 leads a day each). The field `campaign` is left out: the simulator starts new
campaigns every quarter, so it does change.

Quiet windows: windows of 1,000 leads that share none, every check on each; how many find anything over its limit.
Quiet months: one evaluation after every ten leads, some five a day, with the hysteresis of the settings; how many
alerts are raised in 30 days, and on how many of them.
Shifts: from some lead on the stream is changed; how many leads come until the alert is raised, over several starts.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy and lightgbm are loaded: more threads wait for each other

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality.contest import quick_settings
from benchmarks.quality.histories import demo_definition, simulated
from features.definition import LeadDefinition
from features.encode import FIRST_LEVEL_CODE, MISSING_CODE, POOLED_CODE
from features.model.bundle import Bundle
from features.rates import rate_interval
from serving.monitoring.checks import FALSE_ALARMS, Matured, Seen, n_checks, readings
from serving.monitoring.hysteresis import Patience, State, after
from serving.monitoring.volume import MOST_DAYS
from serving.monitoring.watch import recent_of
from training import pipeline
from training.examples import sample_of
from training.learn import Settings
from training.simulate import NO_DRIFT, Simulation
from training.splits import split

WINDOW = 1_000
STEP = 10
PATIENCE = Patience(3, 6)
DAYS = 1_825
FROM = date(2026, 2, 1)
PLACE = Path(".state/bench-watching/figures.json")
Change = Callable[["Stream", int], None]


@dataclass
class Stream:
    """Leads as they come, oldest first; `day` is counted from the first."""

    matrix: np.ndarray
    won: np.ndarray
    account: np.ndarray
    day: np.ndarray

    def __len__(self) -> int:
        return len(self.day)

    def seen(self, bundle: Bundle, end: int, shown: int = WINDOW) -> Seen:
        """What an evaluation would look at after lead `end`, the newest leads taken as matured, too."""
        window = slice(max(0, end - shown), end)
        recent = recent_of(bundle, self.matrix[window], np.unique(self.account[window], return_inverse=True)[1])
        today = int(self.day[end - 1]) + 1
        counts = np.bincount(self.day[:end], minlength=today)[:today][-MOST_DAYS - 1 : -1]
        return Seen(recent, Matured(self.won[window], recent.probability, recent.account), False, counts.tolist())

    def part(self, begin: int, end: int) -> Stream:
        """A copy of some of the leads, to be changed."""
        part = slice(begin, end)
        arrays = (self.matrix[part].copy(), self.won[part].copy(), self.account[part].copy())
        return Stream(*arrays, self.day[part] - self.day[begin])


def main() -> int:
    """Measures, prints, and writes the figures to .state/bench-watching."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watching", description="False alarms and detection.")
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it works, figures mean little")
    quick = parser.parse_args().quick
    started = time.monotonic()

    def tell(what: str) -> None:
        print(f"[{time.monotonic() - started:5.0f} s] {what}", file=sys.stderr, flush=True)

    bundle = model(quick)
    n_streams, n_leads = (2, 12_000) if quick else (5, 101_000)
    tell(f"model trained, {n_checks(bundle)} checks")
    figures: dict[str, Any] = {"n_checks": n_checks(bundle), "promised": FALSE_ALARMS}
    streams = []
    for seed in range(n_streams):
        streams.append(stream(bundle, seed, n_leads))
        tell(f"stream {seed + 1} of {n_streams}: {len(streams[-1]):,} leads")
    figures["quiet_windows"] = quiet_windows(bundle, streams)
    tell("quiet windows")
    figures["quiet_months"] = quiet_months(bundle, streams[0], 3_000 if quick else len(streams[0]))
    tell("quiet months")
    figures["shifts"] = [found(bundle, streams[1], each, 2 if quick else 10) for each in shifts(bundle)]
    tell("shifts")
    print(json.dumps(figures, indent=1))
    PLACE.parent.mkdir(parents=True, exist_ok=True)
    PLACE.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


def definition() -> LeadDefinition:
    """The demo's, without the field that changes by design."""
    demo = demo_definition()
    fields = {name: field for name, field in demo.fields.items() if name != "campaign"}
    left_out = {**demo.left_out, "campaign": "changes every quarter"}
    return demo.model_copy(update={"fields": fields, "left_out": left_out, "reporting": None})


def model(quick: bool) -> Bundle:
    """A champion in memory."""
    past = simulated(Simulation(n_leads=4_000 if quick else 20_000, seed=11, drift=NO_DRIFT), definition())
    settings = quick_settings(Settings()) if quick else Settings()
    prepared = pipeline.Prepared(past.labelled, (), (), split(past.labelled, settings.shares))
    trained = pipeline.train(prepared, settings, now=datetime(2026, 2, 1, tzinfo=UTC))
    sureness, familiar = trained.sureness or (None, None)
    fit, manifest = trained.shipped.model, trained.manifest
    return Bundle("bench", fit, trained.profile, trained.importance, manifest, sureness, familiar)


def stream(bundle: Bundle, seed: int, n_leads: int) -> Stream:
    """Later leads of the same world, every one of them matured."""
    parameters = Simulation(
        n_leads=n_leads, seed=1_000 + seed, drift=NO_DRIFT, start=FROM, days=DAYS * n_leads // 101_000
    )
    later = simulated(replace(parameters, days_after_last_lead=parameters.horizon_days), definition())
    sample = sample_of(later.labelled, bundle.model.encoder)
    as_of = later.labelled.frame["as_of"].dt.tz_localize(None).to_numpy().astype("datetime64[D]").astype(np.int64)
    account = np.unique(sample.account, return_inverse=True)[1]
    return Stream(sample.matrix, sample.target > 0, account, as_of - as_of[0])


def quiet_windows(bundle: Bundle, streams: Sequence[Stream]) -> dict[str, Any]:
    """How many windows in which nothing changed find anything over its limit."""
    n_windows, by_check, durations = 0, dict[str, int](), []
    n_over = 0
    for each in streams:
        for end in range(WINDOW, len(each) + 1, WINDOW):
            started = time.perf_counter()
            over = [found.name for found in readings(bundle, each.seen(bundle, end)) if found.verdict == "over"]
            durations.append(time.perf_counter() - started)
            n_windows, n_over = n_windows + 1, n_over + bool(over)
            by_check |= {name: by_check.get(name, 0) + 1 for name in over}
    interval = rate_interval(n_over, n_windows, 0.95)
    median_ms = 1_000 * float(np.median(durations))
    return {"n": n_windows, "over": n_over, "interval_95": interval, "by_check": by_check, "median_ms": median_ms}


def quiet_months(bundle: Bundle, each: Stream, until: int) -> dict[str, Any]:
    """How often an alert is raised in 30 quiet days."""
    states: dict[str, State] = {}
    n_raised, n_checked, over = 0, 0, 0
    for end in range(WINDOW, until, STEP):
        n_new, any_over = _step(bundle, each, end, states)
        n_raised, n_checked, over = n_raised + n_new, n_checked + 1, over + any_over
    months = float(each.day[until - 1] - each.day[WINDOW - 1]) / 30
    return {"months": months, "evaluations": n_checked, "with_a_finding_over": over, "raised": n_raised}


def _step(bundle: Bundle, each: Stream, end: int, states: dict[str, State]) -> tuple[int, bool]:
    """One evaluation: how many alerts it raised, and whether anything was over its limit."""
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=int(each.day[end - 1]))
    n_new, any_over = 0, False
    for reading in readings(bundle, each.seen(bundle, end)):
        before = states.get(reading.name)
        states[reading.name] = after(before, reading.verdict, moment, PATIENCE)
        n_new += states[reading.name].raised and not (before and before.raised)
        any_over |= reading.verdict == "over"
    return n_new, any_over


@dataclass(frozen=True)
class Shift:
    """What changes from a lead on, which alert must say so, and after how many leads is evaluated."""

    what: str
    alert: str
    change: Change
    step: int = STEP


def shifts(bundle: Bundle) -> list[Shift]:
    """The shifts that are tried."""
    names, levels = bundle.model.encoder.names, {f.name: f.levels for f in bundle.model.encoder.fields}
    source, employees, region = (names.index(name) for name in ("lead_source", "employees", "region"))
    pages = names.index("pages_viewed_30d")
    code = float(FIRST_LEVEL_CODE + levels["lead_source"].index("webinar"))
    return [
        Shift("30 % of the leads come from webinars instead", "field:lead_source", _put(source, code, 0.3)),
        Shift("page views count double", "field:pages_viewed_30d", _scale(pages, 2.0)),
        Shift("15 % have a region never seen", "unknown:region", _put(region, float(POOLED_CODE), 0.15)),
        Shift("30 % more come without employees", "missing:employees", _put(employees, np.nan, 0.3)),
        Shift("no lead has a source any more", "missing:lead_source", _put(source, float(MISSING_CODE), 1.0)),
        Shift("wins fall to 60 % (counted when matured)", "calibration", _fewer_wins(0.6)),
        Shift("wins fall to 40 % (counted when matured)", "calibration", _fewer_wins(0.4)),
        Shift("one lead in five still arrives", "volume", _thin_out(5), step=2),
    ]


def found(bundle: Bundle, whole: Stream, shift: Shift, n_starts: int) -> dict[str, Any]:
    """Leads and days from the start of a shift until its alert is raised; over several starts."""
    length = min(len(whole), 8_000)
    n_leads, n_days, others = [], [], set[str]()
    for number in range(n_starts):
        begin = number * max(1, (len(whole) - length) // n_starts)
        each, shifted = whole.part(begin, begin + length), 5_000 + number
        shift.change(each, shifted)
        states: dict[str, State] = {}
        for end in range(shifted + shift.step, len(each), shift.step):
            _step(bundle, each, end, states)
            if states[shift.alert].raised:
                break
        others |= {other for other, state in states.items() if state.raised} - {shift.alert}
        n_leads.append(end - shifted if states[shift.alert].raised else None)
        n_days.append(int(each.day[end - 1] - each.day[shifted]))
    told = [number for number in n_leads if number is not None]
    return {
        "what": shift.what,
        "alert": shift.alert,
        "starts": n_starts,
        "raised": len(told),
        "median_leads": float(np.median(told)) if told else None,
        "most_leads": max(told, default=None),
        "most_days": max(n_days),
        "raised_too": sorted(others),
    }


def _put(column: int, value: float, share: float) -> Change:
    def change(each: Stream, start: int) -> None:
        chosen = np.random.default_rng(start).random(len(each) - start) < share
        each.matrix[start:][chosen, column] = value

    return change


def _scale(column: int, factor: float) -> Change:
    def change(each: Stream, start: int) -> None:
        each.matrix[start:, column] *= factor

    return change


def _fewer_wins(share: float) -> Change:
    def change(each: Stream, start: int) -> None:
        each.won[start:] &= np.random.default_rng(start).random(len(each) - start) < share

    return change


def _thin_out(nth: int) -> Change:
    """Only one lead in `nth` still comes, from the next day on."""

    def change(each: Stream, start: int) -> None:
        kept = np.ones(len(each), dtype=bool)
        kept[start:] = np.arange(len(each) - start) % nth == 0
        each.matrix, each.won, each.account, each.day = (
            values[kept] for values in (each.matrix, each.won, each.account, each.day)
        )

    return change


if __name__ == "__main__":
    sys.exit(main())

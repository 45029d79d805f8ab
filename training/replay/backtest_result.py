"""What a backtest found out, as plain data, and the folder that it is written to."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from features.model.calibrator import Calibrator
from features.text import Language, Text, decimal, whole
from training.judging.compare import Paired
from training.judging.evaluate import Evaluation
from training.judging.metrics import Metric
from training.judging.tables import RateRow, as_dict
from training.replay.origins import OriginSettings

REFITTED, FROZEN, RECALIBRATED = "refitted", "frozen", "frozen_recalibrated"
NAMES: Mapping[str, Text] = {
    REFITTED: Text("Refitted and recalibrated at each origin", "Zu jedem Zeitpunkt neu angepasst und kalibriert"),
    FROZEN: Text("First model, frozen", "Erstes Modell, eingefroren"),
    RECALIBRATED: Text("First model, recalibrated", "Erstes Modell, nachkalibriert"),
    "base_rate": Text("Base rate of the known leads", "Grundquote der bekannten Leads"),
    "one_field_rule": Text("Rule of the best single field", "Regel des besten einzelnen Feldes"),
    "logistic_regression": Text("Logistic regression", "Logistische Regression"),
}
HEADER = (
    Text("Over all periods", "Über alle Zeiträume"),
    Text("Log loss", "Log-Loss"),
    Text("Refitted model better by", "Neu angepasstes Modell besser um"),
    Text("ECE", "ECE"),
    Text("Slope", "Steigung"),
    Text("Won / expected", "Gewonnen / erwartet"),
    Text("ROC AUC", "ROC-AUC"),
)
PERIOD_HEADER = (
    Text("From", "Ab"),
    Text("Leads", "Leads"),
    Text("Won", "Gewonnen"),
    Text("Refitted", "Neu angepasst"),
    Text("Frozen", "Eingefroren"),
    Text("Recalibrated", "Nachkalibriert"),
    Text("Base rate", "Grundquote"),
)
_OVER_TIME = (REFITTED, FROZEN, RECALIBRATED, "base_rate")
_IN_CSV = ("log_loss", "brier", "ece", "calibration_slope", "calibration_intercept", "observed_to_expected", "roc_auc")


@dataclass(frozen=True, slots=True)
class Calibrators:
    """The slopes and the shift that each of our models used in one period."""

    refitted: Calibrator
    frozen: Calibrator
    frozen_recalibrated: Calibrator


@dataclass(frozen=True)
class Period:
    """The leads between one origin and the next.

    Attributes
    ----------
    start, end : str
        Days (ISO) of the origin and of the next; the end is exclusive.
    n_known, known_rate : int, float
        Leads whose outcomes were known and used, and their share of wins.
    n_account : int
        Known leads given up because their account is scored.
    n_newer : int
        Outcomes that the frozen model could be recalibrated on.
    evaluations : mapping of str to Evaluation
        By the names in `NAMES`; skills are against `known_rate`.
    rates : mapping of str to RateRow
        Mean probability and share of wins, with its interval.
    against : mapping of str to Paired
        The refitted model (a) held against each other one (b).
    """

    start: str
    end: str
    n_known: int
    n_account: int
    known_rate: float
    n_newer: int
    n_trees: int
    calibrators: Calibrators
    evaluations: Mapping[str, Evaluation]
    rates: Mapping[str, RateRow]
    against: Mapping[str, Paired]

    @property
    def n(self) -> int:
        """Leads scored."""
        return self.evaluations[REFITTED].n

    @property
    def n_won(self) -> int:
        """Leads scored that were won within the horizon."""
        return self.evaluations[REFITTED].n_wins

    def to_dict(self) -> dict[str, Any]:
        """The period as JSON-able data: every metric with its interval."""
        plain = ("start", "end", "n_known", "n_account", "known_rate", "n_newer", "n_trees", "n", "n_won")
        return {
            **{name: getattr(self, name) for name in plain},
            "calibrators": asdict(self.calibrators),
            "metrics": {name: _metrics(each) for name, each in self.evaluations.items()},
            "rates": {name: as_dict(each) for name, each in self.rates.items()},
            "against": {name: each.log_loss.to_dict() for name, each in self.against.items()},
        }


@dataclass(frozen=True, eq=False)
class Backtest:
    """A replay of the past.

    Attributes
    ----------
    evaluations, against : mapping
        As in `Period`, over the leads of all periods; skills are against the rate known at the first origin.
    predictions : DataFrame
        `origin`, `lead_id`, `as_of`, `target`, and a column of probabilities for each of `NAMES`.
    """

    name: str
    horizon_days: int
    settings: OriginSettings
    periods: tuple[Period, ...]
    evaluations: Mapping[str, Evaluation]
    against: Mapping[str, Paired]
    predictions: pd.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """The replay as JSON-able data, without the single leads."""
        first = self.settings.first
        return {
            "name": self.name,
            "horizon_days": self.horizon_days,
            "settings": {**asdict(self.settings), "first": None if first is None else first.isoformat()},
            "periods": [period.to_dict() for period in self.periods],
            "evaluations": {name: each.to_dict() for name, each in self.evaluations.items()},
            "against": {name: each.to_dict() for name, each in self.against.items()},
        }

    def by_period(self) -> pd.DataFrame:
        """One row per period and model: leads, wins, mean probability, share of wins, metrics with their intervals."""
        return pd.DataFrame(
            [_csv_row(period, name, each) for period in self.periods for name, each in period.evaluations.items()]
        )

    def rows(self, language: Language) -> list[tuple[str, ...]]:
        """Everyone over all periods, as many cells as `HEADER`."""
        return [self._row(name, each, language) for name, each in self.evaluations.items()]

    def period_rows(self, language: Language) -> list[tuple[str, ...]]:
        """Log loss by period, as many cells as `PERIOD_HEADER`."""
        return [
            (
                period.start,
                whole(period.n, language),
                whole(period.n_won, language),
                *(_shown(period.evaluations[name].metrics["log_loss"], language) for name in _OVER_TIME),
            )
            for period in self.periods
        ]

    def _row(self, name: str, each: Evaluation, language: Language) -> tuple[str, ...]:
        difference = self.against[name].log_loss if name in self.against else None
        gain = "" if difference is None else _with_interval(-difference.value, _turned(difference.interval), language)
        names = ("ece", "calibration_slope", "observed_to_expected", "roc_auc")
        shown = [_shown(each.metrics[metric], language) for metric in names]
        return (NAMES[name].in_language(language), _shown(each.metrics["log_loss"], language), gain, *shown)


def write_backtest(backtest: Backtest, folder: Path, figures: Mapping[str, bytes | str]) -> Path:
    """The folder with `backtest.json`, `periods.csv`, `predictions.csv` and the figures; an older one is replaced.

    Parameters
    ----------
    figures : mapping of str to bytes or str
        By file name: PNG as bytes, SVG as text.
    """
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    (new / "backtest.json").write_text(json.dumps(backtest.to_dict(), indent=1, allow_nan=False), encoding="utf-8")
    backtest.by_period().to_csv(new / "periods.csv", index=False)
    backtest.predictions.to_csv(new / "predictions.csv", index=False)
    for name, content in figures.items():
        (new / name).write_bytes(content.encode() if isinstance(content, str) else content)
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)  # all files, or the former ones
    return folder


def _metrics(evaluation: Evaluation) -> dict[str, Any]:
    return {name: metric.to_dict() for name, metric in evaluation.metrics.items()}


def _csv_row(period: Period, name: str, evaluation: Evaluation) -> dict[str, Any]:
    row: dict[str, Any] = {"start": period.start, "end": period.end, "model": name}
    rate = period.rates[name]
    row |= {"n_known": period.n_known, "n": rate.n, "n_won": rate.n_wins, "mean_probability": rate.mean_probability}
    row |= {"observed": rate.observed, "observed_low": rate.interval[0], "observed_high": rate.interval[1]}
    for metric in (evaluation.metrics[name] for name in _IN_CSV):
        low, high = metric.interval or (None, None)
        row |= {metric.name: metric.value, f"{metric.name}_low": low, f"{metric.name}_high": high}
    return row


def _shown(metric: Metric, language: Language) -> str:
    return "–" if metric.value is None else _with_interval(metric.value, metric.interval, language)


def _with_interval(value: float, ends: tuple[float, float] | None, language: Language) -> str:
    shown = decimal(value, 3, language)
    return shown if ends is None else f"{shown} ({decimal(ends[0], 3, language)} … {decimal(ends[1], 3, language)})"


def _turned(ends: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if ends is None else (-ends[1], -ends[0])

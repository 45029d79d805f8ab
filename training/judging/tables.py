"""What the figures of an evaluation look like when they are spread out: by probability, by rank, by time, by segment.

Each row is plain data with its number of leads and its interval; `training.report` draws them as they are. Shares of
wins carry Wilson's interval on the effective number of leads (`features.rates.rate_interval`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.errors import InternalError
from features.rates import rate_interval
from features.text import Text, same
from training.judging.bootstrap import Accounts, Resampling, interval, is_missing
from training.judging.metrics import (
    Floats,
    equal_count_bins,
    finite,
    log_losses,
    ratio,
    skill,
    squared_errors,
    weights,
)
from training.judging.ranking import weeks

FEWEST_WINS = 20  # and as many losses: below, a segment's figures say little, and are marked as thin
MOST_LABELS = 20  # of one segmentation; the smaller ones are pooled, so that a table stays readable
MISSING = ""  # the label of leads that have none
POOLED = "*"  # the label of the smaller ones together
DEPTHS = tuple(round(share / 100, 2) for share in (0, 1, 2, *range(5, 101, 5)))  # shares of the list

Pair = tuple[float, float]


def label_text(label: str) -> Text:
    """A segment's label as people read it."""
    if label == MISSING:
        return Text(en="(no value)", de="(ohne Angabe)")
    return Text(en="(smaller values together)", de="(kleinere Werte zusammen)") if label == POOLED else same(label)


@dataclass(frozen=True, slots=True)
class RateRow:
    """Leads whose mean probability is held against what was observed.

    Attributes
    ----------
    key : str
        The bin's number from 1, or the first day of the week or month (ISO).
    lowest, highest, mean_probability : float
        Of the probabilities.
    observed : float
        Share of wins, with `interval`.
    n, n_wins : int
        Leads and wins.
    """

    key: str
    lowest: float
    highest: float
    mean_probability: float
    observed: float
    interval: Pair
    n: int
    n_wins: int


@dataclass(frozen=True, slots=True)
class LiftRow:
    """The best `share` of the leads: what share of all wins they hold, and how many times more than by lot (lift)."""

    share: float
    n_leads: float
    share_of_wins: float | None
    interval: Pair | None
    lift: float | None


@dataclass(frozen=True, slots=True)
class Segment:
    """One value of one segmentation, such as source = trade fair.

    `label` is `MISSING` for leads without a value and `POOLED` for the `n_pooled` smaller values together. `thin`
    marks fewer than 20 wins or 20 losses. Skill is against the base rate of training.
    """

    segmentation: str
    label: str
    n_pooled: int
    n: int
    n_wins: int
    thin: bool
    mean_probability: float
    observed: float
    observed_interval: Pair
    log_loss: float
    log_loss_interval: Pair | None
    log_loss_skill: float | None
    log_loss_skill_interval: Pair | None
    brier: float
    brier_interval: Pair | None


def as_dict(row: Any) -> dict[str, Any]:
    """A row as JSON-able data: pairs become lists."""
    return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(row).items()}


@dataclass(frozen=True, slots=True)
class Leads:
    """Leads with known outcomes: `target` and `probability` (n_leads,), whose they are, and how intervals are made.

    `weight` (n_leads,) says how many leads each one stands for; 1 where every lead was worked.
    """

    target: Floats
    probability: Floats
    accounts: Accounts
    resampling: Resampling
    design_effect: float
    weight: Floats

    @classmethod
    def of(
        cls,
        target: Floats,
        probability: Floats,
        account: ArrayLike,
        resampling: Resampling,
        weight: Floats | None = None,
    ) -> Leads:
        """The leads, with their accounts numbered and the design effect computed."""
        accounts, w = Accounts.of(account), weights(len(target), weight)
        effect = accounts.design_effect(w * target, w * probability)
        return cls(target, probability, accounts, resampling, effect, w)

    def rate(self, inside: NDArray[np.bool_]) -> tuple[float, Pair]:
        """The share of wins that the leads `inside`, at least one, stand for, and its interval."""
        w, y = self.weight[inside], self.target[inside]
        if not len(w):
            raise InternalError("a share of wins was asked for where there are no leads")
        total, won = float(w.sum()), float((w * y).sum())
        effective = total**2 / float(w @ w)
        ends = rate_interval(won * (effective / total), effective, self.resampling.level, self.design_effect)
        if ends is None:
            raise InternalError("leads without weight reached the evaluation")
        return won / total, ends


def rates(leads: Leads, group: NDArray[np.int64], keys: Sequence[str]) -> tuple[RateRow, ...]:
    """One row for each group that holds leads; `group` is (n_leads,), and `keys` names each group."""
    rows = []
    for code in np.unique(group):
        inside = group == code
        p, y = leads.probability[inside], leads.target[inside]
        mean = float(np.average(p, weights=leads.weight[inside]))
        observed, ends = leads.rate(inside)
        rows.append(RateRow(keys[code], float(p.min()), float(p.max()), mean, observed, ends, len(y), int(y.sum())))
    return tuple(rows)


def reliability(leads: Leads, n_bins: int = 10) -> tuple[RateRow, ...]:
    """Mean probability against share of wins over equal-count bins, the same bins as the ECE's."""
    bins = equal_count_bins(leads.probability, n_bins)
    return rates(leads, bins, [str(number) for number in range(1, int(bins.max()) + 2)])


def histogram(probability: Floats, n_bins: int = 40) -> tuple[tuple[float, float, int], ...]:
    """How many leads have which probability: lower end, upper end, leads, over equal widths up to the largest."""
    top = min(1.0, max(0.05, float(np.ceil(probability.max() * 20) / 20)))
    counts, edges = np.histogram(probability, bins=n_bins, range=(0, top))
    return tuple((float(a), float(b), int(c)) for a, b, c in zip(edges[:-1], edges[1:], counts, strict=True))


def periods(leads: Leads, when: NDArray[np.datetime64], unit: Literal["week", "month"]) -> tuple[RateRow, ...]:
    """Mean probability against share of wins by week (from Monday) or by month of the as-of date."""
    if unit == "week":
        number = weeks(when)
        first_days = (np.unique(number) * 7 - 3).astype("datetime64[D]")
    else:
        number = when.astype("datetime64[M]").astype(np.int64)
        first_days = np.unique(number).astype("datetime64[M]").astype("datetime64[D]")
    group = np.searchsorted(np.unique(number), number)
    return rates(leads, group, [str(day) for day in first_days])


def lift_rows(value: Floats, draws: Floats, n_leads: int, level: float) -> tuple[LiftRow, ...]:
    """The share of wins caught by working the list from the top, at each depth of `DEPTHS`.

    `value` is (n_depths,) and `draws` (n_resamples, n_depths), both from `training.judging.ranking.share_of_wins`.
    """
    rows = []
    for column, share in enumerate(DEPTHS):
        caught = finite(value[column])
        ends = interval(draws[:, column], float(value[column]), level)
        lift = None if caught is None or share == 0 else caught / share
        rows.append(LiftRow(share, share * n_leads, caught, ends, lift))
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class Segmentation:
    """Leads by label: `code` (n_leads,) points into `labels`, the largest first, then the pooled, then the missing."""

    name: str
    labels: tuple[str, ...]
    code: NDArray[np.int64]
    n_pooled: int

    @classmethod
    def of(cls, name: str, labels: ArrayLike) -> Segmentation:
        """The segmentation of (n_leads,) labels; None and NaN count as missing."""
        values = np.array([MISSING if is_missing(v) else str(v) for v in np.asarray(labels).tolist()])
        found, counts = np.unique(values[values != MISSING], return_counts=True)
        by_size = [str(label) for label in found[np.argsort(-counts, kind="stable")]]
        kept, rest = by_size[:MOST_LABELS], by_size[MOST_LABELS:]
        shown = (*kept, *([POOLED] if rest else []), *([MISSING] if (values == MISSING).any() else []))
        place = {label: number for number, label in enumerate(shown)} | dict.fromkeys(rest, len(kept))
        code = np.array([place[value] for value in values.tolist()], dtype=np.int64)
        return cls(name=name, labels=shown, code=code, n_pooled=len(rest))

    def one_hot(self) -> Floats:
        """Membership of each lead, (n_leads, n_labels)."""
        return np.asarray(np.eye(len(self.labels))[self.code])


def segments(leads: Leads, labels: Mapping[str, ArrayLike], base_rate: float) -> tuple[Segment, ...]:
    """The figures of every value of every segmentation; thin ones are marked, none is left out."""
    rows: list[Segment] = []
    for name, values in labels.items():
        split = Segmentation.of(name, values)
        value, draws = _segment_losses(split, leads, base_rate)
        rows += [_segment(split, k, leads, value[k], draws[:, k]) for k in range(len(split.labels))]
    return tuple(rows)


def _segment_losses(split: Segmentation, leads: Leads, base_rate: float) -> tuple[Floats, Floats]:
    """Mean log loss, mean Brier score, log-loss skill: (n_labels, 3) and (n_resamples, n_labels, 3)."""
    y, p, accounts = leads.target, leads.probability, leads.accounts
    losses = (log_losses(y, p), squared_errors(y, p), log_losses(y, np.full(len(y), base_rate)))
    member = split.one_hot() * leads.weight[:, None]
    by_account = accounts.sums(np.concatenate([member, *(member * loss[:, None] for loss in losses)], axis=1))
    drawn = [weight @ by_account for weight in accounts.draws(leads.resampling)]
    sums = np.concatenate([by_account.sum(0, keepdims=True), *drawn])
    n, log_loss, brier, reference = np.split(sums, 4, axis=1)
    figures = np.stack([ratio(log_loss, n), ratio(brier, n), skill(log_loss, reference)], axis=2)
    return figures[0], figures[1:]


def _segment(split: Segmentation, column: int, leads: Leads, value: Floats, draws: Floats) -> Segment:
    inside = split.code == column
    n, n_wins = int(inside.sum()), int(leads.target[inside].sum())
    label, level = split.labels[column], leads.resampling.level
    observed, observed_interval = leads.rate(inside)
    log_loss, brier, saved = (interval(draws[:, k], float(value[k]), level) for k in range(3))
    return Segment(
        segmentation=split.name,
        label=label,
        n_pooled=split.n_pooled if label == POOLED else 0,
        n=n,
        n_wins=n_wins,
        thin=min(n_wins, n - n_wins) < FEWEST_WINS,
        mean_probability=float(np.average(leads.probability[inside], weights=leads.weight[inside])),
        observed=observed,
        observed_interval=observed_interval,
        log_loss=float(value[0]),
        log_loss_interval=log_loss,
        log_loss_skill=finite(value[2]),
        log_loss_skill_interval=saved,
        brier=float(value[1]),
        brier_interval=brier,
    )

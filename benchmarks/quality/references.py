"""Real sets by the protocol of published figures: fitted on the first 70 % by time, judged on the last 15 %.

Ours is what a training run ships, without tuning per set: trees and calibration settled on the first 70 % and the 15 %
after, then both parts fitted anew on the 85 %. Peers are given the 70 % (and Platt on the 15 %), which is how published
figures were made, and also the same 85 %, which is harder to beat.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from benchmarks.quality.contest import Judge, auc, before_refit, loss, peers_said, quick_settings, said
from benchmarks.quality.histories import REAL_SETS, MissingDataError, cut_by_shares, real
from benchmarks.report import Bar, Cell, Column, Part, Table
from training.judging.compare import Difference
from training.labels import Labelled
from training.learn import Learnt, Settings, learn
from training.recipe.sample import FloatArray
from training.splits import Split

OURS, UNREFITTED = "ours, as shipped (85 %)", "ours, before the refit (70 %)"
RATE = "always the rate of training"
COLUMNS = (
    Column("model", "model"),
    Column("log_loss", "log loss", "{:.4f}"),
    Column("auc", "AUC", "{:.3f}"),
    Column("difference", "ours minus it", "{:+.4f}"),
    Column("interval", "90 % interval", "{:+.4f}"),
)


@cache
def learnt_on(name: str, quick: bool) -> tuple[Labelled, Split, Learnt]:
    """A real set, its windows, and our model as it would be shipped for the last 15 %; learnt once per run."""
    labelled = real(name)
    cut = cut_by_shares(labelled)
    settings = quick_settings(Settings()) if quick else Settings()
    return labelled, cut, learn(labelled, cut, settings)


def references(quick: bool, tell: Callable[[str, float], None]) -> Part:
    """Every real set that is there: log loss, AUC, and the paired difference from every peer."""
    tables: list[Table] = []
    bars: list[Bar] = []
    notes: list[str] = []
    for number, name in enumerate(REAL_SETS):
        tell(REAL_SETS[name], number / len(REAL_SETS))
        try:
            table, found, behind = _one_set(name, quick)
        except MissingDataError as missing:
            notes.append(f"Not measured: {missing}.")
            continue
        tables.append(table)
        bars += found
        notes += behind
    title = "Real sets, split by time: 70 % to learn, 15 % to calibrate, 15 % to judge"
    return Part("references", title, (__doc__ or "").strip(), tables, bars, notes)


def _one_set(name: str, quick: bool) -> tuple[Table, list[Bar], list[str]]:
    labelled, cut, learnt = learnt_on(name, quick)
    judge = Judge.of(labelled, cut)
    ours = said(learnt.fit.model, labelled, cut.test)
    peers = peers_said(labelled, cut)
    others = {UNREFITTED: said(before_refit(learnt, labelled, cut), labelled, cut.test), **peers}
    others[RATE] = ours * 0 + labelled.frame["target"].to_numpy()[cut.train].mean()
    gaps = {other: judge.difference(ours, theirs) for other, theirs in others.items()}
    rows = [_row(judge, OURS, ours, None)]
    rows += [_row(judge, other, theirs, gaps[other]) for other, theirs in others.items()]
    slopes = learnt.calibration.calibrator
    about = (
        f"{REAL_SETS[name]}: {len(cut.train):,} + {len(cut.calibrate):,} + {len(cut.test):,} leads, "
        f"{int(judge.target.sum()):,} won in the last; {learnt.fitted.n_rounds} trees, slopes "
        f"{slopes.linear_slope:.2f} and {slopes.tree_slope:.2f}, shift {slopes.intercept:+.2f}"
    )
    table = Table(about, COLUMNS, rows)
    return table, _bars(REAL_SETS[name], judge, peers, gaps), _behind(REAL_SETS[name], peers, gaps)


def _row(judge: Judge, model: str, probability: FloatArray, gap: Difference | None) -> dict[str, Cell]:
    return {
        "model": model,
        "log_loss": loss(judge.target, probability),
        "auc": auc(judge.target, probability),
        "difference": gap.value if gap else None,
        "interval": gap.interval if gap else None,
    }


def _behind(title: str, peers: Mapping[str, FloatArray], gaps: Mapping[str, Difference]) -> list[str]:
    """Every peer that is ahead of ours beyond the noise, whether or not it is the best of them."""
    ahead = [name for name in peers if (interval := gaps[name].interval) is not None and interval[0] > 0]
    return [f"{title}: ours is behind {name} beyond the noise ({gaps[name].value:+.4f})." for name in ahead]


def _bars(title: str, judge: Judge, peers: Mapping[str, FloatArray], gaps: Mapping[str, Difference]) -> list[Bar]:
    """Not worse than the better reference, on the reference's rows and on ours, beyond the noise."""
    bars = []
    for rows in ("70 %", "85 %"):
        best = min((name for name in peers if rows in name), key=lambda name: loss(judge.target, peers[name]))
        gap = gaps[best]
        low, high = gap.interval or (gap.value, gap.value)
        bars.append(
            Bar(
                what=f"{title}: not worse than the better reference given {rows} ({best})",
                measured=f"{gap.value:+.4f}, {low:+.4f} to {high:+.4f}",
                limit="interval reaches 0 or below",
                met=low <= 0,
            )
        )
    return bars

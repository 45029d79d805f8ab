"""The order of events: leads come, someone decides who is worked, outcomes follow, and one day somebody exports.

The data-generating process is written down in docs/simulator.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from training.simulate.effects import Facts
from training.simulate.export import known_at_creation, truth_frame, with_outcomes
from training.simulate.feedback import Working, decide_working
from training.simulate.gaps import Gaps, draw_gaps, filled_in_by_sales, with_gaps
from training.simulate.leaks import Column, Seen, planted
from training.simulate.outcomes import Outcomes, draw_outcomes, export_minute
from training.simulate.parameters import Simulation
from training.simulate.truth import draw_facts, tell_truth

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulated history.

    Attributes
    ----------
    export : DataFrame
        What a CRM would export, one row per lead in the order of creation; times are UTC without a zone.
    truth : DataFrame
        What is true of each lead, in the same order; never to be given to a model.
    exported_at : datetime
        The end of the data: what happened at or after it is not in the export.
    parameters : Simulation
        What it was made from.
    """

    export: pd.DataFrame
    truth: pd.DataFrame
    exported_at: datetime
    parameters: Simulation


def simulate(parameters: Simulation, *, progress: Progress | None = None) -> Simulated:
    """A history of a German B2B funnel, and the truth about it; the same parameters give the same history.

    Parameters
    ----------
    parameters : Simulation
        Everything that decides the history.
    progress : callable, optional
        Told the name of each step that begins, and the share (0 to 1) done so far.

    Examples
    --------
    >>> simulated = simulate(Simulation(n_leads=1_000, seed=3))
    >>> simulated.export["data_origin"].unique().tolist()
    ['simulated']
    """
    tell = progress or _silent
    tell("leads", 0.0)
    facts = draw_facts(parameters)
    tell("truth", 0.3)
    truth = tell_truth(parameters, facts)
    tell("handover", 0.6)
    complete = known_at_creation(facts)
    gaps = draw_gaps(parameters, facts.arrivals.source)
    working = _decide(parameters, complete, gaps)
    tell("outcomes", 0.75)
    outcomes = draw_outcomes(parameters, facts, truth, working.worked)
    tell("export", 0.85)
    left = filled_in_by_sales(parameters, gaps, outcomes.won)
    export = with_outcomes(with_gaps(complete, left), facts, working, outcomes, _leaks(parameters, facts, outcomes))
    lead_id, horizon_days = complete["lead_id"], parameters.horizon_days
    true = truth_frame(lead_id, facts, truth, working, outcomes, horizon_days=horizon_days)
    tell("done", 1.0)
    exported_at: datetime = np.datetime64(export_minute(parameters), "m").astype(datetime)
    return Simulated(export, true, exported_at, parameters)


def _silent(step: str, share: float) -> None:
    """Nobody listens."""


def _decide(parameters: Simulation, complete: pd.DataFrame, gaps: Gaps) -> Working:
    return decide_working(parameters.feedback, parameters.seed, with_gaps(complete, gaps))


def _leaks(parameters: Simulation, facts: Facts, outcomes: Outcomes) -> dict[str, Column]:
    closed_after = np.where(outcomes.closed, outcomes.close_minutes, 0)
    seen = Seen(
        won=outcomes.won,
        lost=outcomes.lost,
        created_minute=facts.arrivals.created_minute,
        closed_minute=facts.arrivals.created_minute + closed_after,
        export_minute=export_minute(parameters),
        emails_opened_30d=facts.behaviour.emails_opened_30d,
    )
    return planted(parameters.leaks, parameters.seed, seen)

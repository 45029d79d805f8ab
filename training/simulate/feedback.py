"""The feedback loop: who is worked when sales only works what a score calls good."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.simulate.market import Codes, Flags, Floats
from training.simulate.randomness import stream

HANDOVER_BASES = ("all", "score", "exploration", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """Only leads with a high score are worked, and a random share of the others.

    Attributes
    ----------
    score : callable
        Takes the export's columns that are known at creation (one row per lead, gaps included) and gives one score
        per lead, shape `(n_leads,)`; only its order counts.
    worked_share : float
        Share of the leads that are worked because of their score: the best of the whole simulated time.
    exploration_share : float
        Chance of each other lead to be worked all the same; 0 closes the loop.
    """

    score: Callable[[pd.DataFrame], NDArray[np.float64]]
    worked_share: float = 0.3
    exploration_share: float = 0.05


@dataclass(frozen=True, slots=True)
class Working:
    """Who is worked and why.

    Attributes
    ----------
    basis : int array
        Positions in `HANDOVER_BASES`.
    given_score : float array
        Missing without a loop.
    exploration_share : float
        The chance to be worked of whoever is not worked anyway.
    """

    basis: Codes
    given_score: Floats
    exploration_share: float

    @property
    def worked(self) -> Flags:
        """Which leads sales works, shape `(n_leads,)`."""
        return np.asarray(self.basis != HANDOVER_BASES.index("none"), dtype=np.bool_)

    @property
    def chance(self) -> Floats:
        """The chance with which each worked lead came to be worked, shape `(n_leads,)`; missing for all others."""
        explored = self.basis == HANDOVER_BASES.index("exploration")
        return np.where(self.worked, np.where(explored, self.exploration_share, 1.0), np.nan)


def decide_working(feedback: Feedback | None, seed: int, known_at_creation: pd.DataFrame) -> Working:
    """Who is worked; without a loop everyone.

    Raises
    ------
    ValueError
        If the score is not one finite number per lead.
    """
    n_leads = len(known_at_creation)
    if feedback is None:
        return Working(np.zeros(n_leads, dtype=np.int16), np.full(n_leads, np.nan), 0.0)
    score = np.asarray(feedback.score(known_at_creation), dtype=np.float64)
    if score.shape != (n_leads,) or not np.isfinite(score).all():
        raise ValueError(f"score must give {n_leads} finite numbers, got shape {score.shape}")
    explored = stream(seed, "exploration").random(n_leads) < feedback.exploration_share
    basis = np.where(explored, HANDOVER_BASES.index("exploration"), HANDOVER_BASES.index("none"))
    basis[_best(score, feedback.worked_share)] = HANDOVER_BASES.index("score")
    return Working(basis.astype(np.int16), score, feedback.exploration_share)


def _best(score: Floats, share: float) -> NDArray[np.int64]:
    # A stable order: of equal scores the earlier leads are worked, so that exactly the share is.
    order = np.argsort(-score, kind="stable")
    return order[: round(share * score.size)]

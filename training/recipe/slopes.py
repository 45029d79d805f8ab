"""A logistic regression on very few columns whose slopes are at or above 0 and drawn towards 1.

An unbounded Newton fit diverges on over-confident margins: the curvature there is almost 0, so the step is almost
endless. This one starts at slope 1, takes bounded steps and halves every step that does not lower the loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from features.errors import InternalError
from features.model.calibrator import probabilities_of
from training.recipe.sample import FloatArray

BoolArray: TypeAlias = NDArray[np.bool_]

MAX_STEPS = 200
MAX_STEP = 2.0  # per parameter; what needs more gets there in several steps
MAX_HALVINGS = 40
GRADIENT_TOLERANCE = 1e-10  # per unit of weight
DAMPING = 1e-10  # per unit of weight; only felt where every probability is saturated


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """Weighted log loss of `columns @ parameters` plus `ridge / 2` times the squared distance of slopes from 1."""

    columns: FloatArray
    target: FloatArray
    weights: FloatArray
    ridge: FloatArray

    def loss(self, parameters: FloatArray) -> float:
        margins = self.columns @ parameters
        log_loss = self.weights @ (np.logaddexp(0, margins) - self.target * margins)
        return float(log_loss + self.ridge @ (parameters - 1) ** 2 / 2)

    def gradient(self, parameters: FloatArray) -> FloatArray:
        rate = probabilities_of(self.columns @ parameters)
        return self.columns.T @ (self.weights * (rate - self.target)) + self.ridge * (parameters - 1)

    def curvature(self, parameters: FloatArray) -> FloatArray:
        rate = probabilities_of(self.columns @ parameters)
        return (self.columns.T * (self.weights * rate * (1 - rate))) @ self.columns + np.diag(self.ridge)


def fit_slopes(
    inputs: FloatArray, target: FloatArray, weights: FloatArray, ridge: float
) -> tuple[FloatArray, FloatArray]:
    """Slopes at or above 0 and the intercept, shape (k + 1,), and their covariance, shape (k + 1, k + 1).

    Minimises the weighted log loss plus `ridge / 2` times the squared distance of the slopes from 1. The problem
    is convex: if the free fit keeps the bounds it is the answer, otherwise the best fit with some slopes at 0.

    Parameters
    ----------
    inputs : ndarray of float, shape (n_leads, k)
        Margins in log-odds of the k parts, k small.
    target, weights : ndarray of float, shape (n_leads,)
        Wins as 1, others as 0 (both must occur with weight above 0), and non-negative weights.
    ridge : float
        Above 0, so that separable data has a finite answer.

    Returns
    -------
    parameters, covariance : ndarray of float
        The covariance is the inverse of the penalised curvature; a slope that stands at 0 has variance 0.
    """
    n_slopes = inputs.shape[1]
    problem = _Problem(
        np.column_stack([inputs, np.ones(len(inputs))]), target, weights, np.append(np.full(n_slopes, ridge), 0.0)
    )
    for n_zero in range(n_slopes + 1):
        fits = [_fit(problem, _all_but(zero, n_slopes)) for zero in combinations(range(n_slopes), n_zero)]
        within = [fit for fit in fits if (fit[0][:n_slopes] >= 0).all()]
        if within:
            return min(within, key=lambda fit: problem.loss(fit[0]))
    raise InternalError("a fit with every slope at 0 is always within the bounds")


def _all_but(zero: tuple[int, ...], n_slopes: int) -> BoolArray:
    free = np.ones(n_slopes + 1, dtype=np.bool_)
    free[list(zero)] = False
    return free


def _fit(problem: _Problem, free: BoolArray) -> tuple[FloatArray, FloatArray]:
    parameters = (free & (problem.ridge > 0)).astype(np.float64)
    total = float(problem.weights.sum())
    for _ in range(MAX_STEPS):
        gradient = problem.gradient(parameters)[free]
        if np.abs(gradient).max() <= GRADIENT_TOLERANCE * total:
            break
        step = np.zeros_like(parameters)
        step[free] = -_inverse(problem, parameters, free) @ gradient
        shortened = _shortened(problem, parameters, step / max(1.0, np.abs(step).max() / MAX_STEP))
        if shortened is None:
            break
        parameters = shortened
    covariance = np.zeros((free.size, free.size))
    covariance[np.ix_(free, free)] = _inverse(problem, parameters, free)
    return parameters, covariance


def _inverse(problem: _Problem, parameters: FloatArray, free: BoolArray) -> FloatArray:
    damping = DAMPING * float(problem.weights.sum()) * np.eye(int(free.sum()))
    return np.asarray(np.linalg.inv(problem.curvature(parameters)[np.ix_(free, free)] + damping))


def _shortened(problem: _Problem, parameters: FloatArray, step: FloatArray) -> FloatArray | None:
    """The point after the longest of step, step / 2, step / 4 ... that lowers the loss; None at the minimum."""
    before = problem.loss(parameters)
    for halving in range(MAX_HALVINGS):
        candidate: FloatArray = parameters + step / 2.0**halving
        if problem.loss(candidate) < before:
            return candidate
    return None

"""Simulated histories that several tests look at; each is made once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from training.simulate import LEAKS, NO_DRIFT, Simulated, Simulation, simulate


@pytest.fixture(scope="session")
def small() -> Simulated:
    return simulate(Simulation(n_leads=1_000, seed=7))


@pytest.fixture(scope="session")
def clean() -> Simulated:
    """No drift, no leak, no gap that tells anything."""
    return simulate(Simulation(n_leads=20_000, seed=11, drift=NO_DRIFT))


@pytest.fixture(scope="session")
def large() -> Simulated:
    return simulate(Simulation(n_leads=100_000, seed=5))


@pytest.fixture(scope="session")
def leaking(clean: Simulated) -> Simulated:
    return simulate(replace(clean.parameters, leaks=LEAKS))

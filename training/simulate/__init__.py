"""A German B2B funnel with known truth: what a CRM would export, and apart from it what is true of each lead.

Read `parameters` for what can be set, `funnel` for the order of events, `truth` for the probabilities.
"""

from training.simulate.feedback import Feedback
from training.simulate.files import MARKER_NAME, Format, Written, write
from training.simulate.funnel import Simulated, simulate
from training.simulate.leaks import LEAKS
from training.simulate.parameters import NO_DRIFT, Drift, Simulation

__all__ = [
    "LEAKS",
    "MARKER_NAME",
    "NO_DRIFT",
    "Drift",
    "Feedback",
    "Format",
    "Simulated",
    "Simulation",
    "Written",
    "simulate",
    "write",
]

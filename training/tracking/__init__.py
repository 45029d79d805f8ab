"""MLflow as training sees it, and the only place in training that imports it.

    runs.py          Tracking and Run: what a training run leaves behind
    registry.py      Registry: versions, aliases, and the record of promotions
    packaging.py     a bundle as an MLflow model: signature, example, requirements, code
    lead_scorer.py   the code that MLflow runs to score with a bundle; it travels with the model

Importing this takes some two seconds, so the command line does it inside the commands that need it.
"""

import os

# MLflow reads this when it is imported. What a company trains on, and how often, is nobody else's business.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

from training.tracking.registry import Registry, Version
from training.tracking.runs import Run, Tracking

__all__ = ["Registry", "Run", "Tracking", "Version"]

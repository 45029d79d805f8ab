"""The usual tutorial app: a frame for each request, the model's own predict, and `shap.TreeExplainer` for the reasons.

The same trees as ours, without the linear part: what the tutorials deploy. It stores nothing.
"""

import os
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
import shap
from fastapi import FastAPI
from pydantic import BaseModel

booster = lgb.Booster(model_file=os.environ["TUTORIAL_MODEL"])
explainer = shap.TreeExplainer(booster)
NAMES = booster.feature_name()
app = FastAPI()


class Lead(BaseModel):
    lead_id: str
    features: dict[str, float | None]


@app.post("/v1/score")
def score(lead: Lead) -> dict[str, Any]:
    frame = pd.DataFrame([{name: lead.features.get(name) for name in NAMES}], dtype=float)
    probability = float(np.asarray(booster.predict(frame))[0])
    values = explainer.shap_values(frame)
    return {
        "lead_id": lead.lead_id,
        "probability": probability,
        "contributions": dict(zip(NAMES, np.ravel(values).tolist(), strict=True)),
    }


@app.get("/ready")
def ready() -> dict[str, str]:
    return {}

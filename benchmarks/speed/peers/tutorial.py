"""The usual tutorial app: a frame for each request, the model's own predict, and `shap.TreeExplainer` for the reasons.

It stores nothing. Its model is what register.py has written.
"""

import os
from typing import Any

import joblib
import numpy as np
import pandas as pd
import shap
from fastapi import FastAPI
from pydantic import BaseModel

model, levels = joblib.load(os.environ["TUTORIAL_MODEL"])
explainer = shap.TreeExplainer(model)
NAMES = model.feature_name_
app = FastAPI()


class Lead(BaseModel):
    lead_id: str
    account_id: str | None = None
    as_of: str | None = None
    fields: dict[str, float | str | None]


@app.post("/v1/score")
def score(lead: Lead) -> dict[str, Any]:
    frame = pd.DataFrame([{name: lead.fields.get(name) for name in NAMES}])
    for name in NAMES:
        frame[name] = (
            pd.Categorical(frame[name], categories=levels[name]) if name in levels else frame[name].astype(float)
        )
    probability = float(model.predict_proba(frame)[0, 1])
    values = explainer.shap_values(frame)
    return {
        "lead_id": lead.lead_id,
        "probability": probability,
        "contributions": dict(zip(NAMES, np.ravel(values).tolist(), strict=True)),
    }


@app.get("/ready")
def ready() -> dict[str, str]:
    return {}

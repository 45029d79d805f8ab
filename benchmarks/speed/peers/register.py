"""The model as a tutorial makes it: LightGBM on a frame with category columns, `python register.py HISTORY FOLDER`.

Of the same size as ours and from the same history. It is written twice: as the MLflow model that `mlflow models serve`
serves, which gets leads as they are and casts their categories, and as a file for the tutorial app.
"""

import sys
from pathlib import Path
from typing import Any

import joblib
import mlflow.pyfunc
import pandas as pd
from lightgbm import LGBMClassifier


class Scorer(mlflow.pyfunc.PythonModel):
    """Gives the probability."""

    def load_context(self, context: Any) -> None:
        self.model, self.levels = joblib.load(context.artifacts["model"])

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:  # noqa: ARG002
        return self.model.predict_proba(cast(model_input, self.levels))[:, 1]


def cast(frame: pd.DataFrame, levels: dict[str, list[str]]) -> pd.DataFrame:
    """The frame as it was in training: category columns with the levels that they had, numbers as such."""
    columns = {
        name: pd.Categorical(frame[name], categories=levels[name]) if name in levels else frame[name].astype(float)
        for name in frame.columns
    }
    return pd.DataFrame(columns, index=frame.index)


def main(history: str, folder: str) -> None:
    leads = pd.read_parquet(history)
    won = leads.pop("won")
    levels = {
        name: sorted(leads[name].dropna().unique()) for name in leads.columns if leads[name].dtype.kind not in "fi"
    }
    model = LGBMClassifier(n_estimators=300, num_leaves=31, random_state=0, n_jobs=1, verbose=-1)
    model.fit(cast(leads, levels), won)
    place = Path(folder)
    joblib.dump((model, levels), place / "tutorial.joblib")
    mlflow.pyfunc.save_model(
        str(place / "mlflow"), python_model=Scorer(), artifacts={"model": str(place / "tutorial.joblib")}
    )


if __name__ == "__main__":
    main(*sys.argv[1:])

"""XGBoost and CatBoost with their defaults, in an environment of their own; imports nothing of ours.

    python outside.py QUESTION.npz ANSWER.npz THREADS

The question holds `known` and `asked`, (n_leads, n_fields) floats with categories as codes, `target`, (n_leads,), and
`categories`, the positions of category columns. The answer holds each library's probabilities of the leads asked.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np


def xgboost_said(question: dict[str, Any], n_threads: int) -> np.ndarray:
    """XGBoost with the defaults of its classifier, native categories; that class itself needs scikit-learn."""
    import xgboost  # type: ignore[import-not-found, unused-ignore]

    types = ["q"] * question["known"].shape[1]
    for column in question["categories"]:
        types[column] = "c"
    options = {"feature_types": types, "enable_categorical": True, "nthread": n_threads}
    known = xgboost.DMatrix(question["known"], label=question["target"], **options)
    model = xgboost.train({"objective": "binary:logistic", "nthread": n_threads}, known, num_boost_round=100)
    return np.asarray(model.predict(xgboost.DMatrix(question["asked"], **options)), dtype=np.float64)


def catboost_said(question: dict[str, Any], n_threads: int) -> np.ndarray:
    """CatBoost's classifier, native categories."""
    import catboost  # type: ignore[import-not-found, unused-ignore]

    known, asked = (_with_categories(question[name], question["categories"]) for name in ("known", "asked"))
    model = catboost.CatBoostClassifier(
        cat_features=question["categories"].tolist(), thread_count=n_threads, verbose=False, allow_writing_files=False
    )
    model.fit(known, question["target"])
    return np.asarray(model.predict_proba(asked)[:, 1], dtype=np.float64)


def _with_categories(matrix: np.ndarray, categories: np.ndarray) -> Any:
    """A frame whose category columns are whole numbers, as CatBoost demands."""
    import pandas

    frame = pandas.DataFrame(matrix)
    return frame.astype({int(column): np.int64 for column in categories})


def main() -> None:
    """Answers the question that the command line names."""
    asked, answered, n_threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with np.load(asked) as file:
        question = {name: file[name] for name in file.files}
    np.savez(answered, xgboost=xgboost_said(question, n_threads), catboost=catboost_said(question, n_threads))


if __name__ == "__main__":
    main()

"""Writes the trees as the MLflow model that `mlflow models serve` serves: `python register.py MODEL.txt FOLDER`."""

import sys

import lightgbm as lgb
import mlflow.lightgbm

model, folder = sys.argv[1:]
mlflow.lightgbm.save_model(lgb.Booster(model_file=model), folder)

-- Run once by the database's image when its volume is empty: MLflow keeps its runs beside the service's leads.
CREATE DATABASE mlflow OWNER lead;

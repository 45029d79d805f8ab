"""The way to MLflow: a client that is silent, and one class of error for whatever MLflow, its database or files do."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from requests.exceptions import RequestException

from features.errors import OutsideError
from features.text import Text


@contextmanager
def outside(doing: str) -> Iterator[None]:
    """Raise `OutsideError` for whatever fails in MLflow within the block.

    Raises
    ------
    OutsideError
        "MLflow failed while {doing}".
    """
    try:
        yield
    except (MlflowException, RequestException, OSError) as error:
        words = Text(f"MLflow failed while {doing}: {error}", f"MLflow ist gescheitert: {error}")
        raise OutsideError(words) from error


def client_of(uri: str) -> MlflowClient:
    """A client for runs and registry at `uri`; a database is opened, and migrated, at once.

    MLflow and alembic tell of every migration and every version; only what is wrong is of interest here.
    """
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return MlflowClient(tracking_uri=uri, registry_uri=uri)

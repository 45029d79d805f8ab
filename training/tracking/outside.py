"""What MLflow, its database or its files do wrong becomes one class of ours, with what we were about to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mlflow.exceptions import MlflowException
from requests.exceptions import RequestException

from features.errors import OutsideError


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
        raise OutsideError(f"MLflow failed while {doing}: {error}") from error

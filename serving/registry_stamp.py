"""Whether a registry may name another bundle by now, asked without MLflow: importing that takes seconds of processor.

A stamp is a text that changes whenever the bundle that is meant could have changed. Where only MLflow can tell, there
is none, and MLflow is asked each time.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

from features.errors import OutsideError
from features.model.bundle import bundle_id_of
from features.text import Text
from serving.bundles import REGISTRY, model_uri

ALIAS = "/api/2.0/mlflow/registered-models/alias"
TIMEOUT_S = 10
SQLITE_FILES = ("", "-wal")


def stamp_of(source: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """The stamp of a directory, or of `models:/NAME@ALIAS` or `models:/NAME/VERSION`; None if only MLflow can tell.

    Parameters
    ----------
    environment : mapping
        Says where the registry is, and who asks, in MLflow's own variables.

    Raises
    ------
    BundleError
        If the directory holds no bundle.
    OutsideError
        If the registry does not answer.
    """
    if not source.startswith(REGISTRY):
        return bundle_id_of(Path(source))
    match = model_uri(source)
    uri = environment.get("MLFLOW_REGISTRY_URI") or environment.get("MLFLOW_TRACKING_URI") or ""
    if match is None or match["version"]:
        return source  # a version is never another one
    if uri.startswith("sqlite:///"):
        return _file_stamp(uri.removeprefix("sqlite:///"))
    if uri.startswith(("http://", "https://")):
        return _server_stamp(uri, match["name"], match["alias"], environment)
    return None


def _file_stamp(path: str) -> str:
    """Of a SQLite file and its log: every change of the registry changes one of them."""
    stats = []
    for ending in SQLITE_FILES:
        try:
            stat = os.stat(path + ending)
        except FileNotFoundError:
            continue
        except OSError as error:
            words = Text(
                f"the registry's file cannot be looked at: {error.strerror}",
                f"die Datei der Registry lässt sich nicht ansehen: {error.strerror}",
            )
            raise OutsideError(words) from error
        stats.append(f"{ending} {stat.st_mtime_ns} {stat.st_size} {stat.st_ino}")
    return " ".join(stats)


def _server_stamp(uri: str, name: str, alias: str, environment: Mapping[str, str]) -> str:
    """Of the version that the alias names, as the registry's own API tells it."""
    address = f"{uri.rstrip('/')}{ALIAS}?name={quote(name, safe='')}&alias={quote(alias, safe='')}"
    request = urllib.request.Request(address, headers=_authorization(environment))
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            version = json.load(response)["model_version"]
        known = json.dumps([version["version"], version.get("creation_timestamp"), version.get("tags")])
    except (OSError, ValueError, KeyError, TypeError) as error:
        server = urlsplit(uri).hostname
        words = Text(
            f"the registry at {server} did not tell {name}@{alias}: {type(error).__name__}",
            f"die Registry auf {server} nannte {name}@{alias} nicht: {type(error).__name__}",
        )
        raise OutsideError(words) from error
    return hashlib.sha256(known.encode()).hexdigest()


def _authorization(environment: Mapping[str, str]) -> dict[str, str]:
    if token := environment.get("MLFLOW_TRACKING_TOKEN"):
        return {"Authorization": f"Bearer {token}"}
    user, password = environment.get("MLFLOW_TRACKING_USERNAME"), environment.get("MLFLOW_TRACKING_PASSWORD")
    if not (user and password):
        return {}
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}

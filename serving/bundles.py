"""Where the bundle comes from: a directory, or a version or alias in an MLflow registry.

A registry is asked by a child process that ends when the files are here: MLflow needs more memory than the whole
service may. So the service runs without MLflow installed as long as the bundle is a directory.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from features.errors import BundleError, OutsideError
from features.model.bundle import MANIFEST

REGISTRY = "models:/"
RECORD = "--record"
FETCH_TIMEOUT_S = 300
PROMOTIONS = ".promotions"  # what training appends to a model's name for the record of who made what champion
MOST_VERSIONS = 25
PAGE = 1000
BUNDLE_ID = "bundle_id"  # the tag in which training says which bundle a version is
model_uri = re.compile(
    r"models:/(?P<name>(?!\.\.?[/@])[^/@]+)(@(?P<alias>[A-Za-z0-9_-]+)|/(?P<version>[0-9]+))"
).fullmatch


@dataclass(frozen=True, slots=True)
class Found:
    """A bundle's directory, and what the registry says of it; empty where it says nothing, or there is none."""

    place: Path
    name: str = ""
    version: str = ""
    bundle_id: str = ""


def find_bundle(source: str, cache: Path) -> Found:
    """The directory of the bundle that `source` names.

    Parameters
    ----------
    source : str
        A directory, `models:/NAME@ALIAS` or `models:/NAME/VERSION`.
    cache : Path
        Where bundles from a registry are kept; a bundle that is there already is not fetched again.

    Raises
    ------
    BundleError
        If `source` has another form, or the model holds no bundle.
    OutsideError
        If the registry does not answer, does not know the model, or MLflow is not installed.
    """
    if not source.startswith(REGISTRY):
        return Found(Path(source))
    if not model_uri(source):
        raise BundleError(f"{source!r} names no model: expected models:/NAME@ALIAS or models:/NAME/VERSION.")
    answer = ask_registry(source, str(cache), what=f"fetching {source}")
    return Found(Path(answer.pop("place")), **answer)


def ask_registry(asked: str, given: str, *, what: str) -> dict[str, Any]:
    """The answer of a child process that asks the registry by MLflow; blocks.

    Raises
    ------
    OutsideError
        If it fails, or takes too long.
    """
    command = [sys.executable, "-m", "serving.bundles", asked, given]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OutsideError(f"{what} failed: {type(error).__name__}") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise OutsideError(f"{what} failed: {last}")
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def fetch(source: str, cache: Path) -> Found:
    """The bundle of a registered model, downloaded to `cache` whole or not at all; needs MLflow.

    Raises
    ------
    BundleError
        If the model does not hold exactly one bundle.
    """
    from mlflow import MlflowClient
    from mlflow.artifacts import download_artifacts

    match = model_uri(source)
    if match is None:
        raise BundleError(f"{source!r} names no model.")
    client, name = MlflowClient(), match["name"]
    version = match["version"] or str(client.get_model_version_by_alias(name, match["alias"]).version)
    registered = client.get_model_version(name, version)
    place = cache / name / _key(registered)
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as draft:
            whole = Path(download_artifacts(artifact_uri=f"models:/{name}/{version}", dst_path=draft))
            _move(_only_bundle(whole), place)
    return Found(place, name, version, registered.tags.get(BUNDLE_ID, ""))


def record_of(name: str) -> dict[str, Any]:
    """What a registry knows of a model as plain data: its newest versions with tags and metrics, and its promotions.

    Needs MLflow. `serving.registry` reads what this gives.
    """
    from mlflow import MlflowClient

    client = MlflowClient()
    aliases = client.get_registered_model(name).aliases
    newest = sorted(_versions_of(client, name), key=lambda each: -int(each.version))[:MOST_VERSIONS]
    versions = [
        {
            "number": int(each.version),
            "created_at_ms": each.creation_timestamp,
            "aliases": sorted(alias for alias, number in aliases.items() if int(number) == int(each.version)),
            "tags": dict(each.tags),
            "metrics": dict(client.get_run(each.run_id).data.metrics) if each.run_id else {},
        }
        for each in newest
    ]
    entries = [{"position": int(each.version), **each.tags} for each in _versions_of(client, name + PROMOTIONS)]
    return {"versions": versions, "promotions": sorted(entries, key=lambda entry: int(entry["position"]))}


def _versions_of(client: Any, name: str) -> list[Any]:
    found, token = [], None
    while True:
        page = client.search_model_versions(f"name='{name}'", max_results=PAGE, page_token=token)
        found += page
        token = page.token
        if not token:
            return found


def _key(registered: Any) -> str:
    """The name of a version's bundle in the cache: version 1 of another registry, or of a later one, is another."""
    source = f"{registered.source} {registered.creation_timestamp}"
    return hashlib.sha256(registered.tags.get(BUNDLE_ID, source).encode()).hexdigest()


def _only_bundle(model: Path) -> Path:
    bundles = [manifest.parent for manifest in model.rglob(MANIFEST)]
    if len(bundles) != 1:
        raise BundleError(f"the model holds {len(bundles)} bundles, expected one")
    return bundles[0]


def _move(bundle: Path, place: Path) -> None:
    """Move a downloaded bundle to its place; another process may have been there first with the same bundle."""
    try:
        bundle.rename(place)
    except OSError:
        if not place.exists():
            raise
        shutil.rmtree(bundle)


def _main(asked: str, given: str) -> int:
    """`SOURCE CACHE` fetches a bundle, `--record NAME` tells what the registry knows; either gives a line of JSON."""
    try:
        answer = record_of(given) if asked == RECORD else _fetched(asked, Path(given))
    except ImportError:
        print("MLflow is not installed here; install it, or name a bundle's directory", file=sys.stderr)
        return 1
    except Exception as error:  # whatever MLflow raises: this process exists to turn it into one line
        # The last line of the traceback is all that the parent passes on.
        print(f"{type(error).__name__}: {error}".splitlines()[0], file=sys.stderr)
        return 1
    print(json.dumps(answer))
    return 0


def _fetched(source: str, cache: Path) -> dict[str, Any]:
    found = fetch(source, cache)
    return {**asdict(found), "place": str(found.place)}


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))

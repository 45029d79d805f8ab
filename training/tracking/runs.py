"""A training run in MLflow: parameters, metrics, figures and the bundle; it ends well, or nothing came of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Param, RunTag
from mlflow.exceptions import MlflowException

from features.errors import InternalError, OutsideError
from features.model.bundle import open_bundle
from features.text import Text
from training.tracking.outside import client_of, outside
from training.tracking.packaging import log_bundle
from training.tracking.registry import Registry

PARAMS_PER_CALL = 100  # MLflow refuses more


class Tracking:
    """One experiment and one registered model under an MLflow URI. Opens nothing until a run begins.

    MLflow keeps its address in a global variable, so a process tracks to one URI at a time: that of the last run.

    Parameters
    ----------
    uri : str
        `sqlite:///.state/mlflow.db`, another database, or the address of an MLflow server.
    artifacts : Path, optional
        Where files go if the experiment is created here. None leaves it to the server.

    Examples
    --------
    >>> tracking = Tracking("sqlite:///.state/mlflow.db", "lead-quality", "lead-quality")
    >>> tracking.registry.record_name
    'lead-quality.promotions'
    """

    def __init__(self, uri: str, experiment: str, model_name: str, *, artifacts: Path | None = None) -> None:
        self.uri = uri
        self.experiment = experiment
        self.artifacts = artifacts
        self.registry = Registry(uri, model_name)

    def prepare(self) -> None:
        """Make the database and the experiment where they are missing; some five seconds for a new database.

        Raises
        ------
        OutsideError
            If MLflow cannot be reached or the experiment has been deleted.
        """
        self._experiment_id  # noqa: B018 asking for it makes it

    @contextmanager
    def run(self, name: str, tags: Mapping[str, str] | None = None) -> Iterator[Run]:
        """A run that ends as FINISHED, or as FAILED (KILLED on Ctrl-C) and then leaves no version behind.

        Raises
        ------
        OutsideError
            If MLflow cannot be reached.
        """
        with outside("starting a run"):
            mlflow.set_tracking_uri(self.uri)
            mlflow.set_registry_uri(self.uri)
            started = mlflow.start_run(experiment_id=self._experiment_id, run_name=name, tags=dict(tags or {}))
        run = Run(started.info.run_id, self._client, self.registry)
        try:
            yield run
        except BaseException as error:
            run.give_up("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED", error)
            raise
        with outside("ending the run"):
            mlflow.end_run("FINISHED")

    @cached_property
    def _client(self) -> MlflowClient:
        return client_of(self.uri)

    @cached_property
    def _experiment_id(self) -> str:
        with outside(f"opening the experiment {self.experiment!r}"):
            found = self._client.get_experiment_by_name(self.experiment) or self._new_experiment()
        if found.lifecycle_stage != "active":
            raise OutsideError(
                Text(
                    f"The MLflow experiment {self.experiment!r} has been deleted; restore or rename it.",
                    f"Das MLflow-Experiment {self.experiment!r} wurde gelöscht: wiederherstellen oder umbenennen.",
                )
            )
        return str(found.experiment_id)

    def _new_experiment(self) -> mlflow.entities.Experiment:
        location = None if self.artifacts is None else self.artifacts.resolve().as_uri()
        try:
            return self._client.get_experiment(self._client.create_experiment(self.experiment, location))
        except MlflowException:
            found = self._client.get_experiment_by_name(self.experiment)
            if found is None:
                raise
            return found  # somebody else was faster


class Run:
    """A run that is under way; made by `Tracking.run`."""

    def __init__(self, run_id: str, client: MlflowClient, registry: Registry) -> None:
        self.run_id = run_id
        self._client = client
        self._registry = registry
        self._version: int | None = None

    def params(self, values: Mapping[str, object]) -> None:
        """Log what the run was told."""
        params = [Param(key, str(value)) for key, value in values.items()]
        with outside("logging parameters"):
            for start in range(0, len(params), PARAMS_PER_CALL):
                self._client.log_batch(self.run_id, params=params[start : start + PARAMS_PER_CALL])

    def metrics(self, values: Mapping[str, float]) -> None:
        """Log what was measured."""
        with outside("logging metrics"):
            mlflow.log_metrics({key: float(value) for key, value in values.items()}, run_id=self.run_id)

    def tags(self, values: Mapping[str, str]) -> None:
        """Log what the run is to be found by."""
        with outside("logging tags"):
            self._client.log_batch(self.run_id, tags=[RunTag(key, value) for key, value in values.items()])

    def text(self, name: str, content: str) -> None:
        """Log a text file, such as a model card; `name` may hold folders."""
        with outside(f"logging {name}"):
            self._client.log_text(self.run_id, content, name)

    def figure(self, name: str, content: str | bytes) -> None:
        """Log a figure under `figures/`: SVG as text, PNG as bytes."""
        if isinstance(content, str):
            self.text(f"figures/{name}", content)
            return
        with outside(f"logging {name}"), tempfile.TemporaryDirectory() as folder:
            (Path(folder) / name).write_bytes(content)
            self._client.log_artifact(self.run_id, str(Path(folder) / name), "figures")

    def bundle(self, place: Path) -> int:
        """The number of the version that the bundle in the directory `place` was registered as.

        Should be the last thing that a run does: if it fails afterwards, the version is deleted again.

        Raises
        ------
        BundleError
            If it is not a bundle that this machine can open.
        """
        if self._version is not None:
            raise InternalError("A run registers one bundle.")
        bundle = open_bundle(place)
        with outside("logging the bundle"):
            logged = log_bundle(place)
        tags = {
            "bundle_id": bundle.bundle_id,
            "definition": bundle.definition.name,
            "fingerprint": bundle.definition.fingerprint,
            "simulated": str(bundle.manifest.simulated).lower(),
            "validated_on_later_leads": str(bundle.manifest.validated_on_later_leads).lower(),
        }
        self._version = self._registry.register(logged.model_uri, logged.model_id, self.run_id, tags)
        return self._version

    def give_up(self, status: str, error: BaseException) -> None:
        """End as failed or killed, and take back what was registered; a failure to do so is noted on `error`."""
        try:
            if self._version is not None:
                self._registry.delete(self._version)
            with outside("ending the run"):
                mlflow.end_run(status)
        except OutsideError as second:
            error.add_note(f"While giving up the run {self.run_id}: {second}")

"""The registered versions of the model: what each is, which is champion, and the record of promotions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, RESOURCE_DOES_NOT_EXIST, ErrorCode

from features.errors import NotReadyError
from features.text import Text
from training.judging.gates import Decision
from training.promotions import Promotion
from training.tracking.outside import client_of, outside
from training.tracking.packaging import BUNDLE_IN_MODEL

CHAMPION, CHALLENGER = "champion", "challenger"
RECORD_SUFFIX = ".promotions"
PAGE = 1000


@dataclass(frozen=True, slots=True)
class Version:
    """One registered version.

    Attributes
    ----------
    finished : bool
        Whether its run ended well. One that was killed while it registered is not to be promoted.
    verdict : str
        What the gate said when it was trained: "passed", "refused", or "" if it was not asked.
    """

    number: int
    bundle_id: str
    created: datetime
    metrics: Mapping[str, float]
    aliases: tuple[str, ...]
    verdict: str
    run_id: str
    finished: bool
    tags: Mapping[str, str]


class Registry:
    """The versions of one model under one MLflow URI. Opens nothing until it is asked something."""

    def __init__(self, uri: str, model_name: str) -> None:
        self.uri = uri
        self.model_name = model_name
        self.record_name = model_name + RECORD_SUFFIX

    def versions(self) -> tuple[Version, ...]:
        """All versions, newest first."""
        with outside("listing the versions"):
            aliases = self._aliases()
            found = [self._version(each, aliases) for each in self._pages(self.model_name)]
        return tuple(sorted(found, key=lambda version: -version.number))

    def version(self, number: int) -> Version:
        """One version.

        Raises
        ------
        NotReadyError
            If there is none with this number.
        """
        with outside(f"reading version {number}"):
            found = _or_none(lambda: self._client.get_model_version(self.model_name, str(number)))
            if found is None:
                raise NotReadyError(
                    Text(
                        f"The model {self.model_name!r} has no version {number}.",
                        f"Das Modell {self.model_name!r} hat keine Version {number}.",
                    )
                )
            return self._version(found, self._aliases())

    def alias(self, name: str) -> int | None:
        """The version that an alias points to."""
        with outside(f"reading the alias {name}"):
            return self._aliases().get(name)

    def champion(self) -> int | None:
        """The version in use, as the alias says: it is what serving follows."""
        return self.alias(CHAMPION)

    def set_alias(self, name: str, version: int) -> None:
        """Point an alias at a version. The champion's is moved by `training.promote` alone."""
        with outside(f"pointing {name} at version {version}"):
            _again_if_refused(lambda: self._client.set_registered_model_alias(self.model_name, name, str(version)))

    def drop_alias(self, name: str) -> None:
        """Forget an alias; nothing happens where there is none."""
        with outside(f"dropping the alias {name}"):
            self._client.delete_registered_model_alias(self.model_name, name)

    def tag(self, version: int, tags: Mapping[str, str]) -> None:
        """Write tags on a version."""
        with outside(f"tagging version {version}"):
            self._tag(self.model_name, version, tags)

    def record_verdict(self, version: int, decision: Decision, champion: int | None) -> None:
        """Write on the version what the gate said of it, and which champion it was compared with."""
        verdict = "passed" if decision.passed else "refused"
        self.tag(
            version,
            {
                "gate.verdict": verdict,
                "gate.summary": decision.summary().en,
                "gate.decision": json.dumps(decision.to_dict(), ensure_ascii=False),
                "gate.champion": "" if champion is None else str(champion),
            },
        )

    def verdict(self, version: int) -> tuple[Decision, int | None]:
        """What the gate said of a version, and which champion it was compared with.

        Raises
        ------
        NotReadyError
            If the version does not exist, or the gate was never asked about it.
        """
        tags = self.version(version).tags
        if "gate.decision" not in tags:
            raise NotReadyError(
                Text(
                    f"The gate was never asked about version {version} of {self.model_name!r}.",
                    f"Version {version} von {self.model_name!r} wurde nie geprüft.",
                )
            )
        champion = int(tags["gate.champion"]) if tags["gate.champion"] else None
        return Decision.from_dict(json.loads(tags["gate.decision"])), champion

    def download(self, which: int | str, to: Path | None = None) -> Path:
        """The bundle directory of a version or an alias; in `to`, or wherever MLflow keeps it. Not to be written to.

        Raises
        ------
        NotReadyError
            If there is no such version or alias.
        """
        number = self.alias(which) if isinstance(which, str) else self.version(which).number
        if number is None:
            raise NotReadyError(
                Text(
                    f"The model {self.model_name!r} has no {which}.",
                    f"Das Modell {self.model_name!r} hat keinen {which.capitalize()}."
                    if isinstance(which, str)
                    else f"Das Modell {self.model_name!r} hat keine Version {which}.",
                )
            )
        source = f"models:/{self.model_name}/{number}/{BUNDLE_IN_MODEL}"
        with outside(f"fetching version {number}"):
            # Said for the process: MLflow 3.17 looks names of models up there, whatever registry a call names.
            mlflow.set_tracking_uri(self.uri)
            mlflow.set_registry_uri(self.uri)
            place = mlflow.artifacts.download_artifacts(artifact_uri=source, dst_path=str(to) if to else None)
        return Path(place)

    def register(self, model_uri: str, model_id: str, run_id: str, tags: Mapping[str, str]) -> int:
        """The number of the new version of a logged model."""
        with outside("registering a version"):
            self._ensure(self.model_name, "Lead quality models: `champion` scores, `challenger` waits for the gate.")
            created = self._client.create_model_version(
                self.model_name, source=model_uri, run_id=run_id, model_id=model_id, tags=dict(tags)
            )
        return int(created.version)

    def delete(self, version: int) -> None:
        """Take back a version whose run came to nothing."""
        with outside(f"deleting version {version}"):
            self._client.delete_model_version(self.model_name, str(version))

    def promotions(self) -> tuple[Promotion, ...]:
        """The whole record, oldest first, with the entries that came too late."""
        with outside("reading the record of promotions"):
            entries = [Promotion.from_tags(int(each.version), each.tags) for each in self._pages(self.record_name)]
        return tuple(sorted(entries, key=lambda entry: entry.position))

    def append(self, promotion: Promotion) -> None:
        """Write an entry to the record; MLflow gives it a position that no other has.

        The record is a registered model of its own whose versions are the entries. Their numbers come from the
        registry's database, under the primary key (model, version): that is what makes them an order for all.
        """
        with outside("writing to the record of promotions"):
            self._ensure(self.record_name, f"Who made which version of {self.model_name} champion, and why.")
            self._client.create_model_version(
                self.record_name,
                source=f"models:/{self.model_name}/{promotion.version}",
                tags=promotion.to_tags(),
                description=promotion.in_words().en,
            )

    def mark_settled(self, promotion: Promotion) -> None:
        """Note that the alias has followed an entry."""
        with outside("writing to the record of promotions"):
            self._tag(self.record_name, promotion.position, {"settled": "true"})

    @cached_property
    def _client(self) -> MlflowClient:
        return client_of(self.uri)

    def _tag(self, name: str, number: int, tags: Mapping[str, str]) -> None:
        for key, value in tags.items():
            _again_if_refused(partial(self._client.set_model_version_tag, name, str(number), key, value))

    def _ensure(self, name: str, description: str) -> None:
        if _or_none(lambda: self._client.get_registered_model(name)) is not None:
            return
        try:
            self._client.create_registered_model(name, description=description)
        except MlflowException as error:
            if error.error_code != ErrorCode.Name(RESOURCE_ALREADY_EXISTS):  # somebody else was faster
                raise

    def _pages(self, name: str) -> Iterator[Any]:
        token = None
        while True:
            page = self._client.search_model_versions(f"name='{name}'", max_results=PAGE, page_token=token)
            yield from page
            token = page.token
            if not token:
                return

    def _aliases(self) -> dict[str, int]:
        model = _or_none(lambda: self._client.get_registered_model(self.model_name))
        return {} if model is None else {name: int(number) for name, number in model.aliases.items()}

    def _version(self, found: Any, aliases: Mapping[str, int]) -> Version:
        run = self._client.get_run(found.run_id)
        return Version(
            number=int(found.version),
            bundle_id=found.tags.get("bundle_id", ""),
            created=datetime.fromtimestamp(found.creation_timestamp / 1000, UTC),
            metrics=dict(run.data.metrics),
            aliases=tuple(sorted(name for name, number in aliases.items() if number == int(found.version))),
            verdict=found.tags.get("gate.verdict", ""),
            run_id=found.run_id,
            finished=run.info.status == "FINISHED",
            tags=dict(found.tags),
        )


def _again_if_refused(write: Callable[[], None]) -> None:
    """Write, and once more if MLflow refuses; for writes that may be done twice.

    MLflow looks for the row and then inserts it. Of two who do so at once, one finds the row taken and is refused;
    the second time it is there to be updated.
    """
    try:
        write()
    except MlflowException:
        write()


def _or_none(ask: Callable[[], Any]) -> Any:
    """What MLflow answers, or None where it knows no such thing."""
    try:
        return ask()
    except MlflowException as error:
        if error.error_code == ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            return None
        raise

"""Which models have served, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select

from serving.store.errors import outside
from serving.store.tables import models

COLUMNS = (
    models.c.bundle_id,
    models.c.name,
    models.c.version,
    models.c.definition_name,
    models.c.definition_version,
    models.c.simulated,
    models.c.first_served_at,
)


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model that has scored leads; `version` is the registry's, or the bundle's id."""

    bundle_id: str
    name: str
    version: str
    definition_name: str
    definition_version: int
    simulated: bool
    first_served_at: datetime


class Served:
    """Models in the store. Methods block on the database: call them from a thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def newest(self, most: int) -> list[ServedModel]:
        """The models that scored first most recently, at most so many, the newest first."""
        query = select(*COLUMNS).order_by(models.c.first_served_at.desc(), models.c.bundle_id).limit(most)
        with outside(), self._engine.connect() as connection:
            return [ServedModel(**row) for row in connection.execute(query).mappings()]

"""The shapes of objections and of receipts."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from serving.schemas import InBothLanguages


class ObjectionAnswer(TypedDict):
    """Whether the person behind a lead objects to being scored."""

    lead_id: str
    objected: bool
    objected_at: NotRequired[Annotated[str, Field(description="Its own date, UTC.")]]
    received_at: NotRequired[Annotated[str, Field(description="When it was told, UTC.")]]


class RowsRemoved(TypedDict):
    """How many rows about the lead stood in a table."""

    table: str
    n: int


class ExportNamed(TypedDict):
    """An export of this service in which the lead stood."""

    export_id: str
    exported_at: str


class ModelNamed(TypedDict):
    """A model of which it is known what it learnt from."""

    bundle_id: str
    name: str
    version: str


class Receipt(TypedDict):
    """Where an erased lead stood. The receipt does not name it."""

    receipt_id: str
    lead_hash: Annotated[str, Field(description="By it the lead is recognised and refused when it is sent again.")]
    erased_at: str
    removed: list[RowsRemoved]
    exports: Annotated[list[ExportNamed], Field(description="Delete the lead in these files, too.")]
    models_that_learnt_from_it: list[ModelNamed]
    models_that_may_have: Annotated[
        list[ModelNamed], Field(description="Retention has forgotten which leads stood in an export they learnt from.")
    ]
    models_that_did_not: Annotated[
        list[ModelNamed], Field(description="By the exports of this service; other files are not known here.")
    ]
    note: InBothLanguages


OBJECTION_REQUEST: dict[str, Any] = {
    "type": "object",
    "description": "A person's objection.",
    "properties": {
        "at": {"type": "string", "format": "date-time", "description": "When the person objected. Default: now."}
    },
    "additionalProperties": False,
}

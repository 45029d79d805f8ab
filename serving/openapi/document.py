"""The OpenAPI 3.1 document: the routes, the shapes of the answers, and the request from the definition in service."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from serving.agreement.shapes import SCHEMAS as AGREEMENT_SCHEMAS
from serving.auth.access import ACCESS, ANY_KEY, Need
from serving.feedback.shapes import feedback_schemas
from serving.lead_schema import lead_examples, lead_schemas
from serving.privacy.shapes import OBJECTION_REQUEST
from serving.responses import documented
from serving.schemas import ProblemDetails
from serving.scorer import Scorer
from serving.settings import Settings

TITLE = "Lead Quality"
DESCRIPTION = (
    "One lead, one honest probability, one explanation that marketing and sales both read. "
    "Every error is problem details (RFC 9457) with every fault of the request. "
    "Send Accept-Language: de or en to choose the language of messages."
)
WAYS_IN = {
    "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The client's key."},
    "Bearer": {"type": "http", "scheme": "bearer", "description": "The same key, as Authorization: Bearer KEY."},
}
TURNED_AWAY = ("unauthorized", "too_many_requests", "overloaded")


def openapi_document(app: FastAPI, scorer: Scorer | None, settings: Settings) -> dict[str, Any]:
    """The document; without the fields of a lead while there is no model.

    Parameters
    ----------
    scorer : Scorer or None
        The scorer in service.
    """
    document = get_openapi(title=TITLE, version=app.version, description=DESCRIPTION, routes=app.routes)
    problem = TypeAdapter(ProblemDetails).json_schema(ref_template="#/components/schemas/{model}")
    components = document.setdefault("components", {})
    components["securitySchemes"] = WAYS_IN
    schemas = components.setdefault("schemas", {})
    schemas.update(problem.pop("$defs", {}))
    schemas["ProblemDetails"] = problem
    schemas.update(lead_schemas(scorer, settings.max_batch_leads))
    # Either header will do.
    document["security"] = [{name: []} for name in WAYS_IN]
    schemas.update(feedback_schemas(scorer.bundle.definition if scorer else None, settings.max_batch_leads))
    schemas["ObjectionRequest"] = OBJECTION_REQUEST
    schemas.update(AGREEMENT_SCHEMAS)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            _say_who_may(operation, ACCESS[f"{method.upper()} {path}"])
    if scorer is not None:
        examples = lead_examples(scorer)
        _body(document, "/v1/score")["examples"] = examples
        leads = {"leads": [example["value"] for example in examples.values()]}
        _body(document, "/v1/score/batch")["examples"] = {"two": {"summary": "Two leads", "value": leads}}
        document["info"]["x-definition"] = scorer.model_name["definition"]
    return document


def _say_who_may(operation: dict[str, Any], need: Need) -> None:
    """Add to an operation whether it takes a key, the roles, and how callers are turned away."""
    if need.is_open:
        operation["security"] = []
        return
    operation["x-roles"] = list(need.roles)
    turned_away = [*TURNED_AWAY, *(() if need == ANY_KEY else ("forbidden",))]
    for status, told in documented(*turned_away).items():
        before = operation["responses"].get(str(status))
        if before is not None:
            told["description"] = f"{before['description']}; {told['description']}"
        operation["responses"][str(status)] = told
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _body(document: dict[str, Any], path: str) -> dict[str, Any]:
    content: dict[str, Any] = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    return content

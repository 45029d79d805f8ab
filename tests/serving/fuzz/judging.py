"""What every answer has to be, whatever was asked: never a failure of ours, and problem details if it refuses."""

from __future__ import annotations

import re
from typing import Any

import httpx
from pydantic import TypeAdapter

from serving.errors import KINDS, MOST_PROBLEMS
from serving.schemas import ProblemDetails

PROBLEM = TypeAdapter(ProblemDetails)
STATUSES = {kind.status for kind in KINDS.values()}
SECRETS = re.compile(
    r"Traceback|File \"|/site-packages/|sqlalchemy|psycopg|sqlite3?\.|pydantic|Error\b\(", re.IGNORECASE
)
MOST_BYTES_OF_A_REFUSAL = 200_000


def faults_of(answer: httpx.Response) -> list[str]:
    """What is wrong with an answer; empty if it is as it should be."""
    status = answer.status_code
    if status >= 500:
        return [f"{status}: {answer.text[:500]}"]
    if answer.request.method == "HEAD":
        return ["an answer to HEAD has a body"] if answer.content else []
    if status == 303 and answer.headers.get("location", "").startswith("/cockpit"):
        return []  # the way to the pages, for who opens the service's address
    if status < 400:
        return [] if status in (200, 201, 202, 204, 304) else [f"{status} is no answer of ours"]
    return [*_faults_of_problem(answer)]


def _faults_of_problem(answer: httpx.Response) -> list[str]:
    if answer.status_code not in STATUSES:
        return [f"{answer.status_code} is no kind of problem: {answer.text[:200]}"]
    if not answer.headers.get("content-type", "").startswith(("application/problem+json", "application/json")):
        return [f"{answer.status_code} is no problem details: {answer.headers.get('content-type')}"]
    faults = []
    if len(answer.content) > MOST_BYTES_OF_A_REFUSAL:
        faults.append(f"the refusal has {len(answer.content)} bytes")
    if found := SECRETS.search(answer.text):
        faults.append(f"the refusal tells of {found[0]!r}")
    return faults + _faults_of_details(answer)


def _faults_of_details(answer: httpx.Response) -> list[str]:
    try:
        told: Any = PROBLEM.validate_json(answer.content, strict=True, extra="forbid")
    except ValueError as error:
        return [f"not problem details: {error}"]
    faults = []
    if told["status"] != answer.status_code:
        faults.append("another status in the body than in the head")
    if told["request_id"] != answer.headers.get("x-request-id"):
        faults.append("another request id in the body than in the head")
    if len(told["problems"]) != min(told["n_problems"], MOST_PROBLEMS):
        faults.append("the number of problems is not the one that is told")
    return faults

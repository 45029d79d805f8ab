"""Structured logs, one JSON object a line: request id, route, status, duration. No field values, no ids of leads.

Paths are logged as routes (`/v1/leads/{lead_id}`), errors by their class and place in the code; an error's message is
left out, because messages quote values.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, Processor

MOST_CAUSES = 12
SOURCE = f"{Path(__file__).parents[1]}{os.sep}"
OURS = tuple(f"{SOURCE}{package}{os.sep}" for package in ("features", "serving"))

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("serving")
request_in_logs: ContextVar[str | None] = ContextVar("request_in_logs", default=None)
log_of_requests = logging.getLogger("serving")


def configure_logs(level: str) -> None:
    """Send every log line of this process, the server's own included, to standard output as JSON."""
    shared: list[Processor] = [
        _with_request_id,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _error_without_message,
    ]
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # It tells at every look at the revision which database it looks at.
    logging.getLogger("alembic.runtime.migration").setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def log_request(
    request_id: str, method: str, route: str, status: int, duration_ms: float, *, key_id: str | None = None
) -> None:
    """Write a request's line, for `flush_requests` to hand on: the same JSON as the others, at a tenth of the cost.

    It is the one line that every request costs, so it does not take the way through structlog's processors.
    """
    if not log_of_requests.isEnabledFor(logging.INFO):
        return
    line = {
        "event": "request",
        "request_id": request_id,
        "method": method,
        "route": route,
        "status": status,
        "duration_ms": round(duration_ms, 3),
        "level": "info",
        "logger": "serving",
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
    }
    if key_id is not None:
        line["key_id"] = key_id
    sys.stdout.write(orjson.dumps(line).decode() + "\n")


def flush_requests() -> None:
    """Hand on the lines of requests that were written."""
    sys.stdout.flush()


def _with_request_id(_: object, __: str, event: EventDict) -> EventDict:
    """Name the request during which something happened."""
    if (request_id := request_in_logs.get()) is not None:
        event.setdefault("request_id", request_id)
    return event


def _error_without_message(_: object, __: str, event: EventDict) -> EventDict:
    """Replace an exception by its class, those of its causes, and the lines of our code that it came through."""
    given: Any = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["error"] = [f"{type(each).__module__}.{type(each).__qualname__}" for each in _chain(error)]
        event["at"] = _places(error)
    record = event.get("_record")
    if isinstance(record, logging.LogRecord):
        record.exc_info = record.exc_text = None
    return event


def _chain(error: BaseException) -> list[BaseException]:
    """The error and what caused it, the last first."""
    chain = [error]
    while len(chain) < MOST_CAUSES and (cause := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(cause)
    return chain


def _places(error: BaseException) -> list[str]:
    """The lines of this repository's packages that the error passed, or where it arose if it passed none."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(OURS)] or frames[-1:]
    return [f"{frame.filename.removeprefix(SOURCE)}:{frame.lineno} {frame.name}" for frame in ours]

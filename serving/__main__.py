"""`python -m serving` starts the service.

`python -m serving migrate` brings the store's tables up to date; `demo` is the last part of `make demo`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

import uvicorn
from pydantic import ValidationError

from features.errors import LeadQualityError
from features.text import reader_language
from serving.demo import demo
from serving.settings import Settings
from serving.store import Store

GRACE_S = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0, 1 if the store could not be migrated, 2 if a setting does not fit."""
    parser = argparse.ArgumentParser(prog="python -m serving", description=__doc__)
    parser.add_argument("command", nargs="?", choices=["serve", "migrate", "demo"], default="serve")
    parser.add_argument("--once", action="store_true", help="demo: stop after the lead has been scored")
    parsed = parser.parse_args(arguments)
    if parsed.command == "demo":
        return demo(reader_language(os.environ), once=parsed.once)
    try:
        settings = Settings()
    except ValidationError as error:
        for fault in error.errors(include_input=False, include_url=False):
            print(f"LEAD_{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}", file=sys.stderr)
        return 2
    return _migrate(settings) if parsed.command == "migrate" else _serve(settings)


def _migrate(settings: Settings) -> int:
    store = Store(settings.database_url, timeout_s=settings.store_timeout_s)
    try:
        store.migrate()
    except LeadQualityError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        store.close()
    return 0


def _serve(settings: Settings) -> int:
    uvicorn.run(
        "serving.app:from_environment",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        log_config=None,  # logs.py has configured it: JSON, without paths
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

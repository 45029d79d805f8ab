"""`python -m serving serve` starts the service."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from features.text import Language
from serving.auth.startup import check_start
from serving.commands.command import SETTINGS_DO_NOT_FIT, WORKED, Commands, add_command, opened
from serving.metrics import DIRECTORY
from serving.protocol import BoundedHttp
from serving.service import utc_now
from serving.settings import Settings
from serving.workers import Workers

GRACE_S = 10


def add(commands: Commands) -> None:
    """Add the command."""
    about = "start the service (what happens without a command, too)"
    add_command(commands, "serve", _run, about, failed=SETTINGS_DO_NOT_FIT)


def _run(settings: Settings, _: argparse.Namespace, __: Language) -> int:
    with opened(settings) as store:
        check_start(settings, store, utc_now())
    with _counting_together(settings.workers):
        return _serve(_configuration(settings))


@contextmanager
def _counting_together(workers: int) -> Iterator[None]:
    """Give several workers a directory to count in, unless the operator has: /metrics adds their counts up."""
    if workers == 1 or DIRECTORY in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="lead-metrics-") as directory:
        os.environ[DIRECTORY] = directory  # workers are new processes, which inherit it
        try:
            yield
        finally:
            del os.environ[DIRECTORY]


def _serve(configuration: uvicorn.Config) -> int:
    if configuration.workers > 1:
        Workers(configuration).run()
        return WORKED
    server = uvicorn.Server(configuration)
    server.run()
    return WORKED if server.started else STARTUP_FAILURE


def _configuration(settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        "serving.app:from_environment",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        http=BoundedHttp,
        h11_max_incomplete_event_size=settings.max_head_bytes,  # where BoundedHttp looks, too
        timeout_keep_alive=settings.idle_timeout_s,
        limit_concurrency=settings.max_connections,
        forwarded_allow_ips=settings.trusted_proxies,
        ws="none",
        log_config=None,  # logs.py has configured it: JSON, without paths
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )

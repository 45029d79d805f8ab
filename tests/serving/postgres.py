"""A PostgreSQL server of the tests' own: a fresh directory, a free loopback port, stopped with the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

NAMES = ("initdb", "postgres", "pg_isready")
IMMEDIATE_SHUTDOWN = signal.SIGQUIT
START_TIMEOUT_S = 60


class PostgresMissingError(Exception):
    """What this machine lacks to run a server of its own."""


@contextmanager
def running_postgres() -> Iterator[str]:
    """The URL of a running server, `postgresql://...`.

    Raises
    ------
    PostgresMissingError
        Saying what is missing.
    """
    binaries = _binaries()
    # Not below pytest's directories: PostgreSQL refuses root, and another user may not enter them.
    place = Path(tempfile.mkdtemp(prefix="lead-pg-"))
    as_user = _as_other_user(place)
    data, port = place / "data", free_port()
    command = [*as_user, binaries / "postgres", "-D", data, "-p", port, "-h", "127.0.0.1", "-k", place]
    try:
        _run([*as_user, binaries / "initdb", "-D", data, "-U", "leads", "-A", "trust", "-E", "UTF8", "--no-sync"])
        with (place / "log").open("wb") as log:
            server = subprocess.Popen(list(map(str, command)), stdout=log, stderr=log, cwd="/")
        try:
            _wait_until_ready(server, [binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", port], place / "log")
            yield f"postgresql://leads@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(IMMEDIATE_SHUTDOWN)
            server.wait(30)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _wait_until_ready(server: subprocess.Popen[bytes], probe: Sequence[object], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while subprocess.run(list(map(str, probe)), check=False).returncode:
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


def _binaries() -> Path:
    found = [Path(path).parent for path in [shutil.which(NAMES[0])] if path]
    candidates = [*found, *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    for directory in candidates:
        if all((directory / name).exists() for name in NAMES):
            return directory
    raise PostgresMissingError("PostgreSQL's initdb, postgres and pg_isready are not installed (Debian: postgresql)")


def _as_other_user(place: Path) -> list[str]:
    """The prefix of a command that ends with these tests, killed or not, and that does not run as root."""
    if shutil.which("setpriv") is None:
        raise PostgresMissingError(
            "setpriv is not installed, which ends the server when the tests are killed (util-linux)"
        )
    with_us = ["setpriv", "--pdeathsig=QUIT"]
    if os.geteuid() != 0:
        return with_us
    name = next((user for user in ("postgres", "nobody") if _exists(user)), None)
    if name is None:
        raise PostgresMissingError("PostgreSQL refuses root, and there is no user postgres or nobody to run it as")
    user = pwd.getpwnam(name)
    os.chown(place, user.pw_uid, user.pw_gid)
    return [*with_us, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(command: Sequence[object]) -> None:
    # Not captured by pipes: the server would inherit them, and reading would wait for its end.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(list(map(str, command)), stdout=output, stderr=output, cwd="/", check=False)
        output.seek(0)
        assert done.returncode == 0, output.read().decode()

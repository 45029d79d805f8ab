"""A PostgreSQL server of the tests' own: a fresh directory, a free loopback port, stopped with the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

NAMES = ("initdb", "pg_ctl")


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
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={place}"
    try:
        _run([*as_user, binaries / "initdb", "-D", data, "-U", "leads", "-A", "trust", "-E", "UTF8", "--no-sync"])
        _run([*as_user, binaries / "pg_ctl", "-D", data, "-w", "-l", place / "log", "-o", options, "start"])
        try:
            yield f"postgresql://leads@127.0.0.1:{port}/postgres"
        finally:
            _run([*as_user, binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _binaries() -> Path:
    found = [Path(path).parent for path in [shutil.which(NAMES[0])] if path]
    candidates = [*found, *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    for directory in candidates:
        if all((directory / name).exists() for name in NAMES):
            return directory
    raise PostgresMissingError("PostgreSQL's initdb and pg_ctl are not installed (Debian: postgresql)")


def _as_other_user(place: Path) -> list[str]:
    """The prefix of a command that may not run as root; the directory is handed over to that user."""
    if os.geteuid() != 0:
        return []
    name = next((user for user in ("postgres", "nobody") if _exists(user)), None)
    if name is None or shutil.which("setpriv") is None:
        raise PostgresMissingError("PostgreSQL refuses root, and there is no setpriv or no user postgres or nobody")
    user = pwd.getpwnam(name)
    os.chown(place, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


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


def _run(command: Sequence[str | Path]) -> None:
    # Not captured by pipes: the server would inherit them, and reading would wait for its end.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(list(map(str, command)), stdout=output, stderr=output, cwd="/", check=False)
        output.seek(0)
        assert done.returncode == 0, output.read().decode()

"""Servers to measure: processes of their own on a loopback port, bounded in time, stopped by their process id."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.command import NotMeasuredError

START_TIMEOUT_S = 180
STOP_TIMEOUT_S = 20


class ServerFailedError(NotMeasuredError):
    """A server did not start; the message holds the end of its log."""


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes
    ----------
    start_s : float
        Seconds from its start to its first answer.
    """

    name: str
    url: str
    process: subprocess.Popen[bytes]
    start_s: float

    def resident_mb(self) -> float:
        """Resident memory of the process and of all below it, in megabytes."""
        return sum(_resident_kb(pid) for pid in _family(self.process.pid)) / 1024


@contextmanager
def running(
    name: str, command: Sequence[str], *, ready: str, folder: Path, settings: Mapping[str, str]
) -> Iterator[Server]:
    """The server of `command`, in which `{port}` is its port; it answers `ready` with 200 when it can be asked.

    Raises
    ------
    ServerFailedError
        If it ends, or does not answer in time.
    """
    port = free_port()
    log = folder / f"{name.replace(' ', '-')}-{port}.log"
    started = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [part.format(port=port) for part in command],
            env={**os.environ, **{key: value.format(port=port) for key, value in settings.items()}},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(process, f"{url}{ready}", log)
        yield Server(name, url, process, time.monotonic() - started)
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server and the workers that it started."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, how)
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                continue


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise ServerFailedError(f"no answer from {url}:\n{log.read_text(errors='replace')[-2000:]}")


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    below = [int(child) for child in children.read_text().split()] if children.exists() else []
    return [pid, *(each for child in below for each in _family(child))]


def _resident_kb(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")), 0)

"""The service as a process of its own, on loopback, and what it needs of memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.serving.postgres import free_port

ROOT = Path(__file__).parents[3]
START_TIMEOUT_S = 120


@dataclass(frozen=True)
class Server:
    """A running service."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def resident_kb(self) -> int:
        """The memory that the process holds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0])

    @property
    def lives(self) -> bool:
        return self.process.poll() is None and self._answers("/healthz")

    @property
    def open_files(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the service ended: {self.log.read_text(encoding='utf-8')}")
            if self._answers("/readyz"):
                return
            time.sleep(0.05)
        raise RuntimeError(f"not ready in time: {self.log.read_text(encoding='utf-8')}")

    def _answers(self, path: str) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@contextmanager
def running_server(place: Path, **settings: str) -> Iterator[Server]:
    """A service in `place`, stopped at the end; open to everybody, as a demo is."""
    port, log = free_port(), place / "server.log"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LEAD_")}
    told = {"PORT": str(port), "DEMO": "true", "LOG_LEVEL": "error", **settings}
    environment = {**inherited, "PYTHONPATH": str(ROOT), **{f"LEAD_{name}": value for name, value in told.items()}}
    with log.open("wb") as output:
        command = [sys.executable, "-m", "serving"]
        process = subprocess.Popen(command, cwd=place, env=environment, stdout=output, stderr=output)
    try:
        server = Server(process, port, log)
        server.wait_until_ready()
        yield server
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

"""Load from a second process: wrk, with another lead in every request.

wrk runs one thread of its own, so it takes the other core. It is a package of Debian (`wrk`); without it nothing is
measured, because a slower client would measure itself.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.command import NotMeasuredError

LEAD_ID = "@LEAD-ID@"
_runs = count()

SCRIPT = """
local heads, tails, n = {}, {}, 0
for line in io.lines(os.getenv("WRK_BODIES")) do
  local from, to = line:find("@LEAD-ID@", 1, true)
  if from then
    heads[#heads + 1] = line:sub(1, from - 1)
    tails[#heads] = line:sub(to + 1)
  else
    heads[#heads + 1] = line
  end
end
local run = os.getenv("WRK_RUN")
wrk.method = "POST"
wrk.path = os.getenv("WRK_PATH")
for header, value in os.getenv("WRK_HEADERS"):gmatch("([^:\\n]+):([^\\n]+)") do wrk.headers[header] = value end
function request()
  n = n + 1
  local which = n % #heads + 1
  if not tails[which] then return wrk.format(nil, nil, nil, heads[which]) end
  return wrk.format(nil, nil, nil, heads[which] .. "W" .. run .. "-" .. n .. tails[which])
end
function done(summary, latency, requests)
  io.stderr:write(string.format(
    '{"requests": %d, "us": %d, "p50_us": %d, "p99_us": %d, "wrong": %d, "broken": %d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
"""


class NoLoadError(NotMeasuredError):
    """The load could not be made, or was not answered as it should be."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a server answered in one round.

    Attributes
    ----------
    p50_ms, p99_ms : float
        Of the time to an answer.
    """

    per_second: float
    p50_ms: float
    p99_ms: float


class Client:
    """Asks servers with leads of its own.

    Parameters
    ----------
    bodies : Path
        One JSON body a line; where one has `LEAD_ID`, every request gets an id that never came before.
    """

    def __init__(self, bodies: Path, script: Path) -> None:
        self._wrk = shutil.which("wrk")
        if self._wrk is None:
            raise NoLoadError("wrk is not installed (on Debian and Ubuntu: apt-get install wrk)")
        self._bodies, self._script = bodies, script

    def ask(
        self, url: str, *, connections: int, seconds: float, headers: Mapping[str, str], path: str = "/v1/score"
    ) -> Load:
        """The answers of one round; raises NoLoadError if one of them was no success."""
        command = [str(self._wrk), "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "30s", "-s"]
        environment = {
            **os.environ,
            "WRK_BODIES": str(self._bodies),
            "WRK_PATH": path,
            "WRK_RUN": f"{os.getpid()}-{next(_runs)}",
            "WRK_HEADERS": "\n".join(f"{name}:{value}" for name, value in headers.items()) + "\n",
        }
        done = subprocess.run(
            [*command, str(self._script), url],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds + 90,
        )
        lines = [line for line in done.stderr.splitlines() if line.startswith("{")]
        if done.returncode or not lines:
            raise NoLoadError(f"wrk failed: {done.stderr[-500:]}")
        said = json.loads(lines[-1])
        if said["wrong"] or said["broken"] or not said["requests"]:
            raise NoLoadError(f"{url}{path}: {said}")
        return Load(1e6 * said["requests"] / said["us"], said["p50_us"] / 1000, said["p99_us"] / 1000)


@contextmanager
def client(bodies: list[bytes]) -> Iterator[Client]:
    """A client that asks with these bodies."""
    with TemporaryDirectory() as folder:
        lines, script = Path(folder) / "bodies", Path(folder) / "ask.lua"
        lines.write_bytes(b"\n".join(bodies) + b"\n")
        script.write_text(SCRIPT)
        yield Client(lines, script)

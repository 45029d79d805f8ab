"""`make fuzz MINUTES=30`: a real server under hostile clients for a long time; exits with 1 if it fails.

No answer may be a failure of ours, every refusal has to be problem details, every request that is one has to be
answered, what was acknowledged has to be stored, and the memory of the server may grow by no more than a tenth after it
has warmed up.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter as Tally
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.serving.fuzz.attacks import Attack, Attacks
from tests.serving.fuzz.judging import faults_of
from tests.serving.fuzz.server import Server, running_server
from tests.serving.fuzz.wire import Connection, answers, exchange, request
from tests.serving.small_model import definition, write_small_bundle

MOST_GROWTH = 0.10
WARM_UP_SHARE = 0.2
LONGEST_WARM_UP_S = 120.0
N_CLIENTS = 4
MOST_FAULTS = 20
SILENCE_S = 0.1


@dataclass
class Report:
    """What came of a run; clients add to it under its lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    statuses: Tally[int] = field(default_factory=Tally)
    kinds: Tally[str] = field(default_factory=Tally)
    n_no_requests: int = 0
    faults: list[str] = field(default_factory=list)
    scored: set[str] = field(default_factory=set)
    worst_s: tuple[float, str] = (0.0, "")
    resident_kb: list[tuple[float, int]] = field(default_factory=list)

    @property
    def n(self) -> int:
        return self.statuses.total()

    @property
    def n_failures_of_ours(self) -> int:
        return sum(count for status, count in self.statuses.items() if status >= 500)

    def add(self, attack: Attack, answer: Any, took_s: float) -> None:
        faults = faults_of(answer)
        with self.lock:
            self.statuses[answer.status_code] += 1
            self.kinds[attack.name] += 1
            self.worst_s = max(self.worst_s, (took_s, attack.name))
            self.scored.update(_score_ids(answer))
            for fault in faults:
                self.blame(attack, fault)

    def blame(self, attack: Attack, fault: str) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(f"{attack.name}: {fault}\n    {attack.raw[:1_500]!r}")

    def growth(self, warm_s: float) -> float:
        """How much larger the server is in the last tenth of the run than just after warming up, as a share."""
        until = self.resident_kb[-1][0]
        span_s = max(1.0, (until - warm_s) / 10)
        first = [size for moment, size in self.resident_kb if warm_s <= moment <= warm_s + span_s]
        last = [size for moment, size in self.resident_kb if moment >= until - span_s]
        return statistics.median(last) / statistics.median(first) - 1


def run(place: Path, duration_s: float, seed: int, n_clients: int = N_CLIENTS) -> Report:
    """The report of a run over a fresh server and a fresh store in `place`."""
    report, stop = Report(), threading.Event()
    bundle = write_small_bundle(place / "bundle", definition())
    url = f"sqlite:///{place / 'scores.db'}"
    settings = {"BUNDLE": str(bundle), "DATABASE_URL": url, "BODY_TIMEOUT_S": "2", "MAX_BATCH_LEADS": "50"}
    with running_server(place, **settings) as server:
        document = answers(exchange(server.port, request("GET", "/openapi.json")))[0].json()
        attacks = [Attacks(document, seed + number) for number in range(n_clients)]
        clients = [threading.Thread(target=_attack, args=(server, one, report, stop)) for one in attacks]
        for client in clients:
            client.start()
        _watch(server, report, duration_s)
        stop.set()
        for client in clients:
            client.join()
        if not server.lives:
            report.faults.append("the server does not live any more")
    report.faults += _not_stored_once(url, report.scored)
    return report


def _attack(server: Server, attacks: Attacks, report: Report, stop: threading.Event) -> None:
    connection = Connection(server.port)
    while not stop.is_set():
        attack = attacks.next()
        started = time.perf_counter()
        if not attack.has_one_answer:
            _shout(server, attack, report)
            continue
        try:
            answer = connection.ask(attack.raw)
        except OSError as error:
            with report.lock:
                report.blame(attack, f"no answer: {error}")
            continue
        report.add(attack, answer, time.perf_counter() - started)
    connection.close()


def _shout(server: Server, attack: Attack, report: Report) -> None:
    """Send what is no request; whether anything is answered is the server's business, but never a failure of ours."""
    try:
        told = exchange(server.port, attack.raw, patience_s=SILENCE_S)
    except OSError as error:
        with report.lock:
            report.blame(attack, f"no connection: {error}")
        return
    with report.lock:
        report.n_no_requests += 1
        if told.startswith(b"HTTP/1.1 5"):
            report.blame(attack, f"{told[:500]!r}")


def _watch(server: Server, report: Report, duration_s: float) -> None:
    """Note the server's memory every half second until the time is over or the server is."""
    started = time.monotonic()
    while (passed_s := time.monotonic() - started) < duration_s and server.process.poll() is None:
        report.resident_kb.append((passed_s, server.resident_kb))
        if len(report.resident_kb) % 120 == 0:
            print(
                f"  {passed_s / 60:5.1f} min  {report.n:9,} requests  {server.resident_kb / 1024:6.1f} MB", flush=True
            )
        time.sleep(0.5)


def _score_ids(answer: Any) -> Iterator[str]:
    """The scores that an answer acknowledges."""
    if answer.status_code == 200 and answer.headers.get("content-type") == "application/json":
        told = answer.json()
        results = told.get("results")
        if isinstance(results, list):
            yield from (each["score"]["score_id"] for each in results if isinstance(each, dict) and "score" in each)
        elif "score_id" in told:
            yield told["score_id"]


def _not_stored_once(url: str, acknowledged: set[str]) -> list[str]:
    """A fault if a score that was answered is not there; the store itself lets none be there twice."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        answers = connection.execute(sa.text("SELECT answer FROM scores")).scalars()
        stored = {bytes(answer).partition(b'"score_id":"')[2].partition(b'"')[0].decode() for answer in answers}
    engine.dispose()
    lost = acknowledged - stored
    return [f"{len(lost)} of {len(acknowledged)} acknowledged scores are not stored"] if lost else []


def _summary(report: Report, duration_s: float, growth: float) -> str:
    first, last = report.resident_kb[0][1] / 1024, report.resident_kb[-1][1] / 1024
    statuses = ", ".join(f"{status}: {count:,}" for status, count in sorted(report.statuses.items()))
    kinds = ", ".join(f"{kind}: {count:,}" for kind, count in report.kinds.most_common())
    lines = [
        f"{report.n:,} requests in {duration_s / 60:g} min: {report.n / duration_s:.0f} a second; "
        f"{report.n_no_requests:,} that were none",
        f"by status: {statuses}",
        f"by kind: {kinds}",
        f"failures of ours (5xx): {report.n_failures_of_ours}",
        f"scores acknowledged: {len(report.scored):,}",
        f"worst latency: {1000 * report.worst_s[0]:.0f} ms ({report.worst_s[1]})",
        f"memory: {first:.1f} MB at first, {last:.1f} MB at last, {growth:+.1%} after warming up",
    ]
    return "\n  ".join(lines)


def main() -> int:
    """The exit code: 0, or 1 if something was found."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parsed = parser.parse_args()
    duration_s = 60 * parsed.minutes
    warm_s = min(LONGEST_WARM_UP_S, WARM_UP_SHARE * duration_s)
    with tempfile.TemporaryDirectory() as place:
        report = run(Path(place), duration_s, parsed.seed)
    growth = report.growth(warm_s)
    print(_summary(report, duration_s, growth))
    for fault in report.faults:
        print(f"FAULT {fault}")
    return 1 if report.faults or growth > MOST_GROWTH else 0


if __name__ == "__main__":
    sys.exit(main())

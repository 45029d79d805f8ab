"""Every page of the cockpit over HTTP, with 1,000 and with 100,000 leads.

Both services run at once, each with a store of its own, and are asked in turn, page by page, round by round, so that
what else the machine does falls on both alike. Charts are drawn before: a service draws each once for the same values.
The ratio is what counts; milliseconds are those of this machine, and of whatever else it did.
"""

from __future__ import annotations

import os
import re
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from benchmarks.command import NotMeasuredError, Tell
from benchmarks.report import Bar, Cell, Column, Part, Table
from benchmarks.speed.servers import Server, running
from benchmarks.speed.stored_leads import demo_bundle, fill

SIZES, QUICK_SIZES = (1_000, 100_000), (200, 1_000)
ROUNDS, QUICK_ROUNDS = 15, 2
MOST_TIMES = 3.0
PAGES_ON = 3
FEELS_IMMEDIATE_MS = 300
PAGES = {
    "worklist": "/cockpit/worklist",
    "worklist, all leads": "/cockpit/worklist?shelf=all",
    "worklist, overdue": "/cockpit/worklist?overdue=1",
    "lead": "/cockpit/leads/P-0000100",
    "why leads win": "/cockpit/why",
    "sources": "/cockpit/sources",
    "campaigns": "/cockpit/sources?by=campaign",
    "agreement": "/cockpit/agreement",
    "figures": "/cockpit/kpis",
    "report": "/cockpit/report",
    "model": "/cockpit/model",
}
NEXT = re.compile(r'<a [^>]*rel="next"[^>]*href="([^"]+)"')
COLUMNS = (
    Column("page", "page"),
    Column("few_ms", "few leads, median ms", "{:.0f}"),
    Column("many_ms", "many leads, median ms", "{:.0f}"),
    Column("times", "times as long", "{:.2f}"),
    Column("few_cpu_ms", "few, processor ms", "{:.0f}"),
    Column("many_cpu_ms", "many, processor ms", "{:.0f}"),
)


class _Asked:
    """A service with its store, a visitor who has signed in, and how long each page took."""

    def __init__(self, server: Server, visitor: httpx.Client) -> None:
        self.server, self.visitor = server, visitor
        self.took: dict[str, list[float]] = {}
        self.cpu: dict[str, list[float]] = {}

    def ask(self, page: str, address: str) -> str:
        """The page; how long it took is kept."""
        cpu, started = self._cpu_ms(), time.perf_counter()
        answer = self.visitor.get(address)
        self.took.setdefault(page, []).append(1000 * (time.perf_counter() - started))
        self.cpu.setdefault(page, []).append(self._cpu_ms() - cpu)
        if answer.status_code != httpx.codes.OK:
            raise NotMeasuredError(f"{address} was answered with {answer.status_code}: {answer.text[:500]}")
        return answer.text

    def forget(self) -> None:
        """Count from here."""
        self.took, self.cpu = {}, {}

    def _cpu_ms(self) -> float:
        """Processor time of the service until now."""
        fields = Path(f"/proc/{self.server.process.pid}/stat").read_text().rpartition(")")[2].split()
        return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pages(quick: bool, tell: Tell) -> Part:
    """Every page with few and with many leads, and the bar."""
    sizes, rounds = (QUICK_SIZES, QUICK_ROUNDS) if quick else (SIZES, ROUNDS)
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder, now = Path(name), datetime.now(UTC)
        tell("training a model", 0.0)
        bundle = demo_bundle(folder, now)
        asked = []
        for n_leads in sizes:
            tell(f"a store with {n_leads:,} leads", 0.1)
            fill(folder / f"{n_leads}.db", bundle, n_leads, now)
            asked.append(stack.enter_context(_service(folder, n_leads)))
        addresses = [_addresses(each) for each in asked]
        for number in range(rounds):
            for page in addresses[0]:
                tell(f"round {number + 1}: {page}", 0.4 + 0.6 * number / rounds)
                for each, known in zip(asked, addresses, strict=True):
                    each.ask(page, known[page])
        rows = [_row(page, *asked) for page in addresses[0]]
    shown = f"{sizes[0]:,} leads (few) and {sizes[1]:,} leads (many), {rounds} rounds"
    return Part("pages", "Pages of the cockpit", (__doc__ or "").strip(), [Table(shown, COLUMNS, rows)], _bars(rows))


@contextmanager
def _service(folder: Path, n_leads: int) -> Iterator[_Asked]:
    """The demo's service on one of the stores, with somebody who has signed in."""
    settings = {
        "LEAD_DEMO": "true",
        "LEAD_BUNDLE": str(next((folder).glob("**/bundle.json")).parent),
        "LEAD_DATABASE_URL": f"sqlite:///{folder / f'{n_leads}.db'}",
        "LEAD_HOST": "127.0.0.1",
        "LEAD_PORT": "{port}",
        "LEAD_WATCH_EVERY_S": "0",
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "serving"]
    with (
        running(f"{n_leads} leads", command, ready="/readyz", folder=folder, settings=settings) as server,
        httpx.Client(base_url=server.url, timeout=120) as visitor,
    ):
        form = {"role": "sales", "next": ""}
        signed_in = visitor.post("/cockpit/sign-in", data=form, headers={"Origin": server.url})
        if not signed_in.is_redirect:
            raise NotMeasuredError(f"nobody could sign in: {signed_in.text[:500]}")
        yield _Asked(server, visitor)


def _addresses(asked: _Asked) -> Mapping[str, str]:
    """Each page's address, asked twice so that it is warm; the worklist's next pages are those that it leads to."""
    for page, address in PAGES.items():
        asked.ask(page, address)
        asked.ask(page, address)
    following, later = PAGES["worklist, all leads"], {}
    for number in range(2, PAGES_ON + 2):
        found = NEXT.search(asked.ask("paging", following))
        if found is None:
            break
        following = unescape(found[1])
        later[f"worklist, all leads, page {number}"] = following
    asked.forget()
    return {**PAGES, **later}


def _row(page: str, few: _Asked, many: _Asked) -> dict[str, Cell]:
    few_ms, many_ms = (statistics.median(each.took[page]) for each in (few, many))
    cpu = [statistics.fmean(each.cpu[page]) for each in (few, many)]
    return {
        "page": page,
        "few_ms": few_ms,
        "many_ms": many_ms,
        "times": many_ms / few_ms,
        "few_cpu_ms": cpu[0],
        "many_cpu_ms": cpu[1],
    }


def _bars(rows: list[dict[str, Cell]]) -> list[Bar]:
    bars = []
    for row in rows:
        times, many_ms = float(str(row["times"])), float(str(row["many_ms"]))
        measured = f"{times:.2f} times, {many_ms:.0f} ms"
        limit = f"at most {MOST_TIMES:g} times as long; some {FEELS_IMMEDIATE_MS} ms on an idle machine"
        bars.append(Bar(f"{row['page']}: many leads against few", measured, limit, times <= MOST_TIMES))
    return bars

"""A million leads explained, Parquet to Parquet: the job of `make score` against pandas with LightGBM's contributions.

The job runs as the command does, in this process. Its time is held against the kernel's own, which is that of
explaining encoded leads and nothing else, on one thread, measured before and after the job; and against that of a peer
that reads the same file with pandas, casts the categories, calls `pred_contrib` and writes Parquet, on its first rows,
scaled up. Memory is what the process holds more than before the job.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.command import Tell
from benchmarks.report import Bar, Cell, Column, Part, Table
from benchmarks.speed.model import AS_OF, CATEGORIES, NUMBERS, Measured, drawn, measured
from features.history import files_of
from training.scoring import score_export

N_LEADS = 1_000_000
N_PEER_LEADS = 4_000
N_KERNEL_LEADS = 20_000
LEADS_PER_DRAW = 100_000
TIMES_AS_FAST, TIMES_KERNEL, MOST_MEGABYTES = 15.0, 1.25, 500.0


def million(quick: bool, tell: Tell) -> Part:
    """The job on a quarter of the leads and on all, the kernel, and the peer."""
    n_leads, n_peer = (10_000, 500) if quick else (N_LEADS, N_PEER_LEADS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tell("fitting the model", 0.0)
        model = measured(folder, n_trees=20 if quick else 300)
        rows = [_job(model, folder, n, tell) for n in (n_leads // 4, n_leads)]
        tell("the peer", 0.8)
        source = folder / f"leads_{n_leads}.parquet"
        peer_s = _seconds(lambda: peer(model.booster, source, n_peer, folder / "peer.parquet"))
    job_s, kernel_s = float(rows[1]["job"]), float(rows[1]["kernel"])  # type: ignore[arg-type]
    times, over = peer_s / n_peer * n_leads / job_s, job_s / kernel_s
    most = max(float(row["megabytes"]) for row in rows)  # type: ignore[arg-type]
    return Part(
        "million",
        f"{n_leads:,} leads explained, Parquet to Parquet",
        "Seconds of wall time: reader and writer run beside the kernel where there is a second core.",
        [Table("The job", COLUMNS, rows)],
        bars(times, over, most),
        [f"The peer took {peer_s:.1f} s for {n_peer:,} leads; for all of them its time is scaled."],
    )


def bars(times: float, over: float, megabytes: float) -> list[Bar]:
    """What is promised of the job."""
    faster, own, most = (
        "times as fast as pandas with pred_contrib",
        "in times of the kernel's own time",
        "MB over the base",
    )
    return [
        Bar(faster, f"{times:.1f}", f"at least {TIMES_AS_FAST:g}", times >= TIMES_AS_FAST),
        Bar(own, f"{over:.2f}", f"at most {TIMES_KERNEL:g}", over <= TIMES_KERNEL),
        Bar(most, f"{megabytes:.0f}", f"at most {MOST_MEGABYTES:g}", megabytes <= MOST_MEGABYTES),
    ]


COLUMNS = [
    Column("leads", "leads", "{:,}"),
    Column("job", "job s", "{:.1f}"),
    Column("kernel", "kernel s", "{:.1f}"),
    Column("processor", "job's processor s", "{:.1f}"),
    Column("megabytes", "MB over the base", "{:.0f}"),
]


def _job(model: Measured, folder: Path, n_leads: int, tell: Tell) -> dict[str, Cell]:
    """One run of the job between two runs of the kernel."""
    tell(f"{n_leads:,} leads: drawing", 0.2)
    source = folder / f"leads_{n_leads}.parquet"
    write_leads(source, n_leads)
    before = _kernel_seconds(model)
    tell(f"{n_leads:,} leads: scoring", 0.4)
    files, processor = files_of(model.bundle.definition, str(source)), time.process_time()
    with _watched() as megabytes:
        job = _seconds(lambda: score_export(model.bundle, files, folder / "scores.parquet"))
    processor = time.process_time() - processor
    kernel = (before + _kernel_seconds(model)) / 2 * n_leads
    return {"leads": n_leads, "job": job, "kernel": kernel, "processor": processor, "megabytes": max(megabytes)}


def write_leads(place: Path, n_leads: int) -> None:
    """Leads as an export has them."""
    rng, writer = np.random.default_rng(3), None
    for start in range(0, n_leads, LEADS_PER_DRAW):
        n_drawn = min(LEADS_PER_DRAW, n_leads - start)
        leads = drawn(rng, n_drawn)[0]
        leads.insert(0, "id", [f"L-{number:07}" for number in range(start, start + n_drawn)])
        created = pa.array([AS_OF] * n_drawn, pa.timestamp("us", "UTC"))
        table = pa.Table.from_pandas(leads, preserve_index=False).append_column("created", created)
        writer = writer or pq.ParquetWriter(place, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def peer(booster: lgb.Booster, source: Path, n_leads: int, out: Path) -> None:
    """What one would write: a frame, its categories cast, LightGBM's contributions, a frame."""
    leads = pd.read_parquet(source).head(n_leads)
    codes = [leads[name].astype("category").cat.codes.to_numpy() for name in CATEGORIES]
    matrix = np.column_stack([*(leads[name].to_numpy() for name in NUMBERS), *codes])
    shares = np.asarray(booster.predict(matrix, pred_contrib=True, num_threads=1))
    names = [f"contribution.{name}" for name in (*NUMBERS, *CATEGORIES, "base")]
    pd.concat([leads["id"], pd.DataFrame(shares, columns=names)], axis=1).to_parquet(out)


def _kernel_seconds(model: Measured) -> float:
    """Seconds a lead of explaining encoded leads."""
    leads, of_the_model = drawn(np.random.default_rng(4), N_KERNEL_LEADS)[0], model.bundle.model
    matrix = of_the_model.encoder.frame(leads, pd.Series([AS_OF] * len(leads)))
    return _seconds(lambda: of_the_model.explain(matrix)) / len(matrix)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@contextmanager
def _watched() -> Iterator[list[float]]:
    """Megabytes that the process holds more than at the beginning, every few milliseconds."""
    seen, ended, base = [0.0], threading.Event(), _resident_megabytes()

    def watch() -> None:
        while not ended.wait(0.02):
            seen.append(_resident_megabytes() - base)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def _resident_megabytes() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024

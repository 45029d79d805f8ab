"""The command of a benchmark: parts by name, progress on stderr, tables in the terminal, a report under .state."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from benchmarks import report

Tell: TypeAlias = Callable[[str, float], None]
Measure: TypeAlias = Callable[[bool, Tell], report.Part]


class NotMeasuredError(Exception):
    """What a part needs is not here; it says what."""


def command(benchmark: str, about: str, parts: Mapping[str, Measure]) -> int:
    """Measures what the command line asks for; 1 if a part could not be measured, a missed bar is no failure."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{benchmark}", description=about)
    parser.add_argument("--only", default=",".join(parts), help=f"parts, with commas between: {', '.join(parts)}")
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it works, figures mean little")
    given = parser.parse_args()
    names = given.only.split(",")
    if unknown := [name for name in names if name not in parts]:
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(parts)}")
    folder = Path(".state") / (f"bench-{benchmark}-quick" if given.quick else f"bench-{benchmark}")
    found = run({name: parts[name] for name in names}, folder, benchmark, list(parts), quick=given.quick)
    bars = [bar for part in found for bar in part.bars]
    missed = [bar.what for bar in bars if not bar.met]
    print(
        f"\n{len(found)} of {len(names)} parts measured, {len(bars) - len(missed)} of {len(bars)} bars met."
        + "".join(f"\nMISSED  {what}" for what in missed)
    )
    return int(len(found) < len(names))


def run(
    parts: Mapping[str, Measure], folder: Path, benchmark: str, order: list[str], *, quick: bool
) -> list[report.Part]:
    """What the parts found, each printed and saved as soon as it is there."""
    found = []
    for name, measure in parts.items():
        started = time.monotonic()
        try:
            part = measure(quick, _teller(name, started))
        except NotMeasuredError as missing:
            print(f"\n{name}: NOT MEASURED, {missing}", file=sys.stderr)
            continue
        part = replace(part, name=name, seconds=time.monotonic() - started, quick=quick)
        print(part.text(), flush=True)
        place = report.save(part, folder, order, title=f"{benchmark.capitalize()}, measured")
        print(f"Written to {place}", file=sys.stderr)
        found.append(part)
    return found


def _teller(name: str, started: float) -> Tell:
    def tell(step: str, share: float) -> None:
        print(f"[{name} {share:4.0%} {time.monotonic() - started:5.0f} s] {step}", file=sys.stderr, flush=True)

    return tell

"""What a check found: a figure with its interval, held against what is tolerated.

A finding is *over* when the whole interval lies outside of what is tolerated, *under* when the figure itself lies
within, and *between* otherwise. So a large number of leads does not make a trifle an alarm, a small number does not
make noise one, and an alert has a gap between the limit that raises it and the one that clears it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Self, TypeAlias, get_args

from features.rates import Pair

Kind: TypeAlias = Literal["field", "missing", "unknown", "score", "unlike", "volume", "calibration", "performance"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
Verdict: TypeAlias = Literal["over", "between", "under", "untold"]
Lacking: TypeAlias = Literal["", "leads", "days", "outcomes", "reference"]


@dataclass(frozen=True, slots=True)
class Reading:
    """One figure of one evaluation.

    Attributes
    ----------
    kind : str
        What was looked at.
    field : str
        The definition's field; empty where it is about all of them.
    value, low, high : float
        The figure and its interval; NaN where it could not be told. Infinite where an end is open.
    tolerated : tuple of float
        Both ends are tolerated; infinite where one is open.
    n : int
        Leads behind the figure.
    lacking : str
        What there was too little of to tell; empty where it could be told.
    figures : mapping of str to float
        What a reader may want to know beside it, such as both shares behind a difference.
    """

    kind: Kind
    field: str
    value: float
    low: float
    high: float
    tolerated: Pair
    n: int
    lacking: Lacking = ""
    figures: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @classmethod
    def untold(cls, kind: Kind, name: str, tolerated: Pair, n: int, lacking: Lacking) -> Self:
        """A reading that says only what it lacked."""
        return cls(kind, name, math.nan, math.nan, math.nan, tolerated, n, lacking)

    @property
    def name(self) -> str:
        """What the alert about it is called: `missing:employees`, `volume`."""
        return f"{self.kind}:{self.field}" if self.field else self.kind

    @property
    def verdict(self) -> Verdict:
        """What the finding says."""
        if self.lacking:
            return "untold"
        least, most = self.tolerated
        if self.low > most or self.high < least:
            return "over"
        return "under" if least <= self.value <= most else "between"

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; what is NaN or infinite is left out."""
        numbers = {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "tolerated_low": self.tolerated[0],
            "tolerated_high": self.tolerated[1],
        }
        known = {name: number for name, number in numbers.items() if math.isfinite(number)}
        texts = {"kind": self.kind, "field": self.field, "lacking": self.lacking}
        return {**texts, "n": self.n, **known, "figures": dict(self.figures)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """The reading that `to_dict` wrote."""
        told = math.nan if plain["lacking"] else math.inf
        return cls(
            plain["kind"],
            plain["field"],
            plain.get("value", told),
            plain.get("low", -told),
            plain.get("high", told),
            (plain.get("tolerated_low", -math.inf), plain.get("tolerated_high", math.inf)),
            plain["n"],
            plain["lacking"],
            plain["figures"],
        )

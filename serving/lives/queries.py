"""What is asked for in an address, read whole: filters, the size of a page, and where the next one starts."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, get_args

import orjson
from starlette.datastructures import QueryParams

from features.definition import GRADES
from features.errors import Problem, RecordError
from features.text import Text, same
from serving.feedback.shapes import OutcomeWord, VerdictWord
from serving.intake import is_lead_id, misfit
from serving.store import Place, Wanted

MOST_LEADS = 500
MOST_HAPPENINGS = 200
LONGEST_NUMBER = 9
USUALLY = 50
LONGEST = 200
CHOICES: dict[str, tuple[str, ...]] = {
    "handover": ("go", "nurture"),
    "outcome": get_args(OutcomeWord),
    "verdict": (*get_args(VerdictWord), "none"),
    "handed_over": ("true", "false"),
    "overdue": ("true",),
}
NAMED = ("source", "campaign", "region", "owner", "account_id")
LIST_PARAMETERS = ("grade", *CHOICES, *NAMED, "limit", "next")


@dataclass(frozen=True)
class Query:
    """The parameters of an address; what is wrong with them is collected.

    Parameters
    ----------
    known : sequence of str
        The parameters that mean something here: a filter that was misspelt must not be passed over.
    """

    parameters: QueryParams
    known: Sequence[str]
    faults: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Note what does not belong there."""
        for name in dict.fromkeys(self.parameters):
            if name not in self.known:
                expected = same(", ".join(self.known))
                what = Text("there is no such parameter", "diesen Parameter gibt es nicht")
                self.faults.append(Problem(f"query {name}", what, expected, code="unknown_parameter"))

    def text(self, name: str) -> str | None:
        """The one value of a parameter; None if it was not sent."""
        values = self.parameters.getlist(name)
        if len(values) > 1 or any(not 1 <= len(value) <= LONGEST or "\x00" in value for value in values):
            self.misfit(name, A_VALUE)
            return None
        return values[0] if values else None

    def choice(self, name: str, choices: Sequence[str]) -> str | None:
        """The value of a parameter that has only these."""
        value = self.text(name)
        if value is not None and value not in choices:
            self.misfit(name, same(" / ".join(choices)))
        return value

    def limit(self, most: int) -> int:
        """How many are wanted on a page."""
        value = self.text("limit")
        if value is None:
            return USUALLY
        if value.isascii() and value.isdigit() and len(value) <= LONGEST_NUMBER and 1 <= int(value) <= most:
            return int(value)
        self.misfit("limit", Text(f"a whole number from 1 to {most}", f"eine ganze Zahl von 1 bis {most}"))
        return USUALLY

    def misfit(self, name: str, expected: Text) -> None:
        """Note that a parameter does not fit."""
        self.faults.append(misfit(f"query {name}", ",".join(self.parameters.getlist(name)), expected))

    def check(self) -> None:
        """Raise RecordError with everything that is wrong."""
        if self.faults:
            raise RecordError(self.faults)


def wanted_leads(query: Query, hours: Mapping[str, float], now: datetime) -> Wanted:
    """The filter that an address asks for; its faults are noted in `query`.

    Parameters
    ----------
    hours : mapping of str to float
        Agreed hours until first contact, by grade.
    """
    grades = tuple(part for text in query.parameters.getlist("grade") for part in text.split(","))
    if not set(grades) <= set(GRADES):
        query.misfit("grade", Text("A, B, C or D, several separated by commas", "A, B, C oder D, mehrere mit Kommas"))
    chosen = {name: query.choice(name, choices) for name, choices in CHOICES.items()}
    equal = {name: value for name in NAMED if (value := query.text(name)) is not None}
    if chosen["handover"] is not None:
        equal["handover"] = chosen["handover"]
    return Wanted(
        grades=grades,
        equal=equal,
        outcome=chosen["outcome"],
        verdict=chosen["verdict"],
        handed_over=None if chosen["handed_over"] is None else chosen["handed_over"] == "true",
        overdue_at=now if chosen["overdue"] else None,
        hours=hours,
    )


def lead_place(query: Query) -> tuple[float, str] | None:
    """Where the next page of a list starts."""
    match _unpacked(query):
        case None:
            return None
        case [float() | int() as probability, str() as lead_id] if is_lead_id(lead_id):
            return float(probability), lead_id
    query.misfit("next", A_PLACE)
    return None


def history_place(query: Query) -> Place | None:
    """Where the next page of a history starts."""
    match _unpacked(query):
        case None:
            return None
        case [int() as microseconds, (0 | 1 | 2) as kind, int() as number] if 0 <= microseconds < 2**53 > number >= 0:
            return Place(datetime.fromtimestamp(0, UTC) + microseconds * RESOLUTION, kind, number)
    query.misfit("next", A_PLACE)
    return None


def packed_lead(row: Mapping[str, Any]) -> str:
    """The place of a lead in a list, to go on after it."""
    return _packed([row["probability"], row["lead_id"]])


def packed_place(place: Place) -> str:
    """A place in a history, to go on after it."""
    since = place.received_at - datetime.fromtimestamp(0, UTC)
    return _packed([since // RESOLUTION, place.kind, place.number])


def _packed(place: list[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def _unpacked(query: Query) -> Any:
    text = query.text("next")
    if text is None:
        return None
    try:
        place = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        return NO_PLACE
    return NO_PLACE if place is None else place


RESOLUTION = datetime.resolution  # a microsecond
NO_PLACE = ()
A_VALUE = Text(f"one value of 1 to {LONGEST} characters", f"ein Wert mit 1 bis {LONGEST} Zeichen")
A_PLACE = Text("the next of an earlier answer, as it was", "das next einer früheren Antwort, unverändert")

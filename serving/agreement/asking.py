"""Requests about the agreement: a proposal, or an answer to one, with every fault of it at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast, get_args

from features.definition import GRADES
from features.errors import Problem, RecordError
from features.text import Text, same
from serving.agreement.shapes import LONGEST_COMMENT, MOST_HOURS, MOST_PER_WEEK, TeamWord
from serving.intake import misfit, unknown_keys
from serving.store import Team

PROPOSAL_KEYS = ("based_on", "handover", "follow_up_hours", "comment", "from", "to", "team")
ANSWER_KEYS = ("comment", "team")
DEMO_KEY = "demo"
BREAKS = "\n\t"


@dataclass(frozen=True, slots=True)
class Who:
    """For which team somebody speaks, and with which API key."""

    team: Team
    key_id: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to be agreed on.

    Attributes
    ----------
    parts : mapping
        `handover`, `follow_up_hours` or both, as plain data.
    days : sequence of (str, str)
        `from` and `to`, as far as they were given: parameters of the window that turns a capacity into a threshold.
    """

    who: Who
    based_on: int
    parts: Mapping[str, Any]
    comment: str
    days: Sequence[tuple[str, str]] = field(default=())


def read_proposal(entry: Mapping[str, Any], role: str | None, key_id: str | None, faults: Sequence[Problem]) -> Wish:
    """The proposal in a request's body.

    Parameters
    ----------
    role, key_id : str or None
        Of the key that came with the request; None in the demo, where the body names the team.
    faults : sequence of Problem
        Those of the body that are known already.

    Raises
    ------
    RecordError
        With every fault of it.
    """
    problems = [*faults, *unknown_keys(entry, PROPOSAL_KEYS)]
    who = _who(entry, role, key_id, problems)
    based_on = entry.get("based_on")
    if not isinstance(based_on, int) or isinstance(based_on, bool):
        problems.append(misfit("based_on", based_on, A_VERSION))
    parts = {
        name: read(entry[name], problems)
        for name, read in (("handover", _handover), ("follow_up_hours", _hours))
        if name in entry
    }
    comment = read_comment(entry.get("comment"), problems, needed=True)
    days = [(name, _day(name, entry[name], problems)) for name in ("from", "to") if name in entry]
    if problems:
        raise RecordError(problems)
    return Wish(who, cast(int, based_on), parts, comment, days)


def read_answer(
    entry: Mapping[str, Any], role: str | None, key_id: str | None, faults: Sequence[Problem], *, needs_comment: bool
) -> tuple[Who, str]:
    """For which team a request answers a proposal, and what it says; parameters and faults as `read_proposal`."""
    problems = [*faults, *unknown_keys(entry, ANSWER_KEYS)]
    who = _who(entry, role, key_id, problems)
    comment = read_comment(entry.get("comment"), problems, needed=needs_comment)
    if problems:
        raise RecordError(problems)
    return who, comment


def read_comment(value: object, problems: list[Problem], *, needed: bool) -> str:
    """The comment without spaces around it; a fault is noted if it does not fit."""
    comment = value.strip() if isinstance(value, str) else "" if value is None and not needed else None
    if comment is None or (needed and not comment) or len(comment) > LONGEST_COMMENT or not _is_text(comment):
        problems.append(misfit("comment", value, A_COMMENT))
        return ""
    return comment


def _is_text(comment: str) -> bool:
    return all(character.isprintable() or character in BREAKS for character in comment.replace("\r\n", "\n"))


def _who(entry: Mapping[str, Any], role: str | None, key_id: str | None, problems: list[Problem]) -> Who:
    teams, named = get_args(TeamWord), entry.get("team", role)
    if named not in teams or role not in (None, named):
        problems.append(misfit("team", entry.get("team"), same(role) if role else same(" / ".join(teams))))
    return Who(cast(Team, named), key_id or DEMO_KEY)


def _handover(value: object, problems: list[Problem]) -> dict[str, float]:
    if not isinstance(value, dict) or len(value) != 1 or not set(value) <= {"capacity_per_week", "threshold"}:
        problems.append(misfit("handover", value, ONE_RULE))
        return {}
    ((name, number),) = value.items()
    most = MOST_PER_WEEK if name == "capacity_per_week" else math.nextafter(1, 0)
    expected = A_CAPACITY if name == "capacity_per_week" else A_THRESHOLD
    return {name: _number(f"handover.{name}", number, most, expected, problems)}


def _hours(value: object, problems: list[Problem]) -> dict[str, float]:
    if not isinstance(value, dict) or not set(value) <= set(GRADES):
        problems.append(misfit("follow_up_hours", value, HOURS_BY_GRADE))
        return {}
    return {
        grade: _number(f"follow_up_hours.{grade}", hours, MOST_HOURS, SOME_HOURS, problems)
        for grade, hours in value.items()
    }


def _number(where: str, value: object, most: float, expected: Text, problems: list[Problem]) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= most:
        return float(value)
    problems.append(misfit(where, value, expected))
    return most


def _day(name: str, value: object, problems: list[Problem]) -> str:
    if isinstance(value, str):
        return value
    problems.append(misfit(name, value, A_DAY))
    return ""


A_VERSION = Text("the version in effect, a whole number", "die Version, die in Kraft ist, eine ganze Zahl")
A_COMMENT = Text(f"a text of 1 to {LONGEST_COMMENT} characters", f"ein Text aus 1 bis {LONGEST_COMMENT} Zeichen")
A_CAPACITY = Text("leads a week, above 0 and at most a million", "Leads pro Woche, über 0 und höchstens eine Million")
A_THRESHOLD = Text("a probability between 0 and 1", "eine Wahrscheinlichkeit zwischen 0 und 1")
ONE_RULE = Text("either capacity_per_week or threshold", "entweder capacity_per_week oder threshold")
HOURS_BY_GRADE = Text("hours for the grades A, B, C and D", "Stunden für die Klassen A, B, C und D")
SOME_HOURS = Text(f"hours, above 0 and at most {MOST_HOURS}", f"Stunden, über 0 und höchstens {MOST_HOURS}")
A_DAY = Text("a day such as 2026-01-31", "ein Tag wie 2026-01-31")

"""What the worklist shows: leads in the order in which it pays to call them, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, TypeAlias
from urllib.parse import urlencode

import orjson

from features.text import Text
from serving.cockpit.views.follow_up import FollowUp, follow_up
from serving.cockpit.views.labels import Codes, Labels, lead_address
from serving.cockpit.views.places import Place, packed
from serving.cockpit.views.shares import Brief, brief
from serving.scorer import Scorer
from serving.store import Listed, Order, Part, Store, Wanted

LeadRow: TypeAlias = dict[str, Any]
Around: TypeAlias = tuple[str, str]
Shelf: TypeAlias = Literal["to_answer", "accepted", "rejected", "all"]
SHELVES: tuple[Shelf, ...] = ("to_answer", "accepted", "rejected", "all")
ON_A_PAGE = 25
COUNTED_TO = 1_000
MOST_OWNERS = 200
MOST_BRIEF = 2
ADDRESS = "/cockpit/worklist"


@dataclass(frozen=True, slots=True)
class Choice:
    """What the reader chose.

    Attributes
    ----------
    shelf : Shelf
        Which leads: handed over and not answered yet, accepted, rejected, or all.
    order : {"by_value", "probability"}
        What comes first; the list of rejected leads begins with the newest verdict, that of all with the most probable.
    begins_with : str
        Only leads whose ids begin so, on whatever shelf; empty for none.
    """

    shelf: Shelf = "to_answer"
    order: Order = "probability"
    grade: str = ""
    source: str = ""
    campaign: str = ""
    region: str = ""
    owner: str = ""
    overdue: bool = False
    begins_with: str = ""

    @property
    def is_filtered(self) -> bool:
        """Whether fewer leads are shown than stand on the shelf."""
        return bool(self.grade or self.source or self.campaign or self.region or self.owner or self.overdue)

    def address(self, **other: str) -> str:
        """The address of the page with this choice, and with `other` parameters."""
        chosen = {
            "shelf": self.shelf if self.shelf != "to_answer" else "",
            "order": self.order,
            "grade": self.grade,
            "source": self.source,
            "campaign": self.campaign,
            "region": self.region,
            "owner": self.owner,
            "overdue": "1" if self.overdue else "",
            "id": self.begins_with,
        }
        said = {name: value for name, value in (chosen | other).items() if value}
        return f"{ADDRESS}?{urlencode(said)}" if said else ADDRESS


@dataclass(frozen=True, slots=True)
class Turn:
    """Which page of a list: what comes after a place, or before it; the first page without one.

    Attributes
    ----------
    place : Place or str, optional
        A lead's place in the list and its id; of a search, only its id.
    """

    place: Place | str | None = None
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class LeadLine:
    """A lead in the list.

    Attributes
    ----------
    expected_value, deal_value : float, optional
        Probability times deal value; None if the deal value is not known, or the lead is closed.
    speaks_for, speaks_against : tuple of Brief
        From the stored answer of its latest score.
    """

    lead_id: str
    address: str
    grade: str
    probability: float
    expected_value: float | None
    deal_value: float | None
    source: Text | None
    region: Text | None
    owner: str | None
    follow_up: FollowUp
    outcome: str
    verdict: str
    reason: Text | None
    verdict_at: datetime | None
    can_be_answered: bool
    speaks_for: tuple[Brief, ...]
    speaks_against: tuple[Brief, ...]


@dataclass(frozen=True, slots=True)
class WorklistView:
    """The worklist, for one reader.

    Attributes
    ----------
    n_leads : int, optional
        How many leads the list holds; None if that is not counted. `more_than` if there are more.
    before, after : str
        Addresses of the pages around; empty where there is none.
    accepted, rejected : Codes
        The reasons of the definition; empty for who may not answer.
    answered : LeadLine, optional
        The lead that the reader answered just now.
    whole_id : str
        The address of the lead whose whole id is what was searched for.
    """

    choice: Choice
    lines: tuple[LeadLine, ...]
    n_leads: int | None
    before: str
    after: str
    shelves: tuple[tuple[Shelf, str], ...]
    sources: Codes
    campaigns: Codes
    regions: Codes
    owners: tuple[str, ...]
    names: Mapping[str, Text]
    has_values: bool
    horizon_days: int | None
    may_answer: bool = False
    accepted: Codes = ()
    rejected: Codes = ()
    answered: LeadLine | None = None
    more_than: int = COUNTED_TO
    whole_id: str = ""


def worklist_view(
    store: Store,
    scorer: Scorer | None,
    choice: Choice,
    turn: Turn,
    *,
    now: datetime,
    may_answer: bool,
    answered: str = "",
    most: int = ON_A_PAGE,
) -> WorklistView:
    """The list that was chosen. Blocks on the database.

    Parameters
    ----------
    answered : str
        The id of the lead that the reader has just answered; empty if none.
    most : int
        Leads on a page.
    """
    labels, hours = Labels(scorer), agreed_hours(scorer)
    wanted = wanted_leads(choice, hours, now)
    rows, turns = _page(store, choice, wanted, turn, most)
    found = store.worklist.with_answers(rows)
    lines = tuple(_line(listed, labels, hours, now) for listed in found)
    just_answered = [lead for lead in found if lead.row["lead_id"] == answered] or _one(store, answered)
    view = WorklistView(
        choice=choice,
        lines=lines,
        n_leads=_n_leads(store, choice, wanted),
        before=turns[0],
        after=turns[1],
        shelves=tuple((shelf, replace(_unordered(choice, shelf), shelf=shelf).address()) for shelf in SHELVES),
        sources=labels.values("source", choice.source),
        campaigns=labels.values("campaign", choice.campaign),
        regions=labels.values("region", choice.region),
        owners=tuple(dict.fromkeys([*store.worklist.owners(MOST_OWNERS), *filter(None, [choice.owner])])),
        names={by: name for by in ("source", "campaign", "region") if (name := labels.name_of(by)) is not None},
        has_values=any(line.deal_value is not None for line in lines),
        horizon_days=scorer.bundle.definition.target.horizon_days if scorer else None,
        may_answer=may_answer,
        answered=_line(just_answered[0], labels, hours, now) if just_answered else None,
        whole_id=lead_address(choice.begins_with) if choice.begins_with else "",
    )
    if not may_answer:
        return view
    return replace(view, accepted=labels.reasons("accepted"), rejected=labels.reasons("rejected"))


def wanted_leads(choice: Choice, hours: Mapping[str, float], now: datetime) -> Wanted:
    """The choice as the store takes it."""
    parts: dict[Shelf, Part] = {"to_answer": "at_work", "accepted": "at_work", "rejected": "rejected", "all": "all"}
    verdicts = {"to_answer": "none", "accepted": "accepted"}
    named = ("source", "campaign", "region", "owner")
    equal = {name: getattr(choice, name) for name in named}
    return Wanted(
        part=parts[choice.shelf],
        verdict=verdicts.get(choice.shelf),
        order=order_of(choice),
        grades=(choice.grade,) if choice.grade else (),
        equal={column: value for column, value in equal.items() if value},
        overdue_at=now if choice.overdue else None,
        hours=hours,
    )


def order_of(choice: Choice) -> Order:
    """What comes first on this shelf: only of leads that are worked at, an expected value can still be won."""
    if choice.shelf == "rejected":
        return "verdict_at"
    return "probability" if choice.shelf == "all" else choice.order


def agreed_hours(scorer: Scorer | None) -> dict[str, float]:
    """Agreed hours until first contact, by grade at the handover."""
    agreed = scorer.bundle.definition.follow_up_hours if scorer else ()
    return {grade: hours for grade, hours in agreed if hours is not None}


def _unordered(choice: Choice, shelf: Shelf) -> Choice:
    """The choice as it goes along to another shelf: only leads that nobody has answered can be overdue."""
    return replace(choice, overdue=choice.overdue and shelf == "to_answer", begins_with="")


def _page(store: Store, choice: Choice, wanted: Wanted, turn: Turn, most: int) -> tuple[list[LeadRow], Around]:
    """The rows of a page, and the addresses of the pages before and after it."""
    if choice.begins_with:
        return _search(store, choice, turn.place if isinstance(turn.place, str) else None, most)
    place = None if isinstance(turn.place, str) else turn.place
    rows = store.worklist.page(wanted, place, most + 1, backwards=turn.backwards)
    has_more, order = len(rows) > most, wanted.order
    rows = (rows[-most:] if turn.backwards else rows[:most]) if has_more else rows
    has_before = has_more if turn.backwards else place is not None
    has_after = turn.backwards or has_more
    before = choice.address(before=packed(order, rows[0])) if rows and has_before else ""
    return rows, (before, choice.address(after=packed(order, rows[-1])) if rows and has_after else "")


def _search(store: Store, choice: Choice, after: str | None, most: int) -> tuple[list[LeadRow], Around]:
    """The same of leads found by their ids; before any page of them lies the first."""
    rows = store.worklist.beginning_with(choice.begins_with, after, most + 1)
    following = choice.address(after=str(rows[most - 1]["lead_id"])) if len(rows) > most else ""
    return rows[:most], (choice.address() if after else "", following)


def _n_leads(store: Store, choice: Choice, wanted: Wanted) -> int | None:
    """Of all leads nobody needs to know how many there are, and counting them would take long."""
    if choice.begins_with or choice.shelf == "all":
        return None
    return store.worklist.count(wanted, COUNTED_TO + 1)


def _one(store: Store, lead_id: str) -> list[Listed]:
    life = store.lives.of_lead(lead_id) if lead_id else None
    return [] if life is None or life.objection else store.worklist.with_answers([life.row])


def _line(listed: Listed, labels: Labels, hours: Mapping[str, float], now: datetime) -> LeadLine:
    row = listed.row
    speaks_for, speaks_against = brief(orjson.loads(listed.answer), MOST_BRIEF)
    outcome = row["outcome"] or "open"
    return LeadLine(
        lead_id=row["lead_id"],
        address=lead_address(row["lead_id"]),
        grade=row["grade"],
        probability=row["probability"],
        expected_value=None if row["deal_value"] is None or outcome != "open" else row["by_value"],
        deal_value=row["deal_value"],
        source=labels.counted_by("source", row["source"]),
        region=labels.counted_by("region", row["region"]),
        owner=row["owner"],
        follow_up=follow_up(row, hours, now),
        outcome=outcome,
        verdict=row["verdict"] or "",
        reason=labels.reason(row["verdict"], row["verdict_reason"]),
        verdict_at=row["verdict_at"],
        can_be_answered=row["handed_over_at"] is not None and outcome == "open",
        speaks_for=speaks_for,
        speaks_against=speaks_against,
    )

"""What a simulated CRM sends a scoring service, day after day: leads, what sales answers, and what became of them.

The leads come as in a history that goes on until now. Afterwards some of them visit again, or fall silent, and are sent
once more. That is made up for the calls alone: the truth of a history is about leads as they were created.

Sales' verdicts are sent for all leads that sales responded to; the service refuses those of leads that it did not hand
over, as it should. Some are forgotten, as sales forgets.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from training.simulate.behaviour import MEMORY_DAYS, WINDOW_DAYS
from training.simulate.funnel import Simulated, simulate
from training.simulate.parameters import Drift, Simulation
from training.simulate.randomness import stream

LEADS_PER_DAY = 16
NOT_SENT = ("lead_id", "account_id", "data_origin", "created_at")
FIRST_OUTCOME_COLUMN = "handover_basis"
SENT_AGAIN_SHARE = 0.35
SENT_AGAIN_WITHIN_DAYS = 30.0
SILENT_SHARE = 0.4
FORGOTTEN_SHARE = 0.12
REPRESENTATIVES = 6
ACCEPTED = {"need_confirmed": 0.5, "appointment_made": 0.35, "offer_requested": 0.15}
REJECTED = {
    "not_reachable": 0.3,
    "no_need": 0.25,
    "too_early": 0.2,
    "wrong_company": 0.15,
    "duplicate": 0.05,
    "wrong_data": 0.05,
}
TYPICAL_EMPLOYEES, TYPICAL_DEAL_EUR = 150.0, 18_000.0
TEAMS = {
    "team-sued": ("Baden-Württemberg", "Bayern"),
    "team-west": ("Nordrhein-Westfalen", "Hessen", "Rheinland-Pfalz", "Saarland"),
    "team-ost": ("Berlin", "Brandenburg", "Mecklenburg-Vorpommern", "Sachsen", "Sachsen-Anhalt", "Thüringen"),
}
"""Sales teams, and the states that they look after; the others have a team of their own, as have other countries."""
SAID_WHEN_LOST = ("not_reachable", "no_need", "wrong_contact", "no_budget")
"""Reasons for a loss that are agreed reasons for a rejection, too."""


@dataclass(frozen=True, slots=True)
class Call:
    """One thing that the CRM sends at a moment (UTC): a score, verdict or outcome, with the API's body."""

    at: datetime
    kind: str
    body: dict[str, Any]

    def line(self) -> str:
        """The call as a line of JSON."""
        return json.dumps({"at": _iso(self.at), "kind": self.kind, "body": self.body}, ensure_ascii=False)


def until_now(now: datetime, *, days: int, seed: int) -> Simulation:
    """A funnel whose leads come in the last `days` days, in the market that the demo's history began in."""
    start = now.astimezone(UTC).date() - timedelta(days=days - 1)
    origin = Drift(origin=date(2024, 1, 1))
    return Simulation(
        n_leads=LEADS_PER_DAY * days, start=start, days=days, days_after_last_lead=0, seed=seed, drift=origin
    )


def calls(parameters: Simulation, now: datetime) -> list[Call]:
    """Everything that the CRM has sent by `now` (UTC), in order; the same parameters and moment give the same calls."""
    simulated = simulate(parameters)
    sent = [call for lead in _Leads(simulated) for call in lead if call.at <= now]
    return sorted(sent, key=lambda call: call.at)


def write_calls(sent: list[Call], path: Path) -> None:
    """Write calls as lines of JSON; the folder is made, a file of the same name replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{call.line()}\n" for call in sent), encoding="utf-8")


class _Leads:
    """The calls of each lead of a history."""

    def __init__(self, simulated: Simulated) -> None:
        self._export = simulated.export
        self._rng = stream(simulated.parameters.seed, "calls")
        columns = list(self._export.columns)
        self._fields = [name for name in columns[: columns.index(FIRST_OUTCOME_COLUMN)] if name not in NOT_SENT]

    def __iter__(self) -> Iterator[list[Call]]:
        for lead in self._export.to_dict("records"):
            yield [*self._scores(lead), *self._verdict(lead), *self._outcome(lead)]

    def _scores(self, lead: dict[Any, Any]) -> Iterator[Call]:
        created = _moment(lead["created_at"])
        fields = {name: _plain(lead[name]) for name in self._fields if not pd.isna(lead[name])}
        expected = {"owner": _team(lead), "deal_value": self._expected_value(lead)}
        yield _score(lead, created, fields, expected)
        again = created + timedelta(days=float(self._rng.uniform(1, SENT_AGAIN_WITHIN_DAYS)))
        if self._rng.random() < SENT_AGAIN_SHARE and not _closed_before(lead, again):
            days = (again - created) / timedelta(days=1)
            moved = self._silent(fields, days) if self._rng.random() < SILENT_SHARE else self._active(fields, days)
            yield _score(lead, again, moved, expected)

    def _expected_value(self, lead: dict[Any, Any]) -> float:
        """What sales guesses a deal would be worth, EUR: by the company's size, and no better than that."""
        employees = TYPICAL_EMPLOYEES if pd.isna(lead["employees"]) else float(lead["employees"])
        guess = TYPICAL_DEAL_EUR * (employees / TYPICAL_EMPLOYEES) ** 0.3 * np.exp(self._rng.normal(0, 0.4))
        return float(np.round(guess, -2))

    def _silent(self, fields: dict[str, Any], days: float) -> dict[str, Any]:
        """The lead's fields after `days` days without a visit or a click."""
        left = max(0.0, 1 - days / WINDOW_DAYS)
        counts = {name: int(self._rng.binomial(fields.get(name, 0), left)) for name in _COUNTS}
        since = round(fields.get("days_since_last_visit", MEMORY_DAYS) + days, 1)
        if since >= WINDOW_DAYS:
            counts |= {"pages_viewed_30d": 0, "pricing_page_views": 0}
        return _consistent(fields, counts, since if since < MEMORY_DAYS else None)

    def _active(self, fields: dict[str, Any], days: float) -> dict[str, Any]:
        """The lead's fields after `days` days with another visit or some."""
        pages = 1 + int(self._rng.poisson(4))
        opened = int(self._rng.poisson(0.8))
        more = {
            "pages_viewed_30d": pages,
            "pricing_page_views": int(self._rng.binomial(pages, 0.12)),
            "emails_opened_30d": opened,
            "emails_clicked_30d": int(self._rng.binomial(opened, 0.3)),
        }
        counts = {name: fields.get(name, 0) + more[name] for name in _COUNTS}
        return _consistent(fields, counts, round(float(self._rng.uniform(0, min(days, WINDOW_DAYS - 1))), 1))

    def _verdict(self, lead: dict[Any, Any]) -> Iterator[Call]:
        forgotten, number = self._rng.random() < FORGOTTEN_SHARE, int(self._rng.integers(REPRESENTATIVES))
        reason = self._reason(lead)
        if forgotten or pd.isna(lead["first_response_hours"]):
            return
        at = _moment(lead["created_at"]) + timedelta(hours=float(lead["first_response_hours"]))
        body = {
            "lead_id": _new(lead["lead_id"]),
            "verdict": "accepted" if lead["sales_accepted"] else "rejected",
            "reason": reason,
            "by": f"rep-{number + 1}",
            "at": _iso(at),
            "first_contact_at": _iso(at),
        }
        yield Call(at, "verdict", body)

    def _reason(self, lead: dict[Any, Any]) -> str:
        if lead["lost_reason"] in SAID_WHEN_LOST and lead["sales_accepted"] is False:
            return str(lead["lost_reason"])
        shares = ACCEPTED if lead["sales_accepted"] is True else REJECTED
        return str(self._rng.choice(list(shares), p=list(shares.values())))

    def _outcome(self, lead: dict[Any, Any]) -> Iterator[Call]:
        if pd.isna(lead["closed_at"]):
            return
        at = _moment(lead["closed_at"])
        body = {"lead_id": _new(lead["lead_id"]), "outcome": lead["stage"].lower(), "at": _iso(at)}
        if lead["stage"] == "Won":
            body["value"] = float(lead["deal_value_eur"])
        else:
            body["reason"] = lead["lost_reason"]
        yield Call(at, "outcome", body)


_COUNTS = ("pages_viewed_30d", "pricing_page_views", "emails_opened_30d", "emails_clicked_30d")


def _score(lead: dict[Any, Any], at: datetime, fields: dict[str, Any], expected: dict[str, Any]) -> Call:
    ids = {"lead_id": _new(lead["lead_id"]), "account_id": _new(lead["account_id"])}
    return Call(at, "score", {**ids, **expected, "as_of": _iso(at), "fields": fields})


def _team(lead: dict[Any, Any]) -> str:
    """The sales team that works a lead, by where its company is."""
    if not pd.isna(lead["country"]) and lead["country"] != "DE":
        return f"team-{str(lead['country']).lower()}"
    return next((team for team, regions in TEAMS.items() if lead["region"] in regions), "team-nord")


def _consistent(fields: dict[str, Any], counts: dict[str, Any], days_since_last_visit: float | None) -> dict[str, Any]:
    """The fields with new counts; clicks never exceed opens, nor price pages pages."""
    kept = {name: value for name, value in fields.items() if name != "days_since_last_visit"}
    counts["pricing_page_views"] = min(counts["pricing_page_views"], counts["pages_viewed_30d"])
    counts["emails_clicked_30d"] = min(counts["emails_clicked_30d"], counts["emails_opened_30d"])
    since = {} if days_since_last_visit is None else {"days_since_last_visit": days_since_last_visit}
    return kept | counts | since


def _closed_before(lead: dict[Any, Any], moment: datetime) -> bool:
    return not pd.isna(lead["closed_at"]) and _moment(lead["closed_at"]) <= moment


def _new(number: str) -> str:
    """A number that no lead or account of the history has: N-000123 for L-000123."""
    return "N" + number


def _plain(value: Any) -> Any:
    """A value as JSON holds it; counts are whole."""
    value = value.item() if isinstance(value, np.generic) else value
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _moment(value: pd.Timestamp) -> datetime:
    return value.to_pydatetime().replace(tzinfo=UTC)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

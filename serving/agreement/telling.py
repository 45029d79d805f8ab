"""What is in effect, and stored agreements, as they are answered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal, TypeAlias

from features.definition import LeadDefinition, agreed_parts
from features.errors import Problem, RecordError
from features.model.bundle import Bundle
from features.text import Text
from serving.agreement.shapes import (
    AgreementAnswer,
    ConsentShown,
    DefinitionAnswer,
    InEffectShown,
    PartsShown,
    ProposalShown,
    SupplyShown,
)
from serving.scorer import in_utc
from serving.store import Agreement, Agreements, DefinitionRecord, Team

State: TypeAlias = Literal["open", "in_effect", "replaced", "declined", "withdrawn", "outdated"]
TEAMS: tuple[Team, ...] = ("marketing", "sales")
USUALLY = 50
MOST = 200
LONGEST_NUMBER = 18


def agreement_answer(
    agreements: Agreements, bundle: Bundle, own: LeadDefinition, *, most: int = USUALLY, before: int | None = None
) -> AgreementAnswer:
    """What is in effect, what is proposed, and the history; blocks on the database.

    Parameters
    ----------
    bundle : Bundle
        The model in service, under what is in effect.
    own : LeadDefinition
        The one that it was trained under.

    Raises
    ------
    StoreDownError
        If the database fails.
    """
    version, name = bundle.definition.definition.version, own.name
    found = agreements.history(name, most + 1, before)
    agreed = None if version == own.definition.version else agreements.in_effect(name)
    answer = AgreementAnswer(
        in_effect=_in_effect(bundle, agreed), history=[proposal_shown(each, version) for each in found[:most]]
    )
    waiting = agreements.open(name)
    if waiting is not None and waiting.based_on == version:
        answer["open"] = proposal_shown(waiting, version)
    if len(found) > most:
        answer["next"] = found[most - 1].id
    return answer


def proposal_shown(agreement: Agreement, version: int) -> ProposalShown:
    """A proposal as it is answered while `version` is in effect."""
    shown = ProposalShown(
        proposal_id=agreement.id,
        version=agreement.version,
        based_on=agreement.based_on,
        state=state_of(agreement, version),
        parts=json.loads(agreement.parts),
        threshold=agreement.threshold,
        fingerprint=agreement.fingerprint,
        comment=agreement.comment,
        proposed_by=agreement.proposed_by,
        proposed_at=in_utc(agreement.proposed_at),
        consents=consents(agreement),
    )
    if agreement.window_start and agreement.window_end and agreement.n_leads is not None:
        start, end = in_utc(agreement.window_start), in_utc(agreement.window_end)
        shown["window"] = SupplyShown(start=start, end=end, n_leads=agreement.n_leads)
    if agreement.effective_at is not None:
        shown["effective_at"] = in_utc(agreement.effective_at)
    if agreement.ended_at is not None:
        shown["ended_at"] = in_utc(agreement.ended_at)
    if agreement.answer_comment:
        shown["answer_comment"] = agreement.answer_comment
    return shown


def definition_shown(record: DefinitionRecord) -> DefinitionAnswer:
    """A definition that is kept, as it is answered."""
    return DefinitionAnswer(
        definition={"name": record.name, "version": record.version, "fingerprint": record.fingerprint},
        first_served_at=in_utc(record.first_served_at),
        agreed=json.loads(record.text),
    )


def state_of(agreement: Agreement, version: int) -> State:
    """What has become of a proposal while `version` is in effect."""
    if agreement.ending is not None:
        return agreement.ending
    if agreement.effective_at is not None:
        return "in_effect" if agreement.version == version else "replaced"
    return "open" if agreement.based_on == version else "outdated"


def consents(agreement: Agreement) -> list[ConsentShown]:
    """Which teams have consented, the one that proposed first."""
    teams: Sequence[Team] = TEAMS if agreement.proposed_by == "marketing" else TEAMS[::-1]
    given = [(team, getattr(agreement, f"{team}_key"), getattr(agreement, f"{team}_at")) for team in teams]
    return [ConsentShown(team=team, key_id=key, at=in_utc(moment)) for team, key, moment in given if moment is not None]


def page_of(parameters: Sequence[tuple[str, str]]) -> tuple[int, int | None]:
    """How many proposals are asked for, and before which; raises RecordError with every parameter that does not fit."""
    problems, found = list[Problem](), dict[str, int]()
    for name, value in parameters:
        known = {"limit": (1, MOST), "before": (1, 10**LONGEST_NUMBER)}.get(name)
        is_number = value.isascii() and value.isdigit() and len(value) <= LONGEST_NUMBER
        if known is None or name in found or not is_number or not known[0] <= int(value) <= known[1]:
            what = Text("this parameter does not fit", "dieser Parameter passt nicht")
            expected = Text(
                f"limit from 1 to {MOST}, before a proposal_id, each once",
                f"limit von 1 bis {MOST}, before eine proposal_id, jeweils einmal",
            )
            problems.append(Problem(f"parameter {name}", what, expected, seen=value, code="invalid_parameter"))
        else:
            found[name] = int(value)
    if problems:
        raise RecordError(problems)
    return found.get("limit", USUALLY), found.get("before")


def _in_effect(bundle: Bundle, agreed: Agreement | None) -> InEffectShown:
    definition = bundle.definition
    shown = InEffectShown(
        definition={
            "name": definition.name,
            "version": definition.definition.version,
            "fingerprint": definition.fingerprint,
        },
        parts=_parts(definition),
        threshold=bundle.manifest.handover_threshold,
        source="definition_file" if agreed is None else "agreement",
    )
    if agreed is not None and agreed.effective_at is not None:
        shown["effective_at"] = in_utc(agreed.effective_at)
    return shown


def _parts(definition: LeadDefinition) -> PartsShown:
    parts: PartsShown = agreed_parts(definition)  # type: ignore[assignment]  # plain data of exactly this shape
    return parts

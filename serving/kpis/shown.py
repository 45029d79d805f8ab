"""Figures as the answer shows them: with their period and, where there is room, their definition."""

from __future__ import annotations

from dataclasses import dataclass

from features.definition import LeadDefinition
from features.text import Text, same
from serving.kpis.counts import By
from serving.kpis.query import Query
from serving.kpis.shapes import DefinitionShown, FigureShown
from serving.kpis.shares import Figure
from serving.kpis.texts import FIGURES, NOT_STATED
from serving.schemas import InBothLanguages


@dataclass(frozen=True, slots=True)
class Shower:
    """Shows the figures of one query."""

    query: Query
    definition: LeadDefinition

    def figure(self, figure: Figure, *, told: bool = True) -> FigureShown:
        """A figure; without its definition unless it is `told`."""
        about = FIGURES[figure.name]
        shown = FigureShown(
            name=figure.name,
            n=figure.n,
            n_of=figure.n_of,
            start=self.query.start.isoformat(),
            end=self.query.end.isoformat(),
            matured_only=about.matured_only,
        )
        if figure.value is not None:
            shown["value"] = figure.value
        if figure.low is not None:
            shown["low"] = figure.low
        if figure.high is not None:
            shown["high"] = figure.high
        if figure.expected is not None:
            shown["expected"] = figure.expected
        if told:
            shown["definition"] = words(about.text)
        return shown

    def label(self, by: By, group: str | None) -> Text:
        """What a group is called."""
        if group is None:
            return NOT_STATED
        if by == "grade":
            return Text(f"Grade {group}", f"Klasse {group}")
        if by == "month" or self.definition.reporting is None:
            return same(group)
        field = self.definition.fields.get(getattr(self.definition.reporting, by) or "")
        return field.values.get(group, same(group)) if field else same(group)

    def reason(self, code: str) -> Text:
        """A reason for rejecting a lead in words; its code where the definition no longer has it."""
        return self.definition.verdicts.rejected.get(code, same(code))


def words(text: Text) -> InBothLanguages:
    """A text in both languages."""
    return InBothLanguages(en=text.en, de=text.de)


def definitions() -> list[DefinitionShown]:
    """What every figure is called and counts."""
    return [
        DefinitionShown(name=name, label=words(about.label), text=words(about.text)) for name, about in FIGURES.items()
    ]

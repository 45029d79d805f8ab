"""`python -m serving shadow` compares the challenger in the shadow with the model in service."""

from __future__ import annotations

import argparse

from features.text import Language, Text
from serving.commands.command import WORKED, Commands, add_command, opened
from serving.in_service import ModelInService
from serving.service import utc_now
from serving.settings import Settings
from serving.shadow.compare import Comparison, compare, in_words


def add(commands: Commands) -> None:
    """Add the command."""
    add_command(commands, "shadow", _run, "compare the challenger in the shadow with the model in service")


def _run(settings: Settings, _: argparse.Namespace, language: Language) -> int:
    found = _compared(settings) if settings.shadow else None
    for sentence in in_words(found) if found else [NOTHING if settings.shadow else NO_CHALLENGER]:
        print(sentence.in_language(language))
    return WORKED


def _compared(settings: Settings) -> Comparison | None:
    now = utc_now()
    champion, challenger = ModelInService(settings), ModelInService(settings, source=settings.shadow)
    for model in (champion, challenger):
        model.open(now)
    ids = [model.scorer.bundle.bundle_id for model in (champion, challenger)]
    with opened(settings) as store:
        return compare(store.shadows.pairs(*ids), champion.scorer.bundle.definition, now)


NOTHING = Text("No lead was scored by both models yet.", "Noch kein Lead wurde von beiden Modellen bewertet.")
NO_CHALLENGER = Text(
    "There is no challenger in the shadow: LEAD_SHADOW names one.",
    "Es gibt keinen Challenger im Schatten: LEAD_SHADOW nennt einen.",
)

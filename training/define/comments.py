"""Comments in both languages, and the questions among them."""

from __future__ import annotations

from features.text import Text
from training.define import toml


def both(text: Text) -> list[str]:
    """A comment in both languages."""
    return [toml.comment(text.en), toml.comment(text.de)] if text.en != text.de else [toml.comment(text.en)]


def decide(text: Text) -> list[str]:
    """What a person must decide, in both languages."""
    return [toml.comment(f"DECIDE: {text.en}"), toml.comment(f"ENTSCHEIDEN: {text.de}")]


def section(title: Text) -> list[str]:
    """A heading that is seen when scrolling."""
    line = f"---- {title.en} / {title.de} "
    return [toml.comment(line + "-" * max(4, 110 - len(line)))]

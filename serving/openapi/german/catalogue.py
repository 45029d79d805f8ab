"""English text to German text, and the document in either language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from features.text import Language
from serving.errors import KINDS
from serving.openapi.german import agreement, alerts, common, feedback, kpis, leads, model, privacy, scores

TOLD = ("summary", "description")
DATA = frozenset(("value", "enum", "const", "default", "example"))
BETWEEN_KINDS = "; "  # responses.documented joins several kinds of one status with it

GERMAN: Mapping[str, str] = {
    **{kind.title.en: kind.title.de for kind in KINDS.values()},
    **agreement.TEXTS,
    **alerts.TEXTS,
    **common.TEXTS,
    **feedback.TEXTS,
    **kpis.TEXTS,
    **leads.TEXTS,
    **model.TEXTS,
    **privacy.TEXTS,
    **scores.TEXTS,
}


def in_language(document: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """The document with every text in `language`; what has no German form stays English."""
    return dict(document) if language == "en" else _german(document)


def german_of(text: str) -> str | None:
    """The German form of a text, None if it has none; where its lines break does not matter."""
    parts = [GERMAN.get(part) for part in _joined(text).split(BETWEEN_KINDS)]
    whole = GERMAN.get(_joined(text))
    return whole or (None if None in parts else BETWEEN_KINDS.join(part for part in parts if part))


def texts(value: Any) -> Iterator[str]:
    """Every text of a document that people read and that has no German form beside it."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            if key in TOLD and isinstance(part, str):
                if f"x-{key}-de" not in value:
                    yield _joined(part)
            elif not _is_data(key, part):
                yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)


def _german(value: Any) -> Any:
    if isinstance(value, list):
        return [_german(part) for part in value]
    if not isinstance(value, Mapping):
        return value
    told = {key: part if _is_data(key, part) else _told(key, part, value) for key, part in value.items()}
    if "x-label-de" in value:
        told["title"] = value["x-label-de"]
    return told


def _told(key: str, part: Any, beside: Mapping[str, Any]) -> Any:
    if key in TOLD and isinstance(part, str):
        return beside.get(f"x-{key}-de") or german_of(part) or part
    return _german(part)


def _is_data(key: str, part: Any) -> bool:
    """Whether it holds values, not texts: a schema lists its examples, a body names and describes each of its own."""
    return key in DATA or (key == "examples" and isinstance(part, list))


def _joined(text: str) -> str:
    return " ".join(text.split())

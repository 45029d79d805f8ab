"""Stored answers and the flat text that is added when they leave.

A stored answer is the same for every reader: its texts stand in it in both languages. `reasons_text`, for systems that
show one field, is made of them in the language that was asked for, so a repeated request is answered with the same
bytes as the first one in that language.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from features.reasons import in_lines
from features.text import Language, Text
from serving.schemas import Explained, InBothLanguages


def reasons_text(answer: Explained) -> Text:
    """The base, the reasons and the rest of an answer as one text, a line each."""
    base, rest = answer["base"]["text"], answer["rest"]
    reasons = [reason["text"] for reason in answer["reasons"]]
    return in_both_languages(Text(**base), reasons, Text(**rest["text"]), rest["n_fields"])


def in_both_languages(base: Text, reasons: Sequence[InBothLanguages], rest: Text, n_others: int) -> Text:
    """The same from the texts themselves."""
    return Text(
        en=in_lines(base.en, [reason["en"] for reason in reasons], rest.en, n_others),
        de=in_lines(base.de, [reason["de"] for reason in reasons], rest.de, n_others),
    )


def in_language(stored: bytes, language: Language) -> bytes:
    """A stored answer as it leaves, with `reasons_text` in `language`."""
    return with_reasons_text(stored, reasons_text(orjson.loads(stored)), language)


def with_reasons_text(stored: bytes, text: Text, language: Language) -> bytes:
    """The same where the text is known already."""
    return b'%b,"reasons_text":%b}' % (stored[:-1], orjson.dumps(text.in_language(language)))

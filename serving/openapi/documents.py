"""All three documents, in either language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias, get_args

from fastapi import FastAPI

from features.text import LANGUAGES, Language
from serving.openapi.document import openapi_document
from serving.openapi.german import in_language
from serving.openapi.v20 import swagger_2_0
from serving.openapi.v30 import openapi_3_0
from serving.scorer import Scorer
from serving.settings import Settings

Version: TypeAlias = Literal["3.1", "3.0", "2.0"]
VERSIONS: tuple[Version, ...] = get_args(Version)


def _as_it_is(document: Mapping[str, Any], address: str) -> dict[str, Any]:
    return {**document, "servers": [{"url": address}]}


MAKERS: Mapping[Version, Callable[[Mapping[str, Any], str], dict[str, Any]]] = {
    "3.1": _as_it_is,
    "3.0": openapi_3_0,
    "2.0": swagger_2_0,
}


class Documents:
    """The documents of one application; the texts are collected anew only when another model or agreement serves."""

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._kept: tuple[tuple[str, str], dict[Language, dict[str, Any]]] | None = None

    def get(self, scorer: Scorer | None, version: Version, language: Language, address: str) -> dict[str, Any]:
        """The document for the model in service; it does not list fields while there is none.

        Parameters
        ----------
        scorer : Scorer or None
            The scorer in service.
        version : {"3.1", "3.0", "2.0"}
            Of OpenAPI.
        address : str
            Where the service is, such as `https://leads.example.com`.
        """
        # By id: a scorer that has been replaced is not kept alive by what was written about it.
        kept, served = self._kept, _served(scorer)
        if kept is None or kept[0] != served:
            document = openapi_document(self._app, scorer, self._settings)
            kept = self._kept = (served, {language: in_language(document, language) for language in LANGUAGES})
        return MAKERS[version](kept[1][language], address)


def _served(scorer: Scorer | None) -> tuple[str, str]:
    """Which model is in service, and under which agreement."""
    if scorer is None:
        return "", ""
    return scorer.model_name["bundle_id"], scorer.model_name["definition"]["fingerprint"]

"""What the operator decides, from the environment: every name starts with LEAD_. docs/en/service.md explains each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from features.text import Language, reader_language

MEMORY_DATABASES = ("sqlite://", "sqlite:///", "sqlite:///:memory:")
POSTGRESQL_SCHEMES = ("postgres://", "postgresql://")

Seconds = Annotated[float, Field(gt=0, le=3600)]


class Settings(BaseSettings):
    """The settings of one service; `Settings()` reads the environment, keyword arguments win over it.

    Raises
    ------
    pydantic.ValidationError
        With every setting that does not fit.
    """

    model_config = SettingsConfigDict(env_prefix="LEAD_", frozen=True, hide_input_in_errors=True)

    bundle: Annotated[str, Field(min_length=1)] = ".state/bundle"
    """A bundle's directory, or `models:/NAME@ALIAS` or `models:/NAME/VERSION` of an MLflow registry."""

    bundle_cache: Path = Path(".state/models")
    """Where bundles fetched from a registry are kept."""

    bundle_retry_s: Seconds = 10.0
    """Seconds until the bundle is tried again when it could not be opened at start."""

    database_url: Annotated[str, Field(repr=False)] = "sqlite:///.state/scores.db"
    """The store: `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST/NAME`."""

    store_timeout_s: Seconds = 5.0
    """Longest wait for the store before the caller gets 503."""

    retry_after_s: Annotated[int, Field(ge=1, le=3600)] = 5
    """What `Retry-After` says with 503."""

    host: str = "127.0.0.1"
    """The address to listen on."""

    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """The port to listen on; 0 takes a free one."""

    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """Processes that share the port and the store."""

    max_body_bytes: Annotated[int, Field(ge=1_000)] = 5_000_000
    """Largest request body; a larger one is answered with 413."""

    max_batch_leads: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    """Most leads in one batch."""

    body_timeout_s: Seconds = 10.0
    """Longest wait for a request's body; a slower client is answered with 408."""

    strongest_reasons: Annotated[int, Field(ge=1, le=50)] = 5
    """How many reasons an answer lists before the line for the rest."""

    language: Language = "en"
    """Language of messages for callers whose `Accept-Language` names neither German nor English."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe log line that is written."""

    @field_validator("language", mode="before")
    @classmethod
    def _as_at_the_terminal(cls, named: object) -> object:
        """Training's commands read the same variable; what they take, such as de_DE.UTF-8, is taken here too."""
        return reader_language({"LEAD_LANGUAGE": named}) if isinstance(named, str) else named

    @field_validator("database_url")
    @classmethod
    def _durable(cls, url: str) -> str:
        if url in MEMORY_DATABASES:
            raise ValueError("a database in memory loses every score; name a file, such as sqlite:///.state/scores.db")
        for scheme in POSTGRESQL_SCHEMES:
            if url.startswith(scheme):
                return "postgresql+psycopg://" + url.removeprefix(scheme)
        if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("expected sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME")
        return url

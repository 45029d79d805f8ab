"""What the operator decides, from the environment: every name starts with LEAD_. docs/en/service.md explains each."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from features.text import NO_SUCH_LANGUAGE, Language, named_language
from serving.settings_faults import SettingError

MEMORY_DATABASES = ("sqlite://", "sqlite:///", "sqlite:///:memory:")
POSTGRESQL_SCHEMES = ("postgres://", "postgresql://")

_is_origin = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?").fullmatch

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

    bundle_check_s: Annotated[float, Field(ge=0, le=86_400)] = 60.0
    """Seconds between looks whether another bundle is there to be served; 0 looks only when told to."""

    shadow: str = ""
    """A challenger that scores the same leads after their answers: named as `bundle` is; empty for none."""

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

    demo: bool = False
    """Open to everybody without a key, for trying it out; only on a loopback address, and every answer says so."""

    keys_refresh_s: Seconds = 5.0
    """How often the keys are read again from the store: the longest time until every worker knows a revocation."""

    requests_per_minute: Annotated[int, Field(ge=1, le=10_000_000)] = 6_000
    """Requests that a key may send in a minute to one worker before it is answered with 429."""

    wrong_keys_per_minute: Annotated[int, Field(ge=1, le=10_000_000)] = 30
    """Wrong keys that an address may try in a minute at one worker before it is answered with 429."""

    session_hours: Annotated[float, Field(gt=0, le=168)] = 12.0
    """Hours after which somebody who has signed in to the cockpit has to sign in again."""

    max_concurrent: Annotated[int, Field(ge=1, le=100_000)] = 200
    """Requests that one worker answers at a time; further ones get 503."""

    max_connections: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    """Connections that one worker holds open at a time; further ones get a plain 503."""

    max_head_bytes: Annotated[int, Field(ge=1_000, le=1_000_000)] = 16_384
    """Largest address and headers of a request together; larger ones are answered with 431."""

    idle_timeout_s: Annotated[int, Field(ge=1, le=3600)] = 10
    """Longest wait for a request's address and headers, and for the next request on a connection."""

    trusted_proxies: str = "127.0.0.1"
    """Addresses, separated by commas, of the proxies in front, whose word on the caller's address is taken."""

    hsts_s: Annotated[int, Field(ge=0, le=63_072_000)] = 0
    """`max-age` of `Strict-Transport-Security`; 0 sends none. Set it once callers reach the service by TLS only."""

    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Origins, separated by commas, whose pages may ask from a browser, such as `https://crm.example.com`."""

    strongest_reasons: Annotated[int, Field(ge=1, le=50)] = 5
    """How many reasons an answer lists before the line for the rest."""

    watch_every_s: Annotated[float, Field(ge=0, le=86_400)] = 3_600.0
    """Seconds between two evaluations of drift, gaps, volume and calibration; 0 leaves them to `serving watch`."""

    watch_leads: Annotated[int, Field(ge=100, le=20_000)] = 1_000
    """Most leads that an evaluation compares with training: the newest ones."""

    watch_days: Annotated[int, Field(ge=1, le=365)] = 28
    """Leads first scored earlier than so many days ago are not compared."""

    watch_raise_after: Annotated[int, Field(ge=1, le=100)] = 3
    """Findings over the limit in a row that raise an alert."""

    watch_clear_after: Annotated[int, Field(ge=1, le=100)] = 6
    """Findings within the limit in a row that clear it."""

    watch_silent: str = "none"
    """Names of alerts that are never raised, with commas between."""

    language: Language = "en"
    """Language of messages for callers whose `Accept-Language` names neither German nor English."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe log line that is written."""

    @property
    def silent_alerts(self) -> frozenset[str]:
        """The alerts that are never raised."""
        return frozenset(name.strip() for name in self.watch_silent.split(",")) - {"", "none"}

    @field_validator("language", mode="before")
    @classmethod
    def _as_at_the_terminal(cls, named: object) -> object:
        """Training's commands read the same variable; what they take, such as de_DE.UTF-8, is taken here too."""
        if not isinstance(named, str):
            return named
        language = named_language(named) if named else "en"
        if language is None:
            raise SettingError(*NO_SUCH_LANGUAGE)
        return language

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _separated(cls, given: object) -> object:
        return tuple(filter(None, (part.strip() for part in given.split(",")))) if isinstance(given, str) else given

    @field_validator("cors_origins")
    @classmethod
    def _explicit(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        if not all(map(_is_origin, origins)):
            raise SettingError(
                "expected origins such as https://crm.example.com, separated by commas; never *",
                "erwartet: Origins wie https://crm.example.com, durch Kommas getrennt; niemals *",
            )
        return origins

    @model_validator(mode="after")
    def _open_only_to_this_machine(self) -> Self:
        if self.demo and not is_loopback(self.host):
            raise SettingError(
                "LEAD_DEMO opens the service to everybody, so LEAD_HOST must be 127.0.0.1, ::1 or localhost",
                "LEAD_DEMO öffnet den Dienst für alle, darum muss LEAD_HOST 127.0.0.1, ::1 oder localhost sein",
            )
        return self

    @field_validator("database_url")
    @classmethod
    def _durable(cls, url: str) -> str:
        if url in MEMORY_DATABASES:
            raise SettingError(
                "a database in memory loses every score; name a file, such as sqlite:///.state/scores.db",
                "eine Datenbank im Arbeitsspeicher verliert jeden Score; erwartet: eine Datei, etwa "
                "sqlite:///.state/scores.db",
            )
        for scheme in POSTGRESQL_SCHEMES:
            if url.startswith(scheme):
                return "postgresql+psycopg://" + url.removeprefix(scheme)
        if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise SettingError(
                "expected sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME",
                "erwartet: sqlite:///PFAD oder postgresql://BENUTZER:PASSWORT@RECHNER/NAME",
            )
        return url


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "db.example.com", "")]
    [True, True, True, False, False, False]
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

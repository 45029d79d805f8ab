"""What keeps the service from starting: nobody could use it, or somebody could who should not."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import parse_qs, unquote, urlsplit

from features.errors import DataError, LeadQualityError, Problem
from features.text import Text
from serving.settings import Settings, is_loopback
from serving.store import Store

SHORTEST_PASSWORD = 12

_is_placeholder = re.compile(
    "(change|me|my|your|the|please|replace|this|todo|secret|geheim|pass|word|wort|passwd|pwd|postgres|postgresql|sql|"
    "admin|root|user|test|example|sample|dummy|default|demo|letmein|qwerty|qwertz|asdf|abc|leads?|lead|quality|db|"
    "database|service|x+)*"
).fullmatch


class UnsafeStartError(DataError):
    """The service does not start with these settings, or with these keys."""

    title = Text(en="The service does not start like this", de="So startet der Dienst nicht")


def check_settings(settings: Settings) -> None:
    """Return if no secret in the settings is a placeholder.

    Raises
    ------
    UnsafeStartError
        If one is; never with its value.
    """
    if problems := _weak_password(settings):
        raise UnsafeStartError(problems)


def check_start(settings: Settings, store: Store, now: datetime) -> None:
    """Return if the service may start: its secrets are none that can be guessed, and some key opens something.

    A store that does not answer is no reason: the service waits for it, and lets nobody in until then.

    Raises
    ------
    UnsafeStartError
        With everything that is wrong.
    """
    problems = _weak_password(settings)
    if not settings.demo and _has_no_usable_key(store, now):
        problems.append(NO_KEY)
    if problems:
        raise UnsafeStartError(problems)


def is_weak(password: str, *names: str) -> bool:
    """Whether a password is short, a usual placeholder, or one of the names beside it.

    >>> is_weak("changeme-please123"), is_weak("mf7Wq-2Lr9-xTz4"), is_weak("warehouse_2024", "warehouse")
    (True, False, True)
    """
    letters = _letters(password)
    return (
        len(password) < SHORTEST_PASSWORD
        or _is_placeholder(letters) is not None
        or letters in [_letters(name) for name in names]
    )


def _weak_password(settings: Settings) -> list[Problem]:
    """The fault of the database's password; on this machine, only who is on it could use the password."""
    url = urlsplit(settings.database_url)
    named = parse_qs(url.query)
    host = url.hostname or next(iter(named.get("host", [])), "")
    password = unquote(url.password or "") or next(iter(named.get("password", [])), "")
    is_local = is_loopback(host) or host in ("", "/") or host.startswith("/")
    if not password or is_local or not is_weak(password, unquote(url.username or ""), url.path):
        return []
    return [WEAK_PASSWORD]


def _has_no_usable_key(store: Store, now: datetime) -> bool:
    try:
        if store.migrates_itself:
            store.migrate()
        return not any(record.is_usable(now) for record in store.keys.all())
    except LeadQualityError:
        return False


def _letters(text: str) -> str:
    return re.sub("[^a-zäöüß]", "", text.lower())


WEAK_PASSWORD = Problem(
    where="LEAD_DATABASE_URL",
    what=Text("the password can be guessed", "das Passwort lässt sich erraten"),
    expected=Text(
        f"at least {SHORTEST_PASSWORD} random characters, or none (a client certificate, a password file)",
        f"mindestens {SHORTEST_PASSWORD} zufällige Zeichen, oder keines (Client-Zertifikat, Passwortdatei)",
    ),
    code="weak_password",
)
NO_KEY = Problem(
    where="keys",
    what=Text("no key opens anything, so nobody could use the service", "kein Schlüssel gilt, niemand käme hinein"),
    expected=Text(
        "a key: python -m serving keys create --client crm --role crm; or LEAD_DEMO=1, to try it out on this machine",
        "ein Schlüssel: python -m serving keys create --client crm --role crm; oder LEAD_DEMO=1 zum Ausprobieren auf "
        "diesem Rechner",
    ),
    code="no_usable_key",
)

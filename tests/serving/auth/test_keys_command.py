"""`python -m serving keys`: the secret is shown once, and nowhere else."""

from __future__ import annotations

import re

import pytest

from serving.__main__ import main
from serving.store import Store


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> None:
    monkeypatch.setenv("LEAD_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("LEAD_LANGUAGE", "en")


def says(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    assert main(["keys", *arguments]) == code
    told = capsys.readouterr()
    return told.out.strip(), told.err.strip()


def test_creating_prints_the_key_alone_and_listing_never_shows_it(
    capsys: pytest.CaptureFixture[str], sqlite_url: str
) -> None:
    key, note = says(capsys, "create", "--client", "our CRM", "--role", "crm", "--expires-days", "30")
    assert re.fullmatch(r"lq_[a-z2-7]{16}_[0-9a-f]{64}", key)
    assert "shown this once" in note
    listed, _ = says(capsys, "list")
    heads, row = listed.splitlines()
    assert heads.split("  ")[0] == "key"
    assert row.split()[:4] == [key.split("_")[1], "our", "CRM", "crm"]
    assert row.split()[-2:] == ["-", "active"]
    assert key.rpartition("_")[2] not in listed
    store = Store(sqlite_url)
    (record,) = store.keys.all()
    store.close()
    assert record.expires_at is not None
    assert (record.expires_at - record.created_at).days == 30


def test_a_revoked_key_is_listed_as_revoked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key, _ = says(capsys, "create", "--client", "crm", "--role", "crm")
    assert says(capsys, "revoke", key.split("_")[1])[0] == "It opens nothing any more."
    monkeypatch.setenv("LEAD_LANGUAGE", "de")
    assert says(capsys, "list")[0].endswith("widerrufen")
    assert says(capsys, "revoke", "a" * 16, code=1)[1] == "Einen Schlüssel mit dieser Kennung gibt es nicht."


@pytest.mark.parametrize(
    "arguments",
    [
        ["create", "--client", "x", "--role", "admin"],
        ["create", "--client", " ", "--role", "crm"],
        ["create", "--client", "x", "--role", "crm", "--expires-days", "0"],
        ["create", "--role", "crm"],
        ["revoke", "lq_aaaaaaaaaaaaaaaa_" + "5ec7e7" * 10 + "5ec7"],
        [],
    ],
)
def test_what_does_not_fit_is_refused_and_a_pasted_key_is_not_repeated(
    arguments: list[str], capsys: pytest.CaptureFixture[str], sqlite_url: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["keys", *arguments])
    assert ended.value.code == 2
    assert "5ec7e7" not in "".join(capsys.readouterr())
    store = Store(sqlite_url)
    store.migrate()
    assert store.keys.all() == []
    store.close()


def test_a_store_that_fails_is_told_without_a_stack_trace(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAD_DATABASE_URL", "postgresql://u:hush@127.0.0.1:9/none")
    monkeypatch.setenv("LEAD_STORE_TIMEOUT_S", "1")
    _, note = says(capsys, "list", code=1)
    assert "the database failed" in note
    assert "hush" not in note

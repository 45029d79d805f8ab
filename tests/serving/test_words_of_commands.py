"""What commands say is German where the reader's language is, and every setting that does not fit is told at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from serving.__main__ import main
from serving.settings import Settings
from serving.settings_faults import faults_of

SETTINGS = {
    "PORT": ("many", "erwartet: eine ganze Zahl", "expected a whole number"),
    "WORKERS": ("0", "erwartet: mindestens 1", "expected at least 1"),
    "RETRY_AFTER_S": ("1.5", "erwartet: eine ganze Zahl", "expected a whole number"),
    "STORE_TIMEOUT_S": ("0", "erwartet: mehr als 0.0", "expected more than 0.0"),
    "BODY_TIMEOUT_S": ("soon", "erwartet: eine Zahl, mit Punkt", "expected a number, with a point"),
    "WATCH_DAYS": ("999", "erwartet: höchstens 365", "expected at most 365"),
    "DEMO": ("perhaps", "erwartet: 1 oder 0", "expected 1 or 0"),
    "LOG_LEVEL": ("loud", "erwartet: 'debug', 'info', 'warning' oder 'error'", "'warning' or 'error'"),
    "BUNDLE": ("", "erwartet: ein Text, kein leerer", "expected a text, not an empty one"),
    "CORS_ORIGINS": ("*", "erwartet: Origins wie", "expected origins such as"),
    "DATABASE_URL": ("mysql://u:SECRET@h/d", "erwartet: sqlite:///PFAD", "expected sqlite:///PATH"),
}


@pytest.mark.parametrize(("language", "place"), [("de", 1), ("en", 2)])
def test_every_setting_that_does_not_fit_is_told_in_the_readers_language(
    language: str, place: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, words in SETTINGS.items():
        monkeypatch.setenv(f"LEAD_{name}", words[0])
    monkeypatch.setenv("LEAD_LANGUAGE", language)
    assert main(["migrate"]) == 2
    told = dict(line.split(": ", 1) for line in capsys.readouterr().err.splitlines())
    assert set(told) == {f"LEAD_{name}" for name in SETTINGS}
    for name, words in SETTINGS.items():
        assert words[place] in told[f"LEAD_{name}"]
    assert "SECRET" not in str(told)


def test_no_fault_of_a_setting_is_left_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("", "x", "-1", "1.5", "99999999999", "nan", "inf"):
        for name in Settings.model_fields:
            monkeypatch.setenv(f"LEAD_{name.upper()}", value)
            try:
                Settings()
            except ValidationError as error:
                for fault in faults_of(error):
                    assert "erwartet: " in fault.de, fault
                    assert "expected " in fault.en, fault
            monkeypatch.delenv(f"LEAD_{name.upper()}")


def test_a_language_that_we_do_not_speak_is_refused_with_those_that_we_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LEAD_LANGUAGE", "fr")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    assert main(["migrate"]) == 2
    assert capsys.readouterr().err == "LEAD_LANGUAGE: erwartet: de oder en\n"
    monkeypatch.delenv("LEAD_LANGUAGE")
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")  # the system's language is no order
    assert Settings().language == "en"


def test_a_backup_that_cannot_be_made_is_told_in_german(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LEAD_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("LEAD_LANGUAGE", "de")
    (tmp_path / "copy.db").write_text("there")
    assert main(["backup", "--out", str(tmp_path / "copy.db")]) == 1
    assert capsys.readouterr().err.endswith("copy.db gibt es schon; eine Sicherung ersetzt nichts\n")
    assert main(["erased", "--out", str(tmp_path / "e.txt")]) == 1
    assert "python -m serving migrate bringt ihn auf diesen" in capsys.readouterr().err
    assert main(["migrate"]) == 0
    assert main(["history", "--out", str(tmp_path / "h.xlsx"), "--definition", "definitions/demo.toml"]) == 1
    assert capsys.readouterr().err == "h.xlsx: eine Historie endet auf .parquet oder .csv.\n"
    monkeypatch.setenv("LEAD_DATABASE_URL", "postgresql://u:x@127.0.0.1:9/none")
    assert main(["migrate"]) == 1
    assert capsys.readouterr().err.startswith("die Datenbank ist gescheitert: ")

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from features.definition import LeadDefinition, parse_definition
from features.errors import HistoryError
from features.history import files_of, read_history
from features.text import Text
from tests.training.leak_worlds import real_set
from training.define import agreed, draft, toml
from training.define.columns import Column, read_column, read_columns
from training.define.outcome import find_outcome
from training.define.timing import find_timing
from training.labels import label, targets
from training.leakage import find_leaks, guard
from training.simulate import LEAKS, Simulation, simulate
from training.splits import split

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


# ---- TOML ------------------------------------------------------------------------------------------------------------


@given(name=ANY_TEXT, value=ANY_TEXT, remark=ANY_TEXT)
@example(name='Größe "L"; 5\\6 = [x] # y', value="\x00\x1f\x7f\t\r\n", remark="a\nb = 1\r\x85\u2028c = 2")
def test_any_text_reads_back_as_itself_as_key_value_and_comment(name: str, value: str, remark: str) -> None:
    assume(name != "left_out")  # a key and a table of that name would be one
    written = "\n".join(
        [
            toml.comment(remark),
            toml.entry(name, value),
            toml.header("left_out", name),
            toml.comment(remark),
            toml.entry("reason", Text(value, name)),
            toml.entry("values", (value, name)),
        ]
    )
    left_out = {name: {"reason": {"en": value, "de": name}, "values": [value, name]}}
    assert tomllib.loads(written) == {name: value, "left_out": left_out}


@given(rate=st.floats(0.0005, 0.9995))
def test_drafted_grades_fall_at_every_base_rate(rate: float) -> None:
    cuts = agreed.grades(rate)
    assert 1 > cuts["A"] > cuts["B"] > cuts["C"] > 0


# ---- Columns ---------------------------------------------------------------------------------------------------------


def column(*cells: str | None, name: str = "Feld", times: int = 10) -> Column:
    return read_column(name, pd.Series(list(cells) * times, dtype="str"))


@pytest.mark.parametrize(
    ("cells", "name", "kind"),
    [
        (("1.234,50", "7", "3,5"), "Umsatz", "number"),
        (("12 %", "3,5 %", "100 %"), "Rabatt", "number"),
        (("31.03.2024", "1.4.2024", "15.12.2023"), "Datum", "date"),
        (("20240331", "20231215", "20240101"), "Tag", "date"),
        (("2024-03-31T10:00:00Z", None, "2024-04-01"), "created", "date"),
        (("ja", "nein", None), "Newsletter", "boolean"),
        (("01067", "80331", "20095"), "Ort", "category"),
        (("10115", "80331", "20095"), "PLZ", "category"),
        (("10115", "80331", "20095"), "Kosten", "number"),
        (("Messe", "Web", "Telefon"), "Quelle", "category"),
    ],
)
def test_the_type_of_a_column_is_guessed_from_all_of_its_cells(cells: Any, name: str, kind: str) -> None:
    assert column(*cells, name=name).kind == kind


def test_placeholders_are_not_answers_and_doubtful_words_are_left_to_a_person() -> None:
    read = column("Messe", "Web", "Select", "keine Angabe", "unknown")
    assert set(read.placeholders) == {"Select", "keine Angabe"}
    assert (read.doubtful, read.n_distinct) == (("unknown",), 3)


def test_a_word_among_numbers_is_a_gap_of_that_column() -> None:
    read = column("12", "7,5", "unbekannt", "3")
    assert (read.kind, read.missing) == ("number", ("unbekannt",))
    assert read.values.isna().sum() == 10


def test_cells_that_read_both_ways_are_settled_by_the_other_columns() -> None:
    frame = pd.DataFrame({"a": ["1.234", "2.500"] * 5, "b": ["3,5", "4,25"] * 5}, dtype="str")
    columns, style = read_columns(frame)
    assert style.decimal == ","
    assert columns[0].values[0] == 1234
    assert read_columns(frame[["a"]], separator=";")[1].decimal == ","
    assert read_columns(frame[["b"]])[1].decimal is None


# ---- Outcome ---------------------------------------------------------------------------------------------------------


def test_the_outcome_is_told_from_other_yes_and_no_columns_by_its_name() -> None:
    columns = [column("ja", "nein", name=name) for name in ("Newsletter", "Gewonnen", "Rückruf")]
    found = find_outcome(columns, named=None, won=())
    assert (found.column, found.won, found.lost) == ("Gewonnen", ("ja",), ("nein",))


def test_a_status_is_read_by_its_words_and_what_they_do_not_say_is_open_and_asked() -> None:
    status = column("Closed Won", "Closed Lost", "nicht gewonnen", "In Bearbeitung", "Sonderfall", name="Status")
    found = find_outcome([status], named=None, won=())
    assert found.won == ("Closed Won",)
    assert found.lost == ("Closed Lost", "nicht gewonnen")
    assert found.open == ("In Bearbeitung", "Sonderfall")
    assert found.unsure == ("Sonderfall",)


def test_without_an_outcome_the_error_lists_what_was_looked_at_and_how_to_name_it() -> None:
    columns = [column("rot", "blau", name="Farbe"), column("ja", "nein", name="Newsletter")]
    with pytest.raises(HistoryError) as refused:
        find_outcome(columns, named=None, won=())
    assert "Farbe: blau, rot; Newsletter: ja, nein" in str(refused.value)
    assert "--outcome" in refused.value.in_language("de")


def test_a_named_outcome_must_exist_and_its_winning_value_too() -> None:
    columns = [column("rot", "blau", name="Farbe")]
    assert find_outcome(columns, named="Farbe", won=["rot"]).won == ("rot",)
    with pytest.raises(HistoryError, match="there is no column"):
        find_outcome(columns, named="Farben", won=["rot"])
    with pytest.raises(HistoryError, match="grün"):
        find_outcome(columns, named="Farbe", won=["grün"])
    with pytest.raises(HistoryError, match="--won"):
        find_outcome(columns, named="Farbe", won=())


# ---- Time ------------------------------------------------------------------------------------------------------------


def dated_leads(n: int, log_begins_day: int) -> tuple[pd.Series, pd.Series, pd.Series]:
    rng = np.random.default_rng(3)
    created = pd.Series(pd.Timestamp("2025-01-01", tz="UTC") + pd.to_timedelta(rng.integers(0, 600, n), unit="D"))
    closed = created + pd.to_timedelta(rng.exponential(20, n), unit="D")
    logged = closed >= pd.Timestamp("2025-01-01", tz="UTC") + pd.Timedelta(days=log_begins_day)
    won = pd.Series(rng.random(n) < 0.2) & logged
    return created, closed.where(won), won


def test_the_horizon_covers_three_of_four_wins() -> None:
    timing = find_timing(*dated_leads(4_000, 0))
    assert timing.horizons_days == (30, 14, 7, 1)
    assert timing.leads_from is None


def test_a_log_of_wins_that_began_late_is_noticed() -> None:
    timing = find_timing(*dated_leads(4_000, 200))
    assert str(timing.leads_from) in {"2025-07-20", "2025-07-21"}


# ---- Whole drafts ----------------------------------------------------------------------------------------------------


def read_draft(text: str) -> LeadDefinition:
    return parse_definition(tomllib.loads(text))


def trainable(text: str, path: str) -> LeadDefinition:
    """The drafted definition, after the steps that come before a fit: history, labels, leak guard, split."""
    definition = read_draft(text)
    history = read_history(definition, files_of(definition, path))
    labelled = label(history)
    assert guard(find_leaks(history.frame, targets(history, labelled), definition=definition), {}) == ()
    assert min(len(rows) for _, rows in split(labelled).windows()) > 100
    return definition


def german_export(n: int = 2_500) -> pd.DataFrame:
    """What a German CRM might write; every name of a person and company in it is made up."""
    rng = np.random.default_rng(1)
    size = rng.lognormal(4, 1, n)
    source = rng.choice(["Messe", "Web;seite", "Empfehlung", "- Select -", "k.A."], n, p=[0.2, 0.4, 0.2, 0.1, 0.1])
    won = rng.random(n) < 1 / (1 + np.exp(2 - 0.4 * (np.log(size) - 4) - (source == "Messe")))
    created = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 600 * 1_440, n), unit="m")
    closed_at = created + pd.to_timedelta(rng.exponential(40, n) * 1_440, unit="m")
    closed = closed_at < pd.Timestamp("2025-09-30")
    german = [f"{1_000 * v:,.2f}".translate(str.maketrans(",.", ".,")) for v in size]
    return pd.DataFrame(
        {
            "Lead-Nr.": [f"L{number:05d}" for number in range(n)],
            "Firma": rng.choice([f"Firma {number} GmbH" for number in range(900)], n),
            "E-Mail": [f"anna{number}@beispiel.de" for number in range(n)],
            "Erreichbar unter": [f"otto{number}@beispiel.de" for number in range(n)],
            "Eingangsdatum": created.strftime("%d.%m.%Y %H:%M"),
            'Quelle "Kanal"\\Größe': source,
            "Umsatz in T€": german,
            "PLZ": [f"{v:02d}000" for v in rng.integers(1, 99, n)],
            "Status": np.where(~closed, "In Bearbeitung", np.where(won, "Gewonnen", "Verloren")),
            "Abschlussdatum": np.where(closed, closed_at.strftime("%d.%m.%Y"), ""),
            "Verlustgrund": np.where(closed & ~won, rng.choice(["Preis", "kein Bedarf"], n), ""),
            "Monat": created.strftime("%m"),
            "Auftragswert": np.where(closed & won, german, ""),
            "leer": "",
            "Mandant": "01",
        }
    )


@pytest.fixture(scope="module")
def german(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("german") / "Leads 2025.csv"
    german_export().to_csv(path, index=False, sep=";", encoding="cp1252")
    return str(path)


def test_a_german_export_becomes_a_definition_that_trains(german: str) -> None:
    definition = trainable(draft(german), german)
    assert definition.columns.named() == {
        "outcome": "Status",
        "id": "Lead-Nr.",
        "created": "Eingangsdatum",
        "closed": "Abschlussdatum",
        "account": "Firma",
        "value": "Auftragswert",
    }
    assert definition.outcome.model_dump() == {
        "won": ("Gewonnen",),
        "lost": ("Verloren",),
        "open": ("In Bearbeitung",),
    }
    assert {name: field.type for name, field in definition.fields.items()} == {
        "quelle_kanal_groesse": "category",
        "umsatz_in_t": "number",
        "plz": "category",
    }
    assert set(definition.left_out) == {"E-Mail", "Erreichbar unter", "Verlustgrund", "Monat", "leer", "Mandant"}
    assert set(definition.read.missing) == {"- Select -", "k.A."}
    assert definition.target.horizon_days == 60


def test_a_draft_asks_in_both_languages_and_gives_its_evidence(german: str) -> None:
    text = draft(german)
    assert text.count("# DECIDE: ") == text.count("# ENTSCHEIDEN: ") >= 5
    assert "(filled in): 100.0\u00a0% of" in text
    assert "(ausgefüllt): 100,0\u00a0% von" in text


def test_no_personal_value_stands_in_a_draft(german: str) -> None:
    text = draft(german)
    assert "beispiel.de" not in text
    assert "GmbH" not in text


def test_the_horizon_can_be_given(german: str) -> None:
    assert read_draft(draft(german, horizon_days=45)).target.horizon_days == 45


def test_an_export_without_anything_to_learn_from_is_refused(tmp_path: Path) -> None:
    export = german_export()[["Lead-Nr.", "E-Mail", "Status", "Mandant"]]
    export.to_csv(tmp_path / "bare.csv", index=False)
    with pytest.raises(HistoryError, match="no column is left to learn from"):
        draft(str(tmp_path / "bare.csv"))


def test_a_date_is_left_out_where_the_leads_have_none_to_count_its_days_to(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    days = pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, 600), unit="D"))
    visited = days.dt.strftime("%Y-%m-%d").where(rng.random(600) < 0.7, "")  # gaps: no creation date
    frame = {"besuch": visited, "kanal": rng.choice(["Messe", "Web"], 600), "gewonnen": rng.choice(["ja", "nein"], 600)}
    pd.DataFrame(frame).to_csv(tmp_path / "leads.csv", index=False)
    data = tomllib.loads(draft(str(tmp_path / "leads.csv"), outcome="gewonnen"))
    assert set(data["fields"]) == {"kanal"}
    assert "kein Anlagedatum" in data["left_out"]["besuch"]["reason"]["de"]


def test_a_simulated_export_keeps_every_honest_field_and_no_leak(tmp_path: Path) -> None:
    export = simulate(Simulation(n_leads=5_000, seed=5, leaks=LEAKS)).export
    export.to_parquet(tmp_path / "crm.parquet")
    definition = trainable(draft(str(tmp_path / "crm.parquet")), str(tmp_path / "crm.parquet"))
    later = {"handover_basis", "worked_chance", "first_response_hours", "sales_accepted", "lost_reason", *LEAKS}
    columns = {field.column for field in definition.fields.values()}
    assert later <= set(definition.left_out)
    assert columns == set(export.columns) - set(definition.left_out) - set(definition.columns.named().values())
    assert {"lead_source", "industry", "employees", "pricing_page_views"} <= columns


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(ANY_TEXT.filter(lambda name: name.strip() == name and name), min_size=2, max_size=2, unique=True))
@example(names=['Größe; "netto"', "a]b = [c # d"])
@example(names=["größe", "Groesse"])
@example(names=["2024", "_"])
def test_columns_may_be_called_anything(names: list[str], tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    n = 600
    frame = pd.DataFrame({"x": rng.choice(["a", "b", "c"], n), "y": rng.choice(["d", "e"], n)})
    frame["__won__"] = np.where(rng.random(n) < 0.3, "won", "lost")
    frame.columns = pd.Index([*names, "__won__"])
    frame.to_parquet(tmp_path / "named.parquet")
    definition = read_draft(draft(str(tmp_path / "named.parquet"), outcome="__won__"))
    mentioned = {field.column for field in definition.fields.values()} | set(definition.left_out)
    assert mentioned == set(names)


# ---- The real sets, as if unknown ----------------------------------------------------------------------------------


def test_bank_marketing_is_drafted_as_if_unknown() -> None:
    path = real_set("bank_marketing")
    definition = trainable(draft(path), path)
    assert definition.columns.named() == {"outcome": "y", "created": "contact_date"}
    assert set(definition.left_out) == {"duration", "day", "month"}
    assert definition.outcome.won == ("yes",)


def test_x_education_is_drafted_as_if_unknown() -> None:
    path = real_set("x_education")
    definition = trainable(draft(path), path)
    assert definition.columns.named() == {"outcome": "Converted", "id": "Prospect ID", "order": "Lead Number"}
    assert definition.timing == "ordered"
    assert definition.read.missing == ("Select",)
    by_sales = {"Tags", "Lead Quality", "Lead Profile", "Last Activity", "Last Notable Activity"}
    assert by_sales <= set(definition.left_out)
    assert sum("Asymmetrique" in name for name in definition.left_out) == 4


def test_olist_is_drafted_as_if_unknown() -> None:
    path = real_set("olist_funnel")
    definition = trainable(draft(path), path)
    assert definition.columns.named() == {
        "outcome": "won",
        "id": "mql_id",
        "created": "first_contact_date",
        "closed": "won_date",
    }
    assert str(definition.target.leads_from) == "2017-12-05"
    assert definition.target.horizon_days == 30
    assert definition.read.closed_before_created == "leave_out"
    assert (definition.outcome.lost, definition.outcome.open) == ((), ("0",))
    assert set(definition.fields) == {"landing_page_id", "origin"}

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.definition import LeadDefinition, read_definition
from features.encode import Encoder
from features.errors import LeakError
from features.history import files_of, read_history
from features.text import Text
from tests.training.leak_worlds import World, definition_of, real_set, with_left_out
from training.labels import label, targets
from training.leakage import Finding, find_leaks, guard, hint
from training.simulate import LEAKS, Simulation, simulate

DEFINITIONS = Path(__file__).parents[2] / "definitions"
SALES_FILLED = (
    "Tags",
    "Lead Quality",
    "Lead Profile",
    "Last Activity",
    "Last Notable Activity",
    "Asymmetrique Activity Index",
    "Asymmetrique Profile Index",
    "Asymmetrique Activity Score",
    "Asymmetrique Profile Score",
)
A_FINDING = Finding(
    "tags", "decides_alone", "auc", 0.92, 0.8, 9_240, Text("it tells", "es verrät"), Text("drop it", "weglassen")
)


# ---- The guard -------------------------------------------------------------------------------------------------------


def test_training_refuses_with_every_finding_that_nobody_accepted() -> None:
    other = replace(A_FINDING, field="quality")
    with pytest.raises(LeakError) as refused:
        guard([A_FINDING, other, replace(A_FINDING, field="note", severity="note")], {"quality": "we asked"})
    assert [problem.where for problem in refused.value.problems] == ["fields.tags"]
    assert "0.920" in str(refused.value)
    assert "es verrät" in refused.value.in_language("de")


def test_accepted_findings_come_back_for_the_card() -> None:
    assert guard([A_FINDING], {"tags": Text("known", "bekannt")}) == (A_FINDING,)
    assert guard([replace(A_FINDING, severity="note")], {}) == ()


@pytest.mark.parametrize("kind", ["known_too_late", "after_as_of"])
def test_no_reason_makes_what_cannot_be_known_acceptable(kind: str) -> None:
    with pytest.raises(LeakError, match="cannot be accepted"):
        guard([replace(A_FINDING, kind=kind)], {"tags": "we want it"})  # type: ignore[arg-type]


def test_a_field_known_only_after_scoring_is_found_even_if_the_definition_was_built_in_code() -> None:
    world = World().noise("late")
    definition = definition_of(late="category")
    late = definition.fields["late"].model_copy(update={"known": "handover"})
    findings = find_leaks(
        world.frame, world.won.astype(float), definition=definition.model_copy(update={"fields": {"late": late}})
    )
    assert [finding.kind for finding in findings] == ["known_too_late"]


# ---- What one field does -------------------------------------------------------------------------------------------


def test_noise_is_no_leak_however_many_values_it_has() -> None:
    world = World().noise("few", 3).noise("many", 60)
    world.add("number", "number", world.rng.normal(size=world.n))
    assert world.kinds() == {}


def test_a_field_that_is_a_function_of_the_outcome_is_named_as_one() -> None:
    world = World()
    term = np.where(world.won, world.rng.choice([14.0, 30.0], world.n), 0.0)
    assert "function_of_target" in world.add("term", "number", term).kinds()["term"]


def test_a_number_that_nearly_decides_is_found_where_it_is_not_monotone() -> None:
    world = World()
    strange = np.where(world.won, world.rng.normal(0, 0.3, world.n), world.rng.choice([-1, 1], world.n) * 2.0)
    blurred = strange + world.rng.normal(0, 0.8, world.n)
    assert "decides_alone" in world.add("strange", "number", blurred).kinds()["strange"]


def test_a_good_honest_field_is_no_leak() -> None:
    world = World(6_000)
    assert world.add("size", "number", world.won * 0.9 + world.rng.normal(size=world.n)).kinds() == {}


def test_a_rate_that_drifts_does_not_turn_every_field_that_changes_with_time_into_a_leak() -> None:
    world = World(8_000)
    time = np.linspace(0, 1, world.n)
    world.won = world.rng.random(world.n) < 0.02 + 0.9 * time**3
    world.frame["outcome"] = np.where(world.won, "won", "lost")
    assert world.add("interest_rate", "number", 5 - 4 * time).kinds() == {}


# ---- Single values ---------------------------------------------------------------------------------------------------


def test_a_single_value_that_decides_is_named_with_its_cases() -> None:
    world = World()
    segment = np.where(world.won & (world.rng.random(world.n) < 0.4), "key", world.rng.choice(["a", "b"], world.n))
    found = world.add("segment", "category", segment).find()
    assert [finding.kind for finding in found] == ["value_decides"]
    assert "“key”: 100.0\u00a0% of" in found[0].what.en
    assert "„key“" in found[0].what.de


def test_a_value_with_few_cases_decides_nothing() -> None:
    world = World(rate=0.5)
    segment = world.rng.choice(["a", "b"], world.n)
    segment[np.flatnonzero(world.won)[:21]] = "rare"
    assert world.add("segment", "category", segment).kinds() == {}


def test_many_leads_of_few_accounts_are_few_cases() -> None:
    world = World(rate=0.3)
    rows = np.flatnonzero(world.won)[:60]
    segment = world.rng.choice(["a", "b"], world.n).astype(object)
    segment[rows] = "partner"
    assert "value_decides" in World(rate=0.3).add("segment", "category", segment).kinds()["segment"]
    world.frame.loc[rows, "account"] = [f"shared {number % 4}" for number in range(60)]
    assert world.add("segment", "category", segment).kinds() == {}


def test_a_value_that_always_loses_means_nothing_where_nearly_all_lose() -> None:
    world = World(rate=0.04)
    segment = np.where(~world.won & (world.rng.random(world.n) < 0.1), "never", "other")
    assert world.add("segment", "category", segment).kinds() == {}


# ---- Fill rates ------------------------------------------------------------------------------------------------------


def test_a_field_that_was_completed_after_the_win_is_found_by_its_fill_rate() -> None:
    world = World()
    filled = world.rng.random(world.n) < np.where(world.won, 0.8, 0.4)
    detail = pd.Series(world.rng.choice(["x", "y"], world.n)).where(filled)
    (found,) = world.noise().add("detail", "category", detail).find()
    assert (found.kind, round(found.value, 1)) == ("filled_by_outcome", 0.4)


def test_a_field_that_only_one_form_asks_for_is_no_leak_because_that_form_wins_more() -> None:
    world = World(8_000)
    form = np.where(world.rng.random(world.n) < np.where(world.won, 0.62, 0.38), "contact", "download")
    answer = pd.Series(world.rng.choice(["x", "y"], world.n)).where(form == "contact")
    assert "answer" in World(8_000).add("answer", "category", answer).kinds()
    assert world.add("form", "category", form).add("answer", "category", answer).kinds() == {}


# ---- Closed and open -------------------------------------------------------------------------------------------------


def half_open() -> World:
    world = World(4_000)
    still_open = world.rng.random(world.n) < 0.4
    world.frame["outcome"] = np.where(still_open, "open", world.frame["outcome"])
    world.won &= ~still_open
    return world


def test_a_field_that_closing_sets_to_one_value_is_constant_after_closing() -> None:
    world = half_open()
    is_open = (world.frame["outcome"] == "open").to_numpy()
    forecast = np.where(is_open, world.rng.choice(["likely", "unlikely"], world.n), "done")
    assert "constant_after_closing" in world.add("forecast", "category", forecast).kinds()["forecast"]


def test_a_field_that_closing_overwrites_is_found_though_it_does_not_tell_the_wins() -> None:
    world = half_open()
    is_open = (world.frame["outcome"] == "open").to_numpy()
    team = world.rng.choice(["north", "south"], world.n)
    team = np.where(is_open, team, world.rng.choice(["archive", "back"], world.n))
    known = np.where(is_open, np.nan, world.won)
    assert world.add("team", "category", team).kinds(known)["team"] == {"rewritten_after_closing"}


def test_newer_leads_are_open_because_they_are_new_and_that_is_no_leak() -> None:
    world = World(6_000)
    newest = np.arange(world.n) > 4_500
    world.frame["outcome"] = np.where(newest, "open", world.frame["outcome"])
    campaign = np.where(np.arange(world.n) > 4_400, "autumn", "spring")
    assert world.add("campaign", "category", campaign).kinds(np.where(newest, np.nan, world.won)) == {}


# ---- Ids, persons, dates -------------------------------------------------------------------------------------------


def test_a_number_that_names_leads_is_found_and_one_that_describes_them_is_not() -> None:
    world = World()
    world.add("ticket", "number", np.arange(world.n) + 70_000.0)
    world.add("customer", "number", world.rng.permutation(900_000)[: world.n] + 100_000.0)
    world.add("revenue", "number", np.round(world.rng.lognormal(12, 2, world.n)))
    world.add("code", "category", [f"X{number}" for number in world.rng.permutation(world.n)])
    assert world.kinds() == {name: {"near_unique"} for name in ("ticket", "customer", "code")}


def test_personal_values_are_found_and_never_quoted() -> None:
    world = World()
    world.add("reach", "category", [f"anna{n % 40}@firma.de" if n % 9 else "+49 171 2345678" for n in range(world.n)])
    (found,) = world.find()
    assert found.kind == "personal"
    assert "anna" not in str(found)
    assert "171" not in str(found)


def test_dates_after_the_as_of_date_are_refused_and_a_typing_error_is_noted() -> None:
    world = World()
    created = world.frame["created"]
    slips = created - pd.Timedelta(days=3)
    slips[5] = created[5] + pd.Timedelta(days=30)
    world.add("meeting", "date", created + pd.Timedelta(days=2)).add("slip", "date", slips)
    world.add("visit", "date", created + pd.Timedelta(hours=9))
    severities = {finding.field: finding.severity for finding in world.find() if finding.kind == "after_as_of"}
    assert severities == {"meeting": "refuse", "slip": "note"}


def test_on_the_same_day_the_time_decides_where_the_as_of_date_has_one() -> None:
    world = World()
    world.frame["as_of"] = world.frame["created"] + pd.to_timedelta(world.rng.integers(1, 1_400, world.n), unit="m")
    world.add("visit", "date", world.frame["as_of"] + pd.Timedelta(minutes=1))
    assert "after_as_of" in world.kinds()["visit"]


# ---- Names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    "Status, lead_stage, Verkaufsphase, lost_reason, Verlustgrund, Last Notable Activity, letzteAktivität, Tags, "
    "Bemerkungen, Lead Quality, Lead Profile, Bewertung, duration, Gesprächsdauer, ContractDate, Auftragsnummer, "
    "owner, Zuständig, first_response_hours, closed_at, Asymmetrique Profile Score".split(", "),
)
def test_names_of_what_happens_later_are_strong_hints(name: str) -> None:
    found = hint(name)
    assert found is not None
    assert found.strength == "strong"


@pytest.mark.parametrize(
    "name",
    "marital_status, Familienstand, contact, Contact Source, industry, Branche, country, campaign, poutcome, "
    "Lead Source, City, days_since_last_visit, previous_customer, Firmengröße, wonderland, pages_viewed_30d".split(
        ", "
    ),
)
def test_names_of_what_is_known_early_are_no_hints(name: str) -> None:
    assert hint(name) is None


@pytest.mark.parametrize("name", ["TotalVisits", "Anzahl Besuche", "previous_deals", "score", "Do Not Email"])
def test_names_that_leave_it_open_are_weak_hints(name: str) -> None:
    found = hint(name)
    assert found is not None
    assert found.strength == "weak"


def test_a_telling_name_alone_is_a_note_and_refuses_where_the_data_agree() -> None:
    world = World(6_000).noise("lead_status").noise("rating")
    world.add("quality", "number", world.won * 1.0 + world.rng.normal(size=world.n))
    found = {finding.field: (finding.kind, finding.severity) for finding in world.find()}
    assert found == {
        "lead_status": ("named_like_later", "note"),
        "rating": ("named_like_later", "note"),
        "quality": ("named_like_later", "refuse"),
    }


# ---- The simulator ---------------------------------------------------------------------------------------------------


def simulated(parameters: Simulation, leaks: tuple[str, ...] = ()) -> tuple[Finding, ...]:
    """The findings over a simulated export, in the demo's definition with the leaks as fields."""
    made = simulate(replace(parameters, leaks=leaks))
    definition = read_definition(DEFINITIONS / "demo.toml")
    export = made.export
    planted = [column for column in export.columns if column not in simulate_columns(definition)]
    frame = pd.DataFrame({name: as_typed(export[field.column]) for name, field in definition.fields.items()})
    types = {name: field.type for name, field in definition.fields.items()}
    for column in planted:
        frame[column] = as_typed(export[column])
        types[column] = kind_of(export[column])
    frame["created"] = frame["as_of"] = export["created_at"].dt.tz_localize("UTC")
    frame["account"], frame["outcome"] = export["account_id"], export["stage"].str.lower()
    closed = export["closed_at"].dt.tz_localize("UTC")
    horizon = pd.Timedelta(days=parameters.horizon_days)
    won = (frame["outcome"] == "won") & (closed < frame["created"] + horizon)
    matured = frame["created"] + horizon <= pd.Timestamp(made.exported_at, tz="UTC")
    return find_leaks(frame, np.where(matured, won, np.nan), definition=definition_of(**types))


def simulate_columns(definition: LeadDefinition) -> set[str]:
    roles = set(definition.columns.named().values())
    return roles | {field.column for field in definition.fields.values()} | set(definition.left_out)


def kind_of(column: pd.Series) -> str:
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return "date"
    return "number" if pd.api.types.is_numeric_dtype(column.dtype) else "category"


def as_typed(column: pd.Series) -> pd.Series:
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.map({True: "true", False: "false"}).astype("str")
    if kind_of(column) == "date":
        return column.dt.tz_localize("UTC")
    return column.astype("float64") if kind_of(column) == "number" else column


@pytest.mark.parametrize("n_leads", [1_000, 4_000])
def test_every_planted_leak_is_refused_and_nothing_else(n_leads: int) -> None:
    findings = simulated(Simulation(n_leads=n_leads, seed=7), LEAKS)
    assert {finding.field for finding in findings if finding.severity == "refuse"} == set(LEAKS)


def test_twenty_clean_histories_raise_at_most_one_alarm_notes_included() -> None:
    alarms = [seed for seed in range(20) if simulated(Simulation(n_leads=1_500, seed=seed, world=1 + seed % 3))]
    assert len(alarms) <= 1


def test_gaps_that_sales_filled_in_for_won_leads_are_found() -> None:
    findings = simulated(Simulation(n_leads=6_000, seed=3, missing_depends_on_outcome=1.0))
    assert {"employees", "revenue_eur"} <= {finding.field for finding in findings}


# ---- The real sets ---------------------------------------------------------------------------------------------------


def found_in(definition: LeadDefinition, path: str) -> dict[str, set[str]]:
    """Refusing findings by column: their kinds."""
    history = read_history(definition, files_of(definition, path))
    findings = find_leaks(history.frame, targets(history, label(history)), definition=definition)
    kinds: dict[str, set[str]] = {}
    for finding in findings:
        if finding.severity == "refuse":
            kinds.setdefault(definition.fields[finding.field].column, set()).add(finding.kind)
    return kinds


def test_x_education_all_that_sales_filled_in_is_named() -> None:
    path = real_set("x_education")
    numbers = ("TotalVisits", "Total_Time_Spent_on_Website", "Page_Views_Per_Visit")
    shipped = read_definition(DEFINITIONS / "x_education.toml")
    kinds = found_in(with_left_out(shipped, **dict.fromkeys(numbers, "number")), path)
    assert set(SALES_FILLED) <= set(kinds)
    assert {"decides_alone", "value_decides", "filled_by_outcome"} <= kinds["Tags"]
    assert not {"TotalVisits", "Lead Origin", "Country", "City"} & set(kinds)


def test_x_education_tags_are_found_by_what_they_do_when_their_name_says_nothing() -> None:
    path = real_set("x_education")
    shipped = read_definition(DEFINITIONS / "x_education.toml")
    renamed = pd.read_csv(path, dtype="str").rename(columns={"Tags": "Field 7"})
    world = World(len(renamed))
    world.frame["outcome"] = np.where(renamed["Converted"] == "1", "won", "lost")
    world.won = (renamed["Converted"] == "1").to_numpy()
    assert "Tags" in shipped.left_out
    assert "decides_alone" in world.add("field_7", "category", renamed["Field 7"]).kinds()["field_7"]


def test_bank_marketing_duration_is_named_and_nothing_else() -> None:
    path = real_set("bank_marketing")
    shipped = read_definition(DEFINITIONS / "bank_marketing.toml")
    kinds = found_in(with_left_out(shipped, duration="number", day="number"), path)
    assert set(kinds) == {"duration"}


def test_olist_any_column_joined_from_the_closed_deals_is_named(tmp_path: Path) -> None:
    deals = pd.read_csv(real_set("olist_funnel"), dtype="str")
    rng = np.random.default_rng(2)
    won = (deals["won"] == "1").to_numpy()
    joined = {
        "business_segment": rng.choice(["pet", "home", "toys"], len(deals)),
        "declared_catalog_size": rng.integers(1, 500, len(deals)).astype(str),
        "lead_behaviour_profile": np.where(rng.random(len(deals)) < 0.5, "cat", "eagle"),
    }
    deals["won_day"] = deals["won_date"]
    for name, values in joined.items():
        deals[name] = pd.Series(values, dtype="str").where(won)
    deals.to_csv(tmp_path / "joined.csv", index=False)
    shipped = read_definition(DEFINITIONS / "olist_funnel.toml")
    left_out = {name: {"reason": "test"} for name in (*joined, "won_day")}
    opened = with_left_out(
        shipped.model_copy(update={"left_out": left_out}), won_day="date", declared_catalog_size="number"
    )
    kinds = found_in(opened, str(tmp_path / "joined.csv"))
    assert set(kinds) == set(left_out)
    assert "after_as_of" in kinds["won_day"]


def test_dates_after_the_as_of_date_reach_the_guard_although_the_encoder_takes_them_for_missing(tmp_path: Path) -> None:
    rows = [{"created": "2025-01-10", "closed": "2025-02-01", "outcome": "won" if n % 4 else "lost", "account": n,
             "visit": "2025-01-12" if n < 5 else "2025-01-08"} for n in range(100)]  # fmt: skip
    pd.DataFrame(rows).to_csv(tmp_path / "leads.csv", index=False)
    definition = definition_of(visit="date")
    frame = read_history(definition, files_of(definition, str(tmp_path / "leads.csv"))).frame
    late = [f for f in find_leaks(frame, np.full(100, np.nan), definition=definition) if f.kind == "after_as_of"]
    assert [(finding.value, finding.severity) for finding in late] == [(0.05, "refuse")]
    days = Encoder.learn(definition, frame).frame(frame, frame["as_of"])[:, 0]
    assert np.isnan(days).tolist() == [True] * 5 + [False] * 95


@pytest.mark.parametrize(("name", "n_accepted"), [("bank_marketing", 0), ("x_education", 2), ("olist_funnel", 0)])
def test_the_shipped_definitions_pass_the_guard_and_mention_every_column(name: str, n_accepted: int) -> None:
    path = real_set(name)
    definition = read_definition(DEFINITIONS / f"{name}.toml")
    history = read_history(definition, files_of(definition, path))
    findings = find_leaks(history.frame, targets(history, label(history)), definition=definition)
    assert len(guard(findings, definition.accepted_leaks)) == n_accepted
    mentioned = {*definition.columns.named().values(), *definition.left_out}
    mentioned |= {field.column for field in definition.fields.values()}
    assert set(pd.read_csv(path, nrows=1).columns) == mentioned


@pytest.mark.parametrize("name", ["bank_marketing", "x_education", "olist_funnel"])
def test_the_shipped_definitions_label_every_frequent_value_in_both_languages(name: str) -> None:
    path = real_set(name)
    definition = read_definition(DEFINITIONS / f"{name}.toml")
    history = read_history(definition, files_of(definition, path))
    for field_name, field in definition.fields.items():
        if field.type == "category" and field_name != "landing_page":  # its values are hashes
            counts = history.frame[field_name].value_counts()
            assert set(counts.index[counts >= 20]) <= set(field.values), field_name


def test_the_guard_takes_a_history_without_dates_or_order() -> None:
    world = World()
    tags = np.where(world.won, "yes", "no")
    world.frame = world.frame.drop(columns=["created", "as_of", "account"])
    assert "function_of_target" in world.add("tags", "category", tags).kinds()["tags"]

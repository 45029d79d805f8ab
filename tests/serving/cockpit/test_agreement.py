"""The page on which both teams agree: its figures are the API's, and nobody decides alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from features.model.bundle import Bundle
from serving.cockpit.pages.agreement import number_of
from serving.settings import Settings
from tests.serving.client import Client
from tests.serving.cockpit.conftest import Visitor
from tests.serving.conftest import NOW

Visit = Callable[..., Visitor]
N_LEADS = 80


@pytest.fixture(scope="module")
def client(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A demo in which eighty leads came in four weeks."""
    url = f"sqlite:///{tmp_path_factory.mktemp('agreement') / 'scores.db'}"
    with Client(Settings(database_url=url), bundle, NOW) as client:
        for n in range(N_LEADS):
            client.now = NOW + timedelta(days=28 * n / N_LEADS)
            source, employees = ("fair", "web", "cold")[n % 3], 1 + 17 * n
            fields = {"source": source, "employees": employees, "demo_requested": n % 2 == 0}
            assert client.post("/v1/score", json={"lead_id": f"L-{n}", "fields": fields}).status_code == 200
        client.now = NOW + timedelta(days=28)
        yield client


@pytest.fixture(autouse=True)
def nothing_is_open(client: Client) -> Iterator[None]:
    """Each test begins and ends without an open proposal."""
    yield
    waiting = client.get("/v1/agreement").json().get("open")
    if waiting:
        path = f"/v1/agreement/proposals/{waiting['proposal_id']}/decline"
        body = {"team": waiting["proposed_by"], "comment": "the test is over"}
        assert client.post(path, json=body).status_code == 200


def version(client: Client) -> int:
    found: int = client.get("/v1/agreement").json()["in_effect"]["definition"]["version"]
    return found


def a_proposal(client: Client, **changes: str) -> dict[str, str]:
    """The form as the page sends it."""
    hours = {"hours_A": "4", "hours_B": "24", "hours_C": "", "hours_D": ""}
    return {"based_on": str(version(client)), "weeks": "13", "comment": "Weil wir wachsen", **hours, **changes}


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_page_tells_the_definition_in_plain_words(visit: Visit, language: str) -> None:
    shown = text_of(visit("data", language).get("/cockpit/agreement").text)
    expected = {
        "en": (
            "“won” within 90 days after scoring",
            "first contact within 24 hours",
            "Not reachable",
            "Demo requested",
        ),
        "de": (
            "„won“ innerhalb von 90 Tagen",
            "erster Kontakt innerhalb von 24 Stunden",
            "Kein Budget",
            "Beschäftigte",
        ),
    }
    for words in expected[language]:
        assert words in shown


def test_the_simulator_shows_the_figures_of_the_api(visit: Visit, client: Client) -> None:
    days = f"from={(client.now - timedelta(weeks=13)).date()}&to={client.now.date()}"
    told = client.get(f"/v1/handover?capacity_per_week=5&{days}").json()
    shown = text_of(visit("sales").get("/cockpit/agreement?capacity=5&weeks=13").text)
    assert f"5 leads a week, from {100 * told['threshold']:.1f} %" in shown
    wins, left = told["wins"], told["wins_left_behind"]
    assert f"{wins['expected']:.1f} ({wins['low']:.0f}–{wins['high']:.0f})" in shown
    assert f"{left['expected']:.1f} ({left['low']:.0f}–{left['high']:.0f})" in shown
    assert f"{told['n_leads']} leads first scored from" in shown


def test_a_threshold_is_typed_as_the_reader_writes_it(visit: Visit) -> None:
    shown = text_of(visit("sales", "de").get("/cockpit/agreement?threshold=42,5").text)
    assert "jeder Lead ab 42,5 %" in shown
    assert [number_of(text) for text in ("", "x", "-1", "1 000", "²", "9" * 20)] == [None] * 6


@pytest.mark.parametrize("query", ["capacity=0", "capacity=-3", "threshold=100", "capacity=5&threshold=20", "weeks=7"])
def test_what_cannot_be_tried_is_told_in_words(visit: Visit, query: str) -> None:
    assert visit("sales").get(f"/cockpit/agreement?{query}").status_code == 422


def test_a_part_for_htmx_holds_the_simulator_alone(visit: Visit) -> None:
    part = visit("sales").get("/cockpit/agreement?capacity=5", **{"HX-Request": "true"}).text
    assert "<html" not in part
    assert "5 leads a week" in part


def test_both_teams_agree_on_the_page_and_the_next_score_follows(visit: Visit, client: Client) -> None:
    marketing, sales, before = visit("marketing"), visit("sales", "de"), version(client)
    sent = marketing.post_signed("/cockpit/agreement/proposals", a_proposal(client, threshold="99", hours_C="72"))
    assert (sent.status_code, sent.headers["location"]) == (303, "/cockpit/agreement?told=proposed#proposal")
    page = sales.get("/cockpit/agreement").text
    shown = text_of(page)
    assert f"Marketing schlägt Version {before + 1} vor" in shown
    assert "jeder Lead ab 99,0 %" in shown
    assert "A 4 h · B 24 h · C 72 h" in shown
    assert "Vorschlagen" not in re.findall(r"<button[^>]*>([^<]*)", page), "one proposal at a time"
    found = re.search(r'action="(/cockpit/agreement/proposals/\d+/consent)"', page)
    assert found is not None
    assert found[1] not in marketing.get("/cockpit/agreement").text, "marketing has consented already"
    answered = sales.post_signed(found[1], {"comment": "Einverstanden"})
    assert (answered.status_code, answered.headers["location"]) == (303, "/cockpit/agreement?told=in_effect")
    assert version(client) == before + 1
    lead = client.post("/v1/score", json={"lead_id": "L-NEW", "fields": {"source": "fair", "employees": 900}}).json()
    assert (lead["handover"], lead["model"]["definition"]["version"]) == ("nurture", before + 1)
    history = text_of(sales.get("/cockpit/agreement").text)
    assert "Einverstanden" in history
    assert "Weil wir wachsen" in history


def test_a_proposal_that_does_not_fit_comes_back_with_what_was_typed(visit: Visit, client: Client) -> None:
    form = a_proposal(client, hours_A="soon", comment="Schneller")
    answer = visit("sales").post_signed("/cockpit/agreement/proposals", form)
    assert answer.status_code == 422
    assert "soon" in text_of(answer.text)
    assert ">Schneller</textarea>" in answer.text
    assert 'role="alert"' in answer.text
    assert "open" not in client.get("/v1/agreement").json()


def test_an_outdated_proposal_is_told_as_such(visit: Visit, client: Client) -> None:
    answer = visit("sales").post_signed(
        "/cockpit/agreement/proposals", a_proposal(client, based_on="1", threshold="50")
    )
    assert answer.status_code == 409
    assert "The agreement has moved on" in text_of(answer.text)


def test_the_own_team_withdraws_with_a_reason(visit: Visit, client: Client) -> None:
    sales = visit("sales")
    sales.post_signed("/cockpit/agreement/proposals", a_proposal(client, capacity="5"))
    proposal_id = client.get("/v1/agreement").json()["open"]["proposal_id"]
    path = f"/cockpit/agreement/proposals/{proposal_id}/decline"
    assert sales.post_signed(path, {"comment": " "}).status_code == 422
    answer = sales.post_signed(path, {"comment": "Doch nicht"})
    assert answer.headers["location"] == "/cockpit/agreement?told=withdrawn"
    assert client.get("/v1/agreement").json()["history"][0]["state"] == "withdrawn"


def test_the_data_role_reads_everything_and_decides_nothing(visit: Visit, client: Client) -> None:
    data = visit("data")
    assert "/cockpit/agreement/proposals" not in data.get("/cockpit/agreement").text
    assert data.post_signed("/cockpit/agreement/proposals", a_proposal(client, threshold="50")).status_code == 403


def test_nothing_is_proposed_without_what_only_the_page_knows(visit: Visit, client: Client) -> None:
    form = a_proposal(client, threshold="50")
    assert visit("sales").post("/cockpit/agreement/proposals", {"csrf": "0" * 64, **form}).status_code == 403
    elsewhere = visit("sales").post_signed("/cockpit/agreement/proposals", form, Origin="http://elsewhere.test")
    assert elsewhere.status_code == 403


@pytest.mark.parametrize("path", ["x/consent", "999999/consent", "1/burn", "999999/decline"])
def test_an_answer_to_nothing_is_not_found(visit: Visit, path: str) -> None:
    assert visit("sales").post_signed(f"/cockpit/agreement/proposals/{path}", {"comment": "x"}).status_code == 404

"""A real browser at a real service: pages in both languages, as wide as a meeting room's screen and as a phone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from features.definition import LeadDefinition
from features.model.bundle import Bundle, open_bundle
from tests.browser.visiting import Watched
from tests.browser.world import Running, copied, fill_store, running, train_bundle

FOLDER = Path(__file__).parent
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
MISSING = "no Chromium is installed (Debian: chromium); .ci/run installs it"
HEIGHTS = {1280: 800, 390: 844}
SHAPES = [(language, width) for language in ("de", "en") for width in HEIGHTS]
LOCALES = {"de": "de-DE", "en": "en-GB"}
LONGEST_WAIT_MS = 20_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of one file run in one process, which starts one service and one browser for them."""
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.xdist_group(f"browser {item.path.name}"))
            item.add_marker("slow")


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the model and the filled store of all browser tests stand."""
    return tmp_path_factory.mktemp("world")


@pytest.fixture(scope="session")
def demo_bundle(world: Path, demo_definition: LeadDefinition) -> Bundle:
    """A model of simulated leads, trained as `make train` does."""
    return open_bundle(train_bundle(world, demo_definition))


@pytest.fixture(scope="session")
def filled_store(world: Path, demo_bundle: Bundle) -> Path:
    """An SQLite file with half a year of leads; not to be changed: `copied` makes a copy."""
    return fill_store(world, demo_bundle)


@pytest.fixture(scope="module")
def service(demo_bundle: Bundle, filled_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The demo's service on a filled store of this file's tests."""
    with running(demo_bundle, copied(filled_store, tmp_path_factory.mktemp("service"))) as service:
        yield service


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, of this file's tests: Playwright occupies the thread's event loop, which other tests need."""
    found = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if found is None:
        pytest.skip(MISSING)
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=as_root)
        yield browser
        browser.close()


@pytest.fixture
def watched(service: Running) -> Watched:
    """What the test's pages do that they must not; a test may expect some of it."""
    return Watched(service.url.removeprefix("http://"))


@pytest.fixture
def open_page(browser: Browser, service: Running, watched: Watched) -> Iterator[Callable[..., Page]]:
    """Opens an empty page of its own, such as for another visitor; it is watched."""
    contexts = []

    def opened(language: str = "en", width: int = 1280, **options: object) -> Page:
        size = {"width": width, "height": HEIGHTS.get(width, 800)}
        settings = {"base_url": service.url, "locale": LOCALES[language], "viewport": size, "reduced_motion": "reduce"}
        context = browser.new_context(**{**settings, **options})  # type: ignore[arg-type]
        context.set_default_timeout(LONGEST_WAIT_MS)
        contexts.append(context)
        page = context.new_page()
        watched.attach(page)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert watched.unexpected() == []


@pytest.fixture(params=SHAPES, ids=[f"{language}-{width}" for language, width in SHAPES])
def page(request: pytest.FixtureRequest, open_page: Callable[..., Page]) -> Page:
    """An empty page in each language and width."""
    language, width = request.param
    return open_page(language, width)

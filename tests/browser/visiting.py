"""What the browser tests do on every page: sign in, look for what goes wrong, ask axe, keep a picture."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / ".state" / "screenshots"
AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
GRAVE = ("serious", "critical")
WITHOUT_NETWORK = ("data:", "blob:", "about:")
TELL_BREACHES = """document.addEventListener("securitypolicyviolation", breach =>
    console.error(`policy: ${breach.violatedDirective} ${breach.blockedURI} ${breach.sourceFile || ""}`))"""


@dataclass
class Watched:
    """Everything that a page must not do, noted while it is open.

    Attributes
    ----------
    allowed : list of str
        Patterns of console messages that a test expects, such as the browser's line about a 404 that it asked for.
    """

    host: str
    faults: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def attach(self, page: Page) -> None:
        """Watch a page, from its first request on."""
        page.add_init_script(TELL_BREACHES)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        page.on("request", self._asked)

    def unexpected(self) -> list[str]:
        """What was noted and not expected."""
        return [fault for fault in self.faults if not any(re.search(pattern, fault) for pattern in self.allowed)]

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(WITHOUT_NETWORK) and urlsplit(request.url).netloc != self.host:
            self.faults.append(f"left the host: {request.url}")


def sign_in(page: Page, role: str, address: str = "/cockpit") -> None:
    """Sign in to the demo as `role`, by the page for it, and arrive at `address`."""
    page.goto(address)
    page.locator(f"button[name=role][value={role}]").click()
    page.wait_for_url(lambda url: urlsplit(url).path != "/cockpit/sign-in")


def arrive(page: Page, address: str) -> None:
    """Wait until the page at exactly this address of the service is there."""
    page.wait_for_url(lambda url: urlsplit(url)._replace(scheme="", netloc="").geturl() == address)


def language_of(page: Page) -> str:
    """The language that the page is written in."""
    return str(page.evaluate("document.documentElement.lang"))


def screenshot(page: Page, name: str, *, dark: bool = False) -> Path:
    """A picture of the whole page in .state/screenshots/NAME-LANGUAGE-WIDTH.png, to be looked at."""
    assert page.viewport_size is not None
    page.emulate_media(color_scheme="dark" if dark else "light")
    width, ending = page.viewport_size["width"], "-dark" if dark else ""
    path = SCREENSHOTS / f"{name}-{language_of(page)}-{width}{ending}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path, full_page=True)
    page.emulate_media(color_scheme="light")
    return path


def check_accessible(page: Page) -> None:
    """Fail if axe finds a serious or critical violation, in the light or in the dark."""
    page.evaluate(AXE)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        grave = [violation for violation in found["violations"] if violation["impact"] in GRAVE]
        assert not grave, f"{scheme}: {json.dumps([_shown(violation) for violation in grave], indent=1)}"
    page.emulate_media(color_scheme="light")


def check_fits(page: Page) -> None:
    """Fail if the page is wider than the window: what is wide scrolls in its own box."""
    assert page.viewport_size is not None
    wide = page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll('body *')]
        .filter(part => part.getBoundingClientRect().right > innerWidth + 1)
        .slice(0, 8).map(part => `${part.tagName}.${part.className} ${part.getBoundingClientRect().right}`)"""
    )
    assert not wide, f"wider than {page.viewport_size['width']} px: {wide}"


def look_at(page: Page, name: str, *, dark: bool = True) -> None:
    """Everything that holds for every page, and its pictures."""
    check_accessible(page)
    check_fits(page)
    screenshot(page, name)
    if dark:
        screenshot(page, name, dark=True)


def tab_to(page: Page, selector: str, *, most: int = 80) -> None:
    """Press Tab until the focus stands on what the selector names.

    Raises
    ------
    AssertionError
        If the keyboard does not get there.
    """
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            return
    raise AssertionError(f"{selector} is not reached with {most} tabs")


def _shown(violation: dict[str, Any]) -> dict[str, Any]:
    nodes = [f"{node['html'][:200]} | {node['failureSummary'][:300]}" for node in violation["nodes"][:4]]
    return {"rule": violation["id"], "help": violation["help"], "where": nodes}

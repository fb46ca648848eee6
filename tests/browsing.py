"""A browser with the network closed: pages come from memory, under the policy that the service sends."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

from geoplan_web.assets import STATIC, content_security_policy

NONCE = "r4nd0mr4nd0mr4nd0mr4nd"
HOST = "http://geoplan.test"
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
HOSTILE = (
    "</script><script>window.hit=1</script><img src=x onerror='window.hit=1'>`);window.hit=1;//${window.hit=1}"
    "{{ 7 * 7 }}{% if 1 %}hit{% endif %}\u2028\"'><svg onload=window.hit=1>\\"
)
"""What a file may hold: it would run in HTML, in a script, in a template literal, or in a template on the server."""


@pytest.fixture(name="browser", scope="module")
def fixture_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        yield opened
        opened.close()


@dataclass
class Visit:
    """A page that was opened, what it asked of the outside, and what it complained of."""

    page: Page
    pages: Mapping[str, str]
    outside: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("console", lambda said: self.said.append(said.text) if said.type in ("error", "warning") else None)
        self.page.context.route("**/*", self._answer)

    def _answer(self, route: Route) -> None:
        address = urlsplit(route.request.url)
        file = STATIC / address.path.removeprefix("/static/")
        if address.scheme == "file":
            route.continue_()
        elif f"{address.scheme}://{address.netloc}" != HOST:
            self.outside.append(route.request.url)
            route.abort()
        elif address.path in self.pages:
            headers = {"Content-Security-Policy": content_security_policy(NONCE)}
            route.fulfill(body=self.pages[address.path], content_type="text/html; charset=utf-8", headers=headers)
        elif address.path.startswith("/static/") and file.is_file():
            route.fulfill(path=file, content_type=mimetypes.guess_type(file.name)[0] or "")
        else:
            route.fulfill(status=404, body="")

    def untouched(self) -> None:
        """Nothing was asked of the outside, nothing went wrong, nothing hostile ran."""
        assert (self.outside, self.said) == ([], [])
        assert self.page.evaluate("window.hit") is None
        assert not any(frame.evaluate("window.hit") for frame in self.page.frames)

    def fits(self) -> None:
        """The page does not scroll sideways."""
        wide = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        assert self.page.evaluate(wide)


def visit(browser: Browser, address: str, pages: Mapping[str, str], width: int = 1440, height: int = 900) -> Visit:
    """Open an address of `pages`, or a file."""
    opened = Visit(browser.new_page(viewport={"width": width, "height": height}), pages)
    opened.page.goto(address if address.startswith("file:") else HOST + address, wait_until="load")
    return opened

"""Chromium for tests: an isolated page at a width, accessibility checks, and pictures to look at."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.async_api import Browser, Page, Playwright, async_playwright

from browser import gallery
from leerbudget.entrypoints.web import assets

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


def chromium_path() -> str | None:
    """The machine's Chromium: `CHROMIUM` in the environment, or the first one found on the path."""
    given = os.environ.get("CHROMIUM")
    return given or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as started:
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium(playwright: Playwright) -> AsyncIterator[Browser]:
    """One Chromium for the whole run; skips when the machine has none."""
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium on this machine: install the package `chromium`, or say where it is with CHROMIUM=…")
    browser = await playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGS))
    yield browser
    await browser.close()


@pytest.fixture(scope="session")
def built_assets() -> None:
    """Skips when the stylesheet was not built: pages without it say nothing about the real ones."""
    try:
        assets.manifest()
    except assets.AssetsNotBuilt as problem:
        pytest.skip(f"{problem} (python scripts/build_assets.py)")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def gallery_address(built_assets: None) -> AsyncIterator[str]:
    async with gallery.serving() as address:
        yield address


class Visit:
    """A page opened in a browser of its own, which remembers what went wrong in it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requested: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requested.append(request.url))

    def _heard(self, message: Any) -> None:
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    async def go(self, address: str, *, width: int, height: int) -> None:
        """Open another page in the same browser and forget what was heard before."""
        await self.page.set_viewport_size({"width": width, "height": height})
        self.complaints.clear()
        self.requested.clear()
        await self.page.goto(address, wait_until="load")

    async def axe(self) -> list[str]:
        """The accessibility violations axe finds, one line each.

        Run by the debugger, so the page's content security policy stays in force.
        """
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(AXE_FILE_PATH.read_text(encoding="utf-8") + "\n;null")
        found = await self.page.evaluate(
            "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)"
        )
        return [f"{v['id']}: {v['help']} — {v['nodes'][0]['html'][:160]}" for v in found]

    async def overflow(self) -> list[str]:
        """What sticks out of the window to the right, unless it scrolls within a region of its own."""
        return list(
            await self.page.evaluate(
                """() => { const root = document.documentElement, wide = root.scrollWidth > root.clientWidth + 1;
                const boxes = [...document.body.querySelectorAll('*')]
                .filter(e => !e.closest('.table-region, .hidden, .menu:not(:popover-open)') && e.checkVisibility()
                    && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
                .map(e => e.outerHTML.slice(0, 120));
                return wide ? [...boxes, `the page scrolls sideways: ${root.scrollWidth} > ${root.clientWidth}`] : boxes; }"""
            )
        )

    async def space_text(self) -> None:
        """Set the wide text spacing of WCAG 1.4.12."""
        await self.page.evaluate(
            """() => { const sheet = new CSSStyleSheet();
            sheet.replaceSync('*{line-height:1.5!important;letter-spacing:.12em!important;word-spacing:.16em!important}');
            document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet]; }"""
        )


def context_options(width: int, height: int, *, javascript: bool = True) -> dict[str, Any]:
    """A browser of a Dutch reader, with a window of this size in CSS pixels."""
    return {
        "viewport": {"width": width, "height": height},
        "java_script_enabled": javascript,
        "locale": "nl-NL",
        "timezone_id": "Europe/Amsterdam",
        "reduced_motion": "reduce",
    }


@pytest_asyncio.fixture(loop_scope="session")
async def visit(chromium: Browser) -> AsyncIterator[Callable[..., Awaitable[Visit]]]:
    """Opens a page in a browser of its own: call it with an address, a width, and with or without scripts."""
    contexts = []

    async def open_page(address: str, *, width: int = 1280, height: int = 900, javascript: bool = True) -> Visit:
        context = await chromium.new_context(**context_options(width, height, javascript=javascript))
        contexts.append(context)
        opened = Visit(await context.new_page())
        await opened.page.goto(address, wait_until="load")
        return opened

    yield open_page
    for context in contexts:
        await context.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def gallery_visit(chromium: Browser) -> AsyncIterator[Visit]:
    """One browser that walks through the whole gallery; what it heard is forgotten between pages."""
    context = await chromium.new_context(**context_options(390, 844))
    yield Visit(await context.new_page())
    await context.close()


async def take_picture(page: Page, name: str) -> None:
    """Keep a picture of the whole page in the folder that `LEERBUDGET_SHOTS` names; nothing without it."""
    folder = os.environ.get("LEERBUDGET_SHOTS")
    if folder:
        await page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.fixture
def picture() -> Callable[[Page, str], Awaitable[None]]:
    """Keeps a picture of a page under a name when `LEERBUDGET_SHOTS` names a folder."""
    return take_picture

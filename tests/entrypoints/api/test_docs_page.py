"""The documentation page in a real browser, under the site's own content security policy."""

import pytest

from browser.conftest import built_assets, chromium, playwright, visit
from entrypoints.http.browsing import client_for
from leerbudget.entrypoints.http.envelope import SECURITY_HEADERS

BASE = "http://127.0.0.1:8999"  # answered by the application in this process; nothing listens there

__all__ = ["built_assets", "chromium", "playwright", "visit"]


@pytest.mark.usefixtures("built_assets")
async def test_the_documentation_page_shows_every_operation_and_asks_nobody_else(app, visit):
    """Swagger UI starts from our own files, lists the operations, and every request goes to our own host."""
    async with client_for(app, BASE) as browser:

        async def answer(route) -> None:
            got = await browser.request(route.request.method, route.request.url)
            headers = {name: value for name, value in got.headers.items() if name != "content-length"}
            await route.fulfill(status=got.status_code, headers=headers, body=got.content)

        opened = await visit("about:blank")
        await opened.page.route("**/*", answer)
        response = await opened.page.goto(f"{BASE}/api/v1/docs", wait_until="networkidle")
        assert response.headers["content-security-policy"] == SECURITY_HEADERS["Content-Security-Policy"]
        document = (await browser.get("/api/v1/openapi.json")).json()
        operations = sum(len(item) for item in document["paths"].values())
        await opened.page.wait_for_selector(".opblock")
        assert await opened.page.locator(".opblock").count() == operations > 40
        await opened.page.locator("#operations-wishes-stateWish .opblock-summary").click()
        await opened.page.wait_for_selector("#operations-wishes-stateWish .responses-table")
    assert [url for url in opened.requested if not url.startswith((BASE, "data:", "about:"))] == []
    assert opened.complaints == []

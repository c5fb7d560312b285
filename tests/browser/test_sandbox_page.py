"""The made-up payment page in a browser: small, without scripts, and for everybody."""

from leerbudget.entrypoints.sandbox import deeds
from payments.sandbox_server import SandboxTill, a_key, an_order, gateway_to, sandbox_on_a_port


async def test_paying_and_charging_back_on_a_phone(visit, picture):
    """On 390 pixels and without JavaScript somebody pays a debit, the bank settles it, and it is charged back."""
    async with sandbox_on_a_port() as sandbox:
        till = SandboxTill(sandbox, gateway_to(sandbox))
        back = f"{sandbox.books.address}/betalen/cs_test_0"
        started = await till.gateway.start(an_order(return_url=back), key=a_key())
        seen = await visit(started.url, width=390, javascript=False)
        await picture(seen.page, "sandbox-390")
        await seen.page.get_by_label("Automatische incasso").check()
        await seen.page.get_by_role("button", name="Incasso: de bank handelt het later af").click()
        assert seen.page.url == back
        await seen.go(started.url, width=390, height=844)
        await seen.page.get_by_role("button", name="De incasso is gelukt").click()
        await seen.page.get_by_role("button", name="De betaler draait de betaling terug").click()
        facts = (await till.gateway.fetch(started.gateway_ref)).facts
        assert [fact.kind for fact in facts] == ["processing", "received", "dispute_opened", "dispute_lost"]


async def test_every_state_of_the_page_is_for_everybody(visit):
    """Open, paid with a dispute and a refund, and closed: axe finds nothing, nothing sticks out, nothing comes from elsewhere."""
    async with sandbox_on_a_port() as sandbox:
        till = SandboxTill(sandbox, gateway_to(sandbox))
        started = [await till.gateway.start(an_order(), key=a_key()) for _ in range(3)]
        paid, closed = till.session(started[1]), till.session(started[2])
        deeds.pay(sandbox.books, paid, "card")
        deeds.refund(sandbox.books, sandbox.books.get("payment_intent", paid["payment_intent"]), 1_000, {})
        deeds.dispute(sandbox.books, paid)
        deeds.expire(sandbox.books, closed)
        seen = await visit(f"{sandbox.books.address}/betalen/{started[0].gateway_ref}", width=390)
        problems = []
        for each in started:
            await seen.go(f"{sandbox.books.address}/betalen/{each.gateway_ref}", width=390, height=844)
            problems += [*await seen.axe(), *seen.complaints]
            problems += [url for url in seen.requested if not url.startswith(sandbox.books.address)]
            await seen.page.set_viewport_size({"width": 320, "height": 640})
            problems += await seen.overflow()
        assert problems == []

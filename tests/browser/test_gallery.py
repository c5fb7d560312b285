"""Every page as people get it: readable for screen readers, on phones, by keyboard, without scripts."""

import pytest

from browser.gallery_pages import PAGES, Sample

EVERY_PAGE = pytest.mark.parametrize("sample", PAGES, ids=lambda sample: sample.name)


@EVERY_PAGE
async def test_page_is_accessible_and_fits_on_phone_and_desk(sample: Sample, gallery_address, gallery_visit, picture):
    """At 390 and 1280 pixels axe finds nothing; at 320, and with wide text at 360, nothing sticks out; all stays at home."""
    opened = gallery_visit
    await opened.go(gallery_address + sample.path, width=390, height=844)
    await picture(opened.page, f"{sample.name}-390")
    problems = [f"390: {line}" for line in await opened.axe()]
    problems += [f"390 sticks out: {line}" for line in await opened.overflow()]
    await opened.page.set_viewport_size({"width": 320, "height": 640})
    problems += [f"320 sticks out: {line}" for line in await opened.overflow()]
    await opened.page.set_viewport_size({"width": 1280, "height": 900})
    await picture(opened.page, f"{sample.name}-1280")
    problems += [f"1280: {line}" for line in await opened.axe()]
    problems += [f"1280 sticks out: {line}" for line in await opened.overflow()]
    await opened.page.set_viewport_size({"width": 360, "height": 700})
    await opened.space_text()
    problems += [f"360 with wide text sticks out: {line}" for line in await opened.overflow()]
    problems += [f"requested {url}" for url in opened.requested if not url.startswith(gallery_address + "/")]
    assert problems + opened.complaints == []


async def test_checks_notice_a_broken_page(gallery_address, visit):
    """The checks above do fail: on a wide element, an image without words, a script in the page and a strange address."""
    opened = await visit(gallery_address + "/bronnen", width=390)
    await opened.page.evaluate(
        """() => { const wide = document.createElement('p'); wide.textContent = 'x'.repeat(300); wide.id = 'wide';
        document.querySelector('main').append(wide, new Image());
        wide.className = 'nowrap'; document.querySelector('main img').src = '/icon.png';
        const script = document.createElement('script'); script.textContent = '1'; document.body.append(script);
        fetch('http://127.0.0.1:9/').catch(() => null); }"""
    )
    assert any("image-alt" in line for line in await opened.axe())
    assert any("scrolls sideways" in line for line in await opened.overflow())
    assert any("inline script violates" in line for line in opened.complaints), opened.complaints
    assert any("127.0.0.1:9" in line for line in opened.complaints), opened.complaints


async def test_error_summary_takes_the_focus_and_leads_to_the_field(gallery_address, visit):
    """A form that comes back shows what to change first, in the title too, and each line leads to its field."""
    opened = await visit(gallery_address + "/wens-fout")
    page = opened.page
    assert (await page.title()).startswith("Fout: ")
    assert await page.evaluate("document.activeElement.id") == "fouten"
    links = page.locator("#fouten a")
    for at in range(await links.count()):
        sentence = await links.nth(at).inner_text()
        name = (await links.nth(at).get_attribute("href") or "").removeprefix("#")
        await links.nth(at).click()
        assert await page.evaluate("document.activeElement.name") == name
        assert sentence in await page.locator(f"#{name}-fout").inner_text()
        described = await page.evaluate(
            "document.activeElement.closest('[aria-describedby]').getAttribute('aria-describedby')"
        )
        assert f"{name}-fout" in described.split()
    assert await page.locator("#situation").input_value() == "Ons kind slaapt slecht."


async def test_accepting_a_proposal_by_keyboard(gallery_address, visit):
    """From the top of a proposal the tab key reaches: skip link, site name, menu, then yes before no."""
    opened = await visit(gallery_address + "/voorstellen/p1")
    reached = []
    for _ in range(24):
        await opened.page.keyboard.press("Tab")
        reached.append(await opened.page.evaluate("document.activeElement.innerText.split('\\n')[0].trim()"))
    assert reached[0] == "Naar de inhoud"
    assert reached[1].startswith("leerbudget")
    assert reached.index("Overzicht") < reached.index("Leerbudget") < reached.index("Ja, wij gaan")
    assert reached.index("Ja, wij gaan") + 1 == reached.index("Nee, dit past niet")


async def test_skip_link_jumps_over_the_menu(gallery_address, visit):
    """The first tab stop is visible and leads to the contents."""
    opened = await visit(gallery_address + "/mijn")
    await opened.page.keyboard.press("Tab")
    assert await opened.page.get_by_text("Naar de inhoud").is_visible()
    await opened.page.keyboard.press("Enter")
    assert await opened.page.evaluate("document.activeElement.id") == "inhoud"


async def test_menu_opens_on_a_phone_without_javascript(gallery_address, visit):
    """On a phone the menu opens by its button, closes by Escape, and needs no script."""
    opened = await visit(gallery_address + "/mijn", width=390, javascript=False)
    link = opened.page.get_by_role("link", name="Inschrijvingen", exact=True)
    assert not await link.is_visible()
    await opened.page.get_by_role("button", name="Menu").click()
    assert await link.is_visible()
    await opened.page.keyboard.press("Escape")
    assert not await link.is_visible()


async def test_forms_work_without_javascript(gallery_address, visit):
    """Searching is an ordinary form: without scripts the button loads the page with the answers in its address."""
    opened = await visit(gallery_address + "/zoeken", javascript=False)
    await opened.page.get_by_label("Zoekwoord").fill("puber")
    await opened.page.get_by_role("button", name="Zoeken").click()
    await opened.page.wait_for_url("**/zoeken?q=puber*")


async def test_searching_with_javascript_swaps_only_the_results(gallery_address, visit):
    """With scripts a changed choice fetches the results, keeps the form as it is and changes the address."""
    opened = await visit(gallery_address + "/zoeken")
    await opened.page.evaluate("window.kept = true")
    await opened.page.get_by_label("In het weekend").check()
    await opened.page.wait_for_url("**/zoeken?*dagdeel=weekend*")
    assert await opened.page.evaluate("window.kept") is True
    assert await opened.page.get_by_label("In het weekend").is_checked()
    assert await opened.page.locator("#resultaten").count() == 1
    assert opened.complaints == []


async def test_week_has_a_name_for_every_box(gallery_address, visit):
    """Each of the 21 boxes of a week is named by its day and day-part, and the mask's places follow requirements 4.5."""
    opened = await visit(gallery_address + "/wensen/beschikbaarheid")
    boxes = opened.page.locator("input[name=week-a1]")
    assert [await boxes.nth(at).get_attribute("value") for at in range(await boxes.count())] == [
        str(n) for n in range(21)
    ]
    group = opened.page.get_by_role("group", name="De week van Sanne")
    assert await group.get_by_label("maandagavond").is_checked()
    assert await group.get_by_label("zondagavond").get_attribute("value") == "20"

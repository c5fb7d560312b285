"""What the matrix of actors cannot say: details that would leak, or let somebody take over another's thing."""

import pytest

from entrypoints.api.matrix import a_session, a_top_up, text_of
from entrypoints.api.stage import Stage, log_in
from entrypoints.http.browsing import ORIGIN, client_for
from leerbudget.budgets.queries import RegionTotals
from leerbudget.catalogue import queries as catalogue
from leerbudget.entrypoints.api.organisations import showable
from leerbudget.foundation.database import fetch_all
from leerbudget.matcher.vocabulary import FORM_NL, THEME_NL
from leerbudget.people.rules import SMALLEST_GROUP
from leerbudget.wishes import actions as wishes

API = "/api/v1"


def region(name: str, families: int) -> RegionTotals:
    """A region with so many families."""
    return RegionTotals(name, families, families, *([families * 100] * 5))


@pytest.mark.parametrize(
    ("sizes", "shown"),
    [
        ([9, 8, 7], [9, 8, 7]),
        ([9, 8, 4], [9]),
        ([9, 8, 4, 1], [9, 8]),
        ([9, 8, 3, 1], [9]),
        ([4], []),
        ([5], [5]),
        ([], []),
    ],
)
def test_small_groups_cannot_be_worked_out(sizes, shown):
    """No region under five families is shown, and never are all others so few that subtraction tells them."""
    regions = [region(f"r{place}", size) for place, size in enumerate(sizes)]
    assert [each.families for each in showable(regions)] == shown
    left_out = sum(sizes) - sum(shown)
    assert left_out == 0 or left_out >= SMALLEST_GROUP or not shown


async def test_an_organisation_with_few_families_sees_no_total(stage: Stage):
    """One family with a grant: the pot is the organisation's own, the rest would be that family's business."""
    found = (await stage.browsers["finance"].get(f"{API}/organisations/{stage.mine['organisation']}/overview")).json()
    assert (found["total"], found["regions"], found["regions_left_out"]) == (None, [], 1)
    assert found["pot"]["granted_cents"] == 100_000


async def test_who_announced_a_top_up_cannot_confirm_it(stage: Stage):
    """Four eyes, also for somebody who has both roles."""
    async with client_for(stage.app, headers=ORIGIN) as browser:
        roles = [("organisation_finance", stage.mine["organisation"]), ("coordinator", None)]
        await log_in(browser, "beide@fictief.example", None, roles)
        order = a_top_up(stage.mine)
        asked = await browser.post(f"{API}/organisations/{stage.mine['organisation']}/top-ups", json=order)
        assert asked.status_code == 201
        day = {"received_on": text_of(0)}
        refused = await browser.put(f"{API}/top-ups/{order['id']}/confirmation", json=day)
    assert (refused.status_code, refused.json()["code"]) == (403, "second_person_needed")


async def test_a_trainer_cannot_take_over_a_session_by_its_id(stage: Stage):
    """The id of another's session is taken; the own id with other content is another order; neither changes it."""
    order = a_session(stage.mine)
    assert (await stage.browsers["trainer"].post(f"{API}/course-sessions", json=order)).status_code == 201
    before = await catalogue.session_detail(order["id"])
    theirs = order | {"trainer": str(stage.theirs["trainer"])}
    assert (await stage.browsers["other_trainer"].post(f"{API}/course-sessions", json=theirs)).status_code == 409
    changed = await stage.browsers["trainer"].post(f"{API}/course-sessions", json=order | {"price_cents": 1})
    assert (changed.status_code, changed.json()["code"]) == (422, "idempotency_mismatch")
    assert await catalogue.session_detail(order["id"]) == before


async def test_a_meeting_of_another_session_is_not_there(stage: Stage):
    """The own session with another's meeting: nothing is recorded."""
    path = f"{API}/course-sessions/{stage.mine['past']}/meetings/{stage.theirs['meeting_of_past']}/attendance"
    answer = await stage.browsers["trainer"].put(path, json={"absent": []})
    assert answer.status_code == 404
    states = await fetch_all("SELECT state FROM attendance WHERE meeting = $1", stage.theirs["meeting_of_past"])
    assert [row["state"] for row in states] == ["planned"]


async def test_a_withdrawn_wish_of_another_family_stays_unseen(stage: Stage):
    """Of a withdrawn wish nothing is left to compare with, but it is still another's."""
    wish = stage.theirs["wish_to_withdraw"]
    await wishes.withdraw_wish(wish, actor=None)
    order = {"id": str(wish), "persons": [str(stage.mine["parent"])], "theme": "trauma"}
    answer = await stage.browsers["parent"].post(f"{API}/families/{stage.mine['family']}/wishes", json=order)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")


async def test_an_offer_is_answered_not_cancelled(stage: Stage):
    """Otherwise the proposal would wait for ever; the booking stays an offer."""
    parent = stage.browsers["parent"]
    listed = (await parent.get(f"{API}/families/{stage.mine['family']}/proposals")).json()["items"]
    booking = listed[0]["booking"]
    for method in ("GET", "PUT"):
        answer = await parent.request(method, f"{API}/bookings/{booking}/cancellation")
        assert (answer.status_code, answer.json()["code"]) == (409, "not_cancellable")
    assert (await parent.get(f"{API}/bookings/{booking}")).json()["state"] == "offered"


async def test_a_cookie_without_origin_changes_nothing(stage: Stage):
    """Another site's page cannot use somebody's login, whatever the operation (CSRF)."""
    parent = stage.browsers["parent"]
    for headers in ({"Origin": "https://elders.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await parent.delete(f"{API}/wishes/{stage.mine['wish']}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "forged_request")
    assert (await parent.get(f"{API}/wishes/{stage.mine['wish']}")).json()["state"] == "open"


async def test_taking_the_files_of_a_round_is_written_down(stage: Stage):
    """The audit trail says who took the pseudonymous files; with and without gzip they are the same."""
    path = f"{API}/matching-rounds/{stage.mine['round']}/instance"
    browser = stage.browsers["coordinator"]
    packed, plain = [await browser.get(path, headers={"Accept-Encoding": coding}) for coding in ("gzip", "identity")]
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()
    lines = await fetch_all("SELECT verb FROM audit_entry WHERE subject = $1", stage.mine["round"])
    assert [row["verb"] for row in lines].count("read_round_instance") == 2


@pytest.mark.parametrize(("path", "size"), [("course-sessions", 4), ("courses", 1), ("venues", 7)])
async def test_a_list_in_pages_shows_everything_once(stage: Stage, path, size):
    """A cursor goes on where the page before ended."""
    whole = (await stage.stranger.get(f"{API}/{path}?limit=100")).json()
    assert whole["next_cursor"] is None
    seen, cursor = [], ""
    for _ in range(40):
        page = (await stage.stranger.get(f"{API}/{path}?limit={size}{cursor}")).json()
        seen += [card["id"] for card in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [card["id"] for card in whole["items"]]
    assert len(seen) > 2 * size


async def test_a_cursor_belongs_to_its_own_way_of_sorting(stage: Stage):
    """Going on in another order would skip and repeat."""
    page = (await stage.stranger.get(f"{API}/course-sessions?limit=4")).json()
    cursor = f"&cursor={page['next_cursor']}"
    other = await stage.stranger.get(f"{API}/course-sessions?sort=price{cursor}")
    assert (other.status_code, other.json()["code"]) == (422, "cursor_not_valid")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("theme=trauma", True),
        ("theme=trauma&theme=attachment", True),
        ("theme=attachment", False),
        ("form=group_training", True),
        ("price_cents_max=4499", False),
        ("online=true", False),
        ("postcode4=3511&car_minutes_max=30", True),
        ("postcode4=9711&bike_minutes_max=30", False),
        ("childcare=a4_8", False),
        ("persons=12", True),
        ("persons=13", False),
        ("q=bestaat+niet", False),
        ("week=" + "0" * 21, False),
        ("family_type=kinship", True),
    ],
)
async def test_each_filter_of_the_search_counts(stage: Stage, query, found):
    """The one session that is looked at is found or not, by each filter."""
    page = (await stage.stranger.get(f"{API}/course-sessions?limit=100&{query}")).json()
    assert (str(stage.mine["session"]) in [card["id"] for card in page["items"]]) is found


async def test_the_closed_lists_have_their_dutch_words(stage: Stage):
    """Codes and labels are the vocabulary's own."""
    lists = (await stage.stranger.get(f"{API}/themes")).json()
    assert {word["code"]: word["label"] for word in lists["themes"]} == dict(THEME_NL)
    assert {word["code"]: word["label"] for word in lists["forms"]} == dict(FORM_NL)
    assert all(word["label"] for words in lists.values() for word in words)


async def test_a_course_session_shows_no_ids_of_persons(stage: Stage):
    """Everybody sees who leads by name; not by an id that is used elsewhere."""
    text = (await stage.stranger.get(f"{API}/course-sessions/{stage.mine['session']}")).text
    assert str(stage.mine["trainer_person"]) not in text
    assert str(stage.mine["trainer"]) not in text

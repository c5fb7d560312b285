"""Money for a place or for certain courses: granted, by policy, after a colleague's yes; never for something unknown."""

from datetime import date

import msgspec
import pytest

import world
from budgets.planning import a_cohort, a_policy
from ledger.bookkeeping import CLERK, COLLEAGUE, TODAY, a_family, a_grant, an_organisation, some_families, top_up
from leerbudget.budgets.actions import expire_due, grant, grant_many
from leerbudget.budgets.approvals import approve, grant_or_ask, set_limit
from leerbudget.budgets.cohorts import cohorts_of
from leerbudget.budgets.earmarks import lost_earmarks
from leerbudget.budgets.errors import GrantKnown
from leerbudget.budgets.policies import add_policy, grant_by_policy
from leerbudget.budgets.queries import budgets_of, for_matching, grants_of, pot
from leerbudget.budgets.queries import check as check_budgets
from leerbudget.budgets.requests import requests_of
from leerbudget.budgets.rules import orders_in, orders_written
from leerbudget.foundation.clock import travelling
from leerbudget.foundation.errors import InvalidInput
from leerbudget.foundation.ids import new_id
from leerbudget.ledger.queries import check

PLACES = ("Renkum", "Nuenen, Gerwen en Nederwetten", "Renkum")
KEPT = ("Nuenen, Gerwen en Nederwetten", "Renkum")


@pytest.fixture
async def organisation(world_db):
    """An organisation with € 10,000 on a day in January 2027; afterwards its books balance."""
    made = await an_organisation()
    await top_up(made, 1_000_000)
    with travelling(TODAY):
        yield made
    assert [*await check(), *await check_budgets()] == []


async def test_places_and_courses_come_back_as_granted(organisation):
    """Sorted and without doubles, a name with a comma whole, courses with their titles; nothing stays nothing."""
    family, courses = await a_family(organisation), [await world.a_course() for _ in range(2)]
    await grant(a_grant(family, organisation, 1, municipalities=PLACES, courses=(*courses, courses[0])), actor=CLERK)
    (view,) = await budgets_of(family)
    assert (view.themes, view.forms, view.municipalities) == (None, None, KEPT)
    assert view.courses == tuple(sorted(courses))
    assert [title[:6] for title in view.course_titles] == ["Cursus", "Cursus"]
    (line,) = await grants_of(organisation)
    assert (line.municipalities, line.course_titles) == (KEPT, view.course_titles)
    (found,) = (await for_matching([family]))[family]
    assert (found.municipalities, found.courses) == (KEPT, view.courses)


async def test_the_same_place_is_the_same_grant(organisation):
    """Again with the places in another order has no effect; with other places or courses it is another grant."""
    family, course = await a_family(organisation), await world.a_course()
    order = a_grant(family, organisation, 1_000, municipalities=PLACES)
    again = a_grant(family, organisation, 1_000, municipalities=KEPT, external_ref=order.external_ref)
    assert await grant_many([order], actor=CLERK) == await grant_many([again], actor=CLERK) == [order.id]
    for other in ({"municipalities": ("Renkum",)}, {"municipalities": KEPT, "courses": (course,)}, {}):
        with pytest.raises(GrantKnown):
            await grant(a_grant(family, organisation, 1_000, external_ref=order.external_ref, **other), actor=CLERK)


async def test_what_does_not_exist_is_no_earmark(organisation):
    """An unknown municipality or course is refused by its place, in a grant, a request and a policy; no money moves."""
    await set_limit(organisation, 500, actor=None)
    family, known, unknown = await a_family(organisation), await world.a_course(), new_id()
    wrong = [
        a_grant(family, organisation, 1_000, courses=(known,)),
        a_grant(family, organisation, 1_000, courses=(known, unknown)),
    ]
    for asking in (grant_many(wrong, actor=CLERK), grant_or_ask(new_id(), wrong, actor=CLERK)):
        with pytest.raises(InvalidInput) as refused:
            await asking
        assert refused.value.data["errors"] == [{"path": "1.courses", "message": "Deze cursus bestaat niet."}]
    with pytest.raises(InvalidInput) as refused:
        await grant(a_grant(family, organisation, 1_000, municipalities=("Renkum", "Atlantis")), actor=CLERK)
    told = {"path": "0.municipalities", "message": "Deze gemeente kennen we niet: Atlantis."}
    assert refused.value.data["errors"] == [told]
    for path, earmark in {"courses": (unknown,), "municipalities": ("Atlantis",)}.items():
        with pytest.raises(InvalidInput) as refused:
            await add_policy(a_policy(organisation, **{path: earmark}), actor=CLERK)
        assert [error["path"] for error in refused.value.data["errors"]] == [path]
    assert await requests_of(organisation) == []
    assert (await pot(organisation)).granted_cents == 0


async def test_a_policy_hands_its_places_and_courses_on(organisation):
    """Every family of the cohort gets them, the comparison names them, and adding the policy again has no effect."""
    (family,), course = await some_families(organisation, 1), await world.a_course()
    policy = await a_cohort(organisation, [family], municipalities=PLACES, courses=(course,))
    await add_policy(policy, actor=CLERK)
    await grant_by_policy(new_id(), policy.id, organisation, actor=CLERK)
    (view,), (cohort,) = await budgets_of(family), await cohorts_of(organisation)
    assert (view.municipalities, view.courses) == (cohort.municipalities, cohort.courses) == (KEPT, (course,))
    assert cohort.course_titles == view.course_titles != ()


async def test_a_colleague_sees_and_approves_the_earmark(organisation):
    """What waits names its places and courses; after the yes the budget has them."""
    await set_limit(organisation, 500, actor=None)
    family, course, request = await a_family(organisation), await world.a_course(), new_id()
    order = a_grant(family, organisation, 1_000, municipalities=PLACES, courses=(course,))
    assert (await grant_or_ask(request, [order], actor=CLERK)).state == "asked"
    (waiting,) = await requests_of(organisation)
    assert (sorted(waiting.municipalities), waiting.courses) == (list(KEPT), (course,))
    assert len(waiting.course_titles) == 1
    await approve(request, organisation, actor=COLLEAGUE)
    (view,) = await budgets_of(family)
    assert (view.municipalities, view.courses) == (KEPT, (course,))


async def test_what_is_left_takes_the_earmark_of_its_next_period(organisation):
    """Money for a place that goes on is bound by the policy that follows, as themes and forms are (record 21)."""
    families = await some_families(organisation, 1)
    first = await a_cohort(
        organisation, families, ends_on=date(2027, 1, 31), municipalities=("Renkum",), carry_percent_max=100
    )
    await grant_by_policy(new_id(), first.id, organisation, actor=CLERK)
    after = {"starts_on": date(2027, 2, 1), "ends_on": date(2027, 12, 31), "follows": first.id}
    following = await a_cohort(organisation, families, municipalities=("Arnhem",), **after)
    await grant_by_policy(new_id(), following.id, organisation, actor=CLERK)
    with travelling(TODAY.replace(month=2)):
        await expire_due(actor=None)
    old, new = sorted(await budgets_of(families[0]), key=lambda view: view.starts_on)
    assert (old.free_cents, old.carried_out_cents, new.carried_in_cents) == (0, 25_000, 25_000)
    assert (new.free_cents, new.municipalities) == (50_000, ("Arnhem",))


async def test_the_doctor_names_earmarks_that_fit_nothing(organisation, admin):
    """A municipality that is no more (they merge) and a course that is not there: the money could never be spent."""
    family = await a_family(organisation)
    budget = await grant(a_grant(family, organisation, 1_000, municipalities=("Renkum",)), actor=CLERK)
    assert await lost_earmarks() == []
    await admin.execute("UPDATE budget SET municipalities = '{Renkum,Oudegem}', courses = $1", [course := new_id()])
    assert await lost_earmarks() == [
        f"Leerbudget {budget} is voor een gemeente die niet (meer) bestaat: Oudegem.",
        f"Leerbudget {budget} is voor een cursus die niet bestaat: {course}.",
    ]


def test_grants_that_waited_before_there_were_places_are_read():
    """A stored request without these fields is for everywhere and every course, and is the same request again."""
    order = a_grant(new_id(), new_id(), 1_000, themes=("trauma",))
    (written,) = msgspec.json.decode(orders_written([order]))
    old = {name: value for name, value in written.items() if name not in ("municipalities", "courses")}
    assert orders_in(msgspec.json.encode([old]).decode()) == [order]

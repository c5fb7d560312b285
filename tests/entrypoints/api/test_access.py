"""Every operation of the OpenAPI document x every actor x own, foreign and unknown things (I10)."""

import re
from uuid import UUID

import jsonschema_rs
import pytest

from entrypoints.api.matrix import CASES, Case, Operation, operations
from entrypoints.api.stage import ACTORS, Stage
from entrypoints.http.browsing import application
from leerbudget.entrypoints.api.documentation import completed
from leerbudget.foundation.ids import new_id
from leerbudget.identity.permissions import PERMISSIONS

DOCUMENT = completed(application().openapi_schema.to_schema())
OPERATIONS = operations(DOCUMENT)


async def call(browser, operation: Operation, ids: dict[str, UUID], body: dict | None):
    """The answer to one call."""
    return await browser.request(operation.method, operation.path.format(**ids), json=body)


def sent(case: Case, things) -> dict | None:
    """What is sent, when something is."""
    return None if case.body is None else case.body(things)


def may(case: Case, actor: str) -> bool:
    """Whether the matrix allows it."""
    return case.public or "*" in case.actors or actor in case.actors


def timeless(text: str) -> str:
    """An answer without the moment at which something was last changed, which a repeated change moves."""
    return re.sub(r'"changed_at":"[^"]*"', "", text)


def test_every_operation_is_in_the_matrix():
    """An operation that is added must be decided here, and one that went must go here too."""
    assert set(CASES) == set(OPERATIONS)


def test_every_actor_named_in_the_matrix_exists():
    """A slip of the pen must not make an actor who is never asked."""
    assert {actor for case in CASES.values() for actor in case.actors} - {"*"} <= set(ACTORS)


@pytest.mark.parametrize("name", CASES)
async def test_strangers_must_log_in(stage: Stage, name: str):
    """401 in the same words for everything that is not public, whether the thing exists or not."""
    case, operation = CASES[name], OPERATIONS[name]
    answers = [
        await call(stage.stranger, operation, ids, sent(case, stage.mine))
        for ids in (case.ids(stage.mine), dict.fromkeys(case.path, new_id()))
    ]
    if case.public:
        assert answers[0].status_code == case.status, answers[0].text
    else:
        assert {answer.status_code for answer in answers} == {401}
        assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.public])
async def test_who_may_not_sees_nothing_there(stage: Stage, name: str):
    """404 to the byte as if it were not there, for every actor whom the matrix does not name."""
    case, operation = CASES[name], OPERATIONS[name]
    nothing = (await stage.browsers["nobody"].get("/api/v1/there-is-nothing-here")).content
    for actor in ACTORS:
        if may(case, actor) or (actor == "coparent" and "parent" in case.actors):
            continue
        answer = await call(stage.browsers[actor], operation, case.ids(stage.mine), sent(case, stage.mine))
        assert (actor, answer.status_code) == (actor, 404), answer.text
        assert answer.content == nothing


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.public])
async def test_what_is_somebody_elses_looks_as_if_it_were_not_there(stage: Stage, name: str):
    """The right kind of actor gets the same 404 for another's thing as for an id that never was."""
    case, operation = CASES[name], OPERATIONS[name]
    things = [stage.theirs] if case.owned else []
    calls = [(case.ids(other), sent(case, other)) for other in things]
    if case.path:
        calls.append((dict.fromkeys(case.path, new_id()), sent(case, stage.mine)))
    for actor in case.actors if calls else ():
        if name in ("callOffCourseSession", "callOffMeeting") and actor == "coordinator":
            continue  # any course session is the coordinator's to call off
        answers = [await call(stage.browsers[actor], operation, *each) for each in calls]
        assert {answer.status_code for answer in answers} == {404}, [answer.text for answer in answers]
        assert len({answer.content for answer in answers}) == 1
        assert len({len(answer.headers) for answer in answers}) == 1


@pytest.mark.parametrize(
    ("verb", "name"), [("see_pot", "getPot"), ("see_wishes", "getWish"), ("see_roster", "listParticipants")]
)
async def test_the_matrix_notices_a_hole(stage: Stage, monkeypatch, verb: str, name: str):
    """Open a verb to everybody in the permission table, and those who got 404 above get in: the control."""
    monkeypatch.setitem(PERMISSIONS, verb, (*PERMISSIONS[verb], ("foster_care_worker", "all")))
    case, operation = CASES[name], OPERATIONS[name]
    answer = await call(stage.browsers["worker"], operation, case.ids(stage.mine), None)
    assert answer.status_code == 200


async def test_the_private_words_of_a_wish_are_for_their_writer_only(stage: Stage):
    """The co-parent sees theme and persons; nobody else sees anything (R31)."""
    path = f"/api/v1/wishes/{stage.mine['wish']}"
    mine, shared = [(await stage.browsers[actor].get(path)).json() for actor in ("parent", "coparent")]
    assert mine["words"]["situation"]
    assert shared == mine | {"words": None}
    refused = await stage.browsers["coparent"].put(
        path,
        json={
            "persons": [str(stage.mine["parent"])],
            "theme": "trauma",
            "rank": 1,
            "urgent": False,
            "words": {"situation": "", "wants_to_learn": ""},
        },
    )
    assert refused.status_code == 404
    listed = await stage.browsers["parent"].get(f"/api/v1/families/{stage.mine['family']}/wishes")
    assert mine["words"]["situation"] not in listed.text


@pytest.mark.parametrize("name", sorted(CASES, key="endWebSession".__eq__))
async def test_who_may_gets_what_the_document_promises(stage: Stage, name: str):
    """The expected status, the very same answer when it is asked again (I5), and a body of the documented shape."""
    case, operation = CASES[name], OPERATIONS[name]
    actors = ACTORS if "*" in case.actors else case.actors
    browsers = [stage.stranger] if case.public else [stage.browsers[actor] for actor in actors]
    body, ids = sent(case, stage.mine), case.ids(stage.mine)
    for browser in browsers:
        answer = await call(browser, operation, ids, body)
        assert answer.status_code == case.status, (name, answer.text)
        if name != "endWebSession":
            again = await call(browser, operation, ids, body)
            assert (again.status_code, timeless(again.text)) == (answer.status_code, timeless(answer.text))
        if answer.status_code in (200, 201, 202):
            content = operation.answers[str(answer.status_code)]["content"]
            if "application/json" not in content:
                assert list(content) == [answer.headers["content-type"].partition(";")[0]]
                continue
            media = content["application/json"]
            schema = media["schema"] | {"components": DOCUMENT["components"]}
            jsonschema_rs.Draft202012Validator(schema).validate(answer.json())

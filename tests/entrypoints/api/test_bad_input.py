"""Bad input for every operation: 4xx as a problem document with a code, and nothing changed (I9)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from entrypoints.api.matrix import CASES
from entrypoints.api.stage import Stage
from entrypoints.api.test_access import DOCUMENT, OPERATIONS
from leerbudget.entrypoints.api.bank import FILE_BODY_BYTES_MAX
from leerbudget.foundation.database import fetch_all, fetch_value
from leerbudget.foundation.ids import new_id

WITH_BODY = [name for name, operation in OPERATIONS.items() if operation.body is not None]
WITH_ID = [name for name, case in CASES.items() if case.path]
REFUSED = {400, 404, 409, 410, 415, 422, 429}
LARGE = dict.fromkeys(("importBankStatements", "importStatusReport"), FILE_BODY_BYTES_MAX + 1)
"""What is too large where files are sent; elsewhere less is."""

BY_KIND: dict[str, list[Any]] = {
    "string": [7, True, [], {}, "\x00", "a\x00b", "\ud800", "\u202e", "x" * 5000],
    "integer": ["7", 1.5, True, -1, 2**63, -(2**70), 10**400, [], {}],
    "boolean": ["true", 0, 1, "ja", [], {}],
    "array": ["x", 7, {}, [None], [[]], [7], [{}], ["x"] * 2000],
    "object": ["x", 7, [], {"onbekend": 1}, {"": None}],
    "date-time": ["2027-03-01T19:00:00", "2027-03-01", "1999-12-31T23:00:00Z", "9999-12-31T23:59:59-23:00", "gisteren"],
    "date": ["2027-02-30", "1999-12-31", "9999-12-31", "2100-01-01", "01-03-2027", "2027-03-01T00:00:00Z", 20270301],
    "uuid": ["x", "{01a20068-a7b2-793a-81f5-f0aa4f78acf5}", "1_0", "\u0661" * 36, 7, ""],
    "enum": ["onbekend", 7, "", "\x00", []],
}
BODIES = [b"", b"[]", b'"x"', b"{", b"null", b"\xff\xfe", b"[" * 5000, b'{"a":NaN}', b'{"id":1e400}', b"{}{}"]
KINDS = ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "application/xml", ""]


def shape(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema that a reference stands for, with the part of a choice that is not null."""
    while "$ref" in schema or "anyOf" in schema:
        if "$ref" in schema:
            schema = DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        else:
            schema = next(part for part in schema["anyOf"] if part.get("type") != "null")
    return schema


def wrong_values(schema: dict[str, Any]) -> list[Any]:
    """Values that this part of a body cannot have."""
    kind = "enum" if "enum" in shape(schema) else shape(schema).get("format") or shape(schema)["type"]
    nothing = [] if any(part.get("type") == "null" for part in schema.get("anyOf", ())) else [None]
    return [*BY_KIND[kind], *nothing]


def spoilt(schema: dict[str, Any], good: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """A good body with one thing wrong at a time, within lists and parts too, and what is wrong."""
    properties = shape(schema)["properties"]
    yield "unknown field", good | {"onbekend": 1}
    for name in shape(schema).get("required", ()):
        yield f"without {name}", {key: value for key, value in good.items() if key != name}
    for name, part in properties.items():
        for value in wrong_values(part):
            if not (shape(part).get("type") == "string" and value == "" and not shape(part).get("minLength")):
                yield f"{name}={value!r:.40}", good | {name: value}
        inner = shape(part)
        if "properties" in inner and isinstance(good.get(name), dict):
            yield from ((f"{name}.{what}", good | {name: bad}) for what, bad in spoilt(inner, good[name]))
        items = shape(inner.get("items", {}))
        if "properties" in items and good.get(name):
            yield from ((f"{name}[].{what}", good | {name: [bad]}) for what, bad in spoilt(items, good[name][0]))


def good_body(stage: Stage, name: str) -> dict[str, Any]:
    """What the matrix sends."""
    body = CASES[name].body
    assert body is not None
    return body(stage.mine)


def asker(stage: Stage, name: str):
    """A browser that may."""
    case = CASES[name]
    return stage.stranger if case.public else stage.browsers[case.actors[0]]


async def everything() -> dict[str, str]:
    """A digest of every table; not of web sessions and tries, which every request touches."""
    names = await fetch_all(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('web_session', 'throttle')"
    )
    digest = "SELECT coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '') FROM {} t"
    return {row["tablename"]: await fetch_value(digest.format(row["tablename"])) for row in names}


def problem(answer, what: str) -> str:
    """The code of a refusal that is told as it should be."""
    assert answer.status_code in REFUSED, (what, answer.status_code, answer.text)
    assert answer.headers["content-type"] == "application/problem+json", what
    assert answer.json()["status"] == answer.status_code
    return answer.json()["code"]


def test_every_operation_that_reads_a_body_is_spoilt_in_many_ways():
    """The document names the bodies; without it this file would pass by doing nothing."""
    assert set(WITH_BODY) == {name for name, case in CASES.items() if case.body is not None}
    assert len(WITH_BODY) > 15


@pytest.mark.parametrize("name", WITH_BODY)
async def test_a_spoilt_body_is_refused_and_changes_nothing(stage: Stage, name: str):
    """One thing wrong at a time: 422 with the place, whatever it is."""
    operation, browser = OPERATIONS[name], asker(stage, name)
    path, good = operation.path.format(**CASES[name].ids(stage.mine)), good_body(stage, name)
    before = await everything()
    for what, body in spoilt(dict(operation.body or {}), good):
        content = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        answer = await browser.request(operation.method, path, content=content, headers=headers)
        if what.startswith("absent=") and body["absent"] == []:
            continue
        code = problem(answer, f"{name}: {what}")
        if code == "invalid_input":
            assert answer.json()["errors"], what
    assert await everything() == before


@pytest.mark.parametrize("name", WITH_BODY)
async def test_what_is_no_json_is_refused_and_changes_nothing(stage: Stage, name: str):
    """Broken bytes, other shapes, depth, and every content type but the one."""
    operation, browser = OPERATIONS[name], asker(stage, name)
    path, good = operation.path.format(**CASES[name].ids(stage.mine)), json.dumps(good_body(stage, name)).encode()
    before = await everything()
    for content in BODIES:
        headers = {"Content-Type": "application/json"}
        problem(await browser.request(operation.method, path, content=content, headers=headers), repr(content[:20]))
    for kind in KINDS:
        answer = await browser.request(operation.method, path, content=good, headers={"Content-Type": kind})
        assert problem(answer, kind) == "wrong_content_type"
    answer = await browser.request(
        operation.method, path, content=b" " * LARGE.get(name, 300_000), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413
    assert await everything() == before


@pytest.mark.parametrize("name", WITH_ID)
async def test_an_id_has_one_way_of_writing(stage: Stage, name: str):
    """Braces, capitals, no hyphens, digits of another script, NUL: not there, and nothing changed."""
    case, operation = CASES[name], OPERATIONS[name]
    before = await everything()
    for parameter, key in case.ids(stage.mine).items():
        text = str(key)
        wrongs = [
            text.upper(),
            f"{{{text}}}",
            text.replace("-", ""),
            "%00",
            "1_0",
            "\u0661",
            f"{text}%00",
            "..%2f",
        ]
        for wrong in wrongs:
            path = operation.path.format(**{**case.ids(stage.mine), parameter: wrong})
            body = None if case.body is None else case.body(stage.mine)
            answer = await asker(stage, name).request(operation.method, path, json=body)
            assert answer.status_code == 404, (name, wrong, answer.status_code, answer.text)
    assert await everything() == before


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=1_0",
        "limit=%D9%A1",
        "limit=x",
        "cursor=!!",
        "cursor=aGFsbG8",
        "postcode4=0123",
        "postcode4=35111",
        "postcode4=%D9%A3%D9%A5%D9%A1%D9%A1",
        "postcode4=3511%0A",
        "week=01",
        "week=" + "2" * 21,
        "theme=onbekend",
        "form=%00",
        "price_cents_max=-1",
        "price_cents_max=99999999999999999999",
        "car_minutes_max=0",
        "car_minutes_max=241",
        "bike_minutes_max=1e3",
        "online=misschien",
        "family_type=x",
        "childcare=x",
        "persons=21",
        "persons=-1",
        "starts_on=2027-02-30",
        "starts_on=naast",
        "sort=duurst",
        "q=%00",
        "q=" + "x" * 201,
        "q=%E2%80%AE",
    ],
)
async def test_a_wrong_search_is_refused(stage: Stage, query: str):
    """422 for every parameter that is not what it should be."""
    answer = await stage.stranger.get(f"/api/v1/course-sessions?{query}")
    assert answer.status_code == 422, answer.text
    assert problem(answer, query)


@pytest.mark.parametrize("query", ["q=%25_%5C", "q=%FF%FE", "starts_on=9999-12-31", "ends_on=0001-01-01", "persons=0"])
async def test_odd_but_sound_searches_are_answered(stage: Stage, query: str):
    """Jokers stand for themselves, unreadable bytes find nothing, far days are days."""
    answer = await stage.stranger.get(f"/api/v1/course-sessions?{query}")
    assert answer.status_code == 200, answer.text


async def test_an_id_of_another_family_cannot_be_smuggled_in_by_the_body(stage: Stage):
    """Persons and wishes of another family, in every body that names some: refused, and nothing changed (I10)."""
    parent, family, theirs = stage.browsers["parent"], stage.mine["family"], stage.theirs
    before = await everything()
    stranger, base = str(theirs["parent"]), f"/api/v1/families/{family}"
    session = {"course_session": str(stage.mine["session_for_quote"])}
    calls = [
        (f"{base}/bookings", session | {"id": str(new_id()), "persons": [stranger]}),
        (
            f"{base}/bookings",
            session | {"id": str(new_id()), "persons": [str(stage.mine["parent"])], "wish": str(theirs["wish"])},
        ),
        (f"{base}/booking-quotes", session | {"persons": [stranger]}),
        (f"{base}/wishes", {"id": str(new_id()), "persons": [stranger], "theme": "trauma"}),
        (f"{base}/wishes", {"id": str(theirs["wish"]), "persons": [str(stage.mine["parent"])], "theme": "trauma"}),
    ]
    for path, body in calls:
        answer = await parent.post(path, json=body)
        assert answer.status_code == 422, answer.text
    week = {"persons": [{"person": stranger, "week": "0" * 21}]}
    answer = await parent.put(f"{base}/availability", json=week)
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "persons[0].person")
    assert await everything() == before


async def test_an_unknown_postcode_cannot_hold_up_a_round(stage: Stage):
    """Four digits that are no Dutch postcode are refused: the matcher would refuse the whole round for them."""
    order = {"travel_minutes_max": {"car": 30}, "online_ok": False}
    path = f"/api/v1/families/{stage.mine['family']}/preferences"
    answer = await stage.browsers["parent"].put(path, json=order | {"postcode4": "1000"})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["path"] == "postcode4"

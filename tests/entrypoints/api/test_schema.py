"""Thousands of shapes that the OpenAPI document allows or forbids: never a 5xx, never an undocumented answer.

Schemathesis makes the requests from the document itself; they run in this loop, against the whole application,
half of them by somebody who may and half by every role in turn. Examples are the same in every run.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import cycle, islice

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from entrypoints.api.matrix import CASES
from entrypoints.api.stage import ACTORS, Stage
from entrypoints.api.test_access import DOCUMENT, OPERATIONS
from leerbudget.entrypoints.api.types import Answer, Body
from scale import REQUEST_SHAPES

SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
NAMES = [name for name in CASES if name != "endWebSession"]
EACH = -(-REQUEST_SHAPES // len(NAMES))
"""Requests to each operation; more than twice as many as there are roles, so that every role makes some."""


def askers(stage: Stage, name: str) -> Iterator[httpx.AsyncClient]:
    """By turns somebody who may do this, and the next of all roles, strangers included."""
    everybody = [*stage.browsers.values(), stage.stranger]
    case = CASES[name]
    may = everybody if case.public or "*" in case.actors else [stage.browsers[actor] for actor in case.actors]
    for one, other in zip(cycle(may), cycle(everybody), strict=True):
        yield one
        yield other


def shapes(above: type) -> Iterator[type]:
    """Every shape below this one."""
    for shape in above.__subclasses__():
        yield shape
        yield from shapes(shape)


def test_no_two_shapes_share_a_name():
    """The document knows a shape by its name: of two with one name, one would be described as the other."""
    named = Counter(shape.__name__ for above in (Body, Answer) for shape in shapes(above))
    assert len(named) > 50
    assert [name for name, times in named.items() if times > 1] == []


def test_every_role_makes_requests_to_every_operation():
    """The number of requests is what was asked for, and no role is left out."""
    assert EACH * len(NAMES) >= REQUEST_SHAPES
    assert 2 * (len(ACTORS) + 1) <= EACH


def cases(name: str) -> st.SearchStrategy:
    """Requests for an operation: of the documented shape, and of shapes next to it."""
    operation = SCHEMA[OPERATIONS[name].path][OPERATIONS[name].method]
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    return st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))


@pytest.mark.parametrize("name", NAMES)
async def test_no_shape_of_request_breaks_an_operation(stage: Stage, name: str):
    """Documented status, content type and body for whatever is sent by whomever; half of it names things that exist."""
    await ask_in_every_shape(stage, name)


async def test_an_answer_of_another_kind_is_noticed(stage: Stage, monkeypatch):
    """Negative control: a refusal that does not say which."""
    monkeypatch.setattr("leerbudget.entrypoints.api.problems.problem", lambda failure: {"status": failure.status})
    with pytest.raises(FailureGroup):
        await ask_in_every_shape(stage, "getPot")


async def ask_in_every_shape(stage: Stage, name: str) -> None:
    """So many requests to one operation, and what must be true of every answer."""
    ids = {parameter: str(key) for parameter, key in CASES[name].ids(stage.mine).items()}
    shapes = cycle(examples(st.tuples(cases(name), st.booleans()), EACH))
    for (made, known), browser in islice(zip(shapes, askers(stage, name), strict=True), EACH):
        if known:
            made.path_parameters.update(ids)
        sent = made.as_transport_kwargs(base_url="http://leerbudget.test")
        allowed = {key: sent[key] for key in ("method", "url", "params", "headers", "json", "data") if sent.get(key)}
        if "data" in allowed:
            allowed["content"] = allowed.pop("data")
        answer = await browser.request(**allowed)
        made.validate_response(answer, checks=CHECKS)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json().get("code")


def examples(strategy: st.SearchStrategy, number: int) -> list:
    """So many examples, the same each time; hypothesis itself cannot wait for answers."""
    found: list = []

    @settings(
        max_examples=number, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(strategy)
    def collect(example) -> None:
        found.append(example)

    collect()
    return found

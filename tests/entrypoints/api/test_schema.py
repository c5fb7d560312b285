"""Thousands of shapes that the OpenAPI document allows or forbids: never a 5xx, never an undocumented answer.

Schemathesis makes the requests from the document itself; they run in this loop, against the whole application,
by somebody who may. Examples are the same in every run.
"""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from entrypoints.api.matrix import CASES
from entrypoints.api.stage import Stage
from entrypoints.api.test_access import DOCUMENT, OPERATIONS
from entrypoints.api.test_bad_input import asker

SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 8


def cases(name: str) -> st.SearchStrategy:
    """Requests for an operation: of the documented shape, and of shapes next to it."""
    operation = SCHEMA[OPERATIONS[name].path][OPERATIONS[name].method]
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    return st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))


@pytest.mark.parametrize("name", [name for name in CASES if name != "endWebSession"])
async def test_no_shape_of_request_breaks_an_operation(stage: Stage, name: str):
    """Documented status, content type and body for whatever is sent; half of the requests name things that exist."""
    operation, case = OPERATIONS[name], CASES[name]
    browser = stage.browsers["nobody"] if "*" in case.actors else asker(stage, name)
    statuses = []

    async def ask(made: schemathesis.Case, *, known: bool) -> None:
        if known:
            made.path_parameters.update({parameter: str(key) for parameter, key in case.ids(stage.mine).items()})
        sent = made.as_transport_kwargs(base_url="http://leerbudget.test")
        allowed = {key: sent[key] for key in ("method", "url", "params", "headers", "json", "data") if sent.get(key)}
        if "data" in allowed:
            allowed["content"] = allowed.pop("data")
        answer = await browser.request(**allowed)
        statuses.append(answer.status_code)
        made.validate_response(answer, checks=CHECKS)

    for made, known in examples(st.tuples(cases(name), st.booleans()), EXAMPLES):
        await ask(made, known=known or not operation.path.count("{"))
    assert len(statuses) >= 1


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

"""Random stories by Hypothesis against the real service: what every model of it shares."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from leerbudget.foundation import clock
from leerbudget.foundation.errors import LeerbudgetError


class StoryMachine(RuleBasedStateMachine):
    """People do things at the machine's moment `now`; a model in plain Python says what comes of it."""

    loop: asyncio.AbstractEventLoop
    now: Any
    steps = 0

    def does(self, work):
        """Run an action in the tests' loop at the machine's moment; its answer, or the refusal's code."""

        async def then():
            with clock.travelling(self.now):
                try:
                    return await work()
                except LeerbudgetError as refusal:
                    return refusal.code

        return asyncio.run_coroutine_threadsafe(then(), self.loop).result(30)


async def live_through(machine, examples, *, steps, least=0, own=None, **more):
    """So many random stories of at most so many steps; how many steps they had. `own`: what the machine is told.

    Now and then Hypothesis makes many of them short; then more are lived through, until there were `least` steps.
    """
    told = {"loop": asyncio.get_running_loop(), "steps": 0} | (own or {})
    stories = type("Stories", (machine,), told)
    limits = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        **more,
    )
    while True:
        before = stories.steps
        await asyncio.to_thread(run_state_machine_as_test, stories, settings=limits)
        assert stories.steps > before, "nothing happens in these stories"
        if stories.steps >= least:
            return stories.steps

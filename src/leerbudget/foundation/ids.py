"""Time-ordered ids (UUIDv7, RFC 9562 section 5.7)."""

import random
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from leerbudget.foundation import clock

_chance: ContextVar[random.Random | None] = ContextVar("leerbudget_id_chance", default=None)


def new_id() -> UUID:
    """A fresh UUIDv7: 48 bits of Unix milliseconds, then 74 random bits."""
    chance = _chance.get()
    if chance is not None:
        return _version_7(int(clock.now().timestamp() * 1000), chance.getrandbits(80))
    return _version_7(time.time_ns() // 1_000_000, secrets.randbits(80))


def _version_7(milliseconds: int, noise: int) -> UUID:
    value = (milliseconds << 80) | noise
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=value)


@contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """Within the block ids follow from the seed and the clock: for the demonstration and the simulator, never production.

    What is ordered by id then comes in the same order each time. Such ids can be guessed.
    """
    token = _chance.set(random.Random(seed))  # noqa: S311 - repeatable on purpose
    try:
        yield
    finally:
        _chance.reset(token)

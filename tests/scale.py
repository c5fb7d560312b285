"""How large races, faults and random requests are: what every run of the suite takes, or what the environment asks.

`make soak` sets `SOAK_<NAME>` for each of these to the size of a release (Makefile, `RELEASE`).
"""

import os


def _size(name: str, usual: int) -> int:
    return int(os.environ.get(f"SOAK_{name}") or usual)


CLIENTS = _size("CLIENTS", 200)
"""Who wants the last seats of one session, all at once."""
RUSHES = _size("RUSHES", 20)
"""How often they do by each way to a seat; a third of that, rounded up, by two ways at once."""
SHARED_RACES = _size("SHARED_RACES", 100)
"""Couples that spend one budget at the same moment."""
WEB_KILLS = _size("WEB_KILLS", 10)
DATABASE_KILLS = _size("DATABASE_KILLS", 5)
WORKER_KILLS = _size("WORKER_KILLS", 2)
"""`kill -9` of each kind of process, under load."""
STORIES = _size("STORIES", 60)
"""Random stories of a hundred steps against the model of the whole service; a third as many of each smaller model."""
REQUEST_SHAPES = _size("REQUEST_SHAPES", 3_700)
"""Requests made from the OpenAPI document, over all operations and roles."""

PERMUTATIONS = _size("PERMUTATIONS", 50)
"""Orders in which the facts of one payment are told."""

"""A pause for Python's search for unreachable cycles, while a great many lasting objects are made.

That search looks again and again at everything that is kept. Reading a national round makes a million objects
and no cycles: without the pause half of the time would go to finding nothing.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collecting() -> Iterator[None]:
    """Within the block no cycles are looked for; afterwards as it was before. Also usable as a decorator."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()

"""Memory that solvers have freed goes back to the system."""

import ctypes
import sys


def give_back() -> None:
    """Hand freed memory back to the system.

    The GNU allocator keeps what threads have freed; after the linear programs of a national round that is more than
    the whole round. On other systems nothing is done.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)

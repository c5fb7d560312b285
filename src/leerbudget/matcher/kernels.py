"""Loops that are compiled to machine code when they are first called."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """The function, compiled; it frees the interpreter for other threads while it runs.

    The machine code is kept beside the source or in the user's cache folder, so that only the first process
    compiles; where neither can be written, every process compiles for itself.
    """
    try:
        compiled = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        compiled = numba.njit(nogil=True)(function)
    return cast("Function", compiled)

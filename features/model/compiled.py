"""Compiling with numba, and what becomes of the result on disk.

numba keeps compiled functions in a cache: in `__pycache__` beside the source, else in the user's cache directory, or
first of all in `NUMBA_CACHE_DIR` where that is set; the first that can be written is used. An entry holds for one
kind of processor and one state of the file that the function stands in. So

- if no directory can be written, each process compiles for itself, some seconds at its first call;
- if the directory fills up or fails later, `call` answers all the same, and nothing is kept;
- numba does not see that a function *called* from another file has changed: give each version of this package its own
  `NUMBA_CACHE_DIR`, or clear it. (In a container image: set it, and run `warm` while the image is built.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])
_njit: Any = numba.njit  # Any: to the type checker a compiled function stays what it was


def compiled(function: Function) -> Function:
    """`function`, compiled at its first call and kept in numba's cache on disk.

    It lets other threads run. It must stand at the top level of a module: numba never finds closures again.
    """
    try:
        result: Function = _njit(cache=True, error_model="numpy", nogil=True)(function)
    except RuntimeError:  # numba found no directory to write to
        result = _njit(error_model="numpy", nogil=True)(function)
    return result


def inlined(function: Function) -> Function:
    """`function` as a building block of compiled functions; its machine code is kept with theirs."""
    result: Function = _njit(error_model="numpy", nogil=True)(function)
    return result


def call(function: Callable[..., None], *arguments: Any) -> None:
    """Calls a compiled function that adds to one of its arguments; a failing cache costs the saving, not the answer."""
    try:
        function(*arguments)
    except OSError:  # raised before the call itself: numba has compiled the function, and could not save it
        function(*arguments)

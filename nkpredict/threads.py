"""One thread for linear algebra, so that sums do not depend on how many there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_INSIDE: ContextVar[bool] = ContextVar("inside", default=False)


@contextmanager
def one_thread() -> Iterator[None]:
    """Run linear algebra on one thread; blocks may be nested.

    Each limit looks through all libraries of the process, 6 ms, so only the outermost block sets
    one.
    """
    if _INSIDE.get():
        yield
        return
    from threadpoolctl import threadpool_limits

    token = _INSIDE.set(True)
    try:
        with threadpool_limits(1):
            yield
    finally:
        _INSIDE.reset(token)

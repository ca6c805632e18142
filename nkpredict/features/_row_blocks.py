"""Work on some profiles at a time where many would take several times their memory."""

from __future__ import annotations

from collections.abc import Iterator


def row_blocks(count: int, size: int) -> Iterator[slice]:
    """Return the rows of each block of at most ``size`` out of ``count``; one block at least."""
    for start in range(0, max(count, 1), size):
        yield slice(start, start + size)

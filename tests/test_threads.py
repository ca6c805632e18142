"""Linear algebra runs on one thread inside, and on as many as before outside."""

from __future__ import annotations

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from nkpredict.threads import one_thread


def most() -> int:
    return max(pool["num_threads"] for pool in threadpool_info())


def test_nested_blocks_leave_the_threads_as_they_were() -> None:
    with threadpool_limits(2):
        before = most()
        with one_thread():
            with one_thread():
                assert most() == 1
            assert most() == 1
        assert most() == before
        with pytest.raises(ValueError, match="inside"), one_thread():
            raise ValueError("inside")
        assert most() == before
        with one_thread():
            assert most() == 1

"""Who scores the stretches: threads of this process, or workers of Dask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

from nkpredict.cells._stretch import CellTask, Stretch, StretchScores, score_stretch
from nkpredict.errors import InputError
from nkpredict.io import CellFile

LOCAL_CLUSTER = "local"
"""Word that asks for a cluster of Dask on this machine."""
_RETRIES = 3


def scored(
    task: CellTask, stretches: Iterable[Stretch], workers: int, dask: str | None
) -> Iterator[tuple[int, StretchScores]]:
    """Score stretches, in whatever order they are finished.

    Parameters
    ----------
    task
        What is the same for all.
    stretches
        What is to be done.
    workers
        Threads, or processes of a local cluster of Dask.
    dask
        Address of a scheduler, or ``"local"``; None for threads.

    Yields
    ------
    number : int
        Of the stretch.
    scores : StretchScores
    """
    if dask is None:
        with ThreadPoolExecutor(workers) as pool:
            yield from _in_turn(pool, task, iter(stretches), workers + 1)
    else:
        yield from _on_dask(task, iter(stretches), workers, dask)


def _in_turn(
    pool: ThreadPoolExecutor, task: CellTask, stretches: Iterator[Stretch], ahead: int
) -> Iterator[tuple[int, StretchScores]]:
    """Hand out few stretches ahead, so that memory does not grow with their number."""
    running: dict[Future[StretchScores], int] = {}
    try:
        while True:
            for stretch in islice(stretches, ahead - len(running)):
                running[pool.submit(score_stretch, task, stretch)] = stretch.number
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield running.pop(future), future.result()
    finally:
        for future in running:
            future.cancel()


def _on_dask(
    task: CellTask, stretches: Iterator[Stretch], workers: int, address: str
) -> Iterator[tuple[int, StretchScores]]:
    try:
        from distributed import Client, LocalCluster, as_completed
    except ImportError as error:
        raise InputError(
            "Dask is not installed, which --dask needs; install nkpredict[dask]."
        ) from error
    if not isinstance(task.source, CellFile):
        raise InputError(
            "Cells in memory cannot be handed to Dask; write them as .h5ad or .zarr where its "
            "workers can read them."
        )
    local = None
    if address == LOCAL_CLUSTER:
        local = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
    try:
        with Client(local or address) as client:
            ahead = 2 * max(len(client.scheduler_info(n_workers=-1)["workers"]), 1)
            running = as_completed(raise_errors=False)
            numbers: dict[str, int] = {}
            for stretch in islice(stretches, ahead):
                _submit(client, running, numbers, task, stretch)
            for future in running:
                yield numbers.pop(future.key), future.result()
                for stretch in islice(stretches, 1):
                    _submit(client, running, numbers, task, stretch)
    except OSError as error:
        raise InputError(
            f"There is no Dask scheduler at {address} ({error}); expected tcp://HOST:PORT or local."
        ) from error
    finally:
        if local is not None:
            local.close()


def _submit(client, running, numbers, task, stretch) -> None:  # type: ignore[no-untyped-def]
    # a worker that dies takes nothing along: the task goes with each stretch, and is tried again
    future = client.submit(score_stretch, task, stretch, pure=False, retries=_RETRIES)
    numbers[future.key] = stretch.number
    running.add(future)

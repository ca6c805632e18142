"""Run calls in a child process with a limit of memory and time, and say how each ended."""

from __future__ import annotations

import os
import resource
import select
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil
from pathlib import Path
from typing import TypeVar

from nkpredict.errors import NKPredictError

T = TypeVar("T")

_PAGE = resource.getpagesize()
_CALLS_A_CHILD = 500  # what calls leave behind in a process stays small
_LENGTH = 4  # bytes that state the length of what is told


@dataclass(frozen=True)
class Outcome:
    """How a call in a child process ended.

    Attributes
    ----------
    kind
        ``done``, ``refused`` (an error that the package raises on purpose), ``raw`` (any other
        exception), ``crash`` (ended by a signal) or ``late``.
    message
        Of the error, or the name of the signal.
    seconds
        From the fork to the end, on the clock.
    """

    kind: str
    message: str
    seconds: float


def run_bounded(call: Callable[[], object], *, seconds: float, megabytes: int) -> Outcome:
    """Run a call in a forked child.

    Parameters
    ----------
    call
        What to run; its result is thrown away.
    seconds
        CPU time of the child; on the clock it gets six times as much, for a machine in use.
    megabytes
        Address space that the child may take beyond what the parent has.
    """
    (outcome,) = run_each_bounded(lambda _: call(), [0], seconds=seconds, megabytes=megabytes)
    return outcome


def run_each_bounded(
    call: Callable[[T], object], items: Sequence[T], *, seconds: float, megabytes: int
) -> Iterator[Outcome]:
    """Run a call for one item after the other, many in the same forked child.

    A child that an item ends, or in which it does not end, is replaced by another one for the items
    that follow.

    Parameters
    ----------
    call
        What to run; its result is thrown away.
    items
        What to run it for.
    seconds, megabytes
        Limits of each call, as in `run_bounded`.

    Yields
    ------
    Outcome
        Of each item in turn, as soon as it is known.
    """
    done = 0
    while done < len(items):
        for outcome in _in_one_child(
            call, items[done : done + _CALLS_A_CHILD], ceil(seconds), megabytes
        ):
            yield outcome
            done += 1


def _in_one_child(
    call: Callable[[T], object], items: Sequence[T], seconds: int, megabytes: int
) -> Iterator[Outcome]:
    """Run the items in one child until they are done or one of them ends it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _run(call, items, writing, seconds, megabytes)
    os.close(writing)
    left, told = len(items), None
    try:
        while left:
            began = time.monotonic()
            told = _told(reading, began + 6 * seconds)
            spent = time.monotonic() - began
            if not told:
                break
            left -= 1
            kind, _, message = told.decode("utf-8", errors="replace").partition("\n")
            yield Outcome(kind, message, spent)
    finally:
        os.close(reading)
        if left and told is None:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    if left:
        yield Outcome(*_ending(status, told is None), spent)


def _ending(status: int, waited_in_vain: bool) -> tuple[str, str]:
    """Name the kind and message of an item that ended its child."""
    if waited_in_vain or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU):
        return "late", ""
    if os.WIFSIGNALED(status):
        return "crash", signal.Signals(os.WTERMSIG(status)).name
    return "crash", f"exit code {os.WEXITSTATUS(status)}"


def _run(
    call: Callable[[T], object], items: Sequence[T], writing: int, seconds: int, megabytes: int
) -> None:
    """Run the call for each item and leave the process, whatever happens."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    for item in items:
        _limit(seconds, megabytes)
        told = _how_it_ends(partial(call, item)).encode("utf-8", errors="replace")[:60_000]
        try:
            os.write(writing, len(told).to_bytes(_LENGTH, "big") + told)
        except OSError:
            break
    os._exit(0)


def _limit(seconds: int, megabytes: int) -> None:
    """Give this process so much more CPU time and address space than it has taken until now."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    _, hardest = resource.getrlimit(resource.RLIMIT_CPU)
    latest = ceil(spent.ru_utime + spent.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (latest, hardest))
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    _, largest = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * _PAGE + megabytes * 2**20, largest))


def _how_it_ends(call: Callable[[], object]) -> str:
    """Run a call; return the kind of its end and, on the following lines, its message."""
    try:
        call()
    except NKPredictError as error:
        return f"refused\n{error}"
    except BaseException as error:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if "nkpredict" in f.filename]
        where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
        return f"raw\n{type(error).__name__} at {where}: {str(error)[:300]}"
    return "done\n"


def _told(descriptor: int, deadline: float) -> bytes | None:
    """Read what is told of one call; empty when the child has ended, None past the deadline."""
    head = _read(descriptor, _LENGTH, deadline)
    return _read(descriptor, int.from_bytes(head, "big"), deadline) if head else head


def _read(descriptor: int, length: int, deadline: float) -> bytes | None:
    """Read so many bytes; none when the other end is closed, None when the deadline passes."""
    parts = b""
    while len(parts) < length:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            return None
        part = os.read(descriptor, length - len(parts))
        if not part:
            return b""
        parts += part
    return parts

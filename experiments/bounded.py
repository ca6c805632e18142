"""Run a call in a child process with a limit of memory and time, and say how it ended."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from nkpredict.errors import NKPredictError

_PAGE = resource.getpagesize()


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
    began = time.monotonic()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _run(call, writing, ceil(seconds), megabytes)
    os.close(writing)
    told = _read_until(reading, began + 6 * seconds)
    os.close(reading)
    if told is None:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return Outcome("late", "", time.monotonic() - began)
    _, status = os.waitpid(child, 0)
    spent = time.monotonic() - began
    if os.WIFSIGNALED(status):
        if os.WTERMSIG(status) == signal.SIGXCPU:
            return Outcome("late", "", spent)
        return Outcome("crash", signal.Signals(os.WTERMSIG(status)).name, spent)
    kind, _, message = told.decode("utf-8", errors="replace").partition("\n")
    return Outcome(kind or "crash", message, spent)


def _run(call: Callable[[], object], writing: int, seconds: int, megabytes: int) -> None:
    """Run the call and leave the process, whatever happens."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * _PAGE + megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    told = "done\n"
    try:
        call()
    except NKPredictError as error:
        told = f"refused\n{error}"
    except BaseException as error:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if "nkpredict" in f.filename]
        where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
        told = f"raw\n{type(error).__name__} at {where}: {str(error)[:300]}"
    with contextlib.suppress(OSError):
        os.write(writing, told.encode("utf-8", errors="replace")[:60_000])
    os._exit(0)


def _read_until(descriptor: int, deadline: float) -> bytes | None:
    """Read to the end, or None when the deadline passes."""
    parts = []
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            return None
        part = os.read(descriptor, 65_536)
        if not part:
            return b"".join(parts)
        parts.append(part)

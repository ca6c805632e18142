"""Walk through many HDF5 files without starting Python and importing h5py for each.

`nkpredict.io` walks through every HDF5 file in a process of its own, 0.2 s for a small one, most of
it imports. Here a process that has them forks for each file. The walk is the same; it may take 1 s
of CPU time in place of 5, which small files that are read to an end are far from.
"""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace, TracebackType
from typing import IO, Any, cast

from nkpredict.io.expression import _sound


class _Server:
    """The process that forks; it ends when the one that asks does."""

    def __init__(self, probe: str) -> None:
        self._child = subprocess.Popen(  # noqa: S603 - the text below
            [sys.executable, "-P", "-c", _SERVE, probe],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def walk(self, path: str) -> tuple[int, str]:
        """Return exit code and output of the walk through a file."""
        asked, answers = cast(IO[str], self._child.stdin), cast(IO[str], self._child.stdout)
        asked.write(json.dumps(path) + "\n")
        asked.flush()
        code, said = json.loads(answers.readline())
        return code, said


class _Walk:
    """What `subprocess.Popen` gives, of a walk by the server."""

    server: _Server | None = None

    def __init__(self, command: list[str], **_: Any) -> None:
        _, _, probe, path = command
        if _Walk.server is None:
            _Walk.server = _Server(probe)
        self.returncode, self._said = _Walk.server.walk(path)

    def __enter__(self) -> _Walk:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Do nothing: the walk is over."""

    def communicate(self, timeout: float) -> tuple[str, None]:
        """Return what the walk printed."""
        return self._said, None


def walk_quickly() -> None:
    """Let the readers of this process walk through HDF5 files by the server, and again each time.

    Readers remember a file by its time of change, which is the same when it is written twice within
    a few milliseconds.
    """
    if not isinstance(_sound.subprocess, SimpleNamespace):
        names = ("PIPE", "DEVNULL", "TimeoutExpired")
        kept = {name: getattr(subprocess, name) for name in names}
        _sound.subprocess = SimpleNamespace(Popen=_Walk, **kept)
    _sound._walked.cache_clear()


# Without the package, whose imports would make each fork dear.
_SERVE = """
import importlib.util, json, os, sys
import h5py, zarr
spec = importlib.util.spec_from_file_location("probe", sys.argv[1])
probe = importlib.util.module_from_spec(spec)
sys.modules["probe"] = probe
spec.loader.exec_module(probe)
probe.SECONDS = 1
for line in sys.stdin:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(writing, 1)
        code = 1
        try:
            probe.main(json.loads(line))
            code = 0
        except SystemExit as end:
            code = end.code
        finally:
            sys.stdout.flush()
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, errors="replace") as stream:
        said = stream.read()
    _, status = os.waitpid(child, 0)
    print(json.dumps([os.waitstatus_to_exitcode(status), said]), flush=True)
"""

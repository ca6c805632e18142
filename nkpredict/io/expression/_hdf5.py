"""HDF5 files are walked through in a child process before this one opens them."""

from __future__ import annotations

import signal
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from nkpredict.errors import InputError
from nkpredict.io.expression import _hdf5_probe as probe

# Beyond the limit of CPU time: a slow disk or a machine in use is no fault of the file.
_PATIENCE = 300


def require_sound_hdf5(path: Path) -> None:
    """Refuse an HDF5 file on which the library fails, crashes or does not come back.

    Parameters
    ----------
    path
        File that begins like an HDF5 file.

    Raises
    ------
    InputError
        When it is damaged, or holds links to other files.
    """
    about = path.stat()
    _walked(path.absolute(), about.st_ino, about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=64)
def _walked(path: Path, *state: int) -> None:
    """Walk through a file once, until it changes: scoring opens it to look, and again to read."""
    # the walk takes 0.2 s, most of it imports; this process imports meanwhile what reads the file
    with subprocess.Popen(  # noqa: S603 - our own script on a path, without a shell
        [sys.executable, "-P", probe.__file__, str(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        errors="replace",
    ) as child:
        import anndata  # noqa: F401

        try:
            said, _ = child.communicate(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            said = "the HDF5 library comes to no end"
    if child.returncode == 0:
        return
    if child.returncode != probe.REFUSED:
        said = said.strip() or _ending(child.returncode)
    raise InputError(
        f"{path} is not a readable HDF5 file ({said.strip()}); it may be truncated or damaged. "
        "Copy or write it again."
    )


def _ending(code: int) -> str:
    """Say how the walk ended, from the exit code of its process."""
    try:
        name = signal.Signals(-code).name
    except ValueError:
        return f"the HDF5 library ends with code {code}"
    late = name in ("SIGXCPU", "SIGKILL")
    return "the HDF5 library comes to no end" if late else f"the HDF5 library ends with {name}"

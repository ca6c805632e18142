"""HDF5 files and zarr folders are walked through in a child process before this one opens them."""

from __future__ import annotations

import signal
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from nkpredict.errors import InputError
from nkpredict.io.expression import _probe as probe

# Beyond the limit of CPU time: a slow disk or a machine in use is no fault of the file.
_PATIENCE = 300


def require_sound(path: Path) -> None:
    """Refuse an HDF5 file or zarr folder on which the library fails, crashes or does not come back.

    Parameters
    ----------
    path
        File that begins like an HDF5 file, or folder.

    Raises
    ------
    InputError
        When it is damaged, or holds links to other files.
    """
    state: list[int] = []
    for part in [path, *sorted(path.rglob("*"))] if path.is_dir() else [path]:
        about = part.stat()
        state += [about.st_ino, about.st_size, about.st_mtime_ns]
    _walked(path.absolute(), hash(tuple(state)))


@lru_cache(maxsize=64)
def _walked(path: Path, state: int) -> None:
    """Walk through it once, until it changes: scoring opens it to look, and again to read."""
    library = "zarr" if path.is_dir() else "HDF5"
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
            said = f"the {library} library comes to no end"
    if child.returncode == 0:
        return
    if child.returncode != probe.REFUSED:
        said = said.strip() or _ending(child.returncode, library)
    what = "HDF5 file" if library == "HDF5" else "zarr folder"
    raise InputError(
        f"{path} is not a readable {what} ({said.strip()}); it may be truncated or damaged. "
        "Copy or write it again."
    )


def _ending(code: int, library: str) -> str:
    """Say how the walk ended, from the exit code of its process."""
    try:
        name = signal.Signals(-code).name
    except ValueError:
        return f"the {library} library ends with code {code}"
    late = name in ("SIGXCPU", "SIGKILL")
    return f"the {library} library {'comes to no end' if late else f'ends with {name}'}"

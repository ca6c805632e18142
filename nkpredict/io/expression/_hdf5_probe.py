"""Walk through an HDF5 file in a process of its own; run as a script, it imports h5py alone.

The HDF5 library ends the process, or never comes back, on some damaged files. What is read later is
read here first: every object, every attribute, every text, small arrays whole and of large ones the
index of their parts. A reason is printed when the file is refused.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any

import h5py

SECONDS, MEBIBYTES_A_SECOND, MEMORY = 5, 20, 3 * 2**30
"""CPU time that the walk may take, and of how many MiB of the file each further second is; address
space."""
REFUSED = 3
"""Exit code when the reason is printed."""

_MIB = 2**20
_MOST_OBJECTS, _DEEPEST = 100_000, 40
_READ_WHOLE, _READ_IN_ALL = 16 * _MIB, 256 * _MIB
# texts lie apart from their array, whose index says nothing of them: all are read, some at a time
_TEXTS_AT_ONCE = 100_000
# No filter of HDF5 packs denser than deflate, 1 to 1,032.
_DENSEST = 1_100


class UnsoundFileError(Exception):
    """The file can be opened but holds what no file of profiles does."""


class Walk:
    """A walk through one file.

    Parameters
    ----------
    file
        Open file.
    """

    def __init__(self, file: h5py.File) -> None:
        self.objects, self.read = 0, 0
        self._group(file, 0)

    def _group(self, group: h5py.Group, depth: int) -> None:
        if depth > _DEEPEST:
            raise UnsoundFileError(f"its groups are more than {_DEEPEST} deep")
        self._attributes(group)
        for name in group:
            self.objects += 1
            if self.objects > _MOST_OBJECTS:
                raise UnsoundFileError(f"it holds more than {_MOST_OBJECTS:,} objects")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise UnsoundFileError("it holds a link to another place or file")
            found = group[name]
            if isinstance(found, h5py.Group):
                self._group(found, depth + 1)
            elif isinstance(found, h5py.Dataset):
                self._attributes(found)
                self._dataset(found)

    def _attributes(self, found: h5py.Group | h5py.Dataset) -> None:
        for name in found.attrs:
            found.attrs[name]

    def _dataset(self, found: h5py.Dataset) -> None:
        if found.external or found.is_virtual:
            raise UnsoundFileError("an array of it lies in another file")
        if found.shape is None:
            return
        size = int(found.size or 0) * found.dtype.itemsize
        if size > _READ_WHOLE and size > _DENSEST * found.id.get_storage_size():
            raise UnsoundFileError(f"an array claims {size:,} bytes that the file does not hold")
        texts = h5py.check_string_dtype(found.dtype) is not None
        if texts and found.ndim == 1:
            for start in range(0, found.shape[0], _TEXTS_AT_ONCE):
                found[start : start + _TEXTS_AT_ONCE]
        elif texts or (size <= _READ_WHOLE and self.read <= _READ_IN_ALL):
            self.read += size
            found[()]
        elif found.chunks is not None:
            found.id.chunk_iter(_pass)


def _pass(chunk: Any) -> None:
    """Take note of no part: that the index leads to it is enough."""


def main(path: str) -> None:
    """Walk through a file; end with `REFUSED` and a reason when it is unsound."""
    with suppress(ImportError):  # Windows has no limits
        import resource

        seconds = SECONDS + os.path.getsize(path) // (MEBIBYTES_A_SECOND * _MIB)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 2))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        with h5py.File(path) as file:
            Walk(file)
    except Exception as error:  # h5py raises many kinds for a damaged file
        print(" ".join(f"{error}".split())[:200] or type(error).__name__)
        sys.exit(REFUSED)


if __name__ == "__main__":
    main(sys.argv[1])

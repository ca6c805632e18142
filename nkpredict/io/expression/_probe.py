"""Walk through an HDF5 file or zarr folder in a process of its own; run as a script.

The libraries end the process, or never come back, on some damaged files. What is read later is read
here first: of HDF5 every object, every attribute, every text, small arrays whole and of large ones
the index of their parts; of zarr every part of every array, since what unpacks them (Blosc) trusts
each. A reason is printed when the file is refused. No more than h5py or zarr is imported.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import h5py
    import zarr

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


class HDF5Walk:
    """A walk through one HDF5 file.

    Parameters
    ----------
    file
        Open file.
    """

    def __init__(self, file: h5py.File) -> None:
        self.objects, self.read = 0, 0
        self._group(file, 0)

    def _group(self, group: h5py.Group, depth: int) -> None:
        import h5py

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
        import h5py

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


class ZarrWalk:
    """A walk through one zarr folder.

    Parameters
    ----------
    group
        Open folder.
    """

    def __init__(self, group: zarr.Group) -> None:
        self.objects = 0
        self._group(group, 0)

    def _group(self, group: zarr.Group, depth: int) -> None:
        import zarr

        if depth > _DEEPEST:
            raise UnsoundFileError(f"its groups are more than {_DEEPEST} deep")
        for _, found in group.members():
            self.objects += 1
            if self.objects > _MOST_OBJECTS:
                raise UnsoundFileError(f"it holds more than {_MOST_OBJECTS:,} objects")
            if isinstance(found, zarr.Group):
                self._group(found, depth + 1)
            else:
                _read_in_parts(found)


def _read_in_parts(array: zarr.Array) -> None:
    if not array.shape:
        array[()]
        return
    for start in range(0, array.shape[0], array.chunks[0]):
        array[start : start + array.chunks[0]]


def _pass(chunk: Any) -> None:
    """Take note of no part: that the index leads to it is enough."""


def main(path: str) -> None:
    """Walk through a file or folder; end with `REFUSED` and a reason when it is unsound."""
    with suppress(ImportError):  # Windows has no limits
        import resource

        seconds = SECONDS + _size(path) // (MEBIBYTES_A_SECOND * _MIB)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 2))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        if os.path.isdir(path):
            import zarr

            ZarrWalk(zarr.open_group(path, mode="r"))
        else:
            import h5py

            with h5py.File(path) as file:
                HDF5Walk(file)
    except Exception as error:  # h5py and zarr raise many kinds for a damaged file
        print(" ".join(f"{error}".split())[:200] or type(error).__name__)
        sys.exit(REFUSED)


def _size(path: str) -> int:
    files = [os.path.join(at, name) for at, _, names in os.walk(path) for name in names]
    return sum(map(os.path.getsize, files or [path]))


if __name__ == "__main__":
    main(sys.argv[1])

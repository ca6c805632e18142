"""Values of a text file or of Parquet on disk, so that any part of them can be read."""

from __future__ import annotations

import io
import tempfile
import weakref

import numpy as np

from nkpredict.errors import InputError
from nkpredict.types import AnyArray

_BYTES = np.dtype(np.float32).itemsize


class Scratch:
    """A float32 matrix in a temporary file without a name, which goes when this does.

    Parameters
    ----------
    width
        Number of columns.
    """

    turns = True

    def __init__(self, width: int) -> None:
        try:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
        except OSError as error:
            raise _no_room(error) from error
        weakref.finalize(self, self._file.close)
        self.width = width
        self.length = 0

    def append(self, rows: AnyArray) -> None:
        """Write rows behind the others.

        Raises
        ------
        InputError
            When the disk is full.
        """
        left = memoryview(np.ascontiguousarray(rows, dtype=np.float32).tobytes())
        try:
            self._file.seek(0, io.SEEK_END)
            while len(left):
                left = left[self._file.write(left) :]
        except OSError as error:
            raise _no_room(error) from error
        self.length += len(rows)

    def rows(self, start: int, stop: int) -> AnyArray:
        """Return rows from one place to another."""
        part = np.empty((stop - start, self.width), dtype=np.float32)
        self._read(part, start * self.width)
        return part

    def columns(self, start: int, stop: int) -> AnyArray:
        """Return columns from one place to another, one after the other in memory."""
        part = np.empty((self.length, stop - start), dtype=np.float32)
        for row in range(self.length):
            self._read(part[row], row * self.width + start)
        return np.ascontiguousarray(part.T)

    def _read(self, into: AnyArray, place: int) -> None:
        left = into.reshape(-1).view(np.uint8)
        self._file.seek(place * _BYTES)
        while len(left):
            count = self._file.readinto(left.data)
            if not count:
                raise EOFError("the temporary file is shorter than what was written")
            left = left[count:]


def _no_room(error: OSError) -> InputError:
    folder = tempfile.gettempdir() if tempfile.tempdir else "the folder for temporary files"
    return InputError(
        f"The values of a large table are kept in {folder} while they are read, 4 bytes a value, "
        f"and there is no room for them ({error.strerror}); name another folder by the environment "
        "variable TMPDIR."
    )


class Turned:
    """A matrix that was written column by column.

    Parameters
    ----------
    scratch
        Its columns, each one row.
    """

    turns = True

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch

    def rows(self, start: int, stop: int) -> AnyArray:
        """Return rows from one place to another."""
        return self._scratch.columns(start, stop)

    def columns(self, start: int, stop: int) -> AnyArray:
        """Return columns from one place to another, one after the other in memory."""
        return self._scratch.rows(start, stop)

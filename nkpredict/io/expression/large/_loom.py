"""Large loom files: genes × cells or samples, read some columns at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nkpredict.io.expression._annotated import loom_labels, loom_matrix
from nkpredict.io.expression._options import ReadingOptions
from nkpredict.io.expression.large._matrix import LARGE, LargeMatrix, NotPlainError, labels_alone
from nkpredict.types import AnyArray


class _StoredColumns:
    """Columns of the matrix of a loom file, which are the samples."""

    turns = False

    def __init__(self, path: Path, layer: str | None) -> None:
        self._path, self._layer = path, layer

    def rows(self, start: int, stop: int) -> AnyArray:
        """Return samples from one place to another."""
        import h5py

        with h5py.File(self._path) as file:
            part = loom_matrix(file, self._layer, self._path)[:, start:stop]
        return np.ascontiguousarray(np.asarray(part, dtype=np.float32).T)

    def columns(self, start: int, stop: int) -> AnyArray:
        """Refuse: genes are told from samples by the format."""
        raise NotPlainError


def large_loom(path: Path, options: ReadingOptions, fewest: int = LARGE + 1) -> LargeMatrix:
    """Open a loom file of many samples.

    Parameters
    ----------
    path
        The file, which was walked through before.
    options
        What is known about it.
    fewest
        Samples that it must hold.

    Raises
    ------
    NotPlainError
        When it holds fewer samples, or is damaged.
    InputError
        When there is no such layer or row attribute.
    """
    import h5py

    try:
        with h5py.File(path) as file:
            shape: Any = loom_matrix(file, options.layer, path).shape
            if len(shape) != 2 or shape[1] < fewest:
                raise NotPlainError
            raw = loom_labels(file, path, options, labels_alone)
    except (OSError, KeyError, RuntimeError, TypeError) as error:
        # what reads the file as a whole says what is wrong with it
        raise NotPlainError from error
    return LargeMatrix(raw, _StoredColumns(path, options.layer))

"""Read Matrix Market files, all of it checked: SciPy ends the process on damaged ones."""

from __future__ import annotations

import re
from typing import IO, Any

import numpy as np
import pandas as pd

_HEADER = re.compile(
    rb"%%MatrixMarket\s+matrix\s+(coordinate|array)\s+(integer|real|double|pattern)\s+general\s*",
    re.IGNORECASE,
)
_LONGEST_LINE, _MOST_COMMENTS = 10_000, 1_000


def read_matrix_market(stream: IO[bytes], expected: tuple[int, int]) -> np.ndarray[Any, Any]:
    """Read a matrix of real numbers.

    Parameters
    ----------
    stream
        Opened at the beginning.
    expected
        Rows and columns that it must have, so that no size is taken on trust.

    Returns
    -------
    numpy.ndarray
        float32 of the expected shape.

    Raises
    ------
    ValueError
        When it is no general matrix of real numbers, of another size, or cut off.
    """
    header = _HEADER.fullmatch(stream.readline(_LONGEST_LINE))
    if header is None:
        raise ValueError("its first line is not that of a general matrix of real numbers")
    layout, kind = header[1].lower(), header[2].lower()
    sizes = matrix_sizes(stream)
    if len(sizes) != (3 if layout == b"coordinate" else 2):
        raise ValueError("it does not state its size")
    if tuple(sizes[:2]) != expected:
        raise ValueError(
            f"{sizes[0]} × {sizes[1]} values for {expected[0]} features and {expected[1]} barcodes"
        )
    names = ["row", "column", "value"]
    names = names[2:] if layout == b"array" else names[:2] if kind == b"pattern" else names
    count = sizes[2] if layout == b"coordinate" else expected[0] * expected[1]
    entries = pd.read_csv(
        stream, sep=r"\s+", header=None, names=names, dtype=np.float64, comment="%", index_col=False
    )
    if len(entries) != count:
        raise ValueError(f"it has {len(entries):,} of {count:,} entries")
    if entries.isna().any(axis=None):
        raise ValueError("some entries are no numbers")
    if layout == b"array":
        return entries["value"].to_numpy(np.float32).reshape(expected, order="F")
    values = np.zeros(expected, dtype=np.float32)
    places = [entries[name].to_numpy() - 1 for name in names[:2]]
    for place, size in zip(places, expected, strict=True):
        if place.size and (place.min() < 0 or place.max() >= size or (place % 1).any()):
            raise ValueError("some entries lie outside of the matrix")
    given = entries["value"].to_numpy(np.float32) if kind != b"pattern" else np.float32(1)
    np.add.at(values, tuple(place.astype(np.intp) for place in places), given)
    return values


def matrix_sizes(stream: IO[bytes]) -> list[int]:
    """Return the numbers of the line of sizes; the entries come next.

    Raises
    ------
    ValueError
        When there is no such line.
    """
    for _ in range(_MOST_COMMENTS):
        line = stream.readline(_LONGEST_LINE)
        if not line:
            break
        if line.startswith(b"%") or not line.strip():
            continue
        words = line.split()
        if not all(word.isdigit() and len(word) < 19 for word in words):
            raise ValueError("it does not state its size")
        return [int(word) for word in words]
    raise ValueError("it does not state its size")

"""Which of the matrices of an AnnData holds the counts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nkpredict.errors import InputError, name_some
from nkpredict.io.expression._annotated import MEASURED
from nkpredict.types import AnyArray

COUNTS, POSITIVE, NEGATIVE = "counts", "positive", "negative"
"""Whole numbers of 0 and above, other numbers of 0 and above, and anything below 0."""


def kind_of_values(values: AnyArray) -> str:
    """Tell counts, other values of 0 and above, and values below 0."""
    if values.size and float(np.nanmin(values)) < 0:
        return NEGATIVE
    return COUNTS if bool((values == np.trunc(values)).all()) else POSITIVE


def chosen_matrix(
    kinds: Mapping[str, str], layer: str | None, path: str
) -> tuple[str, tuple[str, ...]]:
    """Choose the matrix: what was asked for, else counts, else values of 0 and above.

    Parameters
    ----------
    kinds
        Matrix → kind of its values, ``"X"`` and ``"raw"`` among the layers.
    layer
        What the user asked for.
    path
        The file, for messages.

    Returns
    -------
    name : str
        Of the matrix.
    notes : tuple of str
        What was chosen, when it was not ``X``.

    Raises
    ------
    InputError
        When there is no such layer, or none that can be read.
    """
    if layer is not None:
        if layer not in kinds:
            raise InputError(f"{path} has no layer {layer!r}; it has {name_some(kinds)}.")
        return layer, ()
    lower = {name.lower(): name for name in kinds}
    names = [*(["X"] if "X" in kinds else []), *(lower[n] for n in MEASURED if n in lower)]
    for wanted in (COUNTS, POSITIVE):
        for name in dict.fromkeys(names):
            if kinds[name] == wanted:
                held = "holds no counts" if wanted == COUNTS else "holds negative values"
                said = f"{name} was read in place of X, which {held}."
                return name, (said,) if name != "X" and "X" in kinds else ()
    raise InputError(
        f"{path} has no matrix with values of 0 and above ({name_some(kinds) or 'none at all'}); "
        "expected counts, or name the layer that holds them (--layer)."
    )

"""How single cells are told from bulk samples."""

from __future__ import annotations

import re
from collections.abc import Iterable

_BARCODE = re.compile(r"(?:^|[_:#-])[ACGT]{12,}(?:-\d+)?(?:$|[_:-])")
# Of the genes of a bulk sample about a tenth to a quarter has no read, of a cell nine tenths.
_ZEROS_OF_CELLS, FEWEST_CELLS = 0.7, 20


def are_cells(names: Iterable[object], share_of_zeros: float) -> bool:
    """Tell whether profiles are single cells: by barcodes for names, or mostly zeros.

    Parameters
    ----------
    names
        Of the profiles, or the first of them.
    share_of_zeros
        Of their values.
    """
    texts = [str(name) for name in names]
    if len(texts) < FEWEST_CELLS:
        return False
    barcodes = sum(_BARCODE.search(name) is not None for name in texts)
    return barcodes * 2 > len(texts) or share_of_zeros > _ZEROS_OF_CELLS

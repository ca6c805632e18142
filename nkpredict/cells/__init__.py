"""Single cells: numbers a cell in one pass over the file, and groups of cells as bulk samples."""

from nkpredict.cells._adata import score_adata
from nkpredict.cells._depth import FEW_UMIS
from nkpredict.cells._groups import FEW_CELLS
from nkpredict.cells._plan import NO_GROUPS
from nkpredict.cells._result import CellScores
from nkpredict.cells._run import score_cells
from nkpredict.cells._source import cells_of
from nkpredict.cells._write_back import write_h5ad

__all__ = [
    "FEW_CELLS",
    "FEW_UMIS",
    "NO_GROUPS",
    "CellScores",
    "cells_of",
    "score_adata",
    "score_cells",
    "write_h5ad",
]

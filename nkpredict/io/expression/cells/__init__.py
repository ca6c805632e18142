"""Single cells that stay where they are: what a file holds, and its rows a stretch at a time."""

from nkpredict.io.expression.cells._columns import CellColumns, columns_of_cells
from nkpredict.io.expression.cells._file import (
    CellFile,
    CellRows,
    open_cells,
    opened_cells,
)
from nkpredict.io.expression.cells._market import matrix_market_as_hdf5
from nkpredict.io.expression.cells._memory import CellsInMemory
from nkpredict.io.expression.cells._recognise import MOST_GROUPS, FoundCells, find_stored_cells

__all__ = [
    "MOST_GROUPS",
    "CellColumns",
    "CellFile",
    "CellRows",
    "CellsInMemory",
    "FoundCells",
    "columns_of_cells",
    "find_stored_cells",
    "matrix_market_as_hdf5",
    "open_cells",
    "opened_cells",
]

"""Single cells that stay where they are: what a file holds, and its rows a stretch at a time."""

from nkpredict.io.expression.cells._columns import CellColumns, columns_of_cells
from nkpredict.io.expression.cells._file import CellFile, CellRows, looks_like_cells, open_cells
from nkpredict.io.expression.cells._market import matrix_market_as_hdf5
from nkpredict.io.expression.cells._memory import CellsInMemory

__all__ = [
    "CellColumns",
    "CellFile",
    "CellRows",
    "CellsInMemory",
    "columns_of_cells",
    "looks_like_cells",
    "matrix_market_as_hdf5",
    "open_cells",
]

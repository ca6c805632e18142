"""Expression profiles from any format and source, by one way for all."""

from nkpredict.io.expression._kind import unlike_expression
from nkpredict.io.expression._read import ReadingOptions, read_expression, read_profiles
from nkpredict.io.expression._tenx import is_mtx
from nkpredict.io.expression.cells import (
    CellColumns,
    CellFile,
    CellRows,
    CellsInMemory,
    columns_of_cells,
    looks_like_cells,
    matrix_market_as_hdf5,
    open_cells,
)

__all__ = [
    "CellColumns",
    "CellFile",
    "CellRows",
    "CellsInMemory",
    "ReadingOptions",
    "columns_of_cells",
    "is_mtx",
    "looks_like_cells",
    "matrix_market_as_hdf5",
    "open_cells",
    "read_expression",
    "read_profiles",
    "unlike_expression",
]

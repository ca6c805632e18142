"""Expression profiles from any format and source, by one way for all."""

from nkpredict.io.expression._kind import unlike_expression
from nkpredict.io.expression._options import ReadingOptions
from nkpredict.io.expression._read import read_expression, read_profiles
from nkpredict.io.expression._tables_of_cells import (
    find_cells,
    is_table_of_cells,
    table_as_h5ad,
)
from nkpredict.io.expression._tenx import is_mtx
from nkpredict.io.expression.cells import (
    MOST_GROUPS,
    CellColumns,
    CellFile,
    CellRows,
    CellsInMemory,
    FoundCells,
    columns_of_cells,
    matrix_market_as_hdf5,
    open_cells,
)

__all__ = [
    "MOST_GROUPS",
    "CellColumns",
    "CellFile",
    "CellRows",
    "CellsInMemory",
    "FoundCells",
    "ReadingOptions",
    "columns_of_cells",
    "find_cells",
    "is_mtx",
    "is_table_of_cells",
    "matrix_market_as_hdf5",
    "open_cells",
    "read_expression",
    "read_profiles",
    "table_as_h5ad",
    "unlike_expression",
]

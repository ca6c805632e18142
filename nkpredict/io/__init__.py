"""Readers, the data contract and atomic writers."""

from nkpredict.configuration import Duplicates, Orientation
from nkpredict.io._cells import read_text_cells
from nkpredict.io._facts import facts_of, record_facts
from nkpredict.io._genes import (
    approve_gene_names,
    approved_symbols,
    gene_reference_source,
    resolve_gene,
)
from nkpredict.io._genetics import GENETICS, GENETICS_PREFIX, add_genetics
from nkpredict.io._kept import KeptSteps
from nkpredict.io._killing_curve import MAXIMUM_RATIO, area_under_curve
from nkpredict.io._panel import read_panel
from nkpredict.io._response import SIMPLE_TABLE, Response, read_response
from nkpredict.io._simulated import SIMULATED_PREFIX, all_simulated
from nkpredict.io._tables import first_lines, is_missing, read_shipped_table
from nkpredict.io._writing import (
    atomic_folder,
    atomic_path,
    file_sha256,
    require_file,
    to_json,
    write_csv,
    write_json,
    write_text,
)
from nkpredict.io.expression import (
    MOST_GROUPS,
    CellColumns,
    CellFile,
    CellRows,
    CellsInMemory,
    FoundCells,
    ReadingOptions,
    columns_of_cells,
    find_cells,
    is_mtx,
    is_table_of_cells,
    matrix_market_as_hdf5,
    open_cells,
    read_expression,
    read_profiles,
    table_as_h5ad,
    unlike_expression,
)
from nkpredict.io.screens import (
    SCREEN_COLUMNS,
    SampleSheet,
    ScreenMetadata,
    read_screen_tables,
)

__all__ = [
    "GENETICS",
    "GENETICS_PREFIX",
    "MAXIMUM_RATIO",
    "MOST_GROUPS",
    "SCREEN_COLUMNS",
    "SIMPLE_TABLE",
    "SIMULATED_PREFIX",
    "CellColumns",
    "CellFile",
    "CellRows",
    "CellsInMemory",
    "Duplicates",
    "FoundCells",
    "KeptSteps",
    "Orientation",
    "ReadingOptions",
    "Response",
    "SampleSheet",
    "ScreenMetadata",
    "add_genetics",
    "all_simulated",
    "approve_gene_names",
    "approved_symbols",
    "area_under_curve",
    "atomic_folder",
    "atomic_path",
    "columns_of_cells",
    "facts_of",
    "file_sha256",
    "find_cells",
    "first_lines",
    "gene_reference_source",
    "is_missing",
    "is_mtx",
    "is_table_of_cells",
    "matrix_market_as_hdf5",
    "open_cells",
    "read_expression",
    "read_panel",
    "read_profiles",
    "read_response",
    "read_screen_tables",
    "read_shipped_table",
    "read_text_cells",
    "record_facts",
    "require_file",
    "resolve_gene",
    "table_as_h5ad",
    "to_json",
    "unlike_expression",
    "write_csv",
    "write_json",
    "write_text",
]

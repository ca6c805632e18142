"""Read workbooks of Excel and OpenDocument: the one sheet with expression."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.io._tables import is_missing
from nkpredict.io.expression._arrange import RECOGNISED_ENOUGH, gene_share
from nkpredict.io.expression._numbers import table_of_text
from nkpredict.io.expression._raw import RawTable

# Columns looked at for the names of genes.
_MOST_LABEL_COLUMNS = 8


def read_workbook(path: Path) -> RawTable:
    """Read the sheet of a workbook that holds expression.

    Raises
    ------
    InputError
        When the workbook is damaged, no sheet or several hold expression, or numbers hold text.
    """
    try:
        sheets: dict[str, pd.DataFrame] = pd.read_excel(
            path, sheet_name=None, header=None, engine="calamine", na_values=[]
        )
    except Exception as error:  # the engine raises kinds of its own for a damaged workbook
        raise InputError(
            f"{path} is not a readable workbook ({str(error).splitlines()[0]}); it may be "
            "truncated or protected. Save it again, or as CSV."
        ) from error
    filled = {name: sheet for name, sheet in sheets.items() if min(sheet.shape) > 1}
    with_genes = {name: sheet for name, sheet in filled.items() if _has_genes(sheet)}
    chosen = with_genes or filled
    if len(chosen) != 1:
        raise InputError(
            f"{path} has {len(chosen)} sheets with a table ({name_some(chosen) or 'none'}); "
            "expected one with expression. Save that sheet by itself, as CSV or xlsx."
        )
    name, sheet = next(iter(chosen.items()))
    note = f"Of {len(sheets)} sheets the one named {name!r} was read."
    return _table(sheet, path, (note,) if len(sheets) > 1 else ())


def _has_genes(sheet: pd.DataFrame) -> bool:
    axes = [sheet[column].dropna() for column in sheet.columns[:_MOST_LABEL_COLUMNS]]
    axes += [sheet.iloc[row].dropna() for row in range(min(len(sheet), _MOST_LABEL_COLUMNS))]
    shares = (gene_share([str(label) for label in axis]) for axis in axes if len(axis))
    return max(shares, default=0.0) >= RECOGNISED_ENOUGH


def _table(sheet: pd.DataFrame, path: Path, notes: tuple[str, ...]) -> RawTable:
    """Find the header below title lines, as the first row that is filled across."""
    filled = sheet.notna().sum(axis=1).to_numpy()
    header = int(np.argmax(filled * 2 >= np.median(filled[filled > 0])))
    if header:
        notes = (*notes, f"{header} lines above the header were passed over.")
    labels = ["" if pd.isna(cell) else _text(cell) for cell in sheet.iloc[header]]
    body = sheet.iloc[header + 1 :].dropna(how="all").reset_index(drop=True)
    body.columns = pd.RangeIndex(body.shape[1])
    for position in range(body.shape[1]):
        column = body[position].infer_objects()
        if position == 0 or not pd.api.types.is_numeric_dtype(column):
            words = column.map(_text, na_action="ignore")
            column = words.mask(words.map(is_missing, na_action="ignore").fillna(True).astype(bool))
        body[position] = column
    return table_of_text(labels, body, what="workbook", path=path, notes=notes)


def _text(cell: object) -> str:
    """Write a cell as text; whole numbers without a point, as names of samples are meant."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()

"""The sample sheet of a count table: which samples met effector cells, and which are controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.io._tables import read_text_table
from nkpredict.io._writing import require_file
from nkpredict.io.screens._metadata import METADATA_FIELDS, read_screen_metadata
from nkpredict.yaml_text import read_yaml

SHEET_COLUMNS = ("sample", "role", "replicate", "screen", *METADATA_FIELDS)
"""Columns of a sample sheet; sample and role have to be there."""
TREATED, CONTROL = "NK", "control"
"""The roles: cultured with effector cells, and without."""

SampleSheet = str | Path | Sequence[Mapping[str, Any]]
"""Path of a CSV, TSV or YAML file with one entry per sample and screen, or these entries."""

_ROLES = {
    "nk": TREATED,
    "treated": TREATED,
    "treatment": TREATED,
    "effector": TREATED,
    "control": CONTROL,
    "ctrl": CONTROL,
    "untreated": CONTROL,
    "no nk": CONTROL,
}
_WHAT = "sample sheet (columns sample, role and, where needed, replicate, screen, cell_line, ...)"


def read_sample_sheet(sheet: SampleSheet) -> pd.DataFrame:
    """Read and check a sample sheet.

    Parameters
    ----------
    sheet
        One entry per sample and screen with ``sample`` (column of the count table) and ``role``
        (``NK`` or ``control``); if wanted ``replicate`` (pairs a treated sample with its control),
        ``screen`` (when there are several; a control may be listed for each) and the fields of
        :data:`~METADATA_FIELDS`.

    Returns
    -------
    pandas.DataFrame
        Columns as in ``SHEET_COLUMNS``, text, empty where nothing was said.

    Raises
    ------
    InputError
        When a column is unknown or missing, a role is unknown, a sample is listed twice for a
        screen, a screen lacks treated samples or controls, or is described in two ways.
    """
    where, table = _load(sheet)
    foreign = [name for name in table.columns if name not in SHEET_COLUMNS]
    lacking = [name for name in ("sample", "role") if name not in table.columns]
    if foreign or lacking:
        raise InputError(
            f"{where} has the columns {name_some(table.columns, 10)}; expected sample, role and "
            f"any of {', '.join(SHEET_COLUMNS[2:])}."
        )
    if table.empty:
        raise InputError(f"{where} lists no sample; expected one row for each.")
    table = table.reindex(columns=list(SHEET_COLUMNS))
    table = table.map(_text)
    if (table["sample"] == "").any():
        raise InputError(f"{where} has rows without a sample; expected one in every row.")
    roles = table["role"].str.lower().map(_ROLES)
    if roles.isna().any():
        raise InputError(
            f"{where} gives the role {name_some(table['role'][roles.isna()].unique())}; expected "
            f"{TREATED} or {CONTROL}."
        )
    table["role"] = roles
    if (table["screen"] == "").any() and (table["screen"] != "").any():
        missing = table["sample"][table["screen"] == ""]
        raise InputError(
            f"{where} names no screen for {name_some(missing)}, although it does for other "
            "samples; expected one in every row, or in none."
        )
    for screen, members in table.groupby("screen", sort=True):
        _check_screen(members, f"the screen {screen!s}" if screen else "its screen", where)
    return table


def _load(sheet: SampleSheet) -> tuple[str, pd.DataFrame]:
    if not isinstance(sheet, str | Path):
        entries, where = list(sheet), "The sample sheet"
    else:
        path = require_file(sheet, _WHAT)
        where = str(path)
        if path.suffix.lower() not in (".yaml", ".yml"):
            return where, read_text_table(path, _WHAT)
        try:
            entries = read_yaml(path)
        except ValueError as error:
            raise InputError(
                f"{path} is not well-formed ({error}); expected a list of samples with their "
                "fields."
            ) from error
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise InputError(
            f"{where} is no list of samples with their fields; expected entries such as sample: "
            "K562_NK_1, role: NK."
        )
    return where, pd.DataFrame([dict(entry) for entry in entries])


def _text(value: object) -> str:
    if value is None or value != value:
        return ""
    # pandas reads a column of whole numbers with a gap as floating point
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _check_screen(members: pd.DataFrame, named: str, where: str) -> None:
    twice = members.loc[members["sample"].duplicated(), "sample"]
    if len(twice):
        raise InputError(
            f"{where} lists {name_some(twice.unique())} more than once for {named}; expected every "
            "sample once."
        )
    for role in (TREATED, CONTROL):
        if role not in set(members["role"]):
            raise InputError(
                f"{where} lists no sample with the role {role} for {named}; expected at least one."
            )
    read_screen_metadata({named: screen_fields(members, where)})


def screen_fields(members: pd.DataFrame, where: str) -> dict[str, str]:
    """Return what the rows of one screen say about it; controls may leave it to the others.

    Raises
    ------
    InputError
        When two rows say different things.
    """
    fields = {}
    for name in METADATA_FIELDS:
        stated = sorted(set(members[name]) - {""})
        if len(stated) > 1:
            raise InputError(
                f"{where} gives {name_some(members['sample'])} the {name} {' and '.join(stated)}; "
                "expected one for all samples of a screen."
            )
        if stated:
            fields[name] = stated[0]
    return fields

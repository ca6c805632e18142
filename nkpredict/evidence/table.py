"""The table of screens: one row per gene and screen, effects signed alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.io.screen_formats import SCREEN_COLUMNS
from nkpredict.io.screens import PERTURBATIONS, SIMULATED_PREFIX, read_screen_tables

_TEXT = ("gene", "screen", "cell_line", "perturbation", "effector", "source")
_PER_SCREEN = ("cell_line", "perturbation", "effector", "source")


@dataclass(frozen=True, eq=False, repr=False)
class ScreenTable:
    """Results of CRISPR screens, checked and signed alike.

    Attributes
    ----------
    table
        One row per gene and screen; columns ``gene, screen, cell_line, perturbation`` (``loss``
        or ``gain``), ``effector, effect`` (+ = the gene sensitizes tumour cells to NK cells),
        ``lfc`` (log2 fold change or MAGeCK beta as published), ``p`` (two-sided), ``fdr``,
        ``source``.
    provenance
        Files, counts of what was repaired or dropped, assumptions, and ``simulated``.

    Raises
    ------
    InputError
        When a column is missing, a gene is twice in a screen, a screen is described in two ways,
        or a value is outside its range.
    """

    table: pd.DataFrame
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check every row."""
        table = self.table
        lacking = [name for name in SCREEN_COLUMNS if name not in table.columns]
        if lacking:
            raise InputError(
                f"The screen table lacks the columns {name_some(lacking)}; expected "
                f"{', '.join(SCREEN_COLUMNS)}."
            )
        if table.empty:
            raise InputError("The screen table has no rows; expected one per gene and screen.")
        _check_text(table)
        _check_numbers(table)
        twice = table.duplicated(["screen", "gene"])
        if twice.any():
            raise InputError(
                f"The screen table has {int(twice.sum())} genes more than once in a screen "
                f"({name_some(table.loc[twice, 'gene'].unique())}); expected one row each."
            )
        described = table[["screen", *_PER_SCREEN]].drop_duplicates()
        unclear = described.loc[described["screen"].duplicated(), "screen"].unique()
        if len(unclear):
            raise InputError(
                f"The screen table describes {name_some(unclear)} in more than one way; expected "
                f"one {', '.join(_PER_SCREEN)} for each screen."
            )

    @property
    def screens(self) -> pd.DataFrame:
        """One row per screen: cell line, perturbation, effector, source and number of genes."""
        grouped = self.table.groupby("screen", sort=True)
        return grouped[list(_PER_SCREEN)].first().assign(n_genes=grouped.size())

    @property
    def simulated(self) -> bool:
        """Whether any screen is simulated."""
        named = self.table["screen"].astype(str).str.startswith(SIMULATED_PREFIX).any()
        return bool(self.provenance.get("simulated", False)) or bool(named)

    def __repr__(self) -> str:
        screens = self.screens
        mark = "SIMULATED, " if self.simulated else ""
        kinds = ", ".join(
            f"{count} {kind}" for kind, count in screens["perturbation"].value_counts().items()
        )
        return (
            f"ScreenTable({mark}{len(screens)} screens ({kinds}), "
            f"{self.table['gene'].nunique()} genes, "
            f"effectors: {name_some(sorted(screens['effector'].unique()))})"
        )


def read_screens(
    *paths: str | Path, metadata: Mapping[str, Mapping[str, str]] | str | Path | None = None
) -> ScreenTable:
    """Read CRISPR screen results of any known layout.

    Parameters
    ----------
    *paths
        The study's combined table, MAGeCK RRA or MLE gene summaries, matrices of log2 fold
        changes, or tidy screen tables; CSV or TSV, plain or gzip-compressed.
    metadata
        What the files do not say, by screen; see
        :func:`nkpredict.io.screens.read_screen_tables`.

    Returns
    -------
    ScreenTable
        Checked rows and their provenance.

    Raises
    ------
    InputError
        When a file cannot be read or breaks the contract.
    """
    return ScreenTable(*read_screen_tables(*paths, metadata=metadata))


def _check_text(table: pd.DataFrame) -> None:
    for name in _TEXT:
        empty = table[name].isna() | (table[name].astype(str).str.strip() == "")
        if empty.any():
            raise InputError(
                f"The screen table has no {name} in {int(empty.sum())} rows; expected text in "
                "every row, 'unknown' where it is not known."
            )
    foreign = sorted(set(table["perturbation"]) - set(PERTURBATIONS))
    if foreign:
        raise InputError(
            f"The screen table has the perturbation {name_some(foreign)}; expected "
            f"{' or '.join(PERTURBATIONS)}."
        )


def _check_numbers(table: pd.DataFrame) -> None:
    for name in ("effect", "lfc", "p", "fdr"):
        if not pd.api.types.is_numeric_dtype(table[name]):
            raise InputError(f"The screen table has text in the column {name}; expected numbers.")
    infinite = ~np.isfinite(table[["effect", "lfc"]]).all(axis=1)
    if infinite.any():
        raise InputError(
            f"The screen table has no finite effect for {int(infinite.sum())} rows "
            f"({name_some(table.loc[infinite, 'gene'])}); drop these rows."
        )
    outside = ((table[["p", "fdr"]] < 0) | (table[["p", "fdr"]] > 1)).any(axis=1)
    if outside.any():
        raise InputError(
            f"The screen table has p or fdr outside 0 to 1 in {int(outside.sum())} rows "
            f"({name_some(table.loc[outside, 'gene'])})."
        )
    signed = np.where(table["perturbation"] == "gain", -table["lfc"], table["lfc"])
    wrong = ~np.isclose(table["effect"], signed)
    if wrong.any():
        raise InputError(
            f"The screen table has an effect that is not its signed lfc in {int(wrong.sum())} rows "
            f"({name_some(table.loc[wrong, 'gene'])}); expected lfc for loss of function and -lfc "
            "for gain of function."
        )

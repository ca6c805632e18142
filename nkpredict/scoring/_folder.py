"""A folder of results: what it may hold, and the tables of numbers in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.io import atomic_folder, write_csv, write_json

RESULT_FILES = (
    "scores.csv",
    "axes.csv",
    "viability.csv",
    "outcome.csv",
    "outcome_curves.csv",
    "contributions.parquet",
    "resistance_genes.csv",
    "resistance_genes_by_sample.parquet",
    "separating_genes.csv",
    "druggable_targets.csv",
    "drugs.csv",
    "drugs_by_sample.csv",
    "provenance.json",
    "report.html",
    "figures",
    "cells.parquet",
    "cells.json",
)
"""All that a folder of results may hold."""
FIGURES = (
    "ranking",
    "lineages",
    "genes",
    "targets",
    "survival",
    "waterfall_highest",
    "waterfall_lowest",
)
"""Pictures of its folder ``figures``."""
FIGURE_ENDINGS = ("png", "svg")
"""The forms in which each of them is there."""


def check_results_folder(folder: str | Path) -> Path:
    """Return the folder when it may be written: absent, empty, or holding earlier results.

    Raises
    ------
    InputError
        When it is a file or holds anything else.
    """
    folder = Path(folder)
    if folder.is_file():
        raise InputError(f"{folder} is a file; expected a folder for the results.")
    figures = folder / "figures"
    known = {f"{name}.{ending}" for name in FIGURES for ending in FIGURE_ENDINGS}
    foreign = sorted(p.name for p in folder.glob("*") if p.name not in RESULT_FILES)
    foreign += ["figures"] if figures.is_file() else []
    foreign += sorted(f"figures/{p.name}" for p in figures.glob("*") if p.name not in known)
    if foreign:
        raise InputError(
            f"{folder} holds {len(foreign)} files that are no results of scoring "
            f"({name_some(foreign)}); name a new folder, nothing was written."
        )
    return folder


def write_folder(folder: str | Path, *writers: Callable[[Path], None]) -> Path:
    """Let writers fill a folder of results, all of it or nothing; see `check_results_folder`."""
    folder = check_results_folder(folder)
    with atomic_folder(folder) as temporary:
        for write in writers:
            write(temporary)
    return folder


def write_numbers(scores: Any, folder: Path) -> None:
    """Write what `Scores` hold: numbers, axes, killing curves, outcome and provenance."""
    write_csv(folder / "scores.csv", marked(scores.table, scores))
    axes = getattr(scores, "axes", None)
    if axes is not None and len(axes):
        write_csv(folder / "axes.csv", marked(axes, scores).set_index("sample"))
    curves = getattr(scores, "viability", None)
    if curves is not None and len(curves):
        curves = curves.set_axis([f"viability_percent_ET_{r:g}" for r in curves], axis=1)
        write_csv(folder / "viability.csv", marked(curves, scores))
    outcome = getattr(scores, "outcome", None)
    if outcome is not None:
        write_csv(folder / "outcome.csv", marked(outcome.table, scores))
        steps = marked(outcome.survival, scores).set_index("group")
        write_csv(folder / "outcome_curves.csv", steps)
    write_json(folder / "provenance.json", scores.provenance.to_json())


def marked(table: pd.DataFrame, scores: Any) -> pd.DataFrame:
    """Return a table with `mark_of` in a column, when there is anything to mark."""
    mark = mark_of(scores)
    if not mark:
        return table
    # a table with notes of its own keeps them
    return table.assign(**{"mark" if "note" in table else "note": mark})


def mark_of(scores: Any) -> str:
    """Return what every file says of simulated data and of scores asked for against a refusal."""
    forced = bool(scores.provenance.forced)
    return " ".join(["SIMULATED"] * scores.provenance.simulated + ["FORCED"] * forced)

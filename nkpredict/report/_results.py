"""Write everything a scoring run gives into one folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from nkpredict.cells import CellScores
from nkpredict.errors import InputError, name_some
from nkpredict.explain import ExplainedScores
from nkpredict.figures import optional
from nkpredict.io import atomic_folder, write_csv, write_json
from nkpredict.report._figure_files import FIGURE_FILES, write_figures
from nkpredict.report._html import write_report

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
# Table of the scores → its file and the column that names a row.
_MORE_TABLES = {
    "separating_genes": ("separating_genes.csv", "gene"),
    "targets": ("druggable_targets.csv", "gene"),
    "drugs": ("drugs.csv", "drug"),
    "sample_drugs": ("drugs_by_sample.csv", "sample"),
}


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
    foreign = sorted(p.name for p in folder.glob("*") if p.name not in RESULT_FILES)
    foreign += ["figures"] if figures.is_file() else []
    foreign += sorted(f"figures/{p.name}" for p in figures.glob("*") if p.name not in FIGURE_FILES)
    if foreign:
        raise InputError(
            f"{folder} holds {len(foreign)} files that are no results of scoring "
            f"({name_some(foreign)}); name a new folder, nothing was written."
        )
    return folder


def write_results(
    scores: ExplainedScores,
    folder: str | Path,
    *,
    figures: bool = False,
    report: bool = True,
    cells: CellScores | None = None,
) -> Path:
    """Write scores, contributions, genes, drugs, provenance and report, all of them or none.

    Parameters
    ----------
    scores
        Scores of a cohort.
    folder
        Folder to write; earlier results in it are replaced.
    figures
        Also write the figures as PNG and SVG, which takes several seconds.
    report
        Whether to write ``report.html``.
    cells
        Numbers of the cells whose groups the samples are; see `write_cells`.

    Returns
    -------
    pathlib.Path
        The folder with ``scores.csv``, ``contributions.parquet`` (columns ``sample``,
        ``base_value`` and one for each gene), ``resistance_genes.csv``,
        ``resistance_genes_by_sample.parquet`` (the ten genes that lower each sample most), for six
        samples or more ``separating_genes.csv``, ``provenance.json``, ``report.html``, where drugs
        were looked up ``druggable_targets.csv``, ``drugs.csv`` and ``drugs_by_sample.csv``, for a
        model of published knowledge ``axes.csv`` (one row a sample and axis), with a killing curve
        ``viability.csv`` (one column an E:T ratio, ``viability_percent_ET_0.625``), with an
        outcome ``outcome.csv`` (one row a test) and ``outcome_curves.csv`` (Kaplan-Meier by third
        of the score), and ``figures/`` when asked for.

    Raises
    ------
    InputError
        When the folder holds other files.
    """
    folder = check_results_folder(folder)
    with atomic_folder(folder) as temporary:
        if cells is not None:
            cells.write(temporary)
        write_csv(temporary / "scores.csv", _marked(scores.table, scores))
        axes = optional(scores, "axes")
        if len(axes):
            write_csv(temporary / "axes.csv", _marked(axes, scores).set_index("sample"))
        genes = _marked(scores.resistance_genes, scores).set_index("gene")
        write_csv(temporary / "resistance_genes.csv", genes)
        for name, (file, label) in _MORE_TABLES.items():
            table = optional(scores, name)
            if label in table:
                write_csv(temporary / file, _marked(table, scores).set_index(label))
        curves = optional(scores, "viability")
        if len(curves):
            curves = curves.set_axis([f"viability_percent_ET_{r:g}" for r in curves], axis=1)
            write_csv(temporary / "viability.csv", _marked(curves, scores))
        outcome = getattr(scores, "outcome", None)
        if outcome is not None:
            write_csv(temporary / "outcome.csv", _marked(outcome.table, scores))
            steps = _marked(outcome.survival, scores).set_index("group")
            write_csv(temporary / "outcome_curves.csv", steps)
        by_sample = _marked(optional(scores, "sample_genes"), scores)
        if len(by_sample):
            by_sample.to_parquet(temporary / "resistance_genes_by_sample.parquet", index=False)
        _write_contributions(scores, temporary / "contributions.parquet")
        if figures:
            write_figures(scores, temporary / "figures")
        write_json(temporary / "provenance.json", scores.provenance.to_json())
        if report:
            write_report(scores, temporary / "report.html")
    return folder


def write_cells(cells: CellScores, folder: str | Path) -> Path:
    """Write the numbers of cells for which no groups were asked.

    Parameters
    ----------
    cells
        Numbers of single cells.
    folder
        Folder to write; earlier results in it are replaced.

    Returns
    -------
    pathlib.Path
        The folder with ``cells.parquet`` (one row a cell, see `CellScores`) and ``cells.json``
        (what was read and done).

    Raises
    ------
    InputError
        When the folder holds other files.
    """
    folder = check_results_folder(folder)
    with atomic_folder(folder) as temporary:
        cells.write(temporary)
    return folder


def _marked(table: pd.DataFrame, scores: ExplainedScores) -> pd.DataFrame:
    mark = _mark(scores)
    if not mark:
        return table
    # a table with notes of its own keeps them
    return table.assign(**{"mark" if "note" in table else "note": mark})


def _mark(scores: ExplainedScores) -> str:
    """Return what every file says of simulated data and of scores asked for against a refusal."""
    forced = bool(scores.provenance.forced)
    return " ".join(["SIMULATED"] * scores.simulated + ["FORCED"] * forced)


def _write_contributions(scores: ExplainedScores, path: Path) -> None:
    # Built column by column: going through pandas takes seconds for many thousand genes.
    values = scores.contributions.to_numpy().T
    samples = [str(name) for name in scores.contributions.index]
    columns = {"sample": samples, "base_value": [scores.base_value] * len(samples)}
    names = [*columns, *map(str, scores.contributions.columns)]
    arrays = [
        pa.array(column) for column in (*columns.values(), *map(np.ascontiguousarray, values))
    ]
    mark = {"nkpredict": _mark(scores) or "measured"}
    table = pa.Table.from_arrays(arrays, names=names, metadata=mark)
    pq.write_table(table, path, use_dictionary=["sample"], write_statistics=False)

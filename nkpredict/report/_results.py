"""Write everything a scoring run gives into one folder."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from nkpredict.cells import CellScores
from nkpredict.explain import ExplainedScores, write_explanation
from nkpredict.report._figure_files import write_figures
from nkpredict.report._html import write_report
from nkpredict.scoring import write_folder, write_numbers


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
    writers: list[Callable[[Path], None]] = [
        partial(write_numbers, scores),
        partial(write_explanation, scores),
    ]
    if cells is not None:
        writers.append(cells.write)
    if figures:
        writers.append(partial(_write_figures, scores))
    if report:
        writers.append(partial(_write_report, scores))
    return write_folder(folder, *writers)


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
    return write_folder(folder, cells.write)


def _write_figures(scores: ExplainedScores, folder: Path) -> None:
    write_figures(scores, folder / "figures")


def _write_report(scores: ExplainedScores, folder: Path) -> None:
    write_report(scores, folder / "report.html")

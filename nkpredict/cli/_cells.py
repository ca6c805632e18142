"""nkpredict score for single cells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from nkpredict.cli._console import say, stages
from nkpredict.configuration import Setting
from nkpredict.errors import InputError

if TYPE_CHECKING:
    from nkpredict.cells import CellScores
    from nkpredict.cli._score import ScoreSettings
    from nkpredict.explain import ExplainedScores


@dataclass(frozen=True, kw_only=True)
class CellSettings:
    """How to score single cells; see `nkpredict.score_cells`."""

    groupby: Annotated[
        str | None,
        Setting(
            "Single cells: column that gathers them into groups, or none for the cells alone.",
            "COLUMN|none",
        ),
    ] = None
    cells: Annotated[
        str | None, Setting("Single cells: score only these.", "COLUMN=VALUE|VALUE")
    ] = None
    workers: Annotated[
        int | None, Setting("Single cells: threads (default: all).", "N", least=1)
    ] = None
    dask: Annotated[
        str | None,
        Setting("Single cells: Dask scheduler, or local (needs nkpredict[dask]).", "tcp://…|local"),
    ] = None
    write_h5ad: Annotated[
        Path | None, Setting("Single cells: copy of the h5ad with the numbers in obs.", "FILE")
    ] = None


def require_groupby(settings: CellSettings) -> None:
    """Refuse settings that say something of single cells without saying how to gather them.

    Raises
    ------
    InputError
        When there are any.
    """
    said = [name for name, value in vars(settings).items() if value is not None]
    if said:
        option = f"--{said[0].replace('_', '-')}"
        raise InputError(
            f"{option} is about single cells; say also how to gather them: --groupby COLUMN, or "
            "--groupby none for one number a cell."
        )


def score_cell_file(
    path: Path,
    out: Path,
    settings: ScoreSettings,
    cells: CellSettings,
    report: bool,
    figures: bool,
    quiet: bool,
) -> ExplainedScores | None:
    """Score a file of single cells and write what was found.

    Returns
    -------
    ExplainedScores or None
        Of the groups; None for the cells alone.

    Raises
    ------
    InputError
        When a setting does not go with single cells, or the file cannot be scored.
    """
    from nkpredict.cells import score_cells, write_h5ad
    from nkpredict.explain import explain_scores
    from nkpredict.report import write_cells, write_results

    _only_of_cells(settings)
    out.parent.mkdir(parents=True, exist_ok=True)
    explained = None
    with stages(quiet, time_left=True) as progress:
        scores = score_cells(
            path,
            settings.model,
            groupby=cells.groupby,
            cells=cells.cells,
            registry=settings.registry,
            effector=settings.effector,
            layer=settings.layer,
            var_column=settings.var_column,
            force=settings.force,
            workers=cells.workers,
            dask=cells.dask,
            keep=out.parent / f".{out.name}.unfinished",
            progress=progress,
        )
        progress("writing", 0, 1)
        if scores.groups is None:
            write_cells(scores, out)
        else:
            explained = explain_scores(scores.groups)
            write_results(explained, out, figures=figures, report=report, cells=scores)
        if cells.write_h5ad is not None:
            write_h5ad(scores, path, cells.write_h5ad)
        scores.discard()
        progress("writing", 1, 1)
    if not quiet:
        _say(scores, out, report and explained is not None, cells.write_h5ad)
    return explained


def _only_of_cells(settings: ScoreSettings) -> None:
    unread = ("obs", "genetics", "lineage", "outcome", "duplicates")
    given = [name for name in unread if getattr(settings, name) is not None]
    given += [name for name in ("orientation", "unit") if getattr(settings, name) != "auto"]
    given += ["cohort"] if settings.cohort else []
    if given:
        raise InputError(
            f"--{given[0]} is not read for single cells; leave it out (their table is that of the "
            "file, their values are counts)."
        )


def _say(scores: CellScores, out: Path, report: bool, h5ad: Path | None) -> None:
    facts = scores.facts
    mark = "SIMULATED data. " if facts.simulated else ""
    say(
        f"{mark}Read {facts.cells:,} of {facts.cells_in_file:,} cells ({facts.format}, "
        f"{facts.matrix}, {facts.expression.unit_words}, median {facts.depth.median_umis:,.0f} "
        f"UMIs); found {facts.genes.found:,} of the model's {facts.genes.in_model:,} genes."
    )
    for note in facts.expression.remarks() if scores.groups is None else ():
        say(f"Note: {note}")
    for warning in facts.warnings:
        say(f"Note: {warning}")
    say(f"Cells: {out / 'cells.parquet'}")
    if report:
        say(f"Report: {out / 'report.html'}")
    if h5ad is not None:
        say(f"AnnData: {h5ad}")

"""Figures of two cohorts on one scale: their scores, and the genes that make the difference.

``ax``, ``save`` and ``show`` are those of `nkpredict.figures.plot_ranking`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from nkpredict.facts import ComparisonFacts
from nkpredict.figures._scores import scatter_places
from nkpredict.figures._style import (
    GREY,
    PALE,
    PROTECTS,
    SENSITIZES,
    axes_or_new,
    finished,
    shortened,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_LINEAGES = 12
_MOST_GENES = 20


class Compared(Protocol):
    """What the figures need of a comparison; see `nkpredict.comparison.CohortComparison`."""

    @property
    def facts(self) -> ComparisonFacts:
        """The cohorts, the verdict and the differences."""

    @property
    def samples(self) -> pd.DataFrame:
        """``sample, cohort, score`` and, where known, ``lineage``."""

    @property
    def genes(self) -> pd.DataFrame:
        """``gene, difference, lower, upper``, the largest difference first."""


def plot_cohorts(
    comparison: Compared,
    *,
    ax: Axes | None = None,
    save: str | Path | None = None,
    show: bool = False,
) -> Axes:
    """Draw the scores of two cohorts, over all and in each lineage that was compared.

    Parameters
    ----------
    comparison
        What `nkpredict.compare` returned.
    ax, save, show
        See `nkpredict.figures.plot_ranking`.

    Returns
    -------
    matplotlib.axes.Axes
        Points are samples, blue for the first cohort and vermillion for the second; boxes go from
        quartile to quartile, the line in them is the median. The title says what the comparison
        is worth.

    Raises
    ------
    InputError
        When the file to save has another ending.
    """
    facts, samples = comparison.facts, comparison.samples
    strata = [row for row in facts.differences if row.median_a == row.median_a]
    strata = strata[: _MOST_LINEAGES + 1]
    ax = axes_or_new(ax, (7.0, 1.9 + 0.95 * len(strata)), show)
    ax.tick_params(axis="y", length=0)
    sides = ((facts.first.name, -0.22, SENSITIZES), (facts.second.name, 0.22, PROTECTS))
    for row, stratum in enumerate(strata):
        own = samples if row == 0 else samples[samples["lineage"] == stratum.stratum]
        for name, place, colour in sides:
            scores = own.loc[own["cohort"] == name, "score"].to_numpy(dtype=float)
            first, middle, third = np.percentile(scores, (25, 50, 75))
            ax.barh(row + place, third - first, left=first, height=0.34, color=PALE, zorder=1)
            ax.scatter(
                scores,
                row + place + 0.3 * scatter_places(len(scores)),
                s=12,
                color=colour,
                alpha=0.55,
                linewidths=0,
                zorder=2,
            )
            ax.vlines(middle, row + place - 0.17, row + place + 0.17, color="black", zorder=3)
    labels = [
        f"{shortened(one.stratum).capitalize() if row == 0 else shortened(one.stratum)}\n"
        f"{one.samples_a} | {one.samples_b}"
        for row, one in enumerate(strata)
    ]
    ax.set_yticks(range(len(strata)), labels)
    ax.set_ylim(len(strata) - 0.45, -0.55)
    ax.set_xlabel("score" if facts.model is None else f"score of {shortened(facts.model)}")
    first_name, second_name = shortened(facts.first.name), shortened(facts.second.name)
    ax.set_title(
        f"{first_name} (blue) | {second_name} (vermillion)\n{_worth(facts)}",
        loc="left",
        fontsize=11,
    )
    forced = facts.first.forced or facts.second.forced
    return finished(ax, facts.simulated, save, show, forced=forced)


def plot_gene_differences(
    comparison: Compared,
    *,
    ax: Axes | None = None,
    save: str | Path | None = None,
    show: bool = False,
) -> Axes:
    """Draw the genes that make the difference of the mean scores, with 95 % intervals.

    Parameters
    ----------
    comparison
        What `nkpredict.compare` returned.
    ax, save, show
        See `nkpredict.figures.plot_ranking`.

    Returns
    -------
    matplotlib.axes.Axes
        The 20 genes of the largest difference; blue raises the first cohort above the second,
        vermillion lowers it.

    Raises
    ------
    InputError
        When the file to save has another ending.
    """
    facts, genes = comparison.facts, comparison.genes.head(_MOST_GENES)
    ax = axes_or_new(ax, (7.0, 1.9 + 0.26 * len(genes)), show)
    ax.tick_params(axis="y", length=0)
    rows, differences = np.arange(len(genes)), genes["difference"].to_numpy(dtype=float)
    colours = np.where(differences > 0, SENSITIZES, PROTECTS)
    ax.barh(rows, differences, height=0.62, color=colours)
    ax.hlines(rows, genes["lower"], genes["upper"], color="black", linewidth=1)
    ax.axvline(0, color=GREY, linewidth=1)
    ax.set_yticks(rows, [shortened(gene) for gene in genes["gene"]])
    ax.set_ylim(len(genes) - 0.4, -0.6)
    ax.set_xlabel("difference of the mean contributions")
    ax.set_title(
        f"{shortened(facts.first.name)} minus {shortened(facts.second.name)}\n{_worth(facts)}",
        loc="left",
        fontsize=11,
    )
    forced = facts.first.forced or facts.second.forced
    return finished(ax, facts.simulated, save, show, forced=forced)


def _worth(facts: ComparisonFacts) -> str:
    return f"Verdict: {facts.verdict}"

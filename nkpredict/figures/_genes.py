"""Figures of the genes behind scores, and of the drugs that act on them.

``ax``, ``save`` and ``show`` are those of `nkpredict.figures.plot_ranking`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nkpredict.drugs import ABOVE, CONTRARY, HIT, REACHABLE, rank_drugs
from nkpredict.errors import InputError
from nkpredict.figures._data import MAP_GENES, Scored, gene_map, optional, score_word
from nkpredict.figures._style import (
    GREY,
    PALE,
    PROTECTS,
    SENSITIZES,
    axes_or_new,
    diverging,
    finished,
    shortened,
)
from nkpredict.vocabulary import NKLiability

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_LABELS = 60
_LIMIT_PERCENTILE = 99.0
_LIABILITY_COLOURS: dict[str, str] = {NKLiability.HARMS: PROTECTS, NKLiability.UNKNOWN: GREY}
_MARKS: dict[str, tuple[str, dict[str, Any]]] = {
    HIT: ("acts against the resistance", {"marker": "o", "color": SENSITIZES}),
    REACHABLE: (
        "kills cells that carry the protein",
        {"marker": "o", "facecolor": "white", "edgecolor": SENSITIZES, "linewidths": 1.6},
    ),
    CONTRARY: ("warning: contrary action", {"marker": "x", "color": PROTECTS}),
}


def plot_genes(
    scores: Scored,
    *,
    genes: int = MAP_GENES,
    ax: Axes | None = None,
    save: str | Path | None = None,
    show: bool = False,
) -> Axes:
    """Draw a heat map of contributions, genes × samples.

    Parameters
    ----------
    scores
        Scores of a cohort.
    genes
        How many genes, by mean absolute contribution.
    ax, save, show
        See `nkpredict.figures.plot_ranking`.

    Returns
    -------
    matplotlib.axes.Axes
        Samples from the highest prediction on the left to the lowest; similar genes beside each
        other. Blue raises the prediction of a sample, vermillion lowers it; names of samples are
        left out above 60.

    Raises
    ------
    InputError
        When no gene contributes, or the file to save has another ending.
    """
    values = gene_map(scores, genes)
    if values.empty:
        raise InputError("No gene contributes to these scores; there is no map to draw.")
    n_genes, n_samples = values.shape
    named = n_samples <= _MOST_LABELS
    width = 2.6 + np.clip(0.2 * n_samples, 1.2, 8.0)
    ax = axes_or_new(ax, (width, 1.6 + 0.17 * n_genes + (0.8 if named else 0)), show)
    limit = colour_limit(values)
    image = ax.imshow(
        values.to_numpy(),
        aspect="auto",
        interpolation="nearest",
        cmap=diverging(),
        vmin=-limit,
        vmax=limit,
    )
    ax.set_yticks(range(n_genes), [shortened(gene) for gene in values.index], fontsize=8)
    if named:
        names = [shortened(name) for name in values.columns]
        ax.set_xticks(range(n_samples), names, rotation=90, fontsize=7)
    else:
        ax.set_xticks([])
        ax.set_xlabel(f"{n_samples} samples, highest {score_word(scores)} on the left")
    ax.tick_params(length=0)
    ax.spines["bottom"].set_visible(False)
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.5, aspect=18, pad=0.02)
    bar.set_label(f"contribution to the {score_word(scores)}", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    bar.outline.set_visible(False)
    ax.set_title("Contributions of genes", loc="left", fontsize=11)
    forced = bool(scores.provenance.forced)
    return finished(ax, scores.provenance.simulated, save, show, forced=forced)


def plot_targets(
    scores: Scored,
    *,
    drugs: int = 20,
    ax: Axes | None = None,
    save: str | Path | None = None,
    show: bool = False,
) -> Axes:
    """Draw which resistance genes the best ranked drugs reach, and what they do to NK cells.

    Parameters
    ----------
    scores
        Scores with ``targets`` as `nkpredict.drugs.druggable_targets` returns them.
    drugs
        How many drugs above the line, best first, and at most half as many below it.
    ax, save, show
        See `nkpredict.figures.plot_ranking`.

    Returns
    -------
    matplotlib.axes.Axes
        Drugs × genes. Blue disc: the drug acts against the gene's resistance; ring: it kills the
        cells that carry the protein; vermillion cross: a warning, it acts the contrary way. Drugs
        that harm NK cells, or whose contrary actions outweigh their hits, stand below a line. The
        effect on NK cells stands at the right; not known is written ``unknown``.

    Raises
    ------
    InputError
        When the scores hold no drug that fits, or the file to save has another ending.
    """
    pairs = optional(scores, "targets")
    best, above = _both_lists(pairs, drugs)
    if best.empty:
        raise InputError("The scores hold no drug that acts on a resistance gene; none to draw.")
    shown = pairs[pairs["drug"].isin(best["drug"]) & pairs["match"].isin(_MARKS)]
    genes = list(dict.fromkeys(shown.sort_values("gene_score", ascending=False)["gene"]))
    ax = axes_or_new(ax, (3.6 + 0.32 * len(genes), 2.2 + 0.25 * len(best)), show)
    x = shown["gene"].map({gene: place for place, gene in enumerate(genes)}).to_numpy()
    y = shown["drug"].map({drug: place for place, drug in enumerate(best["drug"])}).to_numpy()
    ax.hlines(range(len(best)), -0.5, len(genes) - 0.5, color=PALE, linewidth=0.5, zorder=1)
    for match, (label, style) in _MARKS.items():
        matching = shown["match"].eq(match).to_numpy()
        if matching.any():
            ax.scatter(x[matching], y[matching], s=46, zorder=3, label=label, **style)
    if above < len(best):
        ax.axhline(above - 0.5, color="black", linewidth=1.2, zorder=2)
    ax.xaxis.tick_top()
    ax.set_xticks(range(len(genes)), [shortened(gene) for gene in genes], rotation=90, fontsize=8)
    ax.set_yticks(range(len(best)), [shortened(drug) for drug in best["drug"]], fontsize=8)
    ax.set_xlim(-0.6, len(genes) - 0.4)
    ax.set_ylim(len(best) - 0.4, -0.6)
    ax.tick_params(length=0)
    ax.spines["bottom"].set_visible(False)
    _write_liabilities(ax, best["nk_liability"].tolist())
    if above < len(best):
        place = ax.get_yaxis_transform()
        ax.text(1.02, above - 0.5, "below the line", transform=place, va="center", fontsize=6.5)
    ax.set_title("Drugs and the resistance genes they reach", loc="left", fontsize=11, pad=10)
    ax.legend(loc="upper left", bbox_to_anchor=(0, 0), ncols=3, fontsize=7.5, frameon=False)
    forced = bool(scores.provenance.forced)
    return finished(ax, scores.provenance.simulated, save, show, forced=forced)


def _both_lists(pairs: pd.DataFrame, drugs: int) -> tuple[pd.DataFrame, int]:
    """Return the first drugs above the line and below it, and how many of them are above."""
    if pairs.empty:
        return pd.DataFrame(), 0
    ranked = rank_drugs(pairs)
    listed = ranked["listed"] == ABOVE
    above = ranked[listed].head(drugs)
    return pd.concat([above, ranked[~listed].head(max(drugs // 2, 1))]), len(above)


def _write_liabilities(ax: Axes, liabilities: list[str]) -> None:
    """Write what the drugs do to NK cells beside their rows."""
    ax.text(1.02, 1.02, "effect on NK cells", transform=ax.transAxes, fontsize=8, color=GREY)
    for row, liability in enumerate(liabilities):
        colour = _LIABILITY_COLOURS.get(liability, "black")
        place = ax.get_yaxis_transform()
        ax.text(1.02, row, liability, transform=place, va="center", fontsize=8, color=colour)


def colour_limit(values: pd.DataFrame) -> float:
    """Return the absolute contribution at which the colours of a map end."""
    limit = float(np.percentile(np.abs(values.to_numpy()), _LIMIT_PERCENTILE))
    return limit or 1.0

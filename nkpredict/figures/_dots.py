"""The dot figure: genes by category against screens by effector and perturbation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import norm

from nkpredict.evidence import (
    ScreenTable,
    described_experiments,
    genes_by_category,
    scaled_effects,
    standardise_screens,
)
from nkpredict.figures._style import GREY, PALE, axes_or_new, diverging, marked, shortened
from nkpredict.types import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection

_COLOUR_LIMIT = 4.0  # robust standard deviations
_MOST_EVIDENCE = 6.0  # -log10 p from which dots grow no more


def plot_dots(
    screens: ScreenTable, genes: Sequence[str] | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draw genes against screens, genes by category and screens by effector and perturbation.

    Parameters
    ----------
    screens
        Checked screens; replicates are merged.
    genes
        Genes to draw, old symbols too; without them, the genes of the published categories whose
        |z| reaches 2 in any of the screens.
    ax
        Where to draw; a figure of its own when None, reached by ``ax.figure``.

    Returns
    -------
    matplotlib.axes.Axes
        Colour: signed effect in robust standard deviations of the screen (blue sensitizes);
        size: −log10 of the two-sided p of the standardised z; ring: hit of the study's rule; a
        small cross where a gene was not measured.

    Raises
    ------
    InputError
        When none of the genes is in the screens.
    """
    standard = standardise_screens(screens)
    groups = genes_by_category(standard.z, genes)
    columns = described_experiments(screens, standard)
    ys, labels, headings = _rows_of(groups)
    shown = standard.z.index.get_indexer(pd.Index(labels))
    at = np.ix_(shown, columns["at"].to_numpy())
    z, hits = standard.z.to_numpy()[at], standard.hits[at]
    colour = scaled_effects(screens, columns, pd.Index(labels))
    n_columns = len(columns)
    size = (2.6 + 0.46 * max(n_columns, 4), max(2.1 + 0.185 * (ys[-1] + 1), 4.6))
    ax = axes_or_new(ax, size)
    x, y = np.meshgrid(np.arange(n_columns), ys)
    known = np.isfinite(z)
    strength = -np.log10(np.maximum(2 * norm.sf(np.abs(z)), 10.0**-_MOST_EVIDENCE))
    dots = ax.scatter(
        x[known],
        y[known],
        s=_dot_size(strength[known]),
        c=colour[known],
        cmap=diverging(),
        vmin=-_COLOUR_LIMIT,
        vmax=_COLOUR_LIMIT,
        edgecolors=np.where(hits[known], "black", PALE).tolist(),
        linewidths=np.where(hits[known], 1.2, 0.4).tolist(),
        zorder=3,
    )
    ax.scatter(x[~known], y[~known], s=9, marker="x", color=PALE, linewidths=0.7, zorder=2)
    ax.hlines(ys, -0.5, n_columns - 0.5, color="#EEF0F2", linewidth=0.6, zorder=1)
    ax.set_yticks(ys, labels, fontsize=8)
    for place, heading in headings:
        ax.annotate(
            heading,
            (0, place),
            xycoords=("axes fraction", "data"),
            xytext=(-4, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=8,
            fontweight="bold",
            annotation_clip=False,
        )
    _column_labels(ax, columns)
    ax.set_xlim(-0.6, n_columns - 0.4)
    ax.set_ylim(ys[-1] + 0.7, -2.1)
    ax.tick_params(length=0)
    ax.spines["bottom"].set_visible(False)
    _dot_legends(ax, dots, size)
    return marked(ax, screens)


def _rows_of(
    groups: dict[str, tuple[str, ...]],
) -> tuple[FloatArray, list[str], list[tuple[float, str]]]:
    """Give every gene a row, and every category a heading above its genes."""
    ys: list[float] = []
    labels: list[str] = []
    headings: list[tuple[float, str]] = []
    row = 0.0
    for category, genes in groups.items():
        headings.append((row, category))
        ys += [row + 1 + i for i in range(len(genes))]
        labels += genes
        row += len(genes) + 1.4
    return np.array(ys), labels, headings


def _column_labels(ax: Axes, columns: pd.DataFrame) -> None:
    """Name screens below; above, brackets over what they share: effector, and perturbation."""
    names = [shortened(name) for name in columns["name"]]
    ax.set_xticks(range(len(names)), names, rotation=40, ha="right", fontsize=8)
    for label in ax.get_xticklabels():
        label.set_rotation_mode("anchor")
    for keys, place in ((["effector"], -2.0), (["effector", "perturbation"], -0.75)):
        for key, group in columns.groupby(keys, sort=True):
            first, last = group.index[0], group.index[-1]
            ax.plot([first - 0.35, last + 0.35], [place, place], color="black", linewidth=1)
            text = str(key[-1])
            # a bracket over one screen is narrower than two words
            ax.annotate(
                text.replace(" ", "\n") if first == last else text,
                ((first + last) / 2, place - 0.15),
                ha="center",
                va="bottom",
                fontsize=8,
                fontweight="bold" if len(keys) == 1 else "normal",
                annotation_clip=False,
            )


def _dot_size(strength: FloatArray) -> FloatArray:
    return np.asarray(5 + 17 * np.minimum(strength, _MOST_EVIDENCE))


def _dot_legends(ax: Axes, dots: PathCollection, size: tuple[float, float]) -> None:
    from matplotlib.lines import Line2D

    # sizes in inches, turned into shares of the axes
    width, height = (
        max(float(side) - room, 1.0) for side, room in zip(size, (2.6, 2.1), strict=True)
    )
    place = ax.inset_axes(
        (1 + 0.12 / width, 1 - min(1.5 / height, 0.45), 0.17 / width, min(1.4 / height, 0.42))
    )
    bar = ax.figure.colorbar(dots, cax=place)
    bar.set_label("signed effect (robust SD)\nprotects ↔ sensitizes", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    bar.outline.set_visible(False)
    steps = [1, 2, 4, int(_MOST_EVIDENCE)]
    handles = [
        Line2D(
            [],
            [],
            linestyle="",
            marker="o",
            markersize=float(np.sqrt(_dot_size(np.array(step)))),
            color=PALE,
            label=f"{step}{' or more' if step == steps[-1] else ''}",
        )
        for step in steps
    ]
    handles += [
        Line2D(
            [],
            [],
            linestyle="",
            marker="o",
            markersize=7,
            color="white",
            markeredgecolor="black",
            label="hit of the study's rule",
        ),
        Line2D([], [], linestyle="", marker="x", markersize=4, color=GREY, label="not measured"),
    ]
    ax.legend(
        handles=handles,
        title="−log10 p",
        title_fontsize=8,
        fontsize=7.5,
        loc="lower left",
        bbox_to_anchor=(1.0, 0.0),
        frameon=False,
        alignment="left",
    )

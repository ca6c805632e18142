"""Figures of screens, drawn with Matplotlib for papers and notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.evidence import (
    HIT_FOLD_CHANGE,
    HIT_P,
    LEAST_GENES,
    ScreenTable,
    top_overlaps,
    wide_effects,
)
from nkpredict.figures._dots import plot_dots
from nkpredict.figures._style import (
    GREY,
    PALE,
    PROTECTS,
    SENSITIZES,
    WORDS,
    axes_or_new,
    diverging,
    marked,
    shortened,
)
from nkpredict.types import BoolArray, FloatArray, IndexArray
from nkpredict.vocabulary import UNKNOWN

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_agreement", "plot_dots", "plot_volcano"]

_LABELS_APART = 0.045  # of the height of the axes


def plot_volcano(
    screens: ScreenTable, screen: str | None = None, *, labels: int = 10, ax: Axes | None = None
) -> Axes:
    """Draw effect against significance of every gene of one screen.

    Parameters
    ----------
    screens
        Checked screens.
    screen
        Name of a screen with p-values; may be left out where there is one only.
    labels
        Genes named on each side, hits of the study's rule first, then by p.
    ax
        Where to draw; a figure of its own when None, reached by ``ax.figure``.

    Returns
    -------
    matplotlib.axes.Axes
        Blue genes sensitize tumour cells to NK cells, vermillion ones protect them, both by the
        study's rule: p < `HIT_P` and absolute log2 fold change > `HIT_FOLD_CHANGE`.

    Raises
    ------
    InputError
        When there is no such screen, it has no p-values, or several could be meant.
    """
    rows = _rows_with_p(screens, screen)
    ax = axes_or_new(ax, (6.6, 4.8))
    effect, p = rows["effect"].to_numpy(), rows["p"].to_numpy()
    positive = p[p > 0]
    floor = positive.min() / 2 if len(positive) else 1e-16
    height = -np.log10(np.maximum(p, floor))
    hit = (p < HIT_P) & (np.abs(effect) > HIT_FOLD_CHANGE)
    for genes, colour, size, alpha in (
        (~hit, PALE, 5, 0.7),
        (hit & (effect > 0), SENSITIZES, 16, 1.0),
        (hit & (effect < 0), PROTECTS, 16, 1.0),
    ):
        ax.scatter(
            effect[genes],
            height[genes],
            s=size,
            color=colour,
            alpha=alpha,
            linewidths=0,
            rasterized=True,
            zorder=2,
        )
    widest = float(np.abs(effect).max()) or 1.0
    top = max(float(height.max()), -np.log10(HIT_P)) * 1.06
    _draw_thresholds(ax)
    ax.set_ylim(0, top)
    # room on both sides for the column of names
    ax.set_xlim(-1.5 * widest, 1.5 * widest)
    order = np.lexsort((-np.abs(effect), p, ~hit))
    for side, colour in ((1, SENSITIZES), (-1, PROTECTS)):
        named = [i for i in order if np.sign(effect[i]) == side][:labels]
        _name_points(
            ax, rows["gene"].iloc[named].tolist(), effect[named], height[named], side, hit[named]
        )
        ax.annotate(
            "sensitizes →" if side > 0 else "← protects",
            (0.99 if side > 0 else 0.01, 0.015),
            xycoords="axes fraction",
            ha="right" if side > 0 else "left",
            fontsize=8,
            color=colour,
        )
    ax.set_xlabel("signed effect (log2 fold change; + sensitizes to NK cells)")
    ax.set_ylabel("−log10 p")
    name = str(rows["screen"].iloc[0])
    ax.set_title(shortened(name), loc="left", fontsize=11, pad=30)
    sensitizing, protecting = (int((hit & (sign * effect > 0)).sum()) for sign in (1, -1))
    ax.annotate(
        f"{_description(screens, name)}, {len(rows):,} genes\n"
        f"p < {HIT_P:g} and |log2 FC| > {HIT_FOLD_CHANGE:g}: {sensitizing} sensitizing, "
        f"{protecting} protecting",
        (0, 1.02),
        xycoords="axes fraction",
        fontsize=8,
        color=GREY,
    )
    return marked(ax, screens)


def _draw_thresholds(ax: Axes) -> None:
    for x in (-HIT_FOLD_CHANGE, HIT_FOLD_CHANGE):
        ax.axvline(x, color=GREY, linestyle=":", linewidth=0.8, zorder=1)
    ax.axhline(-np.log10(HIT_P), color=GREY, linestyle=":", linewidth=0.8, zorder=1)


def _description(screens: ScreenTable, name: str) -> str:
    described = screens.screens.loc[name]
    known = [str(described[k]) for k in ("cell_line", "effector") if described[k] != UNKNOWN]
    return ", ".join([*known, WORDS[str(described["perturbation"])]])


def plot_agreement(screens: ScreenTable, *, ax: Axes | None = None) -> Axes:
    """Draw how far screens agree: rank correlation of all genes, and overlap of the strongest.

    Parameters
    ----------
    screens
        Two or more checked screens; replicates stay apart.
    ax
        Where to draw; a figure of its own when None, reached by ``ax.figure``.

    Returns
    -------
    matplotlib.axes.Axes
        Below the diagonal Spearman's correlation of the signed effects over the genes both
        screens measured; above it, of the 1 % of strongest genes on each side of one screen, how
        many times more lie among those on the same side of the other than chance would have it.

    Raises
    ------
    InputError
        When there is one screen only.
    """
    described = screens.screens
    if len(described) < 2:
        raise InputError(
            f"There is one screen only ({described.index[0]}); expected two or more to compare."
        )
    described = described.sort_values(["effector", "perturbation", "cell_line"], kind="stable")
    wide = wide_effects(screens)[list(described.index)]
    correlation = wide.corr(method="spearman", min_periods=LEAST_GENES).to_numpy()
    overlap = top_overlaps(wide.to_numpy())
    n = len(described)
    ax = axes_or_new(ax, (max(3.6 + 0.62 * n, 6.0), max(2.2 + 0.5 * n, 4.2)))
    below = np.tril(np.ones((n, n), dtype=bool), -1)
    image = ax.imshow(
        np.where(below, correlation, np.nan), cmap=diverging(), vmin=-1, vmax=1, aspect="auto"
    )
    _write_agreement(ax, wide.notna().sum().to_numpy(), correlation, overlap)
    names = [shortened(name) for name in described.index]
    kinds = [f"{row.effector}, {row.perturbation}" for row in described.itertuples()]
    both = [f"{name}\n{kind}" for name, kind in zip(names, kinds, strict=True)]
    ax.set_yticks(range(n), both, fontsize=7)
    ax.set_xticks(range(n), names, fontsize=7, rotation=40, ha="right", rotation_mode="anchor")
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.set_xticks(np.arange(n + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(n + 1) - 0.5, minor=True)
    ax.grid(which="minor", color="#E3E6EA", linewidth=0.8)
    ax.tick_params(which="minor", length=0)
    ax.set_title("Agreement of screens", loc="left", fontsize=11, pad=30)
    ax.annotate(
        "below the diagonal: Spearman's ρ of all genes; on it: genes\n"
        "above: shared among the strongest 1 % of a side, times chance",
        (0, 1.015),
        xycoords="axes fraction",
        fontsize=7,
        color=GREY,
    )
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.6, aspect=25, pad=0.02)
    bar.set_label("Spearman's ρ", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    bar.outline.set_visible(False)
    return marked(ax, screens)


def _write_agreement(
    ax: Axes, genes: IndexArray, correlation: FloatArray, overlap: FloatArray
) -> None:
    """Write correlations below the diagonal, numbers of genes on it and overlaps above."""
    for i in range(len(genes)):
        for j in range(len(genes)):
            value = correlation[i, j] if i > j else overlap[i, j]
            if i == j:
                text = f"{genes[i]:,}"
            elif not np.isfinite(value):
                text = "–"
            elif i > j:
                text = f"{round(value, 2) + 0.0:.2f}".replace("-", "−")
            else:
                text = f"{value:.1f}×"
            dark = i > j and np.isfinite(value) and abs(value) > 0.6
            ax.text(
                j,
                i,
                text,
                ha="center",
                va="center",
                fontsize=7.5 if i != j else 6.5,
                color="white" if dark else GREY if i == j else "black",
                fontweight="bold" if i < j and value >= 3 else "normal",
            )


def _rows_with_p(screens: ScreenTable, screen: str | None) -> pd.DataFrame:
    names = list(screens.screens.index)
    if screen is not None and screen not in names:
        raise InputError(f"There is no screen {screen}; expected one of {name_some(names, 12)}.")
    table = screens.table.dropna(subset=["effect", "p"])
    with_p = sorted(table["screen"].unique())
    if screen is None and len(with_p) != 1:
        raise InputError(
            f"There are {len(with_p)} screens with p-values ({name_some(with_p, 12) or 'none'}); "
            "expected the name of the one to draw."
        )
    rows = table[table["screen"] == (with_p[0] if screen is None else screen)]
    if rows.empty:
        raise InputError(
            f"The screen {screen} has no p-values, which a volcano plot needs; screens with "
            f"p-values: {name_some(with_p, 12) or 'none'}."
        )
    return rows


def _name_points(
    ax: Axes, genes: list[str], effect: FloatArray, height: FloatArray, side: int, hit: BoolArray
) -> None:
    """Write names in a column beside the points, in their order, so that none covers another."""
    if not genes:
        return
    order = np.argsort(-height, kind="stable")
    top = ax.get_ylim()[1]
    places = height[order] / top
    places[0] = min(places[0], 0.97)
    for i in range(1, len(places)):
        places[i] = min(places[i], places[i - 1] - _LABELS_APART)
    # a column that reaches below the axes is moved up, names drawing together at its end
    places = np.maximum(places, 0.08 + _LABELS_APART * np.arange(len(places))[::-1])
    edge = side * ax.get_xlim()[1] * 0.76
    for i, place in zip(order, places, strict=True):
        ax.annotate(
            genes[i],
            (effect[i], height[i]),
            xytext=(edge, place * top),
            ha="left" if side > 0 else "right",
            va="center",
            fontsize=8,
            fontstyle="italic",
            fontweight="bold" if hit[i] else "normal",
            color="black" if hit[i] else GREY,
            arrowprops={
                "arrowstyle": "-",
                "color": GREY,
                "linewidth": 0.5,
                "shrinkA": 1,
                "shrinkB": 2,
            },
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
            zorder=4,
        )

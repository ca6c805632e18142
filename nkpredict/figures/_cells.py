"""Figures of single cells: a map coloured by the number of each cell, and groups side by side.

They take the AnnData that `nkpredict.tl.score` wrote into. ``ax``, ``save`` and ``show`` are those
of the figures of scores.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nkpredict.errors import InputError, name_some
from nkpredict.facts import CELL_FACTS_KEY
from nkpredict.figures._style import (
    GREY,
    PROTECTS,
    SENSITIZES,
    axes_or_new,
    diverging,
    finished,
    shortened,
)
from nkpredict.types import FloatArray

if TYPE_CHECKING:
    from anndata import AnnData
    from matplotlib.axes import Axes

_COLOUR_QUANTILES = (0.02, 0.98)
_MOST_GROUPS = 60


def plot_umap(
    adata: AnnData,
    color: str = "nk_susceptibility",
    *,
    basis: str = "X_umap",
    ax: Axes | None = None,
    save: str | Path | None = None,
    show: bool = False,
) -> Axes:
    """Draw cells where an embedding puts them, coloured by their number.

    Parameters
    ----------
    adata
        Cells that were scored, with an embedding in ``obsm``.
    color
        Column of ``obs`` with numbers: ``nk_susceptibility``, ``nk_group_susceptibility`` or
        ``nk_umis``.
    basis
        Embedding in ``obsm``; its first two columns are drawn.
    ax, save, show
        See the head of this module.

    Returns
    -------
    matplotlib.axes.Axes
        Colours run from the 2nd to the 98th percentile; cells without a number are grey.

    Raises
    ------
    InputError
        When there is no such column or embedding.
    """
    from matplotlib.colorbar import Colorbar

    values = _numbers(adata, color)
    if basis not in adata.obsm:
        raise InputError(
            f"The AnnData has no embedding {basis!r} in obsm; it has "
            f"{name_some(adata.obsm.keys()) or 'none'}. Compute one (scanpy.tl.umap) or name it."
        )
    across, up = np.asarray(adata.obsm[basis])[:, :2].T
    known = np.isfinite(values)
    ax = axes_or_new(ax, (6.0, 5.0), show)
    ax.spines[["bottom"]].set_visible(False)
    ax.set_xticks([])
    ax.set_yticks([])
    size = float(np.clip(20_000 / max(len(values), 1), 0.5, 20))
    if not known.all():
        ax.scatter(
            across[~known], up[~known], s=size, color=GREY, alpha=0.3, linewidths=0, rasterized=True
        )
    low, high = np.quantile(values[known], _COLOUR_QUANTILES)
    drawn = ax.scatter(
        across[known],
        up[known],
        c=values[known],
        s=size,
        cmap=diverging(),
        vmin=float(low),
        vmax=float(max(high, low + 1e-9)),
        linewidths=0,
        rasterized=True,
    )
    bar: Colorbar = ax.figure.colorbar(drawn, ax=ax, shrink=0.6)
    bar.outline.set_visible(False)
    bar.set_label(_words(adata, color))
    ax.set_title(f"{int(known.sum()):,} cells by {_words(adata, color)}", loc="left")
    return finished(ax, _simulated(adata), save, show)


def plot_violin(
    adata: AnnData,
    groupby: str,
    *,
    ax: Axes | None = None,
    save: str | Path | None = None,
    show: bool = False,
) -> Axes:
    """Draw the numbers of the cells of each group, and the score of the group where it is known.

    Parameters
    ----------
    adata
        Cells that were scored.
    groupby
        Column of ``obs``.
    ax, save, show
        See the head of this module.

    Returns
    -------
    matplotlib.axes.Axes
        Groups by their median, highest on top, with their number of cells. When the cells were
        scored by the same groups, the diamond is the score of the summed counts, with its interval
        from cells and depth.

    Raises
    ------
    InputError
        When there is no such column, or it has more than 60 values.
    """
    values = _numbers(adata, "nk_susceptibility")
    if groupby not in adata.obs:
        raise InputError(
            f"The AnnData has no column {groupby!r} in obs; it has {name_some(adata.obs, 12)}."
        )
    table = pd.DataFrame(adata.obs).assign(number=values)
    table = table[np.isfinite(values) & table[groupby].notna().to_numpy()]
    by_group = {str(name): part for name, part in table.groupby(groupby, observed=True)}
    if not by_group or len(by_group) > _MOST_GROUPS:
        raise InputError(
            f"The column {groupby!r} has {len(by_group)} groups with numbers; expected 1 to "
            f"{_MOST_GROUPS}."
        )
    order = sorted(by_group, key=lambda name: float(by_group[name]["number"].median()))
    ax = axes_or_new(ax, (7.0, 1.4 + 0.5 * len(order)), show)
    ax.tick_params(axis="y", length=0)
    rows = np.arange(len(order))
    for row, name in enumerate(order):
        _draw_group(ax, row, by_group[name])
    ax.set_yticks(rows, [f"{shortened(name)}\n{len(by_group[name]):,} cells" for name in order])
    ax.set_ylim(-0.7, len(order) - 0.3)
    ax.set_xlabel(_words(adata, "nk_susceptibility"))
    ax.set_title(f"Cells by {shortened(groupby)}", loc="left")
    return finished(ax, _simulated(adata), save, show)


def _draw_group(ax: Axes, row: int, cells: pd.DataFrame) -> None:
    numbers = cells["number"].to_numpy(dtype=float)
    if len(numbers) > 1 and np.ptp(numbers) > 0:
        drawn = ax.violinplot(
            [numbers], [row], orientation="horizontal", widths=0.8, showextrema=False
        )
        bodies: Any = drawn["bodies"]
        for body in bodies:
            body.set(facecolor=SENSITIZES, alpha=0.35, linewidth=0)
    ax.plot(float(np.median(numbers)), row, "|", color=SENSITIZES, markersize=12)
    names = [f"nk_group_{part}" for part in ("susceptibility", "lower", "upper")]
    if not set(names) <= set(cells):
        return
    own = cells[names].dropna().drop_duplicates()
    if len(own) == 1:  # scored by the groups that are drawn
        score, lower, upper = map(float, own.iloc[0])
        ax.hlines(row, lower, upper, color=PROTECTS, linewidth=2)
        ax.plot(score, row, "D", color=PROTECTS, markersize=6)


def _numbers(adata: AnnData, column: str) -> FloatArray:
    if column not in adata.obs:
        raise InputError(
            f"The AnnData has no column {column!r} in obs; score it first: "
            "nkpredict.tl.score(adata)."
        )
    values = np.asarray(adata.obs[column], dtype=np.float64)
    if not np.isfinite(values).any():
        raise InputError(f"The column {column!r} of obs holds no number; expected scores of cells.")
    return values


def _words(adata: AnnData, column: str) -> str:
    alone = bool(_facts(adata).get("model", {}).get("knowledge_only", False))
    score = "screen score" if alone else "NK susceptibility"
    return {
        "nk_susceptibility": score,
        "nk_group_susceptibility": f"{score} of the group",
        "nk_umis": "UMIs",
    }.get(column, column)


def _simulated(adata: AnnData) -> bool:
    return bool(_facts(adata).get("simulated", False))


def _facts(adata: AnnData) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(adata.uns.get(CELL_FACTS_KEY, "{}"))
    return found

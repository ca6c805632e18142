"""Figures of scored samples: the ranking, the lineages and the genes behind one sample.

Every function takes ``ax``, ``save`` and ``show`` and returns the axes. ``ax=None`` draws on a
figure of its own, reached by ``ax.figure``; ``save`` names a PNG, SVG or PDF file to write;
``show=True`` draws with pyplot and shows the figure, as in a notebook.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nkpredict.figures._data import (
    ALL_SAMPLES,
    Scored,
    groups,
    reference_word,
    score_word,
    waterfall,
)
from nkpredict.figures._style import (
    GREY,
    PALE,
    PROTECTS,
    SENSITIZES,
    axes_or_new,
    finished,
    shortened,
)
from nkpredict.types import FloatArray

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_MOST_LABELS = 80


def plot_ranking(
    scores: Scored, *, ax: Axes | None = None, save: str | Path | None = None, show: bool = False
) -> Axes:
    """Draw every sample's prediction with its 90 % prediction interval, highest on top.

    Parameters
    ----------
    scores
        Scores of a cohort.
    ax, save, show
        See the head of this module.

    Returns
    -------
    matplotlib.axes.Axes
        Samples outside the training domain are hollow; names are left out above 80 samples. A
        model that knows screens alone has no intervals but those of groups of cells, from cells and
        depth.

    Raises
    ------
    InputError
        When the file to save has another ending.
    """
    table = scores.table.sort_values("susceptibility", kind="stable")
    named = len(table) <= _MOST_LABELS
    ax = axes_or_new(ax, (7.0, 1.4 + 0.24 * len(table) if named else 9.0), show)
    ax.tick_params(axis="y", length=0)
    rows = np.arange(len(table))
    ax.set_xlabel(score_word(scores))
    ax.axvline(scores.base_value, color=GREY, linestyle=":", linewidth=1)
    inside = table["in_domain"].to_numpy(dtype=bool)
    value = table["susceptibility"].to_numpy(dtype=float)
    lower, upper = (table[name].to_numpy(dtype=float) for name in _interval(table))
    known = np.concatenate([value, lower, upper, [scores.base_value]])
    known = known[~np.isnan(known)]
    room = max(0.05 * float(np.ptp(known)), 0.01)
    low, high = float(known.min()) - room, float(known.max()) + room
    told = ~np.isnan(lower)
    if told.any():
        ax.hlines(rows[told], lower[told], upper[told], color=SENSITIZES, alpha=0.35)
    for selected, face, edge in ((inside, SENSITIZES, SENSITIZES), (~inside, "white", PROTECTS)):
        ax.scatter(value[selected], rows[selected], s=22, facecolor=face, edgecolor=edge, zorder=3)
    ax.set_xlim(low, high)
    ax.set_ylim(-0.8, len(table) - 0.2)
    if named:
        ax.set_yticks(rows, [shortened(name) for name in table.index])
    else:
        ax.set_yticks([])
        ax.set_ylabel(f"{len(table)} samples")
    ax.set_title(f"Predicted {_title(scores)}", loc="left")
    forced = bool(scores.provenance.forced)
    return finished(ax, scores.provenance.simulated, save, show, forced=forced)


def _interval(table: pd.DataFrame) -> tuple[str, str]:
    """Columns of the interval: of the prediction, else of groups of cells from cells and depth."""
    known = np.isfinite(table["lower"].to_numpy(dtype=float)).any()
    return (
        ("lower", "upper")
        if known or "sampling_lower" not in table
        else (
            "sampling_lower",
            "sampling_upper",
        )
    )


def plot_lineage(
    scores: Scored, *, ax: Axes | None = None, save: str | Path | None = None, show: bool = False
) -> Axes:
    """Draw the predictions of each lineage, above those of the reference samples.

    Parameters
    ----------
    scores
        Scores of a cohort, with ``lineage`` and ``reference`` where known.
    ax, save, show
        See the head of this module.

    Returns
    -------
    matplotlib.axes.Axes
        Points are samples of the cohort, the bar below them is their median. Grey: reference
        samples, from the 5th to the 95th percentile (line), the 25th to the 75th (box) and the
        median.

    Raises
    ------
    InputError
        When the file to save has another ending.
    """
    found = groups(scores)
    ax = axes_or_new(ax, (7.0, 1.5 + 0.5 * len(found)), show)
    ax.tick_params(axis="y", length=0)
    for row, group in enumerate(found):
        if len(group.reference):
            low, first, middle, third, high = np.percentile(group.reference, (5, 25, 50, 75, 95))
            ax.hlines(row + 0.2, low, high, color=PALE, linewidth=1.2, zorder=1)
            ax.barh(row + 0.2, third - first, left=first, height=0.24, color=PALE, zorder=1)
            ax.vlines(middle, row + 0.08, row + 0.32, color=GREY, linewidth=1.5, zorder=2)
        ax.scatter(
            group.cohort,
            row - 0.16 + 0.24 * scatter_places(len(group.cohort)),
            s=16,
            color=SENSITIZES,
            alpha=0.55,
            linewidths=0,
            zorder=3,
        )
        if len(group.cohort):
            middle = np.median(group.cohort)
            ax.vlines(middle, row - 0.32, row, color="black", linewidth=1.6, zorder=4)
    if (base := getattr(scores, "base_value", None)) is not None:  # known once they are explained
        ax.axvline(base, color=GREY, linestyle=":", linewidth=1, zorder=0)
    labels = [
        f"{'All samples' if group.name == ALL_SAMPLES else shortened(group.name)}  "
        f"{len(group.cohort)} | {len(group.reference)}"
        for group in found
    ]
    ax.set_yticks(range(len(found)), labels)
    ax.set_ylim(len(found) - 0.4, -0.6)
    ax.set_xlabel(score_word(scores))
    title = f"{_title(scores)}: cohort (blue) | {reference_word(scores)} (grey)"
    ax.set_title(title[0].upper() + title[1:], loc="left", fontsize=11)
    forced = bool(scores.provenance.forced)
    return finished(ax, scores.provenance.simulated, save, show, forced=forced)


def plot_waterfall(
    scores: Scored,
    sample: str,
    *,
    ax: Axes | None = None,
    save: str | Path | None = None,
    show: bool = False,
) -> Axes:
    """Draw how the strongest genes lead from the base value to one sample's prediction.

    Parameters
    ----------
    scores
        Scores of a cohort.
    sample
        Name of the sample.
    ax, save, show
        See the head of this module.

    Returns
    -------
    matplotlib.axes.Axes
        Blue genes raise the prediction, vermillion genes lower it.

    Raises
    ------
    InputError
        When there is no such sample, or the file to save has another ending.
    """
    steps = waterfall(scores, sample)
    ax = axes_or_new(ax, (7.0, 1.4 + 0.3 * (len(steps.steps) + 2)), show)
    ax.tick_params(axis="y", length=0)
    for row, step in enumerate(steps.steps, start=1):
        colour = SENSITIZES if step.change > 0 else PROTECTS
        ax.barh(row, step.change, left=step.start, height=0.62, color=colour)
        edge, side = (max(step.start, step.end), 4) if step.change > 0 else (step.end, -4)
        ax.annotate(
            _number(step.change, "+.3f"),
            (edge, row),
            (side, 0),
            textcoords="offset points",
            va="center",
            ha="left" if side > 0 else "right",
            fontsize=8,
            color=GREY,
        )
    last = len(steps.steps) + 1
    ax.plot([steps.base, steps.prediction], [0, last], "o", color="black", markersize=5)
    ax.axvline(steps.base, color=GREY, linestyle=":", linewidth=1)
    labels = [
        f"base value {_number(steps.base)}",
        *(shortened(step.label) for step in steps.steps),
        f"prediction {_number(steps.prediction)}",
    ]
    ax.set_yticks(range(last + 1), labels)
    ax.set_ylim(last + 0.6, -0.6)
    places = [steps.base, *(step.end for step in steps.steps)]
    # Room on both sides for the numbers beside the bars.
    room = max(0.16 * (max(places) - min(places)), 0.005)
    ax.set_xlim(min(places) - room, max(places) + room)
    ax.set_xlabel(score_word(scores))
    ax.set_title(shortened(sample), loc="left")
    forced = bool(scores.provenance.forced)
    return finished(ax, scores.provenance.simulated, save, show, forced=forced)


def scatter_places(count: int) -> FloatArray:
    """Return places from -0.5 to 0.5 that keep neighbouring points apart, the same every time.

    Multiples of the golden ratio modulo 1, which fill an interval evenly for any count.
    """
    return (np.arange(count, dtype=np.float64) * 0.6180339887498949) % 1.0 - 0.5


def _number(value: float, form: str = ".3f") -> str:
    return format(value, form).replace("-", "−")


def _title(scores: Scored) -> str:
    word = score_word(scores)
    return f"NK {word}" if word == "susceptibility" else word

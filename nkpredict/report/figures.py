"""The figures of the report, drawn with Matplotlib for papers and notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nkpredict.report.formats import decimal, printable, signed
from nkpredict.report.layout import waterfall
from nkpredict.report.summary import is_simulated

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nkpredict.scoring import Scores

# Blue and vermillion tell colour-blind readers apart too (Okabe & Ito, Color Universal Design,
# https://jfly.uni-koeln.de/color/).
_RAISES, _LOWERS, _GREY = "#0072B2", "#D55E00", "#6B7280"
_LONGEST_LABEL = 28
_MOST_LABELS = 80


def plot_ranking(scores: Scores, ax: Axes | None = None) -> Axes:
    """Draw every sample's susceptibility with its 90 % prediction interval, highest on top.

    Parameters
    ----------
    scores
        Scores of a cohort.
    ax
        Where to draw; a figure of its own when None, reached by ``ax.figure``.

    Returns
    -------
    matplotlib.axes.Axes
        Samples outside the training domain are hollow; names are left out above 80 samples.
    """
    table = scores.table.sort_values("susceptibility", kind="stable")
    named = len(table) <= _MOST_LABELS
    ax = _axes(ax, height=1.4 + 0.24 * len(table) if named else 9.0)
    rows = np.arange(len(table))
    ax.set_xlabel("susceptibility")
    ax.axvline(scores.base_value, color=_GREY, linestyle=":", linewidth=1)
    inside = table["in_domain"].to_numpy(dtype=bool)
    value = table["susceptibility"].to_numpy(dtype=float)
    lower, upper = (table[name].to_numpy(dtype=float) for name in ("lower", "upper"))
    known = np.concatenate([value, lower, upper, [scores.base_value]])
    known = known[np.isfinite(known)]
    room = max(0.05 * float(np.ptp(known)), 0.01)
    low, high = float(known.min()) - room, float(known.max()) + room
    # An infinite interval runs from edge to edge.
    ax.hlines(rows, np.fmax(lower, low), np.fmin(upper, high), color=_RAISES, alpha=0.35)
    for chosen, face, edge in ((inside, _RAISES, _RAISES), (~inside, "white", _LOWERS)):
        ax.scatter(value[chosen], rows[chosen], s=22, facecolor=face, edgecolor=edge, zorder=3)
    ax.set_xlim(low, high)
    ax.set_ylim(-0.8, len(table) - 0.2)
    if named:
        ax.set_yticks(rows, [_label(name) for name in table.index])
    else:
        ax.set_yticks([])
        ax.set_ylabel(f"{len(table)} samples")
    ax.set_title("Predicted NK susceptibility", loc="left")
    return _marked(ax, scores)


def plot_waterfall(scores: Scores, sample: str, ax: Axes | None = None) -> Axes:
    """Draw how the strongest genes lead from the base value to one sample's prediction.

    Parameters
    ----------
    scores
        Scores of a cohort.
    sample
        Name of the sample.
    ax
        Where to draw; a figure of its own when None, reached by ``ax.figure``.

    Returns
    -------
    matplotlib.axes.Axes
        Blue genes raise the prediction, vermillion genes lower it.

    Raises
    ------
    InputError
        When there is no such sample.
    """
    steps = waterfall(scores, sample)
    ax = _axes(ax, height=1.4 + 0.3 * (len(steps.steps) + 2))
    for row, step in enumerate(steps.steps, start=1):
        colour = _RAISES if step.change > 0 else _LOWERS
        ax.barh(row, step.change, left=step.start, height=0.62, color=colour)
        edge, side = (max(step.start, step.end), 4) if step.change > 0 else (step.end, -4)
        ax.annotate(
            signed(step.change),
            (edge, row),
            (side, 0),
            textcoords="offset points",
            va="center",
            ha="left" if side > 0 else "right",
            fontsize=8,
            color=_GREY,
        )
    last = len(steps.steps) + 1
    ax.plot([steps.base, steps.prediction], [0, last], "o", color="black", markersize=5)
    ax.axvline(steps.base, color=_GREY, linestyle=":", linewidth=1)
    labels = [
        f"base value {decimal(steps.base)}",
        *(_label(step.label) for step in steps.steps),
        f"prediction {decimal(steps.prediction)}",
    ]
    ax.set_yticks(range(last + 1), labels)
    ax.set_ylim(last + 0.6, -0.6)
    places = [steps.base, *(step.end for step in steps.steps)]
    # Room on both sides for the numbers beside the bars.
    room = max(0.16 * (max(places) - min(places)), 0.005)
    ax.set_xlim(min(places) - room, max(places) + room)
    ax.set_xlabel("susceptibility")
    ax.set_title(_label(sample), loc="left")
    return _marked(ax, scores)


def _axes(ax: Axes | None, height: float) -> Axes:
    if ax is None:
        from matplotlib.figure import Figure

        ax = Figure(figsize=(7.0, height), layout="constrained").add_subplot()
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    return ax


def _label(name: object) -> str:
    text = printable(name).replace("$", r"\$")
    return text if len(text) <= _LONGEST_LABEL else f"{text[: _LONGEST_LABEL - 1]}…"


def _marked(ax: Axes, scores: Scores) -> Axes:
    if is_simulated(scores):
        ax.text(
            0.5,
            0.5,
            "SIMULATED",
            transform=ax.transAxes,
            ha="center",
            va="center",
            rotation=25,
            fontsize=34,
            color=_LOWERS,
            alpha=0.22,
            zorder=0,
        )
    return ax

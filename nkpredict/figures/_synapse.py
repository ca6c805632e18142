"""The meeting of a tumour cell and an NK cell, drawn with what one patient's cells carry."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nkpredict.figures._style import GREY, PALE, axes_or_new, finished
from nkpredict.vocabulary import Meeting

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

    from nkpredict.explain import Patient

# Light to dark in lightness alone as well, so that it reads in grey and for colour-blind eyes.
_COLOURS = "YlGnBu"
_INK_TURNS = 55  # percentile above which a label is white on its colour
SYNAPSE_COLUMNS = (
    (Meeting.ACTIVATING, Meeting.ADHESION),
    (Meeting.INHIBITORY, Meeting.DEATH),
)
"""Kinds of pairs, column by column."""
_TITLES = {
    Meeting.ACTIVATING: "activates the NK cell",
    Meeting.ADHESION: "holds the two cells together",
    Meeting.INHIBITORY: "holds the NK cell back",
    Meeting.DEATH: "kills the tumour cell from outside",
}
_WIDTH = 10.0
_TUMOUR, _NK = 3.8, 5.6
_LONGEST = 30


def plot_synapse(
    patient: Patient,
    meetings: Sequence[Meeting] = (),
    *,
    ax: Axes | None = None,
    save: str | Path | None = None,
    show: bool = False,
) -> Axes:
    """Draw the proteins that one patient's tumour cells show to NK cells.

    Parameters
    ----------
    patient
        See `nkpredict.explain.explain_patient`.
    meetings
        Kinds of pairs to draw, one under the other in one column; by default all, in two.
    ax, save, show
        See the head of this module's neighbours: axes to draw on, file to write, whether to show.

    Returns
    -------
    matplotlib.axes.Axes
        Left of each column the tumour cell's protein, its colour the percentile of its expression;
        right the NK cell's protein that it meets. A dashed outline: not measured. What a protein
        weighs in the score is not drawn.

    Raises
    ------
    InputError
        When the file to save has another ending.
    """
    from matplotlib import colormaps

    asked = [tuple(meetings)] if meetings else SYNAPSE_COLUMNS
    columns = [_rows(patient.synapse, kinds) for kinds in asked]
    height = max(map(len, columns))
    ax = axes_or_new(ax, (3.75 * len(columns), 0.14 * height + 0.32), show)
    ax.set_axis_off()
    ax.set_xlim(0, _WIDTH * len(columns))
    ax.set_ylim(height + 0.1, -1.3)
    for column, rows in enumerate(columns):
        left = column * _WIDTH
        for x, words in ((_TUMOUR - 0.1, "tumour cell"), (_NK, "NK cell")):
            align = "right" if words == "tumour cell" else "left"
            ax.text(left + x, -0.85, words, ha=align, va="center", fontsize=7, color=GREY)
        for place, row in enumerate(rows):
            if isinstance(row, Meeting):
                ax.text(left + 0.1, place, _TITLES[row], va="center", fontsize=7.2, weight="bold")
            else:
                _draw_pair(ax, left, place, row, colormaps[_COLOURS])
    mark = bool(patient.provenance.forced)
    return finished(ax, patient.simulated, save, show, forced=mark)


def _rows(synapse: pd.DataFrame, kinds: tuple[Meeting, ...]) -> list[Meeting | pd.Series]:
    """Headings and pairs of a column, one a line."""
    rows: list[Meeting | pd.Series] = []
    for kind in kinds:
        of_kind = synapse[synapse["meeting"] == kind]
        if len(of_kind):
            rows += [kind, *(pair for _, pair in of_kind.iterrows())]
    return rows


def _draw_pair(ax: Axes, left: float, place: int, pair: pd.Series, colours: Colormap) -> None:
    from matplotlib.patches import FancyBboxPatch

    known = not np.isnan(pair["percentile"])
    level = pair["percentile"] / 100 if known else 0.0
    face = colours(0.04 + 0.86 * level) if known else "white"
    dark = known and pair["percentile"] > _INK_TURNS
    box = FancyBboxPatch(
        (left + 0.3, place - 0.36),
        _TUMOUR - 0.4,
        0.72,
        boxstyle="round,pad=0,rounding_size=0.25",
        facecolor=face,
        edgecolor=PALE if known else GREY,
        linestyle="-" if known else (0, (2, 2)),
        linewidth=0.8,
    )
    ax.add_patch(box)
    ink = "white" if dark else ("black" if known else GREY)
    ax.text(left + 0.45, place, pair["gene"], va="center", fontsize=6.8, color=ink)
    value = f"{pair['percentile']:.0f}" if known else "not measured"
    ax.text(left + _TUMOUR - 0.25, place, value, va="center", ha="right", fontsize=6, color=ink)
    # An arrow passes a signal on, a bar stops the NK cell, a line only holds.
    end = {
        Meeting.ACTIVATING: "-|>",
        Meeting.DEATH: "<|-",
        Meeting.INHIBITORY: "-[",
        Meeting.ADHESION: "-",
    }[pair["meeting"]]
    style = f"{end},widthB=0.25" if end == "-[" else end
    ax.annotate(
        "",
        xy=(left + _NK - 0.15, place),
        xytext=(left + _TUMOUR + 0.1, place),
        arrowprops={"arrowstyle": style, "color": GREY, "linewidth": 0.7, "mutation_scale": 6},
    )
    partner = pair["partner"].replace("; ", ", ")
    partner = partner if len(partner) <= _LONGEST else f"{partner[: _LONGEST - 1]}…"
    ax.text(left + _NK, place, partner, va="center", fontsize=6.8)

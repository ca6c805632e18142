"""Scores beside an outcome: the share of samples without an event over time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from nkpredict.errors import InputError
from nkpredict.figures._data import Scored
from nkpredict.figures._style import GREY, PROTECTS, SENSITIZES, axes_or_new, finished, shortened
from nkpredict.outcome import THIRDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = dict(zip(THIRDS, (PROTECTS, GREY, SENSITIZES), strict=True))


def plot_survival(
    scores: Scored, *, ax: Axes | None = None, save: str | Path | None = None, show: bool = False
) -> Axes:
    """Draw the Kaplan-Meier estimate of each third of the scores, with its 95 % interval.

    Parameters
    ----------
    scores
        Scores that were held against an outcome.
    ax, save, show
        As in all figures of scores, see `plot_ranking`.

    Returns
    -------
    matplotlib.axes.Axes
        Small bars are samples that left without an event.

    Raises
    ------
    InputError
        When the scores hold no outcome, or the file to save has another ending.
    """
    outcome = getattr(scores, "outcome", None)
    if outcome is None:
        raise InputError(
            "The scores hold no outcome; expected those of nkpredict.score(..., outcome=...)."
        )
    ax = axes_or_new(ax, (7.0, 4.6), show)
    survival: pd.DataFrame = outcome.survival
    for third, part in survival.groupby("group", sort=False):
        colour = _COLOURS[str(third)]
        label = f"{third}: {part['events'].sum()} of {part['at_risk'].iloc[0]}"
        ax.step(part["time"], part["without_event"], where="post", color=colour, label=label)
        ax.fill_between(
            part["time"], part["lower"], part["upper"], step="post", color=colour, alpha=0.12, lw=0
        )
        gone = part[part["at_risk"] - part["at_risk"].shift(-1, fill_value=0) > part["events"]]
        ax.plot(gone["time"], gone["without_event"], "|", color=colour, markersize=7)
    ax.set_ylim(0, 1.02)
    ax.set_xlim(left=0)
    ax.set_xlabel(shortened(outcome.facts.columns.time))
    ax.set_ylabel("share without an event")
    ax.legend(title="Third of the score: events", frameon=False, loc="upper right")
    score = outcome.facts.associations[0]
    title = f"concordance {score.concordance:.2f}, p = {score.p:.2g}"
    ax.set_title(title, loc="left", fontsize=11)
    return finished(ax, scores.provenance.simulated, save, show)
